"""What must type-check of the sinks for web services and chats. Read by mypy and pyright, never run."""

from typing import assert_type

from reactivex import Observable

import cgrx
from cgrx import Feed, Liquidation, sinks
from cgrx import operators as ops
from cgrx.sinks import Sink
from cgrx.sync import BlockingFeed


def short(event: Liquidation) -> str:
    return event.symbol


async def on_trio(feed: Feed, texts: Observable[str]) -> None:
    large = feed.liquidations().pipe(ops.min_volume(1_000_000))
    async with sinks.webhook("https://host.example", large, headers={"A": "b"}, secret="s", batch=1) as sink:
        assert_type(sink, Sink)
        assert_type(sink.stats, sinks.SinkStats)
    async with sinks.slack("https://host.example", large, text=short, every="5s") as sink:
        assert_type(sink, Sink)
    async with sinks.discord("https://host.example", texts), sinks.telegram("1:x", large, chat="@name", text=short):
        pass
    async with sinks.to("slack:", large, text=short, every="5s") as sink:
        assert_type(sink, Sink)
    assert_type(sinks.message(texts, what="longs liquidated"), str)


async def on_asyncio(feed: Feed) -> None:
    async with cgrx.aio.sinks.webhook("https://host.example", feed.liquidations()) as sink:
        assert_type(sink, Sink)
    async with cgrx.aio.sinks.telegram("1:x", feed.liquidations(), chat=1, text=short) as sink:
        assert_type(sink, Sink)


def without_a_loop(feed: BlockingFeed) -> None:
    with cgrx.sync.sinks.to("slack:", feed.liquidations(), text=short) as sink:
        assert_type(sink.stats, sinks.SinkStats)
    with cgrx.sync.sinks.slack("https://host.example", feed.liquidations(), text=short) as sink:
        assert_type(sink.stats, sinks.SinkStats)
