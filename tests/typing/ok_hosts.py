"""What must type-check of the hosts: `cgrx.aio` and `cgrx.sync`. Read by mypy and pyright, never run."""

from collections.abc import AsyncIterator
from typing import assert_type

from reactivex import Observable

import cgrx
from cgrx import EventIterator, Feed, Liquidation, Recorder, Replay, Trade
from cgrx import operators as ops
from cgrx.sync import BlockingFeed, BlockingIterator, BlockingRecorder, BlockingReplay


async def on_asyncio() -> None:
    async with cgrx.aio.connect(url="ws://127.0.0.1", connect_timeout="1s") as feed:
        assert_type(feed, Feed)
        async with cgrx.aio.stream(feed.liquidations().pipe(ops.tumbling("1m", ops.Flow)), buffer=10) as rows:
            assert_type(rows, EventIterator[ops.Flow])
            async for row in rows:
                assert_type(row, ops.Flow)
        assert_type(await feed.liquidations(), Liquidation)
        async with cgrx.aio.record(feed, "day", channels=["liquidationOrders"]) as recorder:
            assert_type(recorder, Recorder)
    async with cgrx.aio.replay("day", speed=10) as again:
        assert_type(again, Replay)


async def numbers() -> AsyncIterator[int]:
    yield 1


def observables() -> None:
    assert_type(cgrx.aio.from_async(numbers), Observable[int])
    assert_type(cgrx.sync.from_async(numbers), Observable[int])


def without_a_loop() -> None:
    with cgrx.sync.connect(url="ws://127.0.0.1", connect_timeout="1s") as feed:
        assert_type(feed, BlockingFeed)
        with cgrx.sync.stream(feed.futures_trades("Binance", "BTCUSDT", min_volume=0), timeout="5s") as events:
            assert_type(events, BlockingIterator[Trade])
            for event in events:
                assert_type(event, Trade)
            for batch in events.batches():
                assert_type(batch, list[Trade])
        with cgrx.sync.record(feed, "day", channels=["liquidationOrders"]) as recorder:
            assert_type(recorder, BlockingRecorder)
        feed.run(timeout="1m")
    with cgrx.sync.replay("day") as again:
        assert_type(again, BlockingReplay)
        again.pause()
        again.resume()
        assert_type(again.speed, float)
        again.speed = 60
        assert_type(again.paused, bool)
