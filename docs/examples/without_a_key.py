"""What is liquidated every five seconds, while the connection is lost once."""

from random import Random

import trio
from trio.testing import MockClock

import cgrx
from cgrx import operators as ops
from cgrx.testing import Drop, Generator, Simulator

market = Generator(seed=7, start_ms=0)
lost = Drop(after="17s")  # the connection


async def main() -> None:
    async with (
        Simulator(market, times="recorded", faults=[lost], listen=False) as server,
        cgrx.connect(
            url=server.url,
            dial=server.dial,  # in memory: no network
            api_key="any-key-will-do",
            wall_clock=trio.current_time,
            rng=Random(1),
        ) as feed,
        cgrx.stream(feed.liquidations().pipe(ops.tumbling("5s"))) as rows,
    ):
        for _ in range(7):
            row = await anext(rows)
            seen = "complete" if row.complete else f"{row.gap_ms} ms not seen"
            print(f"{row.start_ms // 1000:2} s {row.volume:8,.0f} USD  {seen}")


trio.run(main, clock=MockClock(autojump_threshold=0))
