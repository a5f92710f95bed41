"""Filters: of all liquidations, the large ones of long positions."""

import math

import trio

import cgrx
from cgrx import operators as ops
from cgrx.testing import Generator, Simulator

market = Generator(seed=7, rate=20)
big_longs = ops.pipeline(ops.side("long"), ops.min_volume(10_000))


async def main() -> None:
    async with (
        Simulator(market, times="recorded", speed=math.inf) as server,
        cgrx.connect(url=server.url, api_key="any-key-will-do") as feed,
        cgrx.stream(feed.liquidations().pipe(big_longs)) as events,
    ):
        for _ in range(5):
            event = await anext(events)
            volume = f"{event.volume_usd:9,.0f} USD"
            print(f"{event.datetime:%H:%M:%S} {event.exchange:8} {event.symbol:15} {event.side.word:6} {volume}")


print(big_longs)
trio.run(main)
