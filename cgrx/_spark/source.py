"""The records of a topic as a source of Spark, by librdkafka: a partition of the topic is a task.

    {"0": 17, "1": 4}    an offset as Spark keeps it: of each partition the record that comes next

What the log no longer holds is left out here, and shows as a hole in the numbers of the records.
"""

from collections.abc import Collection, Iterator, Mapping
from functools import partial
from typing import Any

import attrs
from pyspark.sql.datasource import DataSource, DataSourceStreamReader, InputPartition
from pyspark.sql.streaming.datasource import ReadLimit, ReadMaxRows, SupportsTriggerAvailableNow

from cgrx._model.data_errors import LogError
from cgrx._sinks.kafka import logger
from cgrx._spark.patience import Patience
from cgrx._spark.settings import Kafka

SCHEMA = "shard int, topic_partition int, offset bigint, channel string, value binary"

_CHUNK = 2_000


@attrs.frozen
class Terms:
    """What is read, and who needs it."""

    log: Kafka
    wanted: Mapping[str, Collection[int]]
    """Of each channel the shards that take it. Records of other channels are left out."""


@attrs.frozen
class Stretch(InputPartition):
    """Records of one partition of a topic: `[start, end)`."""

    partition: int
    start: int
    end: int


class LogReader(DataSourceStreamReader, SupportsTriggerAvailableNow):
    """Finds the offsets, in one process beside the driver, and reads between them, in the workers."""

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._until: dict[int, tuple[int, int]] | None = None

    def initialOffset(self) -> dict[str, int]:
        """Where a new checkpoint begins."""
        bounds, log = self.bounds(), self._terms.log
        if log.start_ms is None:
            return {str(each): low if log.start == "earliest" else high for each, (low, high) in bounds.items()}
        from confluent_kafka import TopicPartition

        asked = [TopicPartition(log.address.topic, each, log.start_ms) for each in bounds]

        def ask(consumer: Any, timeout_s: float) -> Any:
            return consumer.offsets_for_times(asked, timeout=timeout_s)

        found = self._ask(ask)
        return {str(each.partition): each.offset if each.offset >= 0 else bounds[each.partition][1] for each in found}

    def getDefaultReadLimit(self) -> ReadLimit:
        """The records of a micro-batch."""
        return ReadMaxRows(self._terms.log.most)

    def prepareForTriggerAvailableNow(self) -> None:
        """Read no further than the log has come by now."""
        self._until = self.bounds()

    def latestOffset(self, start: dict[str, int], limit: ReadLimit) -> dict[str, int]:
        """Where the next micro-batch ends."""
        bounds = self._until or self.bounds()
        most = max(1, limit.max_rows // len(bounds)) if isinstance(limit, ReadMaxRows) else None
        found = dict(start)
        for each, (low, high) in bounds.items():
            first = max(low, start.get(str(each), low))
            if first > high:
                topic = self._terms.log.address.topic
                raise LogError(f"{topic}[{each}] ends at {high}, and the checkpoint is at {first}: a new topic?")
            found[str(each)] = max(first, high if most is None else min(high, first + most))
        return found

    def partitions(self, start: dict[str, int], end: dict[str, int]) -> list[Stretch]:
        """The tasks of a micro-batch."""
        return [Stretch(int(each), start.get(each, 0), last) for each, last in end.items() if last > start.get(each, 0)]

    def read(self, partition: Any) -> Iterator[Any]:
        """The records of a task, each as often as shards take it. Where the brokers are away, they are waited for.

        Raises:
            LogError: they refuse, or do not give in time what they say that they have.
        """
        from confluent_kafka import OFFSET_BEGINNING, KafkaError, TopicPartition

        topic, at = self._terms.log.address.topic, partition.start
        patience = Patience(self._terms.log)
        consumer = self._consumer(patience)
        place = TopicPartition(topic, partition.partition)
        try:
            low, _ = patience.answer(
                consumer, lambda timeout_s: consumer.get_watermark_offsets(place, timeout=timeout_s)
            )
            consumer.assign([TopicPartition(topic, partition.partition, at if at >= low else OFFSET_BEGINNING)])
            patience.renew()
            while at < partition.end:
                rows: list[tuple[int, int, int, str, bytes | None]] = []
                for message in consumer.consume(min(_CHUNK, partition.end - at), timeout=1):
                    error = message.error()
                    if error is not None and error.code() != KafkaError._PARTITION_EOF:
                        patience.hear(error)
                        continue
                    offset = message.offset()
                    at = max(at, offset if error is not None else offset + 1)
                    patience.renew()
                    if error is None and partition.start <= offset < partition.end:
                        rows += self._rows(partition.partition, offset, message)
                if rows:
                    yield _batch(rows)
                else:
                    patience.require(f"records {at} to {partition.end - 1} of partition {partition.partition}")
        finally:
            consumer.close()

    def _rows(self, partition: int, offset: int, message: Any) -> Iterator[tuple[int, int, int, str, bytes | None]]:
        channel = (message.key() or b"").decode(errors="replace")
        for shard in self._terms.wanted.get(channel, ()):
            yield shard, partition, offset, channel, message.value()

    def bounds(self) -> dict[int, tuple[int, int]]:
        """Of each partition of the topic the first record and the one that comes next.

        Raises:
            LogError: there is no such topic, the brokers refuse, or they do not answer in time.
        """
        from confluent_kafka import KafkaException, TopicPartition

        topic = self._terms.log.address.topic

        def ask(consumer: Any, timeout_s: float) -> dict[int, tuple[int, int]]:
            found = consumer.list_topics(topic, timeout=timeout_s).topics[topic]
            if found.error is not None:
                raise KafkaException(found.error)
            return {
                each: consumer.get_watermark_offsets(TopicPartition(topic, each), timeout=timeout_s)
                for each in found.partitions
            }

        bounds: dict[int, tuple[int, int]] = self._ask(ask)
        return bounds

    def _ask(self, question: Any) -> Any:
        patience = Patience(self._terms.log)
        consumer = self._consumer(patience)
        try:
            return patience.answer(consumer, partial(question, consumer))
        finally:
            consumer.close()

    def _consumer(self, patience: Patience) -> Any:
        from confluent_kafka import Consumer

        address = self._terms.log.address
        ours = {"bootstrap.servers": address.servers, "group.id": "cgrx-spark", "enable.auto.commit": False}
        more = {"auto.offset.reset": "earliest", "enable.partition.eof": True}
        return Consumer({**address.config, **ours, **more}, logger=logger, error_cb=patience.hear)


def log_source(name: str, terms: Terms) -> type[DataSource]:
    """A source of this name for these terms. They are in its class, for Spark's plans show what stands in options."""

    class Log(DataSource):
        @classmethod
        def name(cls) -> str:
            return name

        def schema(self) -> str:
            return SCHEMA

        def streamReader(self, schema: object) -> LogReader:
            return LogReader(terms)

    return Log


def _batch(rows: list[tuple[int, int, int, str, bytes | None]]) -> Any:
    import pyarrow

    pa: Any = pyarrow  # its stubs leave most types unknown
    types = {"shard": pa.int32(), "topic_partition": pa.int32(), "offset": pa.int64()}
    schema = pa.schema([*types.items(), ("channel", pa.string()), ("value", pa.binary())])
    columns = zip(zip(*rows, strict=True), schema.types, strict=True)
    return pa.record_batch([pa.array(values, of) for values, of in columns], schema=schema)
