"""The queries of `backtest`, written by hand in polars on the columns of a recording.

Their author knows that the events are in order, so they check neither for late events nor for gaps, and read two
columns fewer.
"""

from collections.abc import Callable
from typing import TypeAlias

import polars as pl

from cgrx import Recording

Query: TypeAlias = Callable[[Recording], pl.DataFrame]

PRICE, USD, TIME = pl.col("price"), pl.col("volume_usd"), pl.col("time_ms")
BOUGHT = pl.when(pl.col("side") == 2).then(USD).otherwise(0.0)
START, END = TIME.alias("start_ms"), (TIME + 60_000).alias("end_ms")
FLOW = (
    pl.len().alias("count"),
    USD.sum().alias("volume"),
    BOUGHT.sum().alias("buy_volume"),
    (USD - BOUGHT).sum().alias("sell_volume"),
    (2 * BOUGHT - USD).sum().alias("delta"),
)


def _trades(recording: Recording) -> pl.LazyFrame:
    """The rows that are events."""
    return recording.to_polars().filter(PRICE.is_not_null())


def _bars(trades: pl.LazyFrame) -> pl.DataFrame:
    """Bars of one second."""
    ordered, start = PRICE.sort_by("time_ms", "price"), (TIME // 1000 * 1000).alias("start_ms")
    return (
        trades.group_by(start, "exchange", "symbol")
        .agg(
            ordered.first().alias("open"),
            PRICE.max().alias("high"),
            PRICE.min().alias("low"),
            ordered.last().alias("close"),
            (USD.sum() / (USD / PRICE).sum()).alias("vwap"),
            USD.sum().alias("volume"),
            pl.len().alias("count"),
            BOUGHT.sum().alias("buy_volume"),
            (USD - BOUGHT).sum().alias("sell_volume"),
        )
        .with_columns((pl.col("start_ms") + 1000).alias("end_ms"))
        .sort("start_ms", "exchange", "symbol")
        .collect()
    )


def bars(recording: Recording) -> pl.DataFrame:
    """Of all trades."""
    return _bars(_trades(recording))


def filtered_bars(recording: Recording) -> pl.DataFrame:
    """Of the larger buys."""
    return _bars(_trades(recording).filter(pl.col("side") == 2, USD >= 1000))


def sliding(recording: Recording) -> pl.DataFrame:
    """A minute every five seconds: polars' own overlapping windows."""
    return (
        _trades(recording)
        .sort("time_ms")
        .group_by_dynamic("time_ms", every="5000i", period="60000i", offset="-55000i", group_by="symbol")
        .agg(*FLOW)
        .sort("time_ms", "symbol")
        .collect()
        .select(START, END, pl.exclude("time_ms"))
    )


def sessions(recording: Recording) -> pl.DataFrame:
    """Ended by a silence of a second."""
    begins = ((TIME.diff() > 1000) | (pl.col("symbol") != pl.col("symbol").shift())).fill_null(True)
    return (
        _trades(recording)
        .sort("symbol", "time_ms")
        .group_by(begins.cum_sum().alias("session"), "symbol")
        .agg(TIME.min().alias("start_ms"), (TIME.max() + 1).alias("end_ms"), *FLOW)
        .sort("end_ms", "symbol", "start_ms")
        .drop("session")
        .collect()
    )
