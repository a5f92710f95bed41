"""Windows by the calendar in columns: as event by event, and as polars cuts them, over ten years of rules."""

from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest

from cgrx import operators as ops
from cgrx._backtest.results import as_rows
from cgrx._model.events import Trade, TradeSide
from cgrx._model.signals import Alive, Batch, Gap
from cgrx.operators import agg
from tests.backtest.columns import TRADES, Said, assert_same, by_events, in_columns
from tests.choosing import one_in

ZONES = ("America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "America/Sao_Paulo", "Asia/Kolkata", "UTC")
FIRST_MS = round(datetime(2015, 1, 1, tzinfo=UTC).timestamp() * 1000)
STEP_MS, COUNT = 29 * 3_600_000 + 1_234_567, 3_000
"""So that in ten years every hour of the day has an event."""


def decade() -> Said:
    """A trade almost every day, and a proof after each."""
    said: list[Any] = [(TRADES, Gap(TRADES, 0, FIRST_MS, "subscribed"))]
    for number in range(COUNT):
        time_ms = FIRST_MS + number * STEP_MS
        trade = Trade("BTC", "A", "X", TradeSide(1 + number % 2), 100.0 + number % 7, 5.0, time_ms)
        said += [(TRADES, Batch(TRADES, time_ms, (trade,))), (TRADES, Alive("o", time_ms))]
    return said


DECADE = decade()


@pytest.mark.parametrize("zone", one_in(4, ZONES))
@pytest.mark.parametrize(("size", "hours"), [("1d", 17), ("1w", 0), ("1q", 17)])
def test_ten_years(zone: str, size: str, hours: int) -> None:
    stage: Any = ops.tumbling(size, zone=zone, start=f"{hours:02}:00", n=agg.count())

    def build(feed: Any) -> Any:
        return feed.futures_trades("A", "X", min_volume=0).pipe(stage)

    columns = in_columns(build, DECADE)
    rows = as_rows(columns.frame, columns.window.rows.type)
    if (zone, size) in (("America/New_York", "1d"), ("America/Sao_Paulo", "1w"), ("Australia/Lord_Howe", "1q")):
        assert_same(rows, by_events(build, DECADE))
    # The window of a moment is that of the day which clocks show, or showed so many hours before.
    moments = pl.Series([FIRST_MS + number * STEP_MS for number in range(COUNT)]).cast(pl.Datetime("ms", "UTC"))
    shown = moments.dt.convert_time_zone(zone).dt.replace_time_zone(None).dt.offset_by(f"-{hours}h")
    begins = shown.dt.truncate(size).alias("begins").to_frame().group_by("begins", maintain_order=True).len()
    starts = begins["begins"].dt.offset_by(f"{hours}h").dt.replace_time_zone(zone, non_existent="null")
    expected = zip(starts.dt.timestamp("ms"), begins["len"], strict=True)
    assert [(row.start_ms, row["n"]) for row in rows] == list(expected)
