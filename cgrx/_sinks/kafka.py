"""`cgrx.sinks.kafka`: rows and events as messages of a topic, by the Kafka protocol."""

import logging
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
from cgrx._model.data_errors import SinkDataError, SinkRefusedError, SinkUnavailableError
from cgrx._model.limits import KAFKA_ANSWER_S, KAFKA_CONNECT_S
from cgrx._sinks.kafka_address import KafkaAddress

if TYPE_CHECKING:
    from confluent_kafka import KafkaError, Producer

_REPORT_S = 2.0
"""How much later the client may say that a message has had no answer in its time."""

_SLICE_S = 0.2
"""A thread that waits looks so often whether the sink is being left."""

OURS = frozenset(
    {
        "acks",
        "bootstrap.servers",
        "delivery.report.only.error",
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

ANY_PARTITION = -1
"""The client chooses one, by the key."""

logger = logging.getLogger("cgrx.kafka")
"""The client's own lines, a hundred a second while a broker is away: nobody sees them who does not add a handler."""
logger.propagate = False
logger.addHandler(logging.NullHandler())


Message: TypeAlias = tuple[bytes, bytes | None, int, list[tuple[str, str | bytes | None]] | None]
"""What is sent of an item: value, key, partition and headers."""


class KafkaWriter:
    """One producer. A batch is acknowledged when each of its messages is."""

    def __init__(self, address: KafkaAddress, pipeline: str | None = None) -> None:
        self.name = f"kafka {address.topic} at {address.servers}"
        self.partitions = 0
        """How many the topic has, as the broker said first; 0 before."""
        self._topic = address.topic
        self._pipeline = pipeline
        self._config = {
            **address.config,
            "bootstrap.servers": address.servers,
            "enable.idempotence": True,
            "acks": "all",
            "message.timeout.ms": int(KAFKA_ANSWER_S * 1000),
            "delivery.report.only.error": True,  # one for each message would take as long as sending it
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

    def _message(self, item: Any) -> Message:
        entry = Entry.of(item, self._pipeline)
        headers: list[tuple[str, str | bytes | None]] = [("kind", entry.kind), ("state", entry.state)]
        return entry.body, entry.identity.encode() or None, ANY_PARTITION, headers

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
            self.partitions = self.partitions or len(found.partitions)

    def _write(self, messages: Sequence[Message]) -> None:
        from confluent_kafka import KafkaException

        failed: list[KafkaError] = []

        def failing(error: Any, _: object) -> None:  # never None, for errors alone are reported
            failed.append(error)

        with self._busy:
            producer = self._producer
            assert producer is not None
            for value, key, partition, headers in messages:
                while True:
                    try:
                        # By position: to find these by their names takes the client as long as all the rest. What is
                        # left out are the other name of `failing`, and the time, which is now.
                        producer.produce(self._topic, value, key, partition, failing, None, 0, headers)
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
        return understood(error, self.name)


def understood(error: "KafkaError", name: str) -> SinkUnavailableError | SinkRefusedError | SinkDataError:
    """What an error of the client means, by its name; see the table on the page of this sink.

    `name` says what was written to, for a refusal.
    """
    code, said = error.name(), error.str()
    if code in _DATA:
        return SinkDataError(f"{code}: {said}")
    if code in _REFUSED:
        return SinkRefusedError(f"{name}: {code}: {said}{_REMEDIES.get(code, '')}")
    return SinkUnavailableError(f"{code}: {said}")


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
_NO_TOPIC = ": make the topic first; it is not there, and brokers that make topics by themselves do so for a publisher"
_REMEDIES = {
    "UNKNOWN_TOPIC_OR_PART": _NO_TOPIC,
    "_UNKNOWN_TOPIC": _NO_TOPIC,
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

    Examples:
        >>> bars = feed.liquidations().pipe(
        ...     ops.tumbling("1m", by="exchange")
        ... )  # doctest: +SKIP
        >>> async with cgrx.sinks.kafka(
        ...     "broker:9092", bars, topic="bars"
        ... ) as sink:  # doctest: +SKIP
        ...     await feed.run()

        A row that comes twice, as after a lost acknowledgement, has the same identity:

        >>> (row,) = play(
        ...     ops.tumbling("1m", by="exchange"),
        ...     [batch(liquidation(time="1s")), alive("65s")],
        ... )
        >>> row.identity
        (0, 'Binance')
    """
    require_extra("cgrx.sinks.kafka()", "kafka")
    address = KafkaAddress(servers, topic, dict(config or {}))
    address.require(OURS)
    return delivered("cgrx.sinks.kafka()", rows, KafkaWriter(address, pipeline), options)
