"""A whole feed on a simulated server that loses the connection: in memory, on a clock that jumps over every wait."""

import trio
from trio.testing import MockClock

import cgrx
from cgrx.testing import Simulator, liquidation


async def main() -> None:
    async with (
        Simulator(listen=False) as simulator,
        cgrx.connect(url=simulator.url, dial=simulator.dial, api_key="any-key-will-do", wall_clock=lambda: 0.0) as feed,
    ):
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


trio.run(main, clock=MockClock(autojump_threshold=0))
