"""Record a feed while it is used, then read the recording: as entries, and as a table."""

import tempfile

import polars as pl
import trio

import cgrx
from cgrx import operators as ops
from cgrx.testing import Simulator, liquidation


async def main(folder: str) -> None:
    async with Simulator(listen=True) as simulator, cgrx.connect(url=simulator.url, api_key="any-key-will-do") as feed:
        async with cgrx.record(feed, folder, channels=["liquidationOrders"]) as recorder:
            large = feed.liquidations().pipe(ops.min_volume(500_000))
            large.subscribe(lambda event: print("large:", event.symbol, f"{event.volume_usd:,.0f}"))
            async with cgrx.stream(feed.liquidations()) as events:
                await simulator.wait_subscribed("liquidationOrders")
                for volume_usd in (120_000, 640_000, 80_000):
                    await simulator.send(liquidation("long", volume_usd))
                    await anext(events)
            await feed.aclose()
        print(recorder.stats.recorded, "events recorded,", recorder.stats.lost, "lost")


with tempfile.TemporaryDirectory() as folder:
    trio.run(main, folder)
    recording = cgrx.Recording(folder)
    volumes = [
        event.volume_usd
        for entry in recording.entries()
        if isinstance(entry.said, cgrx.Batch)
        for event in entry.said.events
    ]
    print("volumes:", volumes)
    table = recording.to_polars().filter(pl.col("kind") == "liquidation")
    print("in all:", table.select(pl.col("volume_usd").sum()).collect().item())
