"""What must type-check of the sinks for databases. Read by mypy and pyright, never run."""

from typing import assert_type

import cgrx
from cgrx import Feed, sinks
from cgrx import operators as ops
from cgrx.sinks import Sink
from cgrx.sync import BlockingFeed


async def on_trio(feed: Feed) -> None:
    flow = feed.liquidations().pipe(ops.tumbling("1m", by="base_asset"))
    async with sinks.postgres("postgresql://h/db", flow, table="flow", create=True, pipeline="a", batch=1) as sink:
        assert_type(sink, Sink)
        assert_type(sink.stats, sinks.SinkStats)


async def on_asyncio(feed: Feed) -> None:
    async with cgrx.aio.sinks.postgres("postgresql://h/db", feed.liquidations(), table="events", drain="1s") as sink:
        assert_type(sink, Sink)


def without_a_loop(feed: BlockingFeed) -> None:
    with cgrx.sync.sinks.postgres("postgresql://h/db", feed.liquidations(), table="events") as sink:
        assert_type(sink.stats, sinks.SinkStats)
