"""merge and merge_exchanges as operators in a pipe: the same streams as `cgrx.merge` and `cgrx.merge_exchanges`."""

import math
from typing import Any

import pytest
import reactivex

import cgrx
from cgrx import EventStream, Liquidation, Trade
from cgrx import operators as ops
from cgrx.testing import batch, liquidation, trade
from tests.feed.feeding import Record
from tests.streams.streaming import Hot

NEVER: reactivex.Observable[Any] = reactivex.never()
MERGE: Any = ops.merge
MERGE_EXCHANGES: Any = ops.merge_exchanges
"""Without their types, which refuse what is tried here."""


def test_the_union_with_others_of_the_pipe() -> None:
    liquidations, trades = Hot[Liquidation](None, Liquidation), Hot[Trade](None, Trade)
    merged = liquidations.stream.pipe(ops.merge(trades.stream), ops.min_volume(1))
    assert isinstance(merged, EventStream)
    assert merged.event_types == frozenset((Liquidation, Trade))
    record = Record()
    merged.subscribe_signals(record)
    liquidations.say(batch(liquidation()))
    trades.say(batch(trade()))
    assert record.signals == [batch(liquidation()), batch(trade())]
    liquidations.complete()
    assert record.end is None
    trades.complete()
    assert record.end == "completed"


def test_the_order_of_time_in_a_pipe() -> None:
    """All arguments reach it, and its stats are at hand."""
    one, two = Hot[Trade](), Hot[Trade]()
    ordered = one.stream.pipe(ops.merge_exchanges(two.stream, max_delay=math.inf, until="any", max_held=7))
    assert isinstance(ordered, cgrx.OrderedStream)
    record = Record()
    ordered.subscribe_signals(record)
    one.say(batch(trade(time="2s")))
    two.say(batch(trade(time="1s")))
    one.complete()
    assert [event.time_ms for event in record.events] == [1000, 2000]
    assert record.end == "completed"
    assert ordered.stats == cgrx.OrderStats(events=2, late=0, worst_late_ms=0)


def test_one_stream_alone_is_put_in_order() -> None:
    source = Hot[Trade]()
    record = Record()
    source.stream.pipe(ops.merge_exchanges(max_delay="9s")).subscribe_signals(record)
    source.say(batch(trade(time="2s"), trade(time="1s", exchange="OKX")))
    source.complete()
    assert [event.time_ms for event in record.events] == [2000, 1000]


@pytest.mark.parametrize("operator", [MERGE, MERGE_EXCHANGES])
def test_without_others_it_is_the_stream_alone(operator: Any) -> None:
    source = Hot[Trade]()
    record = Record()
    source.stream.pipe(operator()).subscribe_signals(record)
    source.say(batch(trade()))
    source.complete()
    assert record.events == [trade()]
    assert record.end == "completed"


@pytest.mark.parametrize(
    ("make", "error", "why"),
    [
        (lambda: MERGE(NEVER, 5), TypeError, "5 is no Observable"),
        (lambda: MERGE_EXCHANGES(5), TypeError, "5 is no Observable"),
        (lambda: MERGE_EXCHANGES(until="some"), ValueError, "until='some'"),
        (lambda: MERGE_EXCHANGES(max_delay="soon"), ValueError, "max_delay='soon'"),
        (lambda: MERGE(NEVER)(5), TypeError, "5 is no Observable"),
        (lambda: ops.pipeline(MERGE(NEVER)), TypeError, r"takes stages, not merge\(<.*use stream\.pipe"),
    ],
)
def test_arguments_that_do_not_fit(make: Any, error: type[Exception], why: str) -> None:
    """Those of the operator are refused where it is made."""
    with pytest.raises(error, match=why):
        make()


@pytest.mark.parametrize("name", ["subscribe", "pipe", "stats"])
def test_taking_it_for_a_stream(name: str) -> None:
    """Who merged streams with it before, or does not know the two faces, reads what to write."""
    with pytest.raises(AttributeError, match=rf"has no '{name}'.*stream\.pipe\(ops.*cgrx\.merge_exchanges\(stream, "):
        getattr(MERGE_EXCHANGES(NEVER, NEVER), name)
