"""`cgrx.sinks.kafka`: rows and events as messages of a topic, by the Kafka protocol."""

import logging
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias, Unpack

import trio
from reactivex import Observable

from cgrx._delivery.as_json import Entry
from cgrx._delivery.options import DeliveryOptions
from cgrx._delivery.sink import Sink, delivered
from cgrx._extras import require_extra
from cgrx._model.errors import SinkDataError, SinkRefusedError, SinkUnavailableError
from cgrx._model.limits import KAFKA_ANSWER_S, KAFKA_CONNECT_S

if TYPE_CHECKING:
    from confluent_kafka import KafkaError, Producer

_REPORT_S = 2.0
"""How much later the client may say that a message has had no answer in its time."""

_SLICE_S = 0.2
"""A thread that waits looks so often whether the sink is being left."""

_SERVER = re.compile(r"[\w.-]+:\d{1,5}|\[[0-9a-fA-F:]+\]:\d{1,5}")
_TOPIC = re.compile(r"[\w.-]{1,249}", re.ASCII)
_OURS = frozenset(
    {
        "acks",
        "bootstrap.servers",
        "delivery.timeout.ms",
        "enable.idempotence",
        "error_cb",
        "logger",
        "message.timeout.ms",
        "metadata.broker.list",
        "request.required.acks",
        "transactional.id",
    }
)

_Headers: TypeAlias = list[tuple[str, str | bytes | None]]

logger = logging.getLogger("cgrx.kafka")
"""The client's own lines, a hundred a second while a broker is away: nobody sees them who does not add a handler."""
logger.propagate = False
logger.addHandler(logging.NullHandler())


class KafkaWriter:
    """One producer. A batch is acknowledged when each of its messages is."""

    def __init__(self, servers: str, topic: str, pipeline: str | None, config: Mapping[str, object]) -> None:
        self.name = f"kafka {topic} at {servers}"
        self._topic = topic
        self._pipeline = pipeline
        self._config = {
            **config,
            "bootstrap.servers": servers,
            "enable.idempotence": True,
            "acks": "all",
            "message.timeout.ms": int(KAFKA_ANSWER_S * 1000),
        }
        self._producer: Producer | None = None
        self._refusal: KafkaError | None = None
        self._busy = threading.Lock()
        self._leaving = False

    async def open(self, types: frozenset[type]) -> None:
        """Connect, and ask whether the topic is there."""
        await self._in_thread(self._open)

    async def write(self, batch: Sequence[Any], /) -> None:
        """Send a batch."""
        messages = [self._message(item) for item in batch]
        await self._in_thread(partial(self._write, messages))

    async def close(self) -> None:
        """Let go of the producer, and of what it has not sent."""
        self._leaving = True  # which ends a batch that is being sent
        await self._in_thread(self._close)

    async def _in_thread(self, work: Callable[[], None]) -> None:
        await trio.to_thread.run_sync(work, abandon_on_cancel=True)

    def _message(self, item: Any) -> tuple[bytes | None, bytes, _Headers]:
        entry = Entry.of(item, self._pipeline)
        return entry.identity.encode() or None, entry.body, [("kind", entry.kind), ("state", entry.state)]

    # In a thread

    def _open(self) -> None:
        from confluent_kafka import KafkaException, Producer

        with self._busy:
            self._leaving = False
            try:
                self._producer = Producer(self._config, logger=logger, error_cb=self._told)
                found = self._producer.list_topics(self._topic, timeout=KAFKA_CONNECT_S).topics[self._topic]
            except KafkaException as error:
                if self._producer is not None:
                    self._producer.poll(0)  # it tells why, if a broker has refused the user
                raise self._understood(self._refusal or error.args[0]) from error
            if found.error is not None:
                raise self._understood(found.error)

    def _write(self, messages: Sequence[tuple[bytes | None, bytes, _Headers]]) -> None:
        from confluent_kafka import KafkaException

        failed: list[KafkaError] = []

        def reported(error: "KafkaError | None", _: object) -> None:
            if error is not None:
                failed.append(error)

        with self._busy:
            producer = self._producer
            assert producer is not None
            for key, value, headers in messages:
                while True:
                    try:
                        producer.produce(self._topic, value, key, headers=headers, on_delivery=reported)
                        break
                    except BufferError:  # what waits to be sent has to go first
                        self._flushed(producer)
                    except KafkaException as error:
                        producer.purge()
                        producer.flush(1)
                        raise self._understood(error.args[0]) from error
            left = self._flushed(producer)
        if failed or left:
            raise self._understood(failed[0]) if failed else SinkUnavailableError(f"{left} messages without an answer")

    def _flushed(self, producer: "Producer") -> int:
        """Wait until all messages are acknowledged or given up. Returns how many are neither."""
        until = time.monotonic() + KAFKA_ANSWER_S + _REPORT_S
        while (left := producer.flush(_SLICE_S)) and not self._leaving and time.monotonic() < until:
            pass
        return left

    def _close(self) -> None:
        with self._busy:
            producer, self._producer = self._producer, None
            self._refusal = None
            if producer is not None:
                producer.purge()
                producer.close()

    def _told(self, error: "KafkaError") -> None:
        """The client tells of its brokers. That one refuses the user is said nowhere else: calls only time out."""
        if error.name() in _OF_BROKERS:
            self._refusal = error

    def _understood(self, error: "KafkaError") -> SinkUnavailableError | SinkRefusedError | SinkDataError:
        """What an error of the client means, by its name; see the table on the page of this sink."""
        name, said = error.name(), error.str()
        if name in _DATA:
            return SinkDataError(f"{name}: {said}")
        if name in _REFUSED:
            return SinkRefusedError(f"{self.name}: {name}: {said}{_REMEDIES.get(name, '')}")
        return SinkUnavailableError(f"{name}: {said}")


_OF_BROKERS = frozenset({"_AUTHENTICATION", "_SSL"})
_DATA = frozenset({"MSG_SIZE_TOO_LARGE", "RECORD_LIST_TOO_LARGE", "INVALID_RECORD", "INVALID_MSG_SIZE"})
_REFUSED = frozenset(
    {
        "_AUTHENTICATION",
        "_INVALID_ARG",
        "_SSL",
        "_UNKNOWN_PARTITION",
        "_UNKNOWN_TOPIC",
        "CLUSTER_AUTHORIZATION_FAILED",
        "POLICY_VIOLATION",
        "SASL_AUTHENTICATION_FAILED",
        "TOPIC_AUTHORIZATION_FAILED",
        "TOPIC_EXCEPTION",
        "UNKNOWN_TOPIC_OR_PART",
    }
)
_REMEDIES = {
    "UNKNOWN_TOPIC_OR_PART": ": make the topic first; this broker makes none by itself",
    "_UNKNOWN_TOPIC": ": make the topic first; this broker makes none by itself",
    "TOPIC_AUTHORIZATION_FAILED": ": the user needs Write and Describe on it",
}


def kafka(
    servers: str,
    rows: Observable[Any],
    *,
    topic: str,
    pipeline: str | None = None,
    config: Mapping[str, object] | None = None,
    **options: Unpack[DeliveryOptions],
) -> AbstractAsyncContextManager[Sink]:
    """Send rows or events to a topic: `async with cgrx.sinks.kafka("broker:9092", bars, topic="bars"): ...`.

    A message's value is the item's `asdict()` as JSON. Its key is the identity of a row, a JSON list of the window's
    start and the key fields, so that all rows of a window are in one partition, in order, and a compacted topic keeps
    the last one; events have no key. _Headers say `kind` (`liquidation`, `trade`, or the class of the row) and `state`
    (`event`, `final`, `running`, `withdrawn`).

    The producer is idempotent, and a batch counts as delivered when all in-sync replicas have it. Where an
    acknowledgement is lost for good, the batch is sent again by a new producer, so consumers may see a message twice.
    Needs the extra `kafka`.

    Args:
        servers: one or more brokers, `host:port`, with commas between.
        rows: an observable of rows or events.
        topic: its name. It must be there, unless the broker makes topics by itself.
        pipeline: a name, which then begins the key.
        config: further properties of librdkafka, such as `security.protocol` and `sasl.password`; they are never shown.
        **options: see `cgrx.sinks.deliver`.

    Raises:
        ValueError, TypeError: an argument cannot be used.
        SinkRefusedError: on entering: there is no such topic, or the user may not write to it.
        ImportError: confluent-kafka is not installed.
    """
    require_extra("cgrx.sinks.kafka()", "kafka")
    if not all(_SERVER.fullmatch(server) for server in str(servers).split(",")):
        raise ValueError(f"servers={servers!r} cannot be read: give host:port, several with commas between")
    if not _TOPIC.fullmatch(topic):
        raise ValueError(f"topic={topic!r} is no name of a topic: give letters, digits, '.', '_' and '-', 249 at most")
    given = dict(config or {})
    ours = sorted(_OURS & set(given))
    if ours:
        raise ValueError(f"config={{{ours[0]!r}: ...}}: the sink sets this property itself, or cannot use it")
    return delivered("cgrx.sinks.kafka()", rows, KafkaWriter(servers, topic, pipeline, given), options)
