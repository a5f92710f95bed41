"""The volume-weighted average price of BTC over three exchanges, how far they lie apart, and who traded how much.

On the real feed: `cgrx.connect()` in place of `cgrx.replay(recorded(folder))`.
"""

import json
import random
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import trio

import cgrx
from cgrx import operators as ops
from cgrx.operators import agg
from cgrx.testing import trade

MARKETS = [("Binance", "BTCUSDT"), ("OKX", "BTC-USDT-SWAP"), ("Bybit", "BTCUSDT")]


class Price(ops.Row):
    """A row for each asset and minute, over all exchanges."""

    base_asset: str
    vwap = agg.vwap()
    dispersion = agg.dispersion()
    share = agg.share()


async def main(folder: Path) -> None:
    async with cgrx.replay(recorded(folder)) as feed:
        trades = feed.futures_trades_across(MARKETS, min_volume=0)
        async with cgrx.stream(trades.pipe(ops.tumbling("1m", Price))) as rows:
            async for row in rows:
                minute = datetime.fromtimestamp(row.start_ms / 1000, UTC)
                shares = " ".join(f"{name} {share:.0%}" for name, share in row.share.items())
                apart_bp = 10_000 * (row.dispersion or 0)
                quality = "" if row.complete else "  not complete"
                print(f"{minute:%H:%M}  {row.vwap:,.2f}  {apart_bp:.1f} bp apart  {shares}{quality}")


def market() -> list[cgrx.Trade]:
    """Four minutes: OKX is 0.02 % dearer, and Binance trades most."""
    chance, price, found = random.Random(4), 60_000.0, list[cgrx.Trade]()
    for n in range(960):
        price *= 1 + chance.gauss(0, 0.00005)
        exchange, symbol = chance.choices(MARKETS, [5, 3, 2])[0]
        own = price * 1.0002 if exchange == "OKX" else price
        found.append(trade("buy", 1e3 * chance.randint(1, 80), time=n / 4, price=own, exchange=exchange, symbol=symbol))
    return found


def recorded(folder: Path) -> Path:
    file = folder / "trades.jsonl"
    file.write_text("\n".join(json.dumps(each.asdict()) for each in market()))
    cgrx.import_jsonl(file, folder / "recording", events="trades", gapless=True)
    return folder / "recording"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        trio.run(main, Path(temporary))
