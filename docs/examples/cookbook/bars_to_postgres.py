"""OHLCV bars of a minute into a table of PostgreSQL, which is made where it is missing.

BARS_DSN=postgresql://user@host/database python bars_to_postgres.py; the password comes from PGPASSWORD or ~/.pgpass.
On the real feed: `cgrx.connect()` in place of `cgrx.replay(recorded(folder))`.
"""

import json
import os
import random
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import trio

import cgrx
from cgrx import operators as ops
from cgrx.testing import trade

QUERY = """
select to_char(to_timestamp(start_ms / 1000) at time zone 'UTC', 'HH24:MI'), open, high, low, close, volume, complete
from bars where final order by start_ms
"""


async def main(folder: Path, dsn: str) -> None:
    async with cgrx.replay(recorded(folder)) as feed:
        trades = feed.futures_trades("Binance", "BTCUSDT", min_volume=0)
        bars = trades.pipe(ops.tumbling("1m", ops.Bar, by=("exchange", "symbol"), updates="1s"))
        async with cgrx.sinks.postgres(dsn, bars, table="bars", create=True):
            await feed.run()


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
        trio.run(main, Path(temporary), os.environ["BARS_DSN"])
    with psycopg.connect(os.environ["BARS_DSN"]) as connection:
        for minute, *numbers, complete in connection.execute(QUERY):
            print(minute, *(f"{number:>9,.0f}" for number in numbers), "complete" if complete else "closed, with a gap")
