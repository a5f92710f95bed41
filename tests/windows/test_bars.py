"""Count and volume bars: the order of arrival decides, the last event closes."""

from typing import Any

import pytest

from cgrx import operators as ops
from cgrx._model.signals import Batch, Dropped, Gap
from cgrx.operators import agg
from tests.windows.windowing import BEGUN, CHANNEL, Tally, alive, at, hear, on_time, rows, trade


def bars(found: list[Any]) -> list[tuple[int, int, int]]:
    return [(row.start_ms, row.end_ms, row.n) for row in found]


def sold(*amounts: float) -> Batch[Any]:
    events = [trade(5000 + index, usd=usd) for index, usd in enumerate(amounts)]
    return Batch(CHANNEL, 5000, tuple(events))


def test_every_n_events_make_a_bar() -> None:
    found = rows(ops.count_bars(2, Tally), BEGUN, on_time(5000, 5001, 5002, 5003, 5004))
    assert bars(found) == [(5000, 5002, 2), (5002, 5004, 2)]
    assert all(row.final and row.complete for row in found)


def test_each_key_has_its_own() -> None:
    stage = ops.count_bars(2, Tally, by="symbol")
    found = rows(stage, BEGUN, on_time(5000, 5001, 5002), on_time(5003, 5004, symbol="Y"))
    assert [(row.symbol, row.n) for row in found] == [("X", 2), ("Y", 2)]


def test_arrival_decides_and_nothing_is_late() -> None:
    """Start and end are those of the earliest and the latest event."""
    assert bars(rows(ops.count_bars(2, Tally), BEGUN, at(9000, 9000, 200, 8000, 100))) == [
        (200, 9001, 2),
        (100, 8001, 2),
    ]


def test_the_event_that_crosses_the_boundary_belongs_to_its_bar_whole() -> None:
    found = rows(ops.volume_bars(100, Tally), BEGUN, sold(60, 30, 25, 100, 250, 99.5, 0.5))
    assert [row.usd for row in found] == [115, 100, 250, 100]


def test_the_volume_is_added_up_exactly() -> None:
    """Ten times 0.1 is 1, a float sum says 0.9999999999999999."""
    assert [row.n for row in rows(ops.volume_bars(1, Tally), BEGUN, sold(*[0.1] * 20))] == [10, 10]


@pytest.mark.parametrize("stage", [ops.count_bars(3, Tally, by="symbol"), ops.volume_bars(3, Tally, by="symbol")])
def test_on_completion_bars_that_are_not_full_come_out(stage: Any) -> None:
    """By end, then key; a key whose bar has just closed has none."""
    full = on_time(5000, 5001, 5002, symbol="F")
    found = rows(
        stage, BEGUN, full, on_time(5004, symbol="B"), on_time(5003, 5004), on_time(5001, symbol="Z"), ends=True
    )
    assert [(row.symbol, row.n, row.final, row.complete) for row in found] == [
        ("F", 3, True, True),
        ("Z", 1, False, False),
        ("B", 1, False, False),
        ("X", 2, False, False),
    ]


def test_on_an_error_nothing_more_comes() -> None:
    assert hear(ops.count_bars(3), BEGUN, on_time(5000), ends=RuntimeError("the feed broke")).rows == []


def test_a_gap_between_two_bars_is_missing_from_the_second() -> None:
    stage = ops.count_bars(2, Tally, lateness=0)
    gap = Gap(CHANNEL, 5500, 5700, "disconnected")
    found = rows(stage, BEGUN, on_time(5000, 5001), gap, on_time(6000, 6001, 6002, 6003))
    assert [(row.gap_ms, row.complete) for row in found] == [(0, True), (200, False), (0, True)]


def test_a_gap_in_a_bar_is_missing_from_it() -> None:
    stage = ops.count_bars(2, Tally, lateness="10ms")
    found = rows(stage, BEGUN, on_time(5000), Gap(CHANNEL, 5500, 5700, "disconnected"), on_time(6000))
    assert [row.gap_ms for row in found] == [220]


def test_losses_count_in_the_bars_that_are_open_when_they_are_told() -> None:
    stage = ops.count_bars(2, Tally)
    before, lost = Dropped(CHANNEL, 5, "malformed"), Dropped(CHANNEL, 2, "malformed")
    found = rows(stage, BEGUN, before, on_time(5000), lost, on_time(5001, 5002, 5003))
    assert [(row.dropped, row.complete) for row in found] == [(2, False), (0, True)]


def test_without_marks_quality_is_unknown() -> None:
    (row,) = rows(ops.count_bars(1, Tally), on_time(5000))
    assert (row.gap_ms, row.final, row.complete) == (None, True, False)


@pytest.mark.parametrize("by", ["symbol", ("exchange", "symbol")])
def test_running_rows(by: Any) -> None:
    """Of bars that have changed and are open, with what they miss so far."""
    stage = ops.count_bars(3, Tally, by=by, updates="1s", lateness=0)
    gap = Gap(CHANNEL, 5100, 5200, "disconnected")
    found = rows(stage, BEGUN, on_time(5000), gap, on_time(5300), on_time(5400, 5401, 5402, symbol="F"), alive(6402))
    assert [(row.symbol, row.n, row.final, row.gap_ms) for row in found] == [
        ("F", 3, True, 0),
        ("X", 2, False, 100),
    ]


def test_old_gaps_are_forgotten_but_those_of_open_bars() -> None:
    signals: list[Any] = [BEGUN]
    for start in range(5000, 105_000, 1000):
        signals += [on_time(start), Gap(CHANNEL, start + 200, start + 300, "disconnected")]
    stage = ops.count_bars(100, Tally, lateness=0)
    (row,) = rows(stage, *signals)
    assert (row.n, row.gap_ms) == (100, 99 * 100)
    gaps = [Gap(CHANNEL, start, start + 10, "disconnected") for start in range(0, 10_000, 100)]
    (row,) = rows(ops.count_bars(1, Tally, lateness=0), BEGUN, *gaps, on_time(5003))
    assert row.gap_ms == 1


def test_fields_may_be_called_as_the_measure_is() -> None:
    (row,) = rows(ops.count_bars(2, n=agg.count()), BEGUN, on_time(5000, 5001))
    assert row["n"] == 2
    (row,) = rows(ops.volume_bars(2, usd=agg.volume()), BEGUN, on_time(5000, 5001))
    assert row["usd"] == 2
