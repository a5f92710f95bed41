"""What is particular to sliding windows."""

from cgrx import operators as ops
from cgrx._model.events import Trade
from cgrx._model.signals import Watermark
from tests.windows.windowing import BEGUN, Tally, at, on_time, rows, spans


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
    stage = ops.sliding("3s", "1s", Tally, on_late=late.append, lateness=0)
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


def test_a_late_event_opens_those_of_its_windows_that_can_still_close() -> None:
    """Where no other window is open."""
    stage = ops.sliding("2s", "1s", Tally, lateness=0)
    found = rows(stage, BEGUN, Watermark(10_000), at(10_100, 9500), Watermark(12_000))
    assert [(row.start_ms, row.n, row.late) for row in found] == [(9000, 1, 1)]


def test_a_key_whose_windows_have_all_closed_stays_unknown() -> None:
    """The last of them may close before the last pane of the next one begins: the step does not divide the size."""
    stage = ops.sliding("3s", "2s", Tally, by="symbol", lateness=0, emit_empty=True)
    found = rows(stage, BEGUN, on_time(4500), at(4600, 1500, symbol="Y"), on_time(8000))
    assert [(row.start_ms, row.symbol, row.n) for row in found] == [(2000, "X", 1), (4000, "X", 1)]
