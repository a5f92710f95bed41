"""Windows by the calendar begin where polars says, over ten years of the rules of six zones."""

from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest

from cgrx import operators as ops

ZONES = (
    "America/New_York",
    "Europe/Berlin",
    "Australia/Lord_Howe",
    "America/Sao_Paulo",
    "Asia/Kolkata",
    "UTC",
)
FIRST, LAST = datetime(2015, 1, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC)
MOMENTS = pl.Series("at", pl.datetime_range(FIRST, LAST, "30m", time_unit="ms", time_zone="UTC", eager=True))
"""Nobody changes clocks at other times than these."""
SIZES = ("1d", "1w", "1mo", "1q")


def ours(size: str, zone: str, **more: Any) -> list[int]:
    """The beginnings of windows, in milliseconds."""
    stage: Any = ops.tumbling(size, zone=zone, **more)
    ruler = stage.spacing.ruler()
    end_ms = round(LAST.timestamp() * 1000)
    found = [ruler.pane(round(FIRST.timestamp() * 1000))[1]]
    while found[-1] <= end_ms:
        found.append(ruler.next(found[-1]))
    return found[:-1]


def beginnings(windows: pl.Series) -> list[int]:
    """The moments at which another window begins."""
    moments = pl.DataFrame({"at": MOMENTS.dt.timestamp("ms"), "window": windows})
    return moments.filter(pl.col("window") != pl.col("window").shift())["at"].to_list()


@pytest.mark.parametrize("zone", ZONES)
def test_midnights(zone: str) -> None:
    for size in SIZES:
        if (zone, size) != ("America/Sao_Paulo", "1d"):  # polars has no day without a midnight
            assert ours(size, zone) == beginnings(MOMENTS.dt.convert_time_zone(zone).dt.truncate(size)), size


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("hours", [0, 17])
def test_by_what_the_clocks_show(zone: str, hours: int) -> None:
    """A moment is in the day that they show, or showed so many hours before."""
    shown = MOMENTS.dt.convert_time_zone(zone).dt.replace_time_zone(None).dt.offset_by(f"-{hours}h")
    for size in SIZES:
        assert ours(size, zone, start=f"{hours:02}:00") == beginnings(shown.dt.truncate(size)), size
    sundays = shown.dt.offset_by("1d").dt.truncate("1w")
    assert ours("1w", zone, start=f"{hours:02}:00", week_start="sunday") == beginnings(sundays)
