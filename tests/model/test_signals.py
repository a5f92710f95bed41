"""The signals: values, and the time that a mark speaks of."""

import copy
import pickle

import pytest

from cgrx._model.channels import LiquidationOrders
from cgrx._model.signals import Alive, Batch, Dropped, Gap, Mark, Signal, Watermark, mark_ms

CHANNEL = LiquidationOrders()


@pytest.mark.parametrize(
    ("mark", "time_ms"),
    [
        (Alive("c1", 5_000), 5_000),
        (Gap(CHANNEL, 1_000, 4_000, "reconnected"), 4_000),
        (Dropped(CHANNEL, 3, "malformed"), 0),
        (Watermark(9_000), 0),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_receive_time_of_a_mark(mark: Mark, time_ms: int) -> None:
    """A watermark is event time, which says nothing about when it was received."""
    assert mark_ms(mark) == time_ms


@pytest.mark.parametrize(
    "signal",
    [Batch(CHANNEL, 1, (1, 2)), Batch(None, 0, ()), Alive("c1", 5), Gap(CHANNEL, 0, 1, "x"), Dropped(None, 1, "x")],
    ids=repr,
)
def test_signals_are_values(signal: Signal[int]) -> None:
    """Frozen, hashable, picklable: a recording holds them, a replay gives equal ones."""
    assert pickle.loads(pickle.dumps(signal)) == signal
    assert hash(copy.copy(signal)) == hash(signal)
    with pytest.raises(AttributeError):
        setattr(signal, type(signal).__match_args__[0], None)
