"""Record a feed, and run the same windows on the recording: the rows are those of the live feed."""

import tempfile

import trio

import cgrx
from cgrx import operators as ops
from cgrx.testing import Drop, Simulator, liquidation, run

market = [liquidation("long", 1_000 + second, time=second) for second in range(60)]


def windows(feed: cgrx.Feed) -> cgrx.EventStream[ops.Flow]:
    return feed.liquidations().pipe(ops.tumbling("10s"))


async def live(folder: str) -> list[ops.Flow]:
    rows: list[ops.Flow] = []
    async with (
        Simulator(market, faults=[Drop(after="33.5s")], listen=False) as server,
        cgrx.connect(**server.in_memory()) as feed,
        cgrx.record(feed, folder, channels=["liquidationOrders"]) as recorder,
    ):
        windows(feed).subscribe(rows.append)
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
    rows = run(live, folder)
    again = run(replayed, folder)
    for row in again:
        print(f"{row.start_ms // 1000:2}-{row.end_ms // 1000} s  {row.count} liquidations  complete: {row.complete}")
    print("the rows of the live feed:", again == rows)
