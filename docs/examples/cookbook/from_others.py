"""Large liquidations of longs by cgrx, on a simulated server that loses the connection once.

On the real feed: `cgrx.connect()` without a simulator and without arguments, and `cgrx.run(main)` at the end.
"""

import trio

import cgrx
from cgrx import operators as ops
from cgrx.testing import Simulator, liquidation, run


async def show(feed: cgrx.Feed) -> None:
    large = feed.liquidations().pipe(ops.side("long"), ops.min_volume(250_000))
    async with cgrx.stream(large) as events:
        async for event in events:
            print(event.time_ms, event.exchange, event.symbol, f"{event.volume_usd:,.0f} USD")


def told(row: ops.Flow) -> None:
    print(f"-- minute {row.start_ms // 60_000}: {row.count} in all, complete: {row.complete}")


async def main() -> None:
    async with (
        Simulator(listen=False) as simulator,
        cgrx.connect(**simulator.in_memory()) as feed,
        trio.open_nursery() as nursery,
    ):
        feed.status.subscribe(lambda status: print(f"-- {type(status).__name__}"))
        feed.liquidations().pipe(ops.tumbling("1m", emit_empty=True)).subscribe(told)
        nursery.start_soon(show, feed)
        for minute in range(4):
            await trio.sleep_until(60 * minute + 30)
            await simulator.send(liquidation("long", 300_000 + minute, time=60 * minute + 30))
            if minute == 2:
                simulator.drop_all()  # what has just been sent is lost
        await trio.sleep_until(270)
        await feed.aclose()


run(main)
