"""Rows of windows that are still open, and of windows that are empty."""

import pickle
from typing import Any

import pytest

from cgrx import operators as ops
from cgrx._model.signals import Gap
from cgrx.operators import agg
from tests.windows.windowing import BEGUN, CHANNEL, Tally, alive, at, on_time, rows

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


def test_the_time_of_a_running_row() -> None:
    """The period in which it was given: all that it holds was before it. A final row speaks of its end."""
    found = rows(UPDATED, BEGUN, on_time(500, 1700, 3200), alive(6500), alive(20_000))
    assert [(row.time_ms, row.n, row.final) for row in found] == [
        (1000, 1, False),
        (3000, 2, False),
        (6000, 3, False),
        (10_000, 3, True),
    ]
    assert [row.time_ms for row in pickle.loads(pickle.dumps(found))] == [1000, 3000, 6000, 10_000]


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
    assert [(row.start_ms, row.n) for row in found] == [
        (second * 1000 - 4000, min(second + 1, 5)) for second in range(11)
    ]


def test_the_running_row_of_a_sliding_window_holds_its_own_panes() -> None:
    """Also the first of them, and not the one behind its end."""
    stage = ops.sliding("2s", "1s", Tally, updates="1s", lateness="9s")
    found = rows(stage, BEGUN, on_time(2500, 4500), alive(5000), at(5000, 3500), alive(6000))
    assert [(row.start_ms, row.n) for row in found] == [(1000, 1), (3000, 1), (2000, 2)]


# --- a running row behind each event -------------------------------------------------------------------------------


def test_a_running_row_behind_each_event_holds_it() -> None:
    """It speaks of the latest event time; a late event, and a proof of life, give none."""
    stage = ops.tumbling("2s", Tally, by="symbol", updates=0, lateness="1s")
    signals = (BEGUN, at(700, 500, 700), on_time(600, symbol="A"), alive(900), at(3100, 1900, 3100, 1000))
    found = rows(stage, *signals)
    assert [(row.symbol, row.start_ms, row.n, row.time_ms, row.final) for row in found] == [
        ("X", 0, 1, 500, False),
        ("X", 0, 2, 700, False),
        ("A", 0, 1, 700, False),
        ("X", 0, 3, 1900, False),
        ("A", 0, 1, 2000, True),
        ("X", 0, 3, 2000, True),
        ("X", 2000, 1, 3100, False),
    ]
    assert found[-1].late == 0
    assert repr(stage) == 'tumbling("2s", Tally, by="symbol", lateness="1s", updates="0s")'


@pytest.mark.parametrize(
    ("stage", "expected"),
    [
        (ops.sliding("2s", "1s", Tally, updates=0), [(-1000, 1), (-1000, 2), (0, 3), (1000, 2)]),
        (ops.session("1s", Tally, updates=0), [(500, 1), (500, 2), (500, 3), (2700, 1)]),
        (ops.count_bars(3, Tally, updates=0), [(500, 1), (500, 2), (2700, 1)]),
    ],
)
def test_a_running_row_behind_each_event_of_other_windows(stage: Any, expected: list[tuple[int, int]]) -> None:
    found = rows(stage, BEGUN, on_time(500, 700, 1600, 2700))
    assert [(row.start_ms, row.n) for row in found if not row.final] == expected


def test_rows_behind_each_row_beneath() -> None:
    """A window over rows follows each row that it is given."""
    minutes = ops.tumbling("1s", Tally, updates=0)
    total = ops.tumbling("4s", ops.Row, updates=0, sum=agg.sum("n"))
    found = rows(ops.pipeline(minutes, total), BEGUN, on_time(500, 700, 1600))
    assert [(row.start_ms, row["sum"]) for row in found] == [(0, 1), (0, 2), (0, 3)]


def test_known_keys_give_empty_rows() -> None:
    """From the first window in which they had an event."""
    stage = ops.tumbling("1s", Tally, by="symbol", lateness=0, emit_empty=True)
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
    stage = ops.tumbling("1s", Tally, lateness=0, emit_empty=True)
    found = rows(stage, BEGUN, on_time(500), Gap(CHANNEL, 1200, 1900, "disconnected"), on_time(2500, 3000))
    assert [(row.n, row.gap_ms, row.complete) for row in found] == [(1, 0, True), (0, 700, False), (1, 0, True)]


def test_proof_gives_empty_rows_in_a_quiet_market() -> None:
    stage = ops.tumbling("1s", Tally, lateness=0, emit_empty=True)
    assert [row.n for row in rows(stage, BEGUN, on_time(500), alive(4000))] == [1, 0, 0, 0]


def test_before_the_subscription_began_there_are_no_empty_rows() -> None:
    """An old event, as some exchanges send first, opens no flood of them."""
    stage = ops.tumbling("1s", Tally, lateness=0, emit_empty=True)
    begun = Gap(CHANNEL, 0, 86_400_500, "subscribed")
    found = rows(stage, begun, at(86_400_600, 500), on_time(86_403_000))
    assert [(row.start_ms, row.n) for row in found] == [(0, 1), (86_400_000, 0), (86_401_000, 0), (86_402_000, 0)]


def test_a_window_that_ends_where_the_subscription_began_has_no_empty_row() -> None:
    stage = ops.tumbling("1s", Tally, by="symbol", lateness=0, emit_empty=True)
    begun = Gap(CHANNEL, 0, 10_000, "subscribed")
    early = [at(10_000, 8500), at(10_000, 8500, symbol="Y"), at(10_000, 9500)]
    found = rows(stage, begun, *early, on_time(11_000))
    assert [(row.start_ms, row.symbol, row.n) for row in found] == [
        (8000, "X", 1),
        (8000, "Y", 1),
        (9000, "X", 1),
        (10_000, "X", 0),
        (10_000, "Y", 0),
    ]


def test_empty_rows_of_sliding_windows() -> None:
    stage = ops.sliding("2s", "1s", Tally, lateness=0, emit_empty=True)
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


def test_a_late_event_of_a_window_that_is_still_open_makes_its_key_known() -> None:
    """So with `emit_empty` the windows behind it, in which the key has no event, have a row too."""
    signals = (BEGUN, on_time(5000, symbol="A"), alive(6500), on_time(3500, symbol="B"), alive(20_000))
    found = rows(ops.sliding("4s", "1s", Tally, by="symbol", emit_empty=True, lateness="0s"), *signals)
    plain = rows(ops.sliding("4s", "1s", Tally, by="symbol", lateness="0s"), *signals)
    assert [row for row in found if row.n] == plain
    assert [(row.start_ms, row.n) for row in plain if row.symbol == "B"] == [(2000, 1), (3000, 1)]
    assert [row.n for row in found if row.symbol == "B"][:4] == [1, 1, 0, 0]
