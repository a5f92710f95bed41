"""The code that is written for a row of filters: as the docstrings show it, and for the time that they let pass."""

import re
from types import ModuleType
from typing import Any

import pytest

from cgrx import Trade
from cgrx import operators as ops
from cgrx._streams import predicates, running
from cgrx._streams.conditions import Conditional
from cgrx._streams.keeping import keeping
from cgrx.operators import Stage
from cgrx.testing import batch, trade
from tests.feed.feeding import Record
from tests.streams.streaming import Hot


def written_for(*stages: Stage[Any, Any]) -> str:
    asked = [stage.predicate for stage in stages if isinstance(stage, Conditional)]
    assert len(asked) == len(stages)
    return predicates.written(asked)[0]


SIDE, VOLUME, EXCHANGE = ops.side("long"), ops.min_volume(1000), ops.exchange("OKX")


@pytest.mark.parametrize(
    ("module", "code"),
    [(predicates, written_for(SIDE, VOLUME, EXCHANGE)), (running, written_for(SIDE, VOLUME))],
    ids=["predicates", "running"],
)
def test_the_sample_is_what_is_written(module: ModuleType, code: str) -> None:
    """Up to line breaks. Who changes what is written changes what is shown."""
    shown = re.findall(r"lambda events: \[.*?for e in events.*?\)\]", module.__doc__ or "", re.DOTALL)
    assert [" ".join(each.split()) for each in shown] == [code]


def test_filters_of_a_subscription_that_was_over_let_nothing_pass_where_it_is_taken_up() -> None:
    """And those of one that was not go on."""
    for is_over in (False, True):
        first, record = Hot[Trade](), Record()
        with keeping() as parts:
            subscription = first.stream.pipe(ops.min_volume(5)).subscribe_signals(Record())
        if is_over:
            subscription.dispose()
        again = Hot[Trade]()
        with keeping() as fresh:
            again.stream.pipe(ops.min_volume(5)).subscribe_signals(record)
        for part, held in zip(fresh, [each.state() for each in parts], strict=True):
            part.take_up(held)
        again.say(batch(trade("buy", 10)), batch(trade("buy", 1)))
        assert record.signals == ([] if is_over else [batch(trade("buy", 10))])
