"""Running rows whose window turns out to begin elsewhere: they are withdrawn, and stages behind heed that."""

from typing import Any, cast

import pytest

from cgrx import Batch, Watermark
from cgrx import operators as ops
from cgrx.operators import agg
from cgrx.operators._rows.row import withdrawal
from cgrx.testing import batch, play, trade
from tests.operators.sold import Sold, row
from tests.windows.joins import Two
from tests.windows.windowing import BEGUN, Tally, alive, at, hear, on_time, rows

UPDATED: Any = {"updates": "1s", "lateness": "20s"}
LATER = (alive(22_500), alive(90_000))
SESSION = ops.session("4s", Tally, by="symbol", **UPDATED)


def runs(found: list[Any]) -> list[tuple[int, int, int, str]]:
    """What rows say, short: start and end in seconds, count, and what they are."""
    return [(row.start_ms // 1000, row.end_ms // 1000, row.n, kind(row)) for row in found]


def kind(row: ops.Row) -> str:
    return "final" if row.final else "withdrawn" if row.withdrawn else "running"


# --- sessions -------------------------------------------------------------------------------------------------------


def test_an_event_that_joins_two_sessions_withdraws_the_later() -> None:
    """At once, and the one that they are now follows."""
    found = rows(SESSION, BEGUN, on_time(10_000, 13_000), on_time(18_000, 20_000), at(20_500, 15_500))
    assert runs(found) == [
        (10, 10, 1, "running"),
        (10, 13, 2, "running"),
        (18, 18, 1, "running"),
        (18, 18, 1, "withdrawn"),
        (10, 20, 5, "running"),
    ]
    assert found[3].values == found[2].values
    assert [each.time_ms for each in found[2:]] == [20_000] * 3, "of the latest event"
    closed = rows(SESSION, BEGUN, on_time(10_000, 13_000), on_time(18_000, 20_000), at(20_500, 15_500), alive(90_000))
    assert runs(closed)[5:] == [(10, 20, 5, "final")]


def test_an_event_that_makes_a_session_begin_earlier_withdraws_it() -> None:
    found = rows(SESSION, BEGUN, on_time(20_000, 21_000), at(21_500, 18_000), at(21_600, 19_000), *LATER)
    assert runs(found) == [
        (20, 20, 1, "running"),
        (20, 20, 1, "withdrawn"),
        (18, 21, 3, "running"),
        (18, 21, 4, "running"),
        (18, 21, 4, "final"),
    ]


def test_of_two_sessions_the_later_alone_had_a_row() -> None:
    """It is not that of the session which the two are now."""
    found = rows(SESSION, BEGUN, on_time(20_000), alive(21_000), at(21_100, 13_000), at(21_200, 16_500), ends=True)
    assert runs(found) == [
        (20, 20, 1, "running"),
        (20, 20, 1, "withdrawn"),
        (13, 20, 3, "running"),
        (13, 20, 3, "running"),
    ]
    assert [each.time_ms for each in found[:3]] == [21_000] * 3


def test_what_was_never_given_is_not_withdrawn() -> None:
    """Nor is anything without `updates`."""
    found = rows(SESSION, BEGUN, on_time(20_000), at(20_500, 18_000), at(20_600, 12_000, 15_000), ends=True)
    assert runs(found) == [(12, 20, 4, "running")]
    plain = ops.session("4s", Tally, by="symbol", lateness="20s")
    assert runs(rows(plain, BEGUN, on_time(20_000, 21_000), at(21_500, 18_000), ends=True)) == [(18, 21, 3, "running")]


def test_each_key_has_sessions_of_its_own() -> None:
    found = rows(SESSION, BEGUN, on_time(20_000), on_time(20_000, symbol="Y"), on_time(21_000), at(21_500, 18_000))
    taken = [each for each in found if each.withdrawn]
    assert [each.identity for each in taken] == [(20_000, "X")]


def test_the_next_update_does_not_repeat_the_row() -> None:
    """But for a session that has changed since."""
    said: list[Any] = [BEGUN, on_time(20_000, 21_000), at(21_500, 18_000), alive(22_500), alive(23_500)]
    assert runs(rows(SESSION, *said))[2:] == [(18, 21, 3, "running")]
    other: list[Any] = [*said[:3], on_time(30_000), at(30_100, 17_000), alive(31_500)]
    assert runs(rows(SESSION, *other))[3:] == [
        (18, 21, 3, "withdrawn"),
        (17, 21, 4, "running"),
        (30, 30, 1, "running"),
    ]


def test_behind_each_event_there_is_one_running_row() -> None:
    """Also behind that which withdraws another."""
    stage = ops.session("4s", Tally, updates=0, lateness="20s")
    found = rows(stage, BEGUN, on_time(20_000, 21_000), at(21_500, 18_000))
    assert runs(found) == [
        (20, 20, 1, "running"),
        (20, 21, 2, "running"),
        (20, 21, 2, "withdrawn"),
        (18, 21, 3, "running"),
    ]


def test_the_time_that_rows_speak_of_does_not_step_back() -> None:
    """The present does: it counts from the latest event, which is another one now, with less time proven since."""
    stage = ops.session("9ms", Tally, by="exchange", updates=0, lateness="40ms")
    said = (at(8, 0), at(8, 10), alive(9), at(9, 1), at(9, 10, exchange="B"))
    assert [row.time_ms for row in rows(stage, BEGUN, *said)] == [0, 10, 11, 11, 11]


def test_on_an_error_nothing_is_withdrawn() -> None:
    """As nothing else comes out either."""
    found = hear(SESSION, BEGUN, on_time(20_000, 21_000), ends=RuntimeError("the feed broke")).rows
    assert runs(found) == [(20, 20, 1, "running")]


# --- cascades and bars ----------------------------------------------------------------------------------------------


def test_a_cascade_keeps_its_start_where_a_session_does_not() -> None:
    """So that there is one alert for each; but of two that are one, the later is withdrawn."""
    stage = ops.cascades("4s", min_count=2, emit="crossed", lateness="20s", by="symbol")
    earlier = rows(stage, BEGUN, on_time(20_000, 21_000), at(21_500, 18_000), ends=True)
    assert [(each.start_ms, each.count, kind(each)) for each in earlier] == [
        (20_000, 2, "running"),
        (20_000, 3, "running"),
    ]
    joined = rows(stage, BEGUN, on_time(12_000, 13_000), on_time(20_000, 20_000), at(20_500, 16_500), alive(90_000))
    assert [(each.start_ms, each.count, kind(each)) for each in joined] == [
        (12_000, 2, "running"),
        (20_000, 2, "running"),
        (20_000, 2, "withdrawn"),
        (12_000, 5, "running"),
        (12_000, 5, "final"),
    ]


def test_an_earlier_event_withdraws_the_row_of_a_bar() -> None:
    """Also the one that fills it."""
    stage = ops.count_bars(4, Tally, updates="1s")
    found = rows(stage, BEGUN, on_time(20_000, 21_000), at(21_500, 18_000), alive(22_500), at(22_600, 17_000))
    assert runs(found) == [
        (20, 20, 1, "running"),
        (20, 20, 1, "withdrawn"),
        (18, 21, 3, "running"),
        (18, 21, 3, "withdrawn"),
        (17, 21, 4, "final"),
    ]


# --- behind them ----------------------------------------------------------------------------------------------------

TAKEN: dict[str, Any] = {"withdrawn": True}
RUNNING: dict[str, Any] = {"final": False}


def passed(stage: ops.Stage[Any, Any], *items: ops.Row) -> list[Any]:
    found: list[Any] = play(stage, [Batch(None, 0, items), Watermark(10**9)])
    return found


@pytest.mark.parametrize("keep", [ops.exchange("Binance"), ops.where(lambda row: row.exchange == "Binance", of=Sold)])
def test_filters_of_the_key_pass_both(keep: Any) -> None:
    """They decide by what the two have in common."""
    given = [row(1, **RUNNING), row(1, **TAKEN), row(1, exchange="OKX", **RUNNING), row(1, exchange="OKX", **TAKEN)]
    assert passed(keep, *given) == given[:2]


def test_functions_see_them() -> None:
    given = [row(1, **RUNNING), row(1, **TAKEN)]
    assert passed(ops.map(lambda each: each.withdrawn, of=Sold), *given) == [False, True]
    assert passed(ops.scan(count, 0, of=Sold), *given) == [1, 1]


def count(n: int, each: Sold) -> int:
    return n if each.withdrawn else n + 1


def test_final_rolling_and_top_leave_them_out() -> None:
    given = [row(1, 0), row(2, 1, **RUNNING), row(2, 1, **TAKEN), row(4, 2)]
    assert passed(ops.final(), *given) == [given[0], given[3]]
    (rolled,) = passed(ops.rolling(2, mean=agg.mean("usd")), *given)
    assert rolled["mean"] == 2.5
    assert passed(ops.top(1, "usd"), *given) == [given[0], given[3]]


def test_top_at_completion() -> None:
    """What was withdrawn is no leader of a window that was cut short; a final row stays one."""
    given = [
        *(row(9, exchange="OKX", **each) for each in (RUNNING, TAKEN, TAKEN)),
        row(1, **RUNNING),
        row(5, exchange="Bybit"),
        row(5, exchange="Bybit", **TAKEN),
    ]
    found: list[Any] = play(ops.top(3, "usd"), [Batch(None, 0, tuple(given))])
    assert [each.exchange for each in found] == ["Bybit", "Binance"]


def test_a_window_over_rows_counts_no_withdrawn_row() -> None:
    """Neither in its running rows, nor where completion cuts it short."""
    stage = ops.tumbling("1h", by="exchange", usd=agg.sum("usd"), updates="1m")
    given = [row(1, 0), row(2, 1, **RUNNING), row(2, 1, **TAKEN), row(3, 2, **RUNNING), row(7, 70, **TAKEN)]
    found: list[Any] = play(stage, [BEGUN, Batch(None, 0, tuple(given))])
    assert [each["usd"] for each in found] == [1, 1, 4, 4]
    assert not any(each.withdrawn for each in found)


def test_a_withdrawn_row_crosses_no_level() -> None:
    """Nor does it return; what takes its place, and begins earlier, is the latest from then on."""
    given = [row(9, 2, **RUNNING), row(9, 2, **TAKEN), row(3, 1, **RUNNING), row(8, 1, **RUNNING), row(8, 1)]
    found = passed(ops.crosses("usd", above=5), *given)
    assert [(given.index(each.item), each.direction) for each in found] == [(0, "above"), (2, "below"), (3, "above")]
    assert passed(ops.crosses("usd", above=5), row(9, 2, **TAKEN)) == []
    other = [row(9, 2, **RUNNING), row(1, 0, **TAKEN), row(3, 1)]
    assert len(passed(ops.crosses("usd", above=5), *other)) == 1, "of an older window"


def test_a_withdrawn_row_is_neither_passed_nor_silenced_by_cooldown() -> None:
    """Nor is a result about one."""
    given = [row(1, 0, **TAKEN), row(1, 0), row(1, 0, **TAKEN), row(2, 20)]
    found = passed(ops.cooldown("10m"), *given)
    assert [(each.item, each.silenced) for each in found] == [(given[1], 0), (given[3], 0)]
    crossing = ops.Crossing(row(1, **TAKEN), "usd", 1.0, 1, "above")
    assert play(ops.cooldown("10m"), [Batch(None, 0, (crossing,))]) == []


def test_dedupe_takes_no_rows() -> None:
    """It says so where it is applied."""
    with pytest.raises(ValueError, match="takes events, not rows"):
        ops.pipeline(SESSION, cast("Any", ops.dedupe("1m")))


# --- joins ----------------------------------------------------------------------------------------------------------


def session_row(usd: float, start: float, at: float, **more: Any) -> Sold:
    """A running row of a session that begins and ends at these seconds."""
    values: dict[str, Any] = {"exchange": "Binance", "mean": 1.0, "ratio": 1.0, "final": False} | more
    return Sold(start_ms=int(start * 1000), end_ms=int(at * 1000), usd=usd, **values)


def taken(given: Sold, at: float) -> Any:
    return withdrawal(given, int(at * 1000))


def joined(*given: Any, asked: tuple[float, ...], **terms: Any) -> list[tuple[float | None, int | None]]:
    """At each of these seconds the latest of the rows: its `usd`, and how many seconds old it is."""
    found: list[list[tuple[float | None, int | None]]] = []
    for early in (True, False):  # whether the questions come first decides nothing
        two = Two(by=(), max_age="10m", **terms)
        two.say(BEGUN)
        said: list[Any] = [Batch(None, 0, given), Watermark(10**6)]
        asks: list[Any] = [batch(*(trade(time=each) for each in asked)), Watermark(10**6)]
        pairs = [(two.left, asks), (two.other, said)]
        for stream, signals in pairs if early else reversed(pairs):
            stream.say(*signals)
        two.complete()
        found.append([(each.latest and each.latest.usd, each.age_ms and each.age_ms // 1000) for each in two.results])
    assert found[0] == found[1]
    return found[0]


OLD, FIRST, SECOND = session_row(1, 0, 5, final=True), session_row(2, 20, 22), session_row(3, 20, 24)


def test_what_is_withdrawn_is_no_longer_the_latest() -> None:
    """From that time on; before, it was. Where nothing takes its place, the one before it is the latest again."""
    instead = session_row(9, 18, 26)
    asked = (21, 23, 25, 26, 30)
    assert joined(OLD, FIRST, SECOND, taken(SECOND, 26), instead, asked=asked) == [
        (1, 16),
        (2, 1),
        (3, 1),
        (9, 0),
        (9, 4),
    ]
    assert joined(OLD, FIRST, SECOND, taken(SECOND, 26), asked=asked) == [(1, 16), (2, 1), (3, 1), (1, 21), (1, 25)]
    assert joined(FIRST, SECOND, taken(SECOND, 26), asked=asked)[2:] == [(3, 1), (None, None), (None, None)]


def test_several_withdrawn_at_one_time() -> None:
    """The last of those that took a place stands, whichever begins later."""
    chain = [session_row(usd, start, 26) for usd, start in ((4, 18), (5, 16), (6, 14))]
    said = [OLD, SECOND, taken(SECOND, 26), chain[0], taken(chain[0], 26), chain[1], taken(chain[1], 26)]
    assert joined(*said, chain[2], asked=(25, 26)) == [(3, 1), (6, 0)]


def test_a_final_row_is_not_withdrawn() -> None:
    """Another window of that start had it."""
    final = session_row(7, 20, 25, final=True)
    assert joined(final, SECOND, taken(SECOND, 26), asked=(25, 27)) == [(7, 0), (7, 2)]


def test_events_among_the_rows_are_not_withdrawn() -> None:
    two = Two(by=(), max_age="10m")
    two.say(BEGUN)
    two.other.say(batch(trade(time=3)), Batch(None, 0, (SECOND, taken(SECOND, 26))))
    two.left.say(batch(trade(time=27)))
    two.complete()
    assert [each.latest for each in two.results] == [trade(time=3)]


def test_held_for_the_first_row_of_the_key() -> None:
    """It is the first that was not withdrawn."""
    instead = session_row(9, 18, 26)
    assert joined(SECOND, taken(SECOND, 26), instead, asked=(21,), missing="hold") == [(9, -5)]
    assert joined(SECOND, taken(SECOND, 26), asked=(21,), missing="hold") == [(None, None)]


def test_they_are_forgotten_with_the_rest() -> None:
    """What is still asked for stays."""
    said = [OLD, SECOND, taken(SECOND, 26), *(session_row(each, each, each + 1, final=True) for each in range(40, 60))]
    two = Two(by=(), max_age="10m")
    two.say(BEGUN)
    for each in said:
        two.other.say(Batch(None, 0, (each,)))
        two.say(Watermark(each.time_ms))
    two.left.say(batch(trade(time=60.5)), Watermark(10**6))
    two.other.say(Watermark(10**6))
    assert [each.latest.usd for each in two.results] == [59]


def test_withdrawn_rows_are_answered_too() -> None:
    """On the side of the items: whoever takes rows down has to hear of them."""
    two = Two(by=(), max_age="10m")
    two.say(BEGUN)
    two.left.say(Batch(None, 0, (SECOND, taken(SECOND, 26))), Watermark(10**6))
    two.other.say(batch(trade(time=1)), Watermark(10**6))
    assert [each.item.withdrawn for each in two.results] == [False, True]
