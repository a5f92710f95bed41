"""What must type-check of logs. Read by mypy and pyright, never run."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import assert_type

import cgrx
from cgrx import Batch, Channel, End, Event, Feed, Mark, Record
from cgrx.sinks import Sink


async def published(feed: Feed, channels: list[Channel]) -> None:
    async with cgrx.publish(feed, channels, "kafka://host:9092/trades", shard="1/8", every="1s", buffer=10) as sink:
        assert_type(sink, Sink)
    async with cgrx.publish(feed, ["liquidationOrders"], "kafka://host:9092/x", partition_by="base_asset", ends=True):
        pass


async def consumed(offsets: Mapping[int, int]) -> None:
    async with cgrx.consume("kafka://host:9092/trades", start=offsets, group="bars", shard="1/4") as feed:
        plain: Feed = feed
        assert_type(plain.liquidations(), cgrx.EventStream[cgrx.Liquidation])
        assert_type(feed.offsets, Mapping[int, int])
        assert_type(feed.read, cgrx.LogStats)
    cgrx.consume("kafka://host:9092/trades", start="earliest", connect_timeout="5s", on_subscriber_error="isolate")
    cgrx.consume("kafka://host:9092/trades", start=datetime(2025, 6, 1, tzinfo=UTC))


def read(key: bytes | None, value: bytes | None) -> None:
    record = Record.decode(key, value, "trades[3] at offset 17")
    assert_type(record.signal, Batch[Event] | Mark | End)
    assert_type(record.encode(), bytes)
