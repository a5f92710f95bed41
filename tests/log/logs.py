"""What the tests of logs share: a topic of several partitions at a real broker, and what stands there."""

import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs
import trio
from confluent_kafka import Consumer, Producer, TopicPartition

import cgrx
from cgrx import (
    Alive,
    Batch,
    Channel,
    Event,
    EventStream,
    Feed,
    FuturesTrades,
    Gap,
    LiquidationOrders,
    Record,
    Signal,
    Status,
)
from cgrx._shards.record import Numbering
from cgrx.testing import liquidation, trade
from tests.sinks.kafka_server import Broker
from tests.sinks.writing import until
from tests.streams.streaming import Hot, Notes

PARTITIONS = 4
L = LiquidationOrders()
T = FuturesTrades("Binance", "BTCUSDT", 0)
LAST = b"the last one"
"""What makes the broker show what stands before it; no record."""


@attrs.define
class Log:
    """A topic."""

    broker: Broker
    topic: str = "trades"

    @property
    def target(self) -> str:
        return f"kafka://{self.broker.servers}/{self.topic}"

    async def start(self) -> None:
        """Start the broker, and make the topic."""
        await self.broker.start(self.topic, PARTITIONS)

    def say(self, *messages: tuple[str | None, bytes, int]) -> None:
        """Put messages there: key, value and partition. Each partition gets one more, or the last would be hidden."""
        producer = Producer({"bootstrap.servers": self.broker.servers, "log_level": 0, "linger.ms": 0})
        for key, value, partition in messages:
            producer.produce(self.topic, value, key, partition)
        producer.flush(10)
        for partition in range(PARTITIONS):
            producer.produce(self.topic, LAST, None, partition)
        producer.flush(10)

    async def show(self) -> None:
        """Let the broker show the last batch of each partition."""
        await trio.to_thread.run_sync(self.say)

    def put(self, *records: Record, partition: int = 0) -> None:
        """Put records there."""
        self.say(*((record.channel, record.encode(), partition) for record in records))

    def messages(self) -> list[list[Any]]:
        """What each partition holds."""
        self.say()
        config = {"bootstrap.servers": self.broker.servers, "group.id": "x", "log_level": 0, "fetch.wait.max.ms": 20}
        consumer = Consumer({**config, "enable.auto.commit": False})
        found: list[list[Any]] = [[] for _ in range(PARTITIONS)]
        try:
            places = [TopicPartition(self.topic, each) for each in range(PARTITIONS)]
            ends = [consumer.get_watermark_offsets(place, 10)[1] for place in places]
            consumer.assign([TopicPartition(self.topic, each, 0) for each in range(PARTITIONS)])
            left = sum(ends)
            while left > 0:
                message = consumer.poll(10)
                assert message is not None, "the broker shows no more"
                number, offset = message.partition(), message.offset()
                assert number is not None
                assert offset is not None
                left -= offset < ends[number]
                if message.value() != LAST:
                    found[number].append(message)
        finally:
            consumer.close()
        return found

    async def records(self) -> list[list[Record]]:
        """The records of each partition."""
        found = await trio.to_thread.run_sync(self.messages)
        return [[Record.decode(each.key(), each.value()) for each in messages] for messages in found]


def events(signals: Iterable[Any]) -> list[Event]:
    """Those of the batches."""
    batches: list[Batch[Event]] = [signal for signal in signals if isinstance(signal, Batch)]
    return [event for each in batches for event in each.events]


class Heard:
    """Writes down what the streams of a feed say."""

    def __init__(self, feed: Feed, channels: Iterable[Channel]) -> None:
        self.by_name: dict[str, list[Signal[Event]]] = defaultdict(list)
        self.ended: list[str] = []
        for channel in channels:
            said = self.by_name[channel.name]
            feed.channel(channel).signals().subscribe(said.append, self._failed, self._completed)

    def _failed(self, error: Exception) -> None:
        self.ended.append(repr(error))

    def _completed(self) -> None:
        self.ended.append("completed")

    @property
    def signals(self) -> int:
        return sum(map(len, self.by_name.values()))

    @property
    def events(self) -> int:
        return sum(len(events(said)) for said in self.by_name.values())


class Told:
    """A feed that says what it is told to."""

    def __init__(self, *, waits: bool = False) -> None:
        self.notes = Notes(waits=waits)
        self.now_ms = 0
        self.sources: dict[Channel, Hot[Any]] = {}

    def channel(self, channel: Channel, /) -> EventStream[Any]:
        return self.sources.setdefault(channel, Hot(self.notes)).stream

    def report(self, status: Status, /) -> None:
        self.notes.told.append(status)


def session(name: str, begun_ms: int = 1_000, channel: Channel = L, count: int = 6) -> list[Record]:
    """A gap, and a batch or a proof each second."""
    numbering = Numbering(name)
    signals: list[Any] = [Gap(channel, 0, begun_ms, "subscribed")]
    for second in range(1, count):
        at_ms = begun_ms + 1_000 * second
        event = liquidation("long", time=f"{at_ms}ms") if channel == L else trade("buy", time=f"{at_ms}ms")
        signals.append(Batch(channel, at_ms, (event,)) if second % 3 else Alive(name, at_ms))
    return [numbering.record(channel.name, signal) for signal in signals]


def plain(records: list[Record]) -> list[Any]:
    return [record.signal for record in records]


async def heard(log: Log, count: int, channels: Sequence[Channel] = (L,), **options: Any) -> tuple[Any, cgrx.LogFeed]:
    """What a feed from the log says, until it has said so many signals; and the feed, which has been left."""
    given: dict[str, Any] = {"start": "earliest"} | options
    async with cgrx.consume(log.target, **given) as feed:
        found = Heard(feed, channels)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(feed.run)
            await until(lambda: found.signals >= count)
            nursery.cancel_scope.cancel()
        assert found.signals == count
    assert found.ended == ["completed"] * len(channels)
    said = found.by_name if len(channels) > 1 else found.by_name[channels[0].name]
    return said, feed


@contextmanager
def publisher(file: Path, url: str, log: Log) -> Generator["subprocess.Popen[bytes]"]:
    """`cgrx publish` in a process of its own."""
    command = [sys.executable, "-m", "cgrx", "publish", "--channels", str(file), "--to", log.target, "--url", url]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, env=os.environ | {"CGRX_API_KEY": ""}) as process:
        try:
            yield process
        finally:
            process.kill()
