"""A topic of a real broker, in a thread that needs no event loop."""

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from typing import Any

import trio

from cgrx import Record
from tests.sinks.object_store import ObjectStore


@contextmanager
def broker(*topics: str, partitions: int = 1, store: ObjectStore | None = None) -> Generator[Any]:
    """A broker with these topics, which keeps them in a store, or in memory."""
    from tests.sinks.kafka_server import Broker

    found = Broker(store)
    try:
        start(found)
        for topic in topics:
            make(found, topic, partitions)
        yield found
    finally:
        found.kill()


def start(broker: Any) -> None:
    """Start it, or start it again once it was killed."""
    trio.run(broker.start, "unused")


def make(broker: Any, topic: str, partitions: int = 1) -> None:
    """Make a topic."""
    from confluent_kafka.admin import AdminClient
    from confluent_kafka.cimpl import NewTopic

    admin: Any = AdminClient({"bootstrap.servers": broker.servers, "log_level": 0})
    for made in admin.create_topics([NewTopic(topic, partitions, 1)]).values():
        made.result(10)


def publish(broker: Any, topic: str, records: Iterable[Record], partitions: int = 1) -> None:
    """Put records there, by their channels; and one that is nobody's, for this broker hides the last batch else."""
    from zlib import crc32

    from confluent_kafka import Producer

    producer = Producer({"bootstrap.servers": broker.servers, "log_level": 0, "linger.ms": 5})
    for record in records:
        where = crc32(record.channel.encode()) % partitions
        producer.produce(topic, record.encode(), key=record.channel, partition=where)
        producer.poll(0)
    assert not producer.flush(30)
    for partition in range(partitions):
        producer.produce(topic, b"the last one", partition=partition)
    assert not producer.flush(30)
