"""One consumer of the Kafka protocol, for a share of the partitions. Its methods are called in a thread."""

import threading
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import attrs

from cgrx._model.data_errors import LogError, SinkRefusedError
from cgrx._model.errors import CgrxError, UnreachableError
from cgrx._shards.groups import Share
from cgrx._sinks.kafka import logger, understood
from cgrx._sinks.kafka_address import KafkaAddress

if TYPE_CHECKING:
    from confluent_kafka import Consumer, KafkaError, TopicPartition

Start: TypeAlias = str | Mapping[int, int] | int
"""Where reading begins: `"earliest"`, `"latest"`, an offset of each partition, or milliseconds since the epoch."""

READ: Final = 1_000
"""How many messages are taken at once."""
READ_S: Final = 0.2
"""How long a thread waits for the first of them: leaving waits as long."""
_CLOCKS_MS: Final = 60_000
"""By so much the clock of a broker may be ahead of those of publishers, where reading begins at a time."""

_CONFIG: Final[Mapping[str, object]] = {"queued.max.messages.kbytes": 16_384, "fetch.wait.max.ms": 100}
"""Unless the address says otherwise: how much the client keeps ready, and how long a broker waits for more."""

OURS: Final = frozenset(
    {
        "auto.offset.reset",
        "bootstrap.servers",
        "enable.auto.commit",
        "enable.auto.offset.store",
        "enable.partition.eof",
        "error_cb",
        "group.id",
        "logger",
        "metadata.broker.list",
        "partition.assignment.strategy",
    }
)


@attrs.frozen
class Read:
    """What one call of `read` found."""

    messages: Sequence[Any] = ()
    caught_up: Mapping[int, bool] = attrs.field(factory=dict[int, bool])
    """Of partitions that were heard: whether nothing else stands on the log behind what has been read."""
    trouble: CgrxError | None = None
    """What keeps the client from reading, where it says so."""


class Reader:
    """Reads a topic.

    Args:
        address: where the topic is.
        share: of the partitions, by their numbers.
        group: under which name the broker keeps how far this reader has come; None: it does not.
        answer_s: how long opening waits for an answer, seconds. What is given up before keeps its thread for so long.
    """

    def __init__(self, address: KafkaAddress, share: Share, group: str | None, *, answer_s: float) -> None:
        self.name = f"kafka {address.topic} at {address.servers}"
        self._topic = address.topic
        self._servers = address.servers
        self._share = share
        self._group = group
        self._answer_s = answer_s
        self._config = {
            **_CONFIG,
            **address.config,
            "bootstrap.servers": address.servers,
            "group.id": group or "cgrx",  # the client wants one, and tells nobody as long as nothing is committed
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "earliest",  # where the log was cut off: what is missing then shows as a hole
        }
        self._consumer: Consumer | None = None
        self._trouble: CgrxError | None = None
        self._paused: frozenset[int] = frozenset()
        self._busy = threading.Lock()

    def open(self, start: Start) -> Sequence[int]:
        """Connect, and go to the places where reading begins. Returns the partitions of the share.

        Raises:
            UnreachableError: no broker answers.
            LogError: there is no such topic, or the user may not read it.
            ValueError: `start` names a partition that the topic has not.
        """
        from confluent_kafka import Consumer, KafkaException

        with self._busy:
            self._close()
            try:
                consumer = self._consumer = Consumer(self._config, logger=logger, error_cb=self._told)
                found = consumer.list_topics(self._topic, timeout=self._answer_s).topics[self._topic]
                if found.error is not None:
                    raise KafkaException(found.error)
                if isinstance(start, Mapping) and not start.keys() <= found.partitions.keys():
                    unknown = min(start.keys() - found.partitions.keys())
                    raise ValueError(f"start={dict(start)}: {self.name} has no partition {unknown}")
                number, of = self._share.number, self._share.of
                partitions = [each for each in sorted(found.partitions) if each % of == number - 1]
                consumer.assign(self._places(consumer, partitions, start))
            except KafkaException as error:
                if self._consumer is not None:
                    self._consumer.poll(0)  # it tells why, if a broker has refused the user
                    self._close()
                raise self._trouble or self._understood(error.args[0]) from error
            return partitions

    def _places(self, consumer: "Consumer", partitions: Sequence[int], start: Start) -> "list[TopicPartition]":
        from confluent_kafka import OFFSET_BEGINNING, TopicPartition

        def place(partition: int, offset: int) -> TopicPartition:
            return TopicPartition(self._topic, partition, offset)

        if isinstance(start, int):
            asked = [place(each, max(0, start - _CLOCKS_MS)) for each in partitions]
            places = consumer.offsets_for_times(asked, timeout=self._answer_s) if asked else []
        elif isinstance(start, Mapping):
            places = [place(each, start.get(each, OFFSET_BEGINNING)) for each in partitions]
        elif start == "earliest":
            places = [place(each, OFFSET_BEGINNING) for each in partitions]
        else:  # what is the end is found here: the client would ask later
            ends = [consumer.get_watermark_offsets(place(each, 0), timeout=self._answer_s) for each in partitions]
            places = [place(each, end[1]) for each, end in zip(partitions, ends, strict=True)]
        if self._group is None or not places:
            return places
        kept = consumer.committed(places, timeout=self._answer_s)
        return [old if old.offset >= 0 else new for old, new in zip(kept, places, strict=True)]

    def read(self, paused: Collection[int] = ()) -> Read:
        """The next messages, after `READ_S` seconds none; nothing of the partitions that are paused."""
        with self._busy:
            consumer = self._consumer
            assert consumer is not None
            self._pause(consumer, frozenset(paused))
            first = consumer.poll(READ_S)
            found: list[Any] = [] if first is None else [first, *consumer.consume(READ - 1, 0)]
            trouble, self._trouble = self._trouble, None
            messages: list[Any] = []
            caught_up: dict[int, bool] = {}
            for message in found:
                error = message.error()
                if error is None:
                    messages.append(message)
                    caught_up[message.partition()] = False
                elif error.name() == "_PARTITION_EOF":
                    caught_up[message.partition()] = True
                else:
                    trouble = self._understood(error)
            last = {message.partition(): message for message in messages}
            for partition, message in last.items():
                _, end = consumer.get_watermark_offsets(self._place_of(message), cached=True)
                caught_up[partition] |= message.offset() + 1 >= end
            return Read(messages, caught_up, trouble)

    def _pause(self, consumer: "Consumer", paused: frozenset[int]) -> None:
        from confluent_kafka import TopicPartition

        if paused != self._paused:
            consumer.resume([TopicPartition(self._topic, each) for each in self._paused - paused])
            consumer.pause([TopicPartition(self._topic, each) for each in paused - self._paused])
            self._paused = paused

    @staticmethod
    def _place_of(message: Any) -> "TopicPartition":
        from confluent_kafka import TopicPartition

        return TopicPartition(message.topic(), message.partition())

    def commit(self, offsets: Mapping[int, int]) -> bool:
        """Let the broker keep how far this group has come. Returns whether it does; it is asked again otherwise."""
        from confluent_kafka import KafkaException, TopicPartition

        with self._busy:
            assert self._consumer is not None
            try:
                self._consumer.commit(
                    offsets=[TopicPartition(self._topic, each, offset) for each, offset in offsets.items()],
                    asynchronous=False,
                )
            except KafkaException:
                return False
            return True

    def close(self) -> None:
        """Let go of the consumer."""
        with self._busy:
            self._close()

    def _close(self) -> None:
        consumer, self._consumer = self._consumer, None
        self._paused = frozenset()
        if consumer is not None:
            consumer.close()

    def _told(self, error: "KafkaError") -> None:
        """The client tells of its brokers; it goes on by itself."""
        self._trouble = self._understood(error)

    def _understood(self, error: "KafkaError") -> CgrxError:
        meant = understood(error, self.name)
        if isinstance(meant, SinkRefusedError):
            return LogError(meant.reason)
        host, _, port = self._servers.partition(",")[0].rpartition(":")
        return UnreachableError(host, int(port), f"{error.name()}: {error.str()}")
