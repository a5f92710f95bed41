"""Each liquidation cascade with the trade flow of its asset in its last ten seconds: did buyers stand against it?

On the real feed: `cgrx.connect()` in place of `cgrx.replay(recorded(folder))`.
"""

import json
import random
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import trio

import cgrx
from cgrx import operators as ops
from cgrx.operators import agg
from cgrx.testing import liquidation, trade


class Pressure(ops.Row):
    """What takers did in ten seconds, given anew every second."""

    base_asset: str
    volume = agg.volume()
    delta = agg.delta()


async def main(folder: Path) -> None:
    async with cgrx.replay(recorded(folder)) as feed:
        flow = feed.futures_trades("Binance", "BTCUSDT", min_volume=0).pipe(ops.sliding("10s", "1s", Pressure))
        cascades = feed.liquidations().pipe(ops.side("long"), ops.cascades("3s", min_volume=1_000_000))
        joined = cascades.pipe(ops.latest_of(flow, by="base_asset", max_age="5s"))
        async with cgrx.stream(joined) as items:
            async for found in items:
                cascade, flow_then = found.item, found.latest
                ended = datetime.fromtimestamp(cascade.end_ms / 1000, UTC)
                print(f"{ended:%H:%M:%S} {cascade.base_asset}", end=" ")
                print(f"{cascade.volume:,.0f} USD in {cascade.count} liquidations;", end=" ")
                print("no flow" if flow_then is None else f"delta {flow_then.delta:+,.0f} USD", f"({found.quality})")


def market() -> dict[Literal["liquidations", "trades"], list[cgrx.Event]]:
    """Two minutes with three cascades. In the second one takers buy; of ETH no trade is recorded."""
    chance = random.Random(5)
    forced: list[cgrx.Event] = [liquidation("long", 500, time=0)]
    for start, asset in ((20, "BTC"), (60, "BTC"), (95, "ETH")):
        forced += [liquidation("long", 1e5 * chance.randint(1, 4), time=start + n, base_asset=asset) for n in range(8)]
    bought = [chance.random() < (0.8 if 200 < n < 280 else 0.4) for n in range(480)]
    return {
        "liquidations": [*forced, liquidation("long", 500, time=120)],
        "trades": [trade("buy" if buys else "sell", 5_000, time=n / 4) for n, buys in enumerate(bought)],
    }


def recorded(folder: Path) -> list[Path]:
    """A recording of each kind."""
    for kind, events in market().items():
        file = folder / f"{kind}.jsonl"
        file.write_text("\n".join(json.dumps(each.asdict()) for each in events))
        cgrx.import_jsonl(file, folder / kind, events=kind, gapless=True)
    return [folder / "liquidations", folder / "trades"]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        trio.run(main, Path(temporary))
