"""What windows keep and cost is bounded."""

from typing import Any, cast

import pytest

from cgrx import operators as ops
from cgrx._model.signals import Batch
from cgrx._model.use_errors import TooManyKeysError
from cgrx._streams.stream import Stage
from cgrx.operators import agg
from tests.costs.counting import instructions
from tests.windows.windowing import BEGUN, CHANNEL, Tally, hear, on_time, rows, trade


@pytest.mark.parametrize(
    "stage",
    [
        ops.tumbling("1s", Tally, by="symbol", lateness=0, max_keys=2),
        ops.tumbling("1s", Tally, by="symbol", lateness=0, max_keys=2, emit_empty=True),
        ops.sliding("1s", "500ms", Tally, by="symbol", lateness=0, max_keys=2),
        ops.session("1s", Tally, by="symbol", lateness=0, max_keys=2),
        ops.count_bars(9, Tally, by="symbol", max_keys=2),
    ],
    ids=repr,
)
def test_more_keys_than_allowed_are_an_error(stage: Stage[Any, Any]) -> None:
    """Behind the rows before; which key was one too many, it says."""
    keys = tuple(trade(500 + index, symbol=symbol) for index, symbol in enumerate("XYXZ"))
    heard = hear(stage, BEGUN, Batch(CHANNEL, 500, keys), ends=False)
    assert isinstance(heard.error, TooManyKeysError)
    assert (heard.error.max_keys, heard.error.key) == (2, ("Z",))


def test_a_key_that_gives_empty_rows_is_never_free_again() -> None:
    stage = ops.tumbling("1s", Tally, by="symbol", lateness=0, max_keys=1, emit_empty=True)
    heard = hear(stage, BEGUN, on_time(500), on_time(1500, symbol="Y"), ends=False)
    assert isinstance(heard.error, TooManyKeysError)


@pytest.mark.parametrize(
    "stage",
    [ops.tumbling("1s", Tally, by="symbol", max_keys=2), ops.sliding("2s", "1s", Tally, by="symbol", max_keys=3)],
)
def test_keys_whose_windows_have_closed_are_free_again(stage: Stage[Any, Any]) -> None:
    batches = [on_time(second * 4000, symbol=f"S{second}") for second in range(50)]
    assert len(rows(stage, BEGUN, *batches)) >= 48


@pytest.mark.parametrize(
    "stage",
    [
        ops.tumbling("1s", Tally, by="symbol", updates="1s"),
        ops.sliding("3s", "1s", Tally, by="symbol", updates="1s"),
        ops.session("500ms", Tally, by="symbol", updates="1s"),
    ],
    ids=repr,
)
def test_state_does_not_grow(stage: Stage[Any, Any]) -> None:
    """What is held after ten thousand windows and keys is what is open."""
    running: Any = stage.start()
    for second in range(10_000):
        list(running.on_signal(on_time(second * 1000, second * 1000 + 300, symbol=f"S{second}")))
    state = cast("dict[str, Any]", vars(running))
    held = {name: len(value) for name, value in state.items() if type(value) in (dict, list)}
    assert max(held.values()) <= 8, held


def test_a_long_sliding_window_costs_no_more_than_a_short_one() -> None:
    """One addition for an event, at most three merges for a pane and two for a row, however many panes a window has."""
    merges: list[int] = []

    def join(one: int, two: int) -> int:
        merges.append(1)
        return one + two

    count = agg.custom(int, lambda state, _: state + 1, join, int)
    for size in ("10s", "1000s"):
        merges.clear()
        found = rows(ops.sliding(size, "1s", n=count), BEGUN, on_time(*range(500, 3_000_000, 1000)))
        assert len(found) > 2900
        assert len(merges) <= 3 * 3000 + 2 * len(found)


def test_an_event_of_the_same_window_and_key_as_the_one_before_costs_less() -> None:
    """Where they alternate, window and key of each are looked up."""

    def cost(*times: int) -> int:
        running = ops.tumbling("1s", n=agg.count(), by="symbol").start()
        list(running.on_signal(on_time(500, 1500)))
        return instructions(lambda: list(running.on_signal(on_time(*times))))

    assert cost(*[500] * 200) < 0.8 * cost(*[500, 1500] * 100)


def test_exchanges_beyond_the_bound_hold_each_other_up_no_more() -> None:
    """The last ones share a source: a window closes when any of them is past its end, and the others are."""
    names = [f"E{number}" for number in range(300)]
    first = Batch(CHANNEL, 500, tuple(trade(500, exchange=name) for name in names))
    then = Batch(CHANNEL, 2_000, tuple(trade(2_000, exchange=name) for name in names[:256]))
    assert rows(ops.tumbling("1s", Tally, lateness=0), BEGUN, first, then) == []
    last = Batch(CHANNEL, 2_000, (trade(2_000, exchange="E299"),))
    (row,) = rows(ops.tumbling("1s", Tally, lateness=0), BEGUN, first, then, last)
    assert (row.n, row.late) == (300, 0)
