"""Record a feed, and run the same windows on the recording: the rows are those of the live feed."""

import tempfile

import trio
from trio.testing import MockClock

import cgrx
from cgrx import operators as ops
from cgrx.testing import Drop, Simulator, liquidation

market = [liquidation("long", 1_000 + second, time=second) for second in range(60)]
clock = MockClock()  # stands still until something sets it going


def windows(feed: cgrx.Feed) -> cgrx.EventStream[ops.Flow]:
    return feed.liquidations().pipe(ops.tumbling("10s"))


async def live(folder: str) -> list[ops.Flow]:
    rows: list[ops.Flow] = []
    async with (
        Simulator(market, listen=False) as server,
        cgrx.connect(**server.in_memory()) as feed,
        cgrx.record(feed, folder, channels=["liquidationOrders"]) as recorder,
    ):
        windows(feed).subscribe(rows.append)
        clock.autojump_threshold = 0
        server.script([Drop(after="33.5s")])
        await trio.sleep(90)
        await feed.aclose()
    print(recorder.stats.recorded, "events recorded")
    return rows


async def replayed(folder: str) -> list[ops.Flow]:
    rows: list[ops.Flow] = []
    async with cgrx.replay(folder) as feed:
        windows(feed).subscribe(rows.append)
        await feed.run()
    return rows


with tempfile.TemporaryDirectory() as folder:
    rows = trio.run(live, folder, clock=clock)
    again = trio.run(replayed, folder)
    for row in again:
        print(f"{row.start_ms // 1000:2}-{row.end_ms // 1000} s  {row.count} liquidations  complete: {row.complete}")
    print("the rows of the live feed:", again == rows)
