"""Rows of rows of the real recordings, event by event, equal what polars says of the same bars.

polars makes the bars of ten seconds, the minutes of those, the rolling numbers and the leaders; nothing of cgrx is
between the file and the comparison but the pipeline under test.
"""

from functools import cache
from typing import Any

import polars as pl
import pytest

from cgrx import operators as ops
from cgrx._model.events import Liquidation
from cgrx.operators import agg
from tests.aggregates.test_aggregates_oracle import events
from tests.recordings import REQUIRED
from tests.support import close
from tests.windows.test_windows_oracle import recorded, signals
from tests.windows.windowing import rows

pytestmark = REQUIRED

KEYS = ("exName", "symbol")
SHORT_MS = 10_000
SHORT = ops.tumbling("10s", ops.Bar, by=("exchange", "symbol"))

every_recording = pytest.mark.parametrize("kind", ["trades", "liquidations"])


class Minute(ops.Row):
    """A minute of bars of ten seconds."""

    exchange: str
    symbol: str
    open = agg.first("open")
    high = agg.max("high")
    low = agg.min("low")
    close = agg.last("close")
    count = agg.sum("count")
    volume = agg.sum("volume")
    bars = agg.count()
    mean = agg.mean("close")
    stddev = agg.stddev("close")
    weighed = agg.mean("vwap", weight="volume")


class Looked(ops.Row):
    """The last five bars."""

    exchange: str
    symbol: str
    mean = agg.mean("close")
    stddev = agg.stddev("close")
    change = agg.change("close")
    rank = agg.rank("volume")
    greatest = agg.max("volume")


@cache
def bars(kind: str) -> pl.DataFrame:
    """The bars of ten seconds, by polars: open and close by time and then price."""
    _, frame = recorded(kind)
    usd = pl.col("volUsd")
    ordered = pl.col("price").sort_by("time", "price")
    return (
        frame.with_columns((pl.col("time") // SHORT_MS * SHORT_MS).alias("start"))
        .group_by("start", *KEYS)
        .agg(
            ordered.first().alias("open"),
            pl.col("price").max().alias("high"),
            pl.col("price").min().alias("low"),
            ordered.last().alias("close"),
            pl.len().alias("count"),
            usd.sum().alias("volume"),
            (usd.sum() / (usd / pl.col("price")).sum()).alias("vwap"),
        )
        .sort("start", *KEYS)
    )


def assert_equal(found: list[Any], expected: pl.DataFrame, exact: tuple[str, ...]) -> None:
    """Rows against lines in the same order; all but `exact` within 1e-9."""
    assert len(found) == len(expected)
    for row, line in zip(found, expected.iter_rows(named=True), strict=True):
        assert (row.start_ms, row.exchange, row.symbol) == (line["start"], line["exName"], line["symbol"])
        for name in expected.columns[3:]:
            mine, other = row[name], line[name]
            same = mine == other if name in exact else close(mine, other, rel=1e-9, abs_=1e-6)
            assert same, f"{name} of {row!r}: polars says {other!r}"


@every_recording
def test_minutes_of_bars(kind: str) -> None:
    found, _ = recorded(kind)
    minutes = rows(ops.pipeline(SHORT, ops.tumbling("1m", Minute)), *signals(found), ends=True)
    expected = (
        bars(kind)
        .with_columns((pl.col("start") // 60_000 * 60_000).alias("minute"))
        .group_by("minute", *KEYS)
        .agg(
            pl.col("open").sort_by("start").first(),
            pl.col("high").max(),
            pl.col("low").min(),
            pl.col("close").sort_by("start").last(),
            pl.col("count").sum(),
            pl.col("volume").sum(),
            pl.len().alias("bars"),
            pl.col("close").mean().alias("mean"),
            pl.col("close").std(ddof=0).alias("stddev"),
            ((pl.col("vwap") * pl.col("volume")).sum() / pl.col("volume").sum()).alias("weighed"),
        )
        .rename({"minute": "start"})
        .sort("start", *KEYS)
    )
    assert_equal(minutes, expected, ("open", "high", "low", "close", "count", "bars"))
    assert all(row.final and row.complete for row in minutes)


@every_recording
def test_minutes_of_bars_are_the_minutes_of_the_events(kind: str) -> None:
    """To the byte, also their sums."""
    found, _ = recorded(kind)
    made = rows(ops.pipeline(SHORT, ops.tumbling("1m", Minute)), *signals(found), ends=True)
    direct = rows(ops.tumbling("1m", ops.Bar, by=("exchange", "symbol")), *signals(found), ends=True)
    names = ("start_ms", "exchange", "symbol", "open", "high", "low", "close", "count", "volume", "gap_ms", "complete")
    assert [[repr(row[name]) for name in names] for row in made] == [
        [repr(row[name]) for name in names] for row in direct
    ]
    assert any(row.bars > 1 for row in made)


@every_recording
def test_the_last_five_bars(kind: str) -> None:
    found, _ = recorded(kind)
    looked = rows(ops.pipeline(SHORT, ops.rolling(5, Looked)), *signals(found), ends=True)
    close_of, volume = pl.col("close"), pl.col("volume")
    at_most = [(volume.shift(back) <= volume).cast(pl.Int64) for back in range(5)]
    expected = pl.concat(
        part.select(
            pl.col("start").shift(4),
            *KEYS,
            close_of.rolling_mean(5).alias("mean"),
            close_of.rolling_std(5, ddof=0).alias("stddev"),
            (close_of - close_of.shift(4)).alias("change"),
            pl.sum_horizontal(at_most).alias("rank"),
            volume.rolling_max(5).alias("greatest"),
            until="start",
        )
        for part in bars(kind).partition_by(KEYS)
    )
    expected = expected.filter(pl.col("start").is_not_null()).sort("until", *KEYS).drop("until")
    assert len(expected) > 20 or kind == "liquidations"
    assert_equal(looked, expected, ("rank",))


def test_the_assets_of_the_largest_liquidations() -> None:
    found, frame = recorded("liquidations")
    stage = ops.pipeline(ops.tumbling("1m", by="base_asset"), ops.top(3, "volume"))
    leaders = rows(stage, *signals(found), ends=True)
    expected = (
        frame.with_columns((pl.col("time") // 60_000 * 60_000).alias("start"))
        .group_by("start", "baseAsset")
        .agg(pl.col("volUsd").sum().alias("volume"))
        .sort("start", -pl.col("volume"), "baseAsset")
        .group_by("start", maintain_order=True)
        .head(3)
    )
    assert [(row.start_ms, row.base_asset) for row in leaders] == list(
        expected.select("start", "baseAsset").iter_rows()
    )
    for row, line in zip(leaders, expected.iter_rows(named=True), strict=True):
        assert close(row.volume, line["volume"], rel=1e-9, abs_=1e-6)
    assert sum(isinstance(event, Liquidation) for event in events()) == len(found)
