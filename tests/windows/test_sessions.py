"""Sessions: what joins, what merges, when they close."""

from typing import Any

from cgrx import operators as ops
from cgrx._model.events import Trade
from cgrx._model.signals import Dropped, Gap
from tests.windows.windowing import BEGUN, CHANNEL, Tally, alive, at, hear, on_time, rows

SESSION = ops.session("1s", Tally)
INSTANT = ops.session("1s", Tally, lateness=0)


def runs(found: list[Any]) -> list[tuple[int, int, int]]:
    return [(row.start_ms, row.end_ms, row.n) for row in found]


def test_a_session_goes_on_while_the_silence_is_at_most_the_gap() -> None:
    """An event exactly `gap` behind the last joins; one more millisecond, and it begins another."""
    assert runs(rows(INSTANT, BEGUN, on_time(5000, 6000, 7000, 8001, 20_000))) == [(5000, 7001, 3), (8001, 8002, 1)]


def test_it_closes_when_the_watermark_has_passed_the_last_event_and_the_gap() -> None:
    """At the last event + gap another could still join."""
    assert rows(SESSION, BEGUN, on_time(5000, 8000)) == []
    assert runs(rows(SESSION, BEGUN, on_time(5000, 8001))) == [(5000, 5001, 1)]


def test_an_event_may_make_a_session_begin_earlier() -> None:
    assert runs(rows(SESSION, BEGUN, on_time(5000), at(5100, 4000), alive(60_000))) == [(4000, 5001, 2)]


def test_an_event_may_join_two_sessions_into_one() -> None:
    found = rows(SESSION, BEGUN, on_time(5000, 7000), at(7100, 6000), alive(60_000))
    assert runs(found) == [(5000, 7001, 3)]


def test_one_that_lies_between_two_may_join_neither() -> None:
    stage = ops.session("500ms", Tally)
    found = rows(stage, BEGUN, on_time(5000, 7000), at(7100, 6000), alive(60_000))
    assert runs(found) == [(5000, 5001, 1), (6000, 6001, 1), (7000, 7001, 1)]


def test_a_session_that_went_on_closes_later() -> None:
    assert runs(rows(INSTANT, BEGUN, on_time(5000, 5900, 6800, 7700, 8700))) == []


def test_sessions_come_by_end_then_key() -> None:
    stage = ops.session("1s", Tally, by="symbol")
    found = rows(
        stage,
        BEGUN,
        on_time(5000, 6000, symbol="Z"),
        on_time(5500, symbol="Y"),
        on_time(6000, symbol="X"),
        alive(60_000),
    )
    assert [(row.end_ms, row.symbol) for row in found] == [(5501, "Y"), (6001, "X"), (6001, "Z")]


def test_a_late_event_opens_nothing_again() -> None:
    late: list[Trade] = []
    stage = ops.session("1s", Tally, lateness=0, on_late=late.append)
    found = rows(stage, BEGUN, on_time(5000, 9000, 5500, 5001), on_time(60_000))
    assert [(row.start_ms, row.n, row.late) for row in found] == [(5000, 1, 0), (9000, 1, 2)]
    assert [event.time_ms for event in late] == [5500, 5001]


def test_an_open_session_takes_in_what_would_be_too_late_alone() -> None:
    """It was open when the event came, so it is the event's window."""
    found = rows(INSTANT, BEGUN, on_time(5000, 6000, 7000, 4500, 60_000))
    assert runs(found) == [(4500, 7001, 4)]


def test_unproven_silence_ends_no_session() -> None:
    assert rows(SESSION, BEGUN, on_time(5000), Gap(CHANNEL, 5000, 90_000, "disconnected")) == []


def test_a_gap_just_before_or_behind_makes_it_incomplete() -> None:
    """What was lost within `gap` of it could have made it longer."""

    def missed(start_ms: int, end_ms: int) -> Any:
        gap = Gap(CHANNEL, start_ms, end_ms, "disconnected")
        (row,) = rows(INSTANT, BEGUN, on_time(5000), gap, on_time(6001))
        return row.gap_ms, row.complete

    assert missed(5500, 7000) == (501, False)
    assert missed(3000, 4100) == (100, False)
    assert missed(6001, 7000) == (0, True)


def test_losses_while_it_is_open_count() -> None:
    (row,) = rows(INSTANT, BEGUN, on_time(5000), Dropped(CHANNEL, 2, "malformed"), on_time(7000))
    assert (row.dropped, row.complete) == (2, False)


def test_on_completion_open_sessions_come_out() -> None:
    """Not final: nobody has seen the silence that would have ended them."""
    found = rows(SESSION, BEGUN, on_time(15_000, 15_400, 17_000), ends=True)
    assert [(row.start_ms, row.n, row.final, row.gap_ms) for row in found] == [
        (15_000, 2, False, 0),
        (17_000, 1, False, 1001),
    ]


def test_on_an_error_nothing_more_comes() -> None:
    assert hear(SESSION, BEGUN, on_time(5000), ends=RuntimeError("the feed broke")).rows == []
    assert hear(SESSION).completed


def test_running_rows_are_of_the_session_of_the_latest_event() -> None:
    stage = ops.session("1s", Tally, by="symbol", updates="1s")
    found = rows(stage, BEGUN, on_time(5000, 5500), on_time(5600, symbol="A"), on_time(6900, 7100), alive(7050))
    assert [(row.symbol, row.start_ms, row.end_ms, row.n, row.final) for row in found] == [
        ("X", 5000, 5501, 2, False),
        ("A", 5600, 5601, 1, False),
        ("X", 6900, 6901, 1, False),
    ]


def test_a_session_that_has_closed_gives_no_running_row() -> None:
    stage = ops.session("100ms", Tally, updates="1s", lateness=0)
    found = rows(stage, BEGUN, on_time(5000, 6000, 7000))
    assert [(row.start_ms, row.final) for row in found] == [(5000, True), (6000, True)]


def test_old_gaps_are_forgotten_but_those_of_open_sessions() -> None:
    """The session has been open since before the first of them."""
    signals: list[Any] = [BEGUN, on_time(5000)]
    for start in range(5000, 105_000, 1000):
        signals += [Gap(CHANNEL, start + 200, start + 300, "disconnected"), on_time(start + 1000)]
    (row,) = rows(INSTANT, *signals, alive(900_000))
    assert (row.n, row.gap_ms) == (101, 100 * 100)
