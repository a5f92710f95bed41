"""A batch of one goes into a window by a short way: all that may happen there happens as it does in a larger batch.

That rows are the same to the byte however events are batched is a law, see `test_windows_properties`.
"""

from typing import Any

import pytest
from hypothesis import given, settings
from reactivex import Subject

from cgrx import operators as ops
from cgrx._model.events import Trade
from cgrx._model.signals import Batch, Signal
from cgrx._model.use_errors import TooManyKeysError
from cgrx.operators import Row, Stage, agg
from cgrx.operators._windows.grid_running import GridRunning
from cgrx.operators._windows.window_running import WindowRunning
from tests.streams.streaming import notes_of
from tests.support import examples
from tests.windows.test_windows_properties import signals
from tests.windows.windowing import BEGUN, CHANNEL, OTHER, Heard, Tally, alive, hear, one_by_one, trade


def refuse(total: int, event: Any) -> int:
    if event.time_ms == 1600:
        raise LookupError(event.time_ms)
    return total + 1


def start() -> int:
    return 0


def result(total: int) -> int:
    return total


def join(one: int, other: int) -> int:
    return one + other


RAISING = agg.custom(start, refuse, join, result)
TWO_KEYS = ops.tumbling("1s", Tally, by="symbol", max_keys=2)


def alone(*events: Any) -> list[Signal[Any]]:
    return [Batch(CHANNEL, 1600, (event,)) for event in events]


def apart(stage: Stage[Any, Any], *events: Any) -> Heard:
    return hear(stage, BEGUN, *alone(*events), ends=False)


@pytest.mark.parametrize(
    ("stage", "last", "error"),
    [
        (ops.tumbling("1s", Tally, by="symbol", mine=RAISING), trade(1600), LookupError),
        (ops.session("1s", Tally, by="symbol", mine=RAISING), trade(1600), LookupError),
        (ops.tumbling("1s", Tally), "no event", AttributeError),
        (ops.session("1s", Tally), "no event", AttributeError),
        (TWO_KEYS, trade(1600, symbol="C"), TooManyKeysError),
    ],
    ids=["an aggregate", "an aggregate of a session", "no event", "no event of a session", "one key too many"],
)
def test_what_raises_does_so_with_the_same_notes(stage: Stage[Any, Any], last: Any, error: type[Exception]) -> None:
    events = (trade(1500, symbol="A"), trade(1550, symbol="B"), trade(1580, symbol="A"))
    short = apart(stage, *events, last)
    long = hear(stage, BEGUN, Batch(CHANNEL, 1600, events), Batch(OTHER, 1600, ()), *alone(last), ends=False)
    assert isinstance(short.error, error)
    assert isinstance(long.error, error)
    assert (str(short.error), notes_of(short.error)) == (str(long.error), notes_of(long.error))
    assert short.rows == long.rows == []


@pytest.mark.parametrize(
    "stage",
    [
        ops.tumbling("1s", Tally, by="symbol"),
        ops.sliding("2s", "1s", Tally, by="symbol", updates="100ms"),
        ops.session("1s", Tally, by="symbol"),
        ops.count_bars(2, Tally, by="symbol"),
    ],
    ids=repr,
)
def test_a_source_is_looked_up_where_the_channel_is_another_one(stage: Stage[Any, Any]) -> None:
    """The same as where each is looked up, because there was something of a third channel in front of it."""
    signals = [
        Batch(channel, time_ms + more_ms, (trade(time_ms + more_ms - late_ms, symbol=symbol),))
        for time_ms in range(1000, 9000, 250)
        for channel, more_ms, late_ms, symbol in ((CHANNEL, 0, 0, "A"), (CHANNEL, 60, 0, "A"), (OTHER, 60, 700, "B"))
    ]
    each_looked_up = [each for signal in signals for each in (Batch(None, signal.received_ms, ()), signal)]
    found = hear(stage, BEGUN, *signals, alive(30_000), ends=False).rows
    assert found == hear(stage, BEGUN, *each_looked_up, alive(30_000), ends=False).rows
    assert sum(row.n for row in found if row.final) >= len(signals)
    assert not any(row.late for row in found)


@pytest.mark.parametrize(
    "stage",
    [
        ops.tumbling("20ms", Tally, by="symbol", lateness="10ms", idle="15ms"),
        ops.sliding("20ms", "5ms", Tally, by="exchange", lateness="10ms", idle="15ms", updates="7ms"),
        ops.session("5ms", Tally, by="symbol", lateness="10ms", idle="15ms"),
        ops.session("5ms", Tally, by="exchange", lateness="10ms", idle="15ms", updates="7ms"),
        ops.cascades("5ms", min_count=2, by="symbol", emit="crossed", lateness="10ms", idle="15ms"),
        ops.count_bars(3, Tally, by="symbol", lateness="10ms", updates="7ms"),
    ],
    ids=repr,
)
@given(found=signals())
@settings(max_examples=examples(200))
def test_the_short_way_gives_what_the_loop_does(stage: Stage[Any, Any], found: list[Signal[Trade]]) -> None:
    alone = one_by_one(found)
    short = hear(stage, *alone)
    with pytest.MonkeyPatch.context() as patch:
        for kind in (WindowRunning, GridRunning):
            patch.setattr(kind, "produce", WindowRunning._produce_whole)
        assert short == hear(stage, *alone)


def test_a_row_whose_subscriber_pushes_the_next_event_comes_once() -> None:
    """The events share one list for what they give, so that must be taken from it before a subscriber hears of it."""
    trades: Subject[Trade] = Subject()
    starts: list[int] = []

    def push(row: Row) -> None:
        starts.append(row.start_ms)
        if len(starts) < 4:
            trades.on_next(trade(1000 + len(starts)))

    trades.pipe(ops.count_bars(1, Tally)).subscribe(push)
    trades.on_next(trade(1000))
    assert starts == [1000, 1001, 1002, 1003]
