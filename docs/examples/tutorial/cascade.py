"""A cascade while it runs, and when it is over: a burst of liquidations of one asset on three exchanges."""

import trio

import cgrx
from cgrx import operators as ops
from cgrx.testing import Simulator, liquidation, run

quiet = [liquidation("short", 5_000, time=n, symbol="ETHUSDT", base_asset="ETH") for n in range(0, 40, 2)]
burst = [
    liquidation("long", 60_000 * n, time=11.5 + 0.8 * n, price=60_000 - 40 * n, exchange=exchange)
    for n, exchange in enumerate(["Binance", "OKX", "Bybit", "Binance", "OKX", "Binance"], 1)
]
market = sorted([*quiet, *burst], key=lambda event: event.time_ms)
cascades = ops.cascades("3s", min_volume=500_000, emit="crossed")


async def main() -> None:
    async with (
        Simulator(market, listen=False) as server,
        cgrx.connect(**server.in_memory()) as feed,
        cgrx.stream(feed.liquidations().pipe(cascades)) as rows,
    ):
        with trio.move_on_after(60):
            async for row in rows:
                told = f"{row.count} liquidations, {row.volume:,.0f} USD on {', '.join(row.exchanges)}"
                print(f"second {trio.current_time():.1f}: {row.base_asset}, {told}, final={row.final}")


run(main)
