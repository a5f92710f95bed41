"""`pipelines` in polars: all trades in columns before the clock starts. A limit: a stream has no columns in advance."""

from collections.abc import Callable, Iterable
from typing import Any

import msgspec
import polars as pl

from benchmarks.rivals.tasks import (
    BAR_MS,
    EVERY_MS,
    GAP_MS,
    MAX_AGE_MS,
    MIN_VOLUME,
    SLIDING_MS,
    Answer,
    Kind,
    Task,
    cannot,
    plain_rows,
)
from cgrx._model.events import Trade

KEYS = ("exchange", "symbol")
FIELDS = ("base_asset", "exchange", "symbol", "side", "price", "volume_usd", "time_ms")
SUMS = (pl.len().alias("count"), pl.col("volume_usd").sum())


def _frame(trades: Iterable[Trade]) -> pl.DataFrame:
    rows = [(*each[:3], int(each[3]), *each[4:]) for each in map(msgspec.structs.astuple, trades)]
    return pl.DataFrame(rows, schema=list(FIELDS), orient="row")


def _rows(frame: pl.DataFrame) -> list[Any]:
    return frame.rows()


def _filters(task: Task) -> Answer:
    frame = _frame(task.trades())
    kept = (pl.col("side") == 2) & (pl.col("volume_usd") >= MIN_VOLUME)
    return lambda: frame.filter(kept), _rows


def _windows(run: Callable[[pl.DataFrame], pl.DataFrame]) -> Callable[[Task], Answer]:
    def answer(task: Task) -> Answer:
        trades = task.trades()
        frame = _frame(trades)
        return lambda: run(frame), lambda found: plain_rows(found.rows(), trades)

    return answer


def _bars(frame: pl.DataFrame) -> pl.DataFrame:
    usd, price = pl.col("volume_usd"), pl.col("price")
    start = pl.col("time_ms") - pl.col("time_ms") % BAR_MS
    buys = pl.when(pl.col("side") == 2).then(usd).otherwise(0.0).sum()
    # Ties of a millisecond are broken by price, as in `Bar`.
    first, last = price.sort_by("time_ms", "price").first(), price.sort_by("time_ms", "price").last()
    aggregates = (
        first.alias("open"),
        price.max().alias("high"),
        price.min().alias("low"),
        last.alias("close"),
        (usd.sum() / (usd / price).sum()).alias("vwap"),
        usd.sum().alias("volume"),
        pl.len().alias("count"),
        buys.alias("buys"),
        (usd.sum() - buys).alias("sells"),
    )
    bars = frame.group_by(start.alias("start"), *KEYS).agg(*aggregates)
    return bars.select("start", (pl.col("start") + BAR_MS).alias("end"), pl.exclude("start"))


def _sliding(frame: pl.DataFrame) -> pl.DataFrame:
    windows = frame.sort("time_ms").group_by_dynamic(
        "time_ms",
        every=f"{EVERY_MS}i",
        period=f"{SLIDING_MS}i",
        offset=f"-{SLIDING_MS - EVERY_MS}i",
        group_by=list(KEYS),
        closed="left",
    )
    end = (pl.col("time_ms") + SLIDING_MS).alias("end")
    return windows.agg(*SUMS).select("time_ms", end, *KEYS, "count", "volume_usd")


def _sessions(frame: pl.DataFrame) -> pl.DataFrame:
    ordered = frame.sort("time_ms")
    session = (pl.col("time_ms").diff().over(*KEYS).fill_null(0) > GAP_MS).cum_sum().over(*KEYS).alias("session")
    time = pl.col("time_ms")
    sums = (time.min().alias("start"), (time.max() + 1).alias("end"), *SUMS)
    bursts = ordered.with_columns(session).group_by(*KEYS, "session").agg(*sums)
    return bursts.select("start", "end", *KEYS, "count", "volume_usd")


def _merge(task: Task) -> Answer:
    frame = _frame(trade for _, trades in task.arrivals() for trade in trades)
    return lambda: frame.sort("time_ms"), _rows


def _join(task: Task) -> Answer:
    arrivals = task.arrivals()
    left = _frame(trade for source, trades in arrivals if source == 0 for trade in trades)
    right = _frame(trade for source, trades in arrivals if source != 0 for trade in trades)

    def run() -> pl.DataFrame:
        ordered = right.sort("time_ms").with_columns(pl.col("time_ms").alias("joined_ms"))
        return left.sort("time_ms").join_asof(
            ordered, on="time_ms", by="base_asset", tolerance=MAX_AGE_MS, check_sortedness=False
        )

    def shown(frame: pl.DataFrame) -> list[Any]:
        others = ["base_asset", *(f"{name}_right" for name in FIELDS[1:-1]), "joined_ms"]
        latest = (row if row[-1] is not None else None for row in frame.select(others).rows())
        return list(zip(frame.select(FIELDS).rows(), latest, strict=True))

    return run, shown


ANSWERS: dict[Kind, Callable[[Task], Answer]] = {
    "filters": _filters,
    "bars": _windows(_bars),
    "sliding": _windows(_sliding),
    "sessions": _windows(_sessions),
    "merge": _merge,
    "join": _join,
    "fan-out": cannot("columns have no subscribers"),
}
