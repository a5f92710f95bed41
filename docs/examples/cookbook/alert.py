"""Tell a web service and a chat of Telegram of each asset whose longs are liquidated for 5 million USD within a minute.

ALERT_URL=https://... TELEGRAM_TOKEN=123456:ABC-... TELEGRAM_CHAT=-100123 python alert.py; what is not given is left
out. On the real feed: `cgrx.connect()` in place of `cgrx.replay(recorded(folder))`.
"""

import json
import os
import tempfile
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path

import trio

import cgrx
from cgrx import operators as ops
from cgrx.operators import agg
from cgrx.testing import liquidation

alerts = ops.pipeline(
    ops.side("long"),
    ops.tumbling("1m", by=("base_asset", "side"), volume=agg.volume(), exchanges=agg.exchanges(), updates=0),
    ops.crosses("volume", above=5_000_000, returns=False),
    ops.cooldown("10m"),
)


async def main(folder: Path) -> None:
    async with cgrx.replay(recorded(folder)) as feed, AsyncExitStack() as sinks:
        told = feed.liquidations().pipe(alerts).share()
        told.subscribe(lambda alert: print(cgrx.sinks.message(alert)))
        if url := os.environ.get("ALERT_URL"):
            await sinks.enter_async_context(cgrx.sinks.webhook(url, told))
        if token := os.environ.get("TELEGRAM_TOKEN"):
            chat, server = os.environ["TELEGRAM_CHAT"], os.environ.get("TELEGRAM_URL", "https://api.telegram.org")
            await sinks.enter_async_context(cgrx.sinks.telegram(token, told, chat=chat, base_url=server))
        await feed.run()


def recorded(folder: Path) -> Path:
    """A quarter of an hour: from its second minute on, BTC passes the level in every minute, and ETH never does."""
    start = datetime(2026, 3, 2, 14, tzinfo=UTC).timestamp()
    events = [
        liquidation(
            "long",
            (10e3 if n < 30 else 400e3) if n % 2 else 50e3,
            time=start + 2 * n,
            exchange=("Binance", "OKX", "Bybit")[n % 3],
            base_asset="BTC" if n % 2 else "ETH",
        )
        for n in range(450)
    ]
    file = folder / "liquidations.jsonl"
    file.write_text("\n".join(json.dumps(each.asdict()) for each in events))
    cgrx.import_jsonl(file, folder / "recording", events="liquidations", gapless=True)
    return folder / "recording"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        trio.run(main, Path(temporary))
