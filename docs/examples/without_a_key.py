"""What is liquidated every five seconds, while the connection is lost once."""

import cgrx
from cgrx import operators as ops
from cgrx.testing import Drop, Generator, Simulator, run


async def main() -> None:
    async with (
        Simulator(Generator(seed=7), faults=[Drop(after="17s")], listen=False) as server,
        cgrx.connect(**server.in_memory()) as feed,
        cgrx.stream(feed.liquidations().pipe(ops.tumbling("5s"))) as rows,
    ):
        for _ in range(7):
            row = await anext(rows)
            print(f"{row.start_ms // 1000:2} s {row.volume:8,.0f} USD  gap_ms={row.gap_ms:<4} complete={row.complete}")


run(main)
