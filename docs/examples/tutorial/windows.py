"""Windows of ten seconds on a feed that loses its connection: each row says what it did not see."""

import trio

import cgrx
from cgrx import operators as ops
from cgrx.testing import Drop, Refuse, Simulator, liquidation, run

market = [liquidation("long", 1_000, time=second) for second in range(60)]  # one each second
trouble = (Drop(after="33.5s"), Refuse(503, after="33s", retry_after=3))


async def main() -> None:
    async with (
        Simulator(market, faults=trouble, listen=False) as server,
        cgrx.connect(**server.in_memory()) as feed,
        cgrx.stream(feed.liquidations().pipe(ops.tumbling("10s"))) as rows,
    ):
        with trio.move_on_after(90):
            async for row in rows:
                window = f"{row.start_ms // 1000:2}-{row.end_ms // 1000} s"
                quality = "complete" if row.complete else f"not complete: gap_ms={row.gap_ms}"
                print(f"{window}  {row.count:2} liquidations  {row.volume:6,.0f} USD  {quality}")


run(main)
