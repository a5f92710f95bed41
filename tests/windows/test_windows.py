"""Windows: when they close, what they say, how they end."""

from typing import Any

import pytest
import reactivex.operators as rx
from reactivex.subject import Subject

from cgrx import operators as ops
from cgrx._model.events import Trade, TradeSide
from cgrx._model.signals import Batch, Dropped, Gap, Signal, Watermark
from cgrx._streams.stream import merge, share
from cgrx.operators import agg
from tests.windows.windowing import (
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
    found = rows(SECOND, BEGUN, on_time(3999, 4000, 7000))
    assert [(row.start_ms, row.n) for row in found] == [(3000, 1), (4000, 1)], "also as long as both are open"


def test_no_event_no_row() -> None:
    assert spans(rows(INSTANT, BEGUN, on_time(500, 5500, 9000))) == [(0, 1000), (5000, 6000)]


def test_rows_go_out_with_what_released_them_and_before_a_mark() -> None:
    proof = alive(60_000)
    heard = hear(SECOND, BEGUN, on_time(3500, 6000), proof, ends=False)
    begun, batch, promise, marked, mark, come = heard.signals
    assert (begun, promise, mark, come) == (BEGUN, Watermark(4000), proof, Watermark(58_000))
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


def test_events_of_one_batch_and_symbol_are_kept_apart() -> None:
    sides = (TradeSide.BUY, TradeSide.SELL, TradeSide.BUY, TradeSide.BUY)
    events = tuple(Trade("BTC", "A", "X", side, 1.0, 1.0, 500) for side in sides)
    found = rows(ops.tumbling("1s", Tally, by="side"), BEGUN, Batch(CHANNEL, 500, events), on_time(4000))
    assert {row["side"]: row.n for row in found} == {TradeSide.BUY: 3, TradeSide.SELL: 1}


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


def test_a_source_that_goes_on_is_not_idle() -> None:
    """Its events came in two batches, with no mark between.

    At the proof the first one is 2.6 s old, the second half a second. By the first alone the source would be idle, and
    the watermark at 3100, past the end of the second window.
    """
    assert spans(rows(INSTANT, BEGUN, on_time(500), on_time(2600), alive(3100))) == [(0, 1000)]


def test_channels_that_take_turns_are_sources_of_their_own() -> None:
    """Though their exchange is the same one, and one of the batches is empty: a slow channel delays the rows."""
    slow, nothing = Batch(OTHER, 2600, (trade(700),)), at(700)
    given: list[Signal[Trade]] = [BEGUN, on_time(500), Batch(OTHER, 600, (trade(600),)), nothing, slow, on_time(2600)]
    assert rows(INSTANT, *given) == []
    assert spans(rows(INSTANT, *given, Batch(OTHER, 2700, (trade(1000),)))) == [(0, 1000)]
    assert rows(INSTANT, BEGUN, on_time(500), Batch[Trade](OTHER, 600, ()), slow, on_time(2600)) == []


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
    one.push(BEGUN)
    two.push(Gap(OTHER, 0, 0, "subscribed"))
    one.push(on_time(3500), alive(4000))
    two.push(Batch(OTHER, 3600, (trade(3600),)), alive(4000))
    one.push(alive(60_000))
    assert heard.rows == []
    two.push(alive(6000))
    (row,) = heard.rows
    assert (row.n, row.complete) == (2, True)
    assert heard.signals[-2:] == [alive(6000), Watermark(4000)]


def test_unneeded_gaps_are_forgotten() -> None:
    """A year of reconnects costs no memory, and the next row still knows its own."""
    signals: list[Any] = [BEGUN]
    for start in range(0, 500_000, 1000):
        signals += [on_time(start + 100), Gap(CHANNEL, start + 200, start + 300, "disconnected")]
    running: Any = INSTANT.start()
    for signal in signals:
        list(running.on_signal(signal))
    assert len(running._progress._missing) < 100
    batch, _ = running.on_signal(on_time(600_000))
    assert [row.gap_ms for row in batch.events] == [100]


def test_gaps_are_kept_for_a_window_that_can_still_open() -> None:
    """None is open, and many gaps lie where the next one will be."""
    gaps = [Gap(CHANNEL, start, start + 10, "disconnected") for start in range(10_000, 17_000, 100)]
    found = rows(ops.tumbling("10s", Tally, lateness=0), BEGUN, Watermark(10_000), *gaps, on_time(18_000, 20_000))
    assert [(row.start_ms, row.n, row.gap_ms) for row in found] == [(10_000, 1, 700)]


# --- late events ----------------------------------------------------------------------------------------------------


def test_late_events_are_counted_and_handed_on_and_open_nothing_again() -> None:
    late: list[Trade] = []
    stage = ops.tumbling("1s", Tally, on_late=late.append)
    found = rows(stage, BEGUN, on_time(500, 3000), at(3100, 999, 400, 1000), on_time(6000))
    assert [(row.start_ms, row.n, row.late) for row in found] == [(0, 1, 0), (1000, 1, 2), (3000, 1, 2)]
    assert [event.time_ms for event in late] == [999, 400]


def test_an_event_is_on_time_as_long_as_its_window_is_open() -> None:
    """However much later than the lateness it comes."""
    late: list[Trade] = []
    found = rows(ops.tumbling("1m", Tally, on_late=late.append), BEGUN, on_time(50_000, 100, 62_000))
    assert [row.n for row in found] == [2]
    assert late == []


def test_late_events_reach_an_observer() -> None:
    late: Subject[Trade] = Subject()
    heard: list[Trade] = []
    late.subscribe(heard.append)
    rows(ops.tumbling("1s", Tally, on_late=late), BEGUN, on_time(500, 3000, 400))
    assert [event.time_ms for event in heard] == [400]


def test_a_window_whose_events_are_all_late_gives_no_row() -> None:
    found = rows(INSTANT, BEGUN, on_time(5500, 100, 200, 300), on_time(9000))
    assert [(row.start_ms, row.late) for row in found] == [(5000, 3)]


def test_a_late_function_that_raises_ends_the_stream_behind_the_rows_before() -> None:
    def refuse(event: Trade) -> None:
        raise LookupError(event.time_ms)

    heard = hear(ops.tumbling("1s", Tally, on_late=refuse), BEGUN, on_time(500, 3000, 400, 9000), ends=False)
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
    heard = hear(INSTANT, BEGUN, Batch(CHANNEL, 2500, (trade(500), trade(1500), "no event", trade(2500))), ends=False)
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
    broken: Any = (trade(2500), None)
    results = iter(running.on_batch(Batch(CHANNEL, 2500, broken)))
    assert next(results).start_ms == 1000
    with pytest.raises(AttributeError):
        next(results)
