"""What holds for every operator: how it begins and ends, and what it makes of silence, gaps and company."""

from typing import Any

import pytest
from reactivex.subject import Subject

import cgrx
from cgrx import Alive, Batch, Dropped, FuturesTrades, Gap, Mark, Watermark
from cgrx import operators as ops
from cgrx.testing import alive, batch, dropped, gap, watermark
from tests.feed.feeding import Record
from tests.operators.contracts import BARS, BEGUN, BURSTS, CLOSING, EARLY, LIFTS, ROW_STAGES, Lift, at, same
from tests.streams.streaming import Hot, rx_any

every = pytest.mark.parametrize("lift", LIFTS.values(), ids=LIFTS)
every_row = pytest.mark.parametrize("lift", ROW_STAGES.values(), ids=ROW_STAGES)
every_closing = pytest.mark.parametrize("lift", CLOSING.values(), ids=CLOSING)
every_bar = pytest.mark.parametrize("lift", BARS.values(), ids=BARS)

TRADES = FuturesTrades("Binance", "BTCUSDT", 0)


def heard(lift: Lift) -> tuple[Hot[Any], Record]:
    """A source, and what the operator makes of it."""
    source, record = Hot[Any](), Record()
    lift(source.stream).subscribe_signals(record)
    return source, record


# --- beginning and end ----------------------------------------------------------------------------------------------


@every
def test_of_nothing_comes_nothing(lift: Lift) -> None:
    source, record = heard(lift)
    source.complete()
    assert (record.signals, record.end) == ([], "completed")
    assert source.subscribers == 0


@every
def test_without_events_the_marks_pass(lift: Lift) -> None:
    """Once and in order, also where two paths of one stream are merged; a batch of no events gives no result."""
    source, record = heard(lift)
    marks: list[Mark] = [BEGUN, alive("11s"), dropped(2), gap("12s", "13s"), alive("14s")]
    source.say(*marks[:2], batch(received="11s"), *marks[2:])
    source.complete()
    assert record.events == []
    passed = [each for each in record.signals if not isinstance(each, Batch | Watermark)]
    assert passed == marks


@every
def test_completion_comes_once_and_last(lift: Lift) -> None:
    source, record = heard(lift)
    source.say(BEGUN, BURSTS)
    assert record.events
    source.complete()
    assert record.end == "completed"
    assert source.subscribers == 0
    said = list(record.signals)
    source.say(BURSTS)
    source.complete()
    assert record.signals == said


@every
def test_an_error_passes_behind_what_came_before_and_nothing_comes_after(lift: Lift) -> None:
    """What is open is lost with it."""
    source, record = heard(lift)
    source.say(BEGUN, BURSTS)
    said, error = list(record.signals), OSError("gone")
    source.fail(error)
    assert record.end is error
    assert record.signals == said
    assert source.subscribers == 0


@every
@pytest.mark.parametrize("error", [None, OSError("gone")])
def test_an_error_at_once(lift: Lift, error: Exception | None) -> None:
    """Also from a source that has ended before it is subscribed to."""
    ended: Subject[Any] = Subject()
    ended.on_completed() if error is None else ended.on_error(error)
    record = Record()
    lift(ended).subscribe_signals(record)
    assert (record.signals, record.end) == ([], error or "completed")


# --- disposal -------------------------------------------------------------------------------------------------------


@every
def test_disposal_inside_a_batch(lift: Lift) -> None:
    """Stops delivery at once and lets go of the source."""
    source = Hot[Any]()
    found: list[Any] = []

    def take(result: Any) -> None:
        found.append(result)
        subscription.dispose()

    ends: list[object] = []
    subscription = lift(source.stream).subscribe(take, ends.append, lambda: ends.append("completed"))
    source.say(BEGUN, BURSTS, alive("90s"))
    assert len(found) == 1
    assert source.subscribers == 0
    source.complete()
    assert (len(found), ends) == (1, [])


@pytest.mark.parametrize("lift", [lift for name, lift in (ROW_STAGES | EARLY).items() if name != "final"], ids=str)
def test_disposal_within_completion(lift: Lift) -> None:
    """At the first of the rows that completion releases: neither another nor the completion itself is heard."""
    source = Hot[Any]()
    found: list[Any] = []
    ends: list[object] = []
    leaving = False

    def take(row: Any) -> None:
        found.append(row)
        if leaving:
            subscription.dispose()

    subscription = lift(source.stream).subscribe(take, ends.append, lambda: ends.append("completed"))
    source.say(BEGUN, at(20, 50, 51), at(50, 51, 51, exchange="OKX"), at(20, exchange="Bybit"))
    before, leaving = len(found), True
    source.complete()
    assert (len(found), ends) == (before + 1, [])
    assert source.subscribers == 0


# --- company --------------------------------------------------------------------------------------------------------


@every
def test_behind_share(lift: Lift) -> None:
    """One subscription to the source, and each of the two hears what it would alone; one that leaves stops neither."""
    alone, expected = heard(lift)
    source, records = Hot[Any](), [Record(), Record()]
    shared = source.stream.share()
    for record in records:
        lift(shared).subscribe_signals(record)
    leaving: list[Any] = []

    def take(result: Any) -> None:
        leaving.append(result)
        subscription.dispose()

    subscription = lift(shared).subscribe(take)
    assert source.subscribers == 1
    for each in (alone, source):
        each.say(BEGUN, BURSTS, alive("90s"))
        each.complete()
    for record in records:
        assert record.events == expected.events
        assert record.end == "completed"
    assert leaving == expected.events[:1]
    assert source.subscribers == 0


@every
def test_behind_a_foreign_operator(lift: Lift) -> None:
    """No marks come out, and what rows say of their quality is that it is unknown; events are the same."""
    plain, expected = heard(lift)
    source, record = Hot[Any](), Record()
    lift(source.stream.pipe(rx_any.map(same))).subscribe_signals(record)
    for each in (plain, source):
        each.say(BEGUN, BURSTS, dropped(), gap("51s", "52s"))
        each.complete()
    assert not any(isinstance(each, Alive | Gap | Dropped) for each in record.signals)
    found = record.events
    assert found
    rows = [each for each in found if isinstance(each, ops.Row)]
    assert [(row.gap_ms, row.complete) for row in rows] == [(None, False)] * len(rows)
    joined: list[Any] = [each for each in found if isinstance(each, ops.Joined)]
    assert [each.quality for each in joined] == ["unknown"] * len(joined)
    if not rows and not joined:
        assert found == expected.events


@every
def test_two_streams_of_one_connection(lift: Lift) -> None:
    """Its proof counts when both have given it, and once."""
    one, two, record = Hot[Any](), Hot[Any](), Record()
    lift(cgrx.merge(one.stream, two.stream)).subscribe_signals(record)
    one.say(BEGUN)
    two.say(gap(0, "10s", channel=TRADES))
    one.say(at(20, 20.5))
    for each in (one, two):
        each.say(alive("20.6s"))
    before = record.events
    one.say(alive("90s"))
    assert record.events == before
    assert record.of(Alive) == [alive("20.6s")]
    two.say(alive("90s"))
    assert record.of(Alive) == [alive("20.6s"), alive("90s")]
    if lift in CLOSING.values():
        rows = record.events
        assert before == []
        assert rows
        assert all(row.final and row.complete for row in rows)


# --- silence and gaps -----------------------------------------------------------------------------------------------


@every_closing
def test_proven_silence_closes(lift: Lift) -> None:
    source, record = heard(lift)
    source.say(BEGUN, at(20, 20.5))
    assert record.events == []
    source.say(alive("90s"))
    rows = record.events
    assert rows
    assert all(row.final and row.complete for row in rows)


@every_closing
def test_unproven_silence_closes_nothing(lift: Lift) -> None:
    """A gap says that time has gone by, not that nothing happened."""
    source, record = heard(lift)
    source.say(BEGUN, at(20, 20.5), gap("21s", "90s"), dropped())
    assert record.events == []


@every_bar
def test_no_silence_closes_a_bar(lift: Lift) -> None:
    source, record = heard(lift)
    source.say(BEGUN, at(20, 20.5, 21))
    assert len(record.events) == 1
    source.say(gap("22s", "40s"), alive("90s"), watermark("80s"))
    assert len(record.events) == 1


@every_row
def test_a_gap_across_a_boundary(lift: Lift) -> None:
    """Both rows at its sides are incomplete; a bar that had closed before it is not."""
    source, record = heard(lift)
    source.say(BEGUN, at(20, 20.5), gap("22s", "26s"), at(26.5, 27), at(60, 60.5), alive("90s"))
    rows = record.events
    near = [row for row in rows if row.start_ms < 30_000]
    assert [row.complete for row in near] == ([True, False] if lift in BARS.values() else [False] * len(near))
    assert len(near) >= 2
    assert all(row.gap_ms for row in near if not row.complete)
    far = [row for row in rows if row.start_ms > 50_000]
    assert far
    assert all(row.complete for row in far)


@every_row
@pytest.mark.parametrize("shared", [False, True])
def test_the_first_row_is_partial(lift: Lift, shared: bool) -> None:
    """Where the subscription began within it; also one to a shared stream that has run for long."""
    source, record = Hot[Any](), Record()
    stream = source.stream.share() if shared else source.stream
    if shared:
        stream.subscribe()
        source.say(BEGUN, at(20.2))
    lift(stream).subscribe_signals(record)
    if not shared:
        source.say(gap(0, "20.2s"))
    source.say(at(20.5, 21.5), at(40, 40.5), alive("90s"))
    rows = record.events
    assert {row.start_ms < 30_000 for row in rows} == {False, True}
    assert [row.complete for row in rows] == [row.start_ms > 30_000 for row in rows]
    assert all(row.final for row in rows)
