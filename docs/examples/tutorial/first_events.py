"""The first events: a simulated CoinGlass server, and a feed that is connected to it."""

import trio

import cgrx
from cgrx.testing import Generator, Simulator

market = Generator(seed=7, rate=20)  # liquidations and trades, the same in every run


async def main() -> None:
    async with (
        Simulator(market, times="recorded", speed=10) as server,
        cgrx.connect(url=server.url, api_key="any-key-will-do") as feed,
        cgrx.stream(feed.liquidations()) as events,
    ):
        for _ in range(8):
            event = await anext(events)
            volume = f"{event.volume_usd:5,.0f} USD"
            print(f"{event.datetime:%H:%M:%S} {event.exchange:8} {event.symbol:15} {event.side.word:6} {volume}")


trio.run(main)
