"""A whole feed on a simulated server that loses the connection: in memory, on a clock that jumps over every wait."""

import cgrx
from cgrx.testing import Simulator, liquidation, run


async def main() -> None:
    async with Simulator(listen=False) as simulator, cgrx.connect(**simulator.in_memory()) as feed:
        feed.status.subscribe(lambda status: print(type(status).__name__))
        async with cgrx.stream(feed.liquidations()) as events:
            await simulator.wait_subscribed("liquidationOrders")
            await simulator.send(liquidation("long", 300_000.0, time="1s"))
            print(await anext(events))
            simulator.drop_all()
            await simulator.wait_connections(0)
            await simulator.wait_subscribed("liquidationOrders")
            await simulator.send(liquidation("short", 50_000.0, time="2s"))
            print(await anext(events))


run(main)
