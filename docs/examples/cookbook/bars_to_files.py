"""OHLCV bars of a minute into a database of DuckDB and into Parquet files, and back out of both.

On the real feed: `cgrx.connect()` in place of `cgrx.replay(recorded(folder))`, and a folder of your own.
"""

import json
import random
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import polars as pl
import trio

import cgrx
from cgrx import operators as ops
from cgrx.testing import trade

QUERY = """
select strftime(epoch_ms(start_ms), '%H:%M'), open, high, low, close, volume, final, complete
from bars order by start_ms
"""


async def main(folder: Path) -> None:
    async with cgrx.replay(recorded(folder)) as feed:
        trades = feed.futures_trades("Binance", "BTCUSDT", min_volume=0)
        bars = trades.pipe(ops.tumbling("1m", ops.Bar, by=("exchange", "symbol"))).share()
        async with (
            cgrx.sinks.duckdb(folder / "market.db", bars, table="bars"),
            cgrx.sinks.parquet(folder / "bars", bars),
        ):
            await feed.run()


def read(folder: Path) -> None:
    with duckdb.connect(str(folder / "market.db"), read_only=True) as database:
        for minute, *numbers, final, complete in database.execute(QUERY).fetchall():
            state = "complete" if complete else "closed, with a gap" if final else "open"
            print(minute, *(f"{number:>9,.0f}" for number in numbers), state)
    files = pl.scan_parquet(folder / "bars" / "bar-*.parquet").filter(pl.col("complete"))
    for bars, high, usd in files.select(pl.len(), pl.col("high").max(), pl.col("volume").sum()).collect().rows():
        print(f"in Parquet: {bars} complete bars, up to {high:,.0f}, {usd:,.0f} USD")


def market() -> list[cgrx.Trade]:
    """Five minutes and a half of trades, two a second, from 14:00 on."""
    chance, start = random.Random(2), datetime(2026, 3, 2, 14, tzinfo=UTC).timestamp()
    prices = [60_000.0 + 10 * chance.randint(-40, 40) for _ in range(660)]
    return [trade(time=start + n / 2, price=price, volume_usd=1_000.0) for n, price in enumerate(prices)]


def recorded(folder: Path) -> Path:
    file = folder / "trades.jsonl"
    file.write_text("\n".join(json.dumps(each.asdict()) for each in market()))
    cgrx.import_jsonl(file, folder / "recording", events="trades", gapless=True)
    return folder / "recording"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        trio.run(main, Path(temporary))
        read(Path(temporary))
