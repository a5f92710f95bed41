"""Tumbling and sliding windows: when they close, what they say, how they end."""

from typing import Any

import pytest
import reactivex.operators as rx
from reactivex.subject import Subject

from cgrx import operators as ops
from cgrx._errors import TooManyKeysError
from cgrx._events import Trade
from cgrx._signals import Batch, Dropped, Gap, Watermark
from cgrx._streams import Stage, merge, share
from cgrx.operators import agg
from tests.windowing import (
    BEGUN,
    CHANNEL,
    OTHER,
    Heard,
    Pushed,
    Tally,
    alive,
    at,
    hear,
    on_time,
    rows,
    spans,
    stream,
    trade,
)

SECOND = ops.tumbling("1s", Tally)
INSTANT = ops.tumbling("1s", Tally, lateness=0)


# --- when they close ------------------------------------------------------------------------------------------------


def test_a_window_closes_when_the_watermark_reaches_its_end() -> None:
    """At the very event, and not a millisecond before: the end minus one plus the lateness."""
    assert rows(SECOND, BEGUN, on_time(3500, 5999)) == []
    (row,) = rows(SECOND, BEGUN, on_time(3500, 6000))
    assert (row.start_ms, row.end_ms, row.n, row.final, row.complete) == (3000, 4000, 1, True, True)


def test_a_time_at_the_boundary_belongs_to_the_next_window() -> None:
    assert spans(rows(INSTANT, BEGUN, on_time(3999, 4000, 5000))) == [(3000, 4000), (4000, 5000)]


def test_no_event_no_row() -> None:
    assert spans(rows(INSTANT, BEGUN, on_time(500, 5500, 9000))) == [(0, 1000), (5000, 6000)]


def test_rows_go_out_with_what_released_them_and_before_a_mark() -> None:
    proof = alive(60_000)
    heard = hear(SECOND, BEGUN, on_time(3500, 6000), proof, ends=False)
    begun, batch, marked, mark = heard.signals
    assert (begun, mark) == (BEGUN, proof)
    assert isinstance(batch, Batch)
    assert (batch.channel, batch.received_ms, len(batch.events)) == (CHANNEL, 6000, 1)
    assert isinstance(marked, Batch)
    assert (marked.channel, marked.received_ms, len(marked.events)) == (None, 60_000, 1)


def test_rows_come_by_end_then_key() -> None:
    stage = ops.tumbling("1s", Tally, by=("exchange", "symbol"))
    events = [trade(500, "A", "Z"), trade(1500, "A", "X"), trade(600, "A", "Y"), trade(1400, "A", "A"), trade(9000)]
    found = rows(stage, BEGUN, Batch(CHANNEL, 9000, tuple(events)))
    assert [(row.end_ms, row.symbol) for row in found] == [(1000, "Y"), (1000, "Z"), (2000, "A"), (2000, "X")]


@pytest.mark.parametrize("by", ["exchange", "symbol", "base_asset", "side", ("symbol", "exchange"), ("side", "symbol")])
def test_a_window_can_be_kept_apart_by_any_key(by: Any) -> None:
    (row,) = rows(ops.tumbling("1s", by=by, n=agg.count()), BEGUN, on_time(500, 4000))
    event = trade(500)
    for field in (by,) if isinstance(by, str) else by:
        assert row[field] == getattr(event, field)


def test_one_slow_exchange_delays_the_rows_a_quiet_one_does_not() -> None:
    slow = (BEGUN, on_time(500, exchange="B"), on_time(500, 9000))
    assert rows(SECOND, *slow) == []
    assert spans(rows(SECOND, *slow, alive(2499))) == []
    assert spans(rows(SECOND, *slow, alive(2500))) == [(0, 1000)]


def test_proof_of_life_closes_the_windows_of_a_quiet_market() -> None:
    """The last event is at 3500; 2 s on its exchange is idle, and at 6000 what is proven is past the lateness."""
    quiet = (BEGUN, on_time(3500))
    assert rows(SECOND, *quiet, alive(5999)) == []
    (row,) = rows(SECOND, *quiet, alive(6000))
    assert row.complete


def test_unproven_silence_closes_nothing() -> None:
    """However late it is on other signals."""
    later = Gap(OTHER, 3500, 900_000, "disconnected")
    assert rows(SECOND, BEGUN, on_time(3500), later, Dropped(OTHER, 1, "malformed")) == []


def test_windows_freeze_while_disconnected() -> None:
    """Nothing is proven then; what recovery brings closes them, and they say what they missed."""
    before = (BEGUN, on_time(3500), alive(4000))
    gap = Gap(CHANNEL, 4000, 20_000, "disconnected")
    assert rows(SECOND, *before, gap) == []
    found = rows(SECOND, *before, gap, on_time(20_500), alive(30_000))
    assert [(row.start_ms, row.gap_ms, row.complete) for row in found] == [(3000, 1000, False), (20_000, 1000, False)]


def test_an_upstream_watermark_is_believed_without_a_second_delay() -> None:
    assert spans(rows(SECOND, BEGUN, on_time(500), Watermark(1000))) == [(0, 1000)]


# --- quality --------------------------------------------------------------------------------------------------------


def test_the_first_window_is_partial() -> None:
    """The subscription began in it, and times differ between exchange and here by up to the lateness."""
    found = rows(SECOND, Gap(CHANNEL, 0, 10_400, "subscribed"), on_time(10_500, 11_500, 12_500, 13_500), alive(90_000))
    assert [(row.gap_ms, row.complete) for row in found] == [(1000, False), (1000, False), (400, False), (0, True)]


def test_a_gap_across_a_boundary_counts_in_both_windows() -> None:
    stage = ops.tumbling("10s", Tally)
    gap = Gap(CHANNEL, 9500, 10_200, "disconnected")
    found = rows(stage, BEGUN, on_time(5000, 9000), gap, on_time(10_500, 25_000), alive(90_000))
    assert [(row.start_ms, row.gap_ms) for row in found] == [(0, 4500), (10_000, 2200), (20_000, 0)]


def test_gaps_of_several_channels_are_united() -> None:
    gaps = (Gap(CHANNEL, 500, 600, "disconnected"), Gap(OTHER, 550, 700, "disconnected"))
    (row,) = rows(INSTANT, BEGUN, on_time(100), *gaps, on_time(1000))
    assert row.gap_ms == 200


def test_lost_events_count_in_the_windows_that_may_miss_them() -> None:
    lost = Dropped(CHANNEL, 3, "malformed")
    found = rows(INSTANT, BEGUN, on_time(500), lost, on_time(1500, 2500, 3500))
    assert [(row.dropped, row.complete) for row in found] == [(3, False), (0, True), (0, True)]


def test_behind_a_foreign_operator_quality_is_unknown() -> None:
    """Windows close by event time and completion; never are they called complete."""
    found: list[Any] = []
    source = stream([BEGUN, on_time(500, 1500), alive(90_000)], ends=True)
    source.pipe(rx.filter(lambda event: True), INSTANT).subscribe(found.append)
    assert [(row.start_ms, row.gap_ms, row.final, row.complete) for row in found] == [
        (0, None, True, False),
        (1000, None, False, False),
    ]


def test_behind_share_a_late_subscriber_knows_what_it_missed() -> None:
    source = Pushed()
    shared = share(source.stream)
    first, second = Heard(), Heard()
    shared.through(INSTANT).subscribe_signals(first)
    source.push(BEGUN, on_time(500))
    shared.through(INSTANT).subscribe_signals(second)
    source.push(on_time(700, 1500, 2500))
    assert [(row.n, row.gap_ms) for row in first.rows] == [(2, 0), (1, 0)]
    assert [(row.n, row.gap_ms) for row in second.rows] == [(1, 500), (1, 0)]


def test_two_streams_of_one_connection() -> None:
    """Its proof counts once, when both have it; both are sources of the window behind."""
    one, two, heard = Pushed(), Pushed(), Heard()
    merge(one.stream, two.stream).through(SECOND).subscribe_signals(heard)
    one.push(BEGUN, on_time(3500), alive(4000))
    two.push(Gap(OTHER, 0, 0, "subscribed"), Batch(OTHER, 3600, (trade(3600),)), alive(4000))
    one.push(alive(60_000))
    assert heard.rows == []
    two.push(alive(6000))
    (row,) = heard.rows
    assert (row.n, row.complete) == (2, True)
    assert heard.signals[-1] == alive(6000)


def test_unneeded_gaps_are_forgotten() -> None:
    """A year of reconnects costs no memory, and the next row still knows its own."""
    signals: list[Any] = [BEGUN]
    for start in range(0, 500_000, 1000):
        signals += [on_time(start + 100), Gap(CHANNEL, start + 200, start + 300, "disconnected")]
    running = INSTANT.start()
    for signal in signals:
        found = list(running.on_signal(signal))
    assert len(running._progress._missing) < 100  # type: ignore[attr-defined]
    assert isinstance(found[0], Gap)
    (batch,) = running.on_signal(on_time(600_000))
    assert isinstance(batch, Batch)
    assert [row.gap_ms for row in batch.events] == [100]


# --- late events ----------------------------------------------------------------------------------------------------


def test_late_events_are_counted_and_handed_on_and_open_nothing_again() -> None:
    late: list[Trade] = []
    stage = ops.tumbling("1s", Tally, late=late.append)
    found = rows(stage, BEGUN, on_time(500, 3000), at(3100, 999, 400, 1000), on_time(6000))
    assert [(row.start_ms, row.n, row.late) for row in found] == [(0, 1, 0), (1000, 1, 2), (3000, 1, 2)]
    assert [event.time_ms for event in late] == [999, 400]


def test_an_event_is_on_time_as_long_as_its_window_is_open() -> None:
    """However much later than the lateness it comes."""
    late: list[Trade] = []
    found = rows(ops.tumbling("1m", Tally, late=late.append), BEGUN, on_time(50_000, 100, 62_000))
    assert [row.n for row in found] == [2]
    assert late == []


def test_late_events_reach_an_observer() -> None:
    late: Subject[Trade] = Subject()
    heard: list[Trade] = []
    late.subscribe(heard.append)
    rows(ops.tumbling("1s", Tally, late=late), BEGUN, on_time(500, 3000, 400))
    assert [event.time_ms for event in heard] == [400]


def test_a_window_whose_events_are_all_late_gives_no_row() -> None:
    found = rows(INSTANT, BEGUN, on_time(5500, 100, 200, 300), on_time(9000))
    assert [(row.start_ms, row.late) for row in found] == [(5000, 3)]


def test_a_late_function_that_raises_ends_the_stream_behind_the_rows_before() -> None:
    def refuse(event: Trade) -> None:
        raise LookupError(event.time_ms)

    heard = hear(ops.tumbling("1s", Tally, late=refuse), BEGUN, on_time(500, 3000, 400, 9000), ends=False)
    assert spans(heard.rows) == [(0, 1000)]
    assert isinstance(heard.error, LookupError)
    assert "tumbling" in heard.error.__notes__[0]
    assert "time_ms=400" in heard.error.__notes__[0]


# --- how they end ---------------------------------------------------------------------------------------------------


def test_on_completion_open_windows_come_out_with_what_was_not_seen() -> None:
    found = rows(SECOND, BEGUN, on_time(11_500, 12_500, 12_600), ends=True)
    assert [(row.start_ms, row.n, row.final, row.gap_ms, row.complete) for row in found] == [
        (11_000, 1, False, 0, False),
        (12_000, 2, False, 400, False),
    ]


def test_on_an_error_nothing_more_comes() -> None:
    error = RuntimeError("the feed broke")
    heard = hear(SECOND, BEGUN, on_time(1500), ends=error)
    assert (heard.rows, heard.error, heard.completed) == ([], error, False)


def test_an_empty_stream_completes() -> None:
    heard = hear(SECOND)
    assert (heard.rows, heard.completed) == ([], True)


def test_disposal_inside_a_batch_stops_at_once() -> None:
    found: list[Any] = []
    source = Pushed()

    def take(row: Any) -> None:
        found.append(row)
        subscription.dispose()

    subscription = source.stream.through(INSTANT).subscribe(take)
    source.push(on_time(500, 1500, 2500, 3500), on_time(9500))
    assert spans(found) == [(0, 1000)]


def test_an_item_that_is_no_event_ends_the_stream_with_a_note() -> None:
    heard = hear(INSTANT, BEGUN, Batch(CHANNEL, 0, (trade(500), trade(1500), "no event", trade(2500))), ends=False)
    assert spans(heard.rows) == [(0, 1000)]
    assert isinstance(heard.error, AttributeError)
    assert "'no event'" in heard.error.__notes__[0]


def test_an_aggregate_that_raises_at_a_mark_ends_the_stream() -> None:
    def refuse(state: int) -> int:
        raise LookupError("no result")

    broken = agg.custom(int, lambda state, _: state + 1, lambda one, two: one + two, refuse)
    heard = hear(ops.tumbling("1s", x=broken), BEGUN, on_time(500), alive(90_000), ends=False)
    assert isinstance(heard.error, LookupError)
    assert heard.rows == []


def test_on_batch_is_the_public_contract() -> None:
    """A `Running` of one's own may call it: results, then the error."""
    running = INSTANT.start()
    assert spans(running.on_batch(on_time(500, 1500))) == [(0, 1000)]
    results = iter(running.on_batch(Batch(CHANNEL, 0, (trade(2500), None))))
    assert next(results).start_ms == 1000
    with pytest.raises(AttributeError):
        next(results)


# --- empty windows --------------------------------------------------------------------------------------------------


def test_known_keys_give_empty_rows() -> None:
    """From the first window in which they had an event."""
    stage = ops.tumbling("1s", Tally, by="symbol", lateness=0, empty="emit")
    found = rows(stage, BEGUN, on_time(500), on_time(1500, symbol="Y"), on_time(3000))
    assert [(row.start_ms, row.symbol, row.n, row.gap_ms) for row in found] == [
        (0, "X", 1, 0),
        (1000, "X", 0, 0),
        (1000, "Y", 1, 0),
        (2000, "X", 0, 0),
        (2000, "Y", 0, 0),
    ]
    assert found[1].open is None
    assert found[1].complete


def test_empty_rows_say_what_was_not_seen() -> None:
    """Nothing in a window that was not seen is not the same as nothing."""
    stage = ops.tumbling("1s", Tally, lateness=0, empty="emit")
    found = rows(stage, BEGUN, on_time(500), Gap(CHANNEL, 1200, 1900, "disconnected"), on_time(2500, 3000))
    assert [(row.n, row.gap_ms, row.complete) for row in found] == [(1, 0, True), (0, 700, False), (1, 0, True)]


def test_proof_gives_empty_rows_in_a_quiet_market() -> None:
    stage = ops.tumbling("1s", Tally, lateness=0, empty="emit")
    assert [row.n for row in rows(stage, BEGUN, on_time(500), alive(4000))] == [1, 0, 0, 0]


def test_before_the_subscription_began_there_are_no_empty_rows() -> None:
    """An old event, as some exchanges send first, opens no flood of them."""
    stage = ops.tumbling("1s", Tally, lateness=0, empty="emit")
    begun = Gap(CHANNEL, 0, 86_400_500, "subscribed")
    found = rows(stage, begun, at(86_400_600, 500), on_time(86_403_000))
    assert [(row.start_ms, row.n) for row in found] == [(0, 1), (86_400_000, 0), (86_401_000, 0), (86_402_000, 0)]


def test_empty_rows_of_sliding_windows() -> None:
    stage = ops.sliding("2s", "1s", Tally, lateness=0, empty="emit")
    found = rows(stage, BEGUN, on_time(500, 5000), ends=True)
    assert [(row.start_ms, row.n, row.final) for row in found] == [
        (-1000, 1, True),
        (0, 1, True),
        (1000, 0, True),
        (2000, 0, True),
        (3000, 0, True),
        (4000, 1, False),
        (5000, 1, False),
    ]


# --- running rows ---------------------------------------------------------------------------------------------------

UPDATED = ops.tumbling("10s", Tally, by="symbol", updates="1s")


def running(found: list[Any]) -> list[tuple[str, int, int]]:
    assert all(not row.final and not row.complete for row in found)
    return [(row.symbol, row.start_ms, row.n) for row in found]


def test_running_rows_come_with_the_first_event_of_the_next_period() -> None:
    """They say what was before it, and wait for no lateness."""
    assert running(rows(UPDATED, BEGUN, on_time(500, 700, 999))) == []
    assert running(rows(UPDATED, BEGUN, on_time(500, 700, 999, 1000, 1100))) == [("X", 0, 3)]


def test_running_rows_come_for_keys_that_have_changed_only() -> None:
    signals = (BEGUN, on_time(500), on_time(600, symbol="A"), on_time(1500), on_time(2500))
    assert running(rows(UPDATED, *signals)) == [("A", 0, 1), ("X", 0, 1), ("X", 0, 2)]


def test_running_rows_come_by_proof_too() -> None:
    """Time goes on with it; a second proof finds nothing new."""
    found = rows(UPDATED, BEGUN, at(600, 500), alive(1099), alive(1100), alive(2200))
    assert running(found) == [("X", 0, 1)]


def test_a_key_gives_one_running_row_a_period_that_of_its_newest_window() -> None:
    stage = ops.tumbling("1s", Tally, by="symbol", updates="2s", lateness="5s")
    found = rows(stage, BEGUN, on_time(500, 1500, 900, 2000))
    assert running(found) == [("X", 1000, 1)]


def test_a_closed_window_gives_no_running_row() -> None:
    stage = ops.tumbling("1s", Tally, by="symbol", updates="1s", lateness=0)
    found = rows(stage, BEGUN, on_time(500, 1500, 2500))
    assert [(row.start_ms, row.final) for row in found] == [(0, True), (1000, True)]


def test_the_running_row_of_sliding_windows_is_the_fullest() -> None:
    """Of five windows that hold the latest event, the one that ends first."""
    stage = ops.sliding("5s", "1s", Tally, updates="1s", lateness="2s")
    found = [row for row in rows(stage, BEGUN, on_time(*range(500, 12_000, 1000))) if not row.final]
    assert [(row.start_ms, row.n) for row in found[-3:]] == [(4000, 5), (5000, 5), (6000, 5)][-len(found[-3:]) :]


# --- sliding --------------------------------------------------------------------------------------------------------


def test_an_event_is_in_each_window_that_overlaps_it() -> None:
    stage = ops.sliding("3s", "1s", Tally, lateness=0)
    found = rows(stage, BEGUN, on_time(2500, 9000))
    assert [(*span, row.n) for span, row in zip(spans(found), found, strict=True)] == [
        (0, 3000, 1),
        (1000, 4000, 1),
        (2000, 5000, 1),
    ]


def test_a_step_that_does_not_divide_the_size() -> None:
    stage = ops.sliding("5s", "2s", Tally, lateness=0)
    assert spans(rows(stage, BEGUN, on_time(4500, 20_000))) == [(0, 5000), (2000, 7000), (4000, 9000)]


def test_an_event_too_late_for_some_windows_counts_in_the_others() -> None:
    """Once as late, and handed on, for the rows that lack it are out."""
    late: list[Trade] = []
    stage = ops.sliding("3s", "1s", Tally, late=late.append, lateness=0)
    found = rows(stage, BEGUN, on_time(2500, 3500), at(3600, 2600), on_time(9000))
    assert [(row.start_ms, row.n, row.late) for row in found] == [
        (0, 1, 0),
        (1000, 3, 1),
        (2000, 3, 1),
        (3000, 1, 1),
    ]
    assert [event.time_ms for event in late] == [2600]


def test_a_key_that_begins_too_late_for_some_windows() -> None:
    stage = ops.sliding("3s", "1s", Tally, by="symbol", lateness=0)
    found = rows(stage, BEGUN, on_time(3500), at(3600, 2600, symbol="Y"), on_time(9000))
    assert [(row.start_ms, row.symbol) for row in found] == [
        (1000, "X"),
        (1000, "Y"),
        (2000, "X"),
        (2000, "Y"),
        (3000, "X"),
    ]


# --- bounds ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "stage",
    [
        ops.tumbling("1s", Tally, by="symbol", lateness=0, max_keys=2),
        ops.tumbling("1s", Tally, by="symbol", lateness=0, max_keys=2, empty="emit"),
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
    held = {name: len(value) for name, value in vars(running).items() if isinstance(value, dict | list)}
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
