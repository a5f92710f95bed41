"""Windows where a clock is wrong: this machine's, an exchange's, or that of a single event."""

from collections.abc import Iterator
from typing import Any

import pytest

from cgrx import operators as ops
from cgrx._model.signals import Batch, Dropped, Gap, Signal
from tests.windows.windowing import CHANNEL, Tally, alive, at, rows, trade

HOUR = 3_600_000
START = 1_800_000_000_000  # a full minute
BARS = ops.tumbling("10s", Tally)
OFFS = pytest.mark.parametrize("off", [-2 * HOUR, -5_000, -3_000, 3_000, 5_000, 2 * HOUR])


def market(
    seconds: range, off: int = 0, begin: bool = True, ahead: dict[int, int] | None = None
) -> Iterator[Signal[Any]]:
    """An event and a proof a second, on a machine whose clock is `off` milliseconds ahead.

    The events of some seconds are `ahead` of their time.
    """
    clock = START + seconds[0] * 1000 + off
    if begin:
        yield Gap(CHANNEL, 0, clock, "subscribed")
    for second in seconds:
        time_ms = START + second * 1000
        yield at(time_ms + off, time_ms + (ahead or {}).get(second, 0))
        yield alive(time_ms + 50 + off)


@pytest.mark.parametrize("off", [0, -2 * HOUR, 2 * HOUR])
def test_an_event_from_the_future_holds_nobody_up(off: int) -> None:
    """59 minutes ahead, then silence: the windows of the others close in time, and its own waits for its time."""
    signals = [
        *market(range(25), off, ahead={12: 59 * 60_000}),
        *(alive(START + off + 25_000 + each * 1000) for each in range(15)),
    ]
    found = rows(BARS, *signals)
    assert [(row.start_ms - START, row.n, row.late) for row in found] == [(0, 10, 0), (10_000, 9, 0), (20_000, 5, 0)]
    ended = rows(BARS, *signals, ends=True)
    assert (ended[-1].start_ms, ended[-1].n, ended[-1].complete) == (START + 12_000 + 59 * 60_000 - 2_000, 1, False)


@pytest.mark.parametrize("off", [0, -2 * HOUR, 2 * HOUR])
def test_nor_do_sessions_wait_for_it(off: int) -> None:
    """Each event is a session of its own, and none is late."""
    found = rows(ops.session("900ms", Tally), *market(range(25), off, ahead={12: 59 * 60_000}))
    assert [(row.start_ms - START, row.late) for row in found] == [
        (second * 1000, 0) for second in range(22) if second != 12
    ]


def test_what_is_as_far_ahead_as_the_lateness_is_not_from_the_future() -> None:
    assert len(rows(ops.tumbling("1s", Tally), at(START, START), at(START + 1000, START + 3000))) == 1
    assert len(rows(ops.tumbling("1s", Tally), at(START, START), at(START + 1000, START + 3001))) == 0


def test_an_event_from_the_future_is_the_first() -> None:
    """Before anything else says what time it is, the receive time does."""
    signals = [Gap(CHANNEL, 0, START, "subscribed"), at(START + 100, START + HOUR), *market(range(1, 15), begin=False)]
    assert [(row.start_ms - START, row.n, row.late) for row in rows(BARS, *signals)] == [(0, 9, 0)]


def test_events_days_old_move_nothing() -> None:
    """As some exchanges send one to a new subscriber. It is in a window of its own, or late."""
    first = [Gap(CHANNEL, 0, START, "subscribed"), at(START + 50, START - 48 * HOUR), *market(range(15), begin=False)]
    assert [(row.start_ms - START, row.n, row.late) for row in rows(BARS, *first)] == [
        (-48 * HOUR, 1, 0),
        (0, 10, 0),
    ]
    later = list(market(range(25), ahead={12: -48 * HOUR}))
    assert [(row.start_ms - START, row.n, row.late) for row in rows(BARS, *later)] == [(0, 10, 1), (10_000, 9, 1)]


@pytest.mark.parametrize("stage", [BARS, ops.sliding("10s", "5s", Tally)], ids=["tumbling", "sliding"])
@pytest.mark.parametrize("ahead", [6_000, HOUR, -26_000, -HOUR])
def test_one_event_in_a_hundred_moves_nothing(stage: Any, ahead: int) -> None:
    """In either direction: no other event is late, and the windows of the others close with the same signal."""
    wrong = dict.fromkeys(range(50, 400, 100), ahead)
    signals = list(market(range(400), ahead=wrong))
    without = [
        Batch(CHANNEL, each.received_ms, ()) if isinstance(each, Batch) and is_wrong(each) else each for each in signals
    ]
    found, expected = closings(stage, signals), closings(stage, without)
    assert {key: found[key] for key in expected} == expected
    late = rows(stage, *signals)[-1].late
    assert late == (0 if ahead > 0 else len(wrong))


@OFFS
def test_a_machine_whose_clock_is_off_by_a_constant(off: int) -> None:
    """All rows are those of a right clock, and close with the same event, once the clocks have been compared."""
    found = rows(BARS, *market(range(45), off))
    right = rows(BARS, *market(range(45)))
    assert [row.values for row in found] == [row.values for row in right]
    assert [row.complete for row in found] == [False, True, True, True]
    assert all(row.late == 0 for row in found)


@OFFS
def test_a_gap_is_where_the_events_are_missing(off: int) -> None:
    """A connection that was gone from 31 s to 39 s by the events' clocks, whatever this machine's says."""
    signals = [
        *market(range(31), off),
        Gap(CHANNEL, START + 30_500 + off, START + 39_500 + off, "disconnected"),
        *market(range(40, 65), off, begin=False),
    ]
    assert [(row.start_ms - START, row.gap_ms) for row in rows(BARS, *signals)] == [
        (0, 2_000),
        (10_000, 0),
        (20_000, 1_500),
        (30_000, 10_000),
        (40_000, 1_500),
        (50_000, 0),
    ]


@OFFS
def test_a_loss_is_charged_to_the_windows_of_its_time(off: int) -> None:
    """Not to those of the next two hours, where this machine's clock is so far ahead."""
    signals = [*market(range(31), off), Dropped(CHANNEL, 1, "malformed"), *market(range(31, 65), off, begin=False)]
    found = rows(BARS, *signals)
    assert [row.dropped for row in found] == [0, 0, 1, 1, 0, 0]


def two_exchanges(seconds: range, ahead: int, silent: range, off: int = 0) -> Iterator[Signal[Any]]:
    """A second exchange whose clock is `ahead`, before the market's; for some seconds neither says anything."""
    yield Gap(CHANNEL, 0, START + seconds[0] * 1000 + off, "subscribed")
    for second in seconds:
        time_ms = START + second * 1000
        if second not in silent:
            yield at(time_ms + off, time_ms + ahead, exchange="B")
            yield at(time_ms + 10 + off, time_ms + 10)
        yield alive(time_ms + 50 + off)


@pytest.mark.parametrize("stage", [BARS, ops.sliding("10s", "5s", Tally), ops.session("900ms", Tally)])
@pytest.mark.parametrize("off", [0, -2 * HOUR, 2 * HOUR])
def test_an_exchange_whose_clock_is_behind_is_waited_for_in_silence(stage: Any, off: int) -> None:
    """Else its events after five silent seconds would be late, and rows without them complete."""
    signals = list(two_exchanges(range(60), -8_000, range(20, 25), off))
    assert rows(stage, *signals)[-1].late == 0
    assert [row.n for row in rows(BARS, *signals) if row.start_ms >= START + 20_000] == [5 + 10, 20]


def test_a_gap_reaches_to_an_exchange_whose_clock_is_ahead() -> None:
    """By that clock the subscription began eight seconds later, which the third proof of life tells."""
    found = rows(BARS, *two_exchanges(range(40), 8_000, range(0)))
    assert [row.gap_ms for row in found] == [10_000, 0, 0]


@pytest.mark.parametrize(
    ("ahead", "first", "gaps"), [(-8_000, 20, [2_000, 8_900, 3_900]), (8_000, 23, [2_000, 0, 7_900, 4_900])]
)
def test_a_gap_reaches_to_an_exchange_that_is_heard_of_later(ahead: int, first: int, gaps: list[int]) -> None:
    """Its third proof of life comes behind the gap. The gap is as wide as it was on the side where it is not needed."""
    _, *before = two_exchanges(range(first, first + 2), ahead, range(0))
    _, *behind = two_exchanges(range(first + 2, 60), ahead, range(0))
    gone = START + first * 1000 + 1_100
    gap = Gap(CHANNEL, gone, gone + 800, "disconnected")
    found = rows(BARS, *market(range(first)), *before, gap, *behind)
    assert [row.gap_ms for row in found][: len(gaps)] == gaps


def test_an_exchange_whose_clock_is_a_minute_behind_is_not() -> None:
    """Rows that wait for it would come too late to be wanted. While it speaks it is waited for as any other."""
    signals = list(two_exchanges(range(200), -90_000, range(120, 130)))
    spoken = 1 + 3 * 120
    last = [rows(BARS, *signals[:each])[-1].end_ms - START for each in (spoken, spoken + 10)]
    assert last == [20_000, 120_000]


EMPTIES = ops.tumbling("1s", Tally, by="exchange", emit_empty=True)


def test_empty_rows_begin_with_the_subscription() -> None:
    """An event that is two days old has its row, and none follows for the time before anybody listened."""
    old = at(START + 50, START - 48 * HOUR)
    for beginning in ([Gap(CHANNEL, 0, START, "subscribed")], []):
        found = rows(EMPTIES, *beginning, old, *market(range(4), begin=False))
        assert [(row.start_ms - START, row.n) for row in found] == [(-48 * HOUR, 1), (0, 1)]


def test_empty_rows_in_a_row_are_bounded() -> None:
    """Behind an observable that is no EventStream nothing says what time it is but the events."""
    years = [Batch(None, each, (trade(each),)) for each in (START, START + 365 * 24 * HOUR, START + 366 * 24 * HOUR)]
    found = rows(EMPTIES, *years)
    assert [row.n for row in found] == [1, *[0] * 10_000, 1, *[0] * 10_000]
    assert found[10_001].start_ms == START + 365 * 24 * HOUR


def is_wrong(batch: Batch[Any]) -> bool:
    return bool(batch.events[0].time_ms != batch.received_ms)


def closings(stage: ops.Stage[Any, Any], signals: list[Signal[Any]]) -> dict[tuple[int, int], int]:
    """The number of the signal that closed each window."""
    running = stage.start()
    return {
        (row.start_ms, row.end_ms): number
        for number, signal in enumerate(signals)
        for out in running.on_signal(signal)
        if isinstance(out, Batch)
        for row in out.events
    }
