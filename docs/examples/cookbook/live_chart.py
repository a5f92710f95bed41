"""A cell of a notebook: a chart that follows a feed while other cells run. `await running` in a later one waits for it.

On the real feed: `cgrx.aio.connect()` in place of `cgrx.aio.replay(...)`, and no recording.
"""

import asyncio
import json
from itertools import takewhile
from pathlib import Path
from tempfile import mkdtemp

import cgrx
import cgrx.aio
from cgrx import operators as ops
from cgrx.testing import Generator

# A recording of five minutes of trades, to have something to show.
folder = Path(mkdtemp())
market = Generator(seed=5, rate=20, exchanges=("Binance",), assets=("BTC",), liquidation_share=0)
trades = takewhile(lambda event: event.time_ms < market.start_ms + 300_000, market)
(folder / "trades.jsonl").write_text("\n".join(json.dumps(event.asdict()) for event in trades))
cgrx.import_jsonl(folder / "trades.jsonl", folder / "recording", events="trades", gapless=True)

bars = ops.tumbling("5s", ops.Bar, by=("exchange", "symbol"), updates="1s")
live = cgrx.live_plot(keep=40, every="250ms")


async def session() -> None:
    async with cgrx.aio.replay(folder / "recording", speed=60) as feed:
        feed.futures_trades("Binance", "BTCUSDT", min_volume=0).pipe(bars).subscribe(live)
        await feed.run()


running = asyncio.create_task(session())
