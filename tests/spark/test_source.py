"""A topic as a source of Spark, on a real broker and without a JVM: what is read, and from where to where."""

from collections.abc import Generator
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import OFFSET_BEGINNING, KafkaError

from cgrx import LogError
from cgrx.engines import spark
from tests.sinks.redis_server import free_port
from tests.spark.market import BTC, CHANNELS, ETH, OKX, entries, records
from tests.spark.topic import broker, make, publish

pytest.importorskip("pyspark", reason="pyspark is not installed; `nox -s spark` brings it")

RECORDS = records(entries(10))
COUNT = len(RECORDS)


@pytest.fixture(scope="module")
def log() -> Generator[Any]:
    with broker("signals") as found:
        publish(found, "signals", RECORDS)
        yield found


def reader(log: Any, topic: str = "signals", **more: Any) -> Any:
    return reader_of(spark.Kafka(f"kafka://{log.servers}/{topic}", **more))


def reader_of(source: spark.Kafka) -> Any:
    """Two shards take BTC, one ETH, and nobody OKX."""
    from cgrx._spark.source import LogReader, Terms

    return LogReader(Terms(source, {BTC.name: [0, 3], ETH.name: [1]}))


def everything(reader: Any, start: dict[str, int], end: dict[str, int]) -> list[tuple[Any, ...]]:
    rows = [batch.to_pylist() for stretch in reader.partitions(start, end) for batch in reader.read(stretch)]
    return [tuple(row.values()) for part in rows for row in part]


def test_the_beginning(log: Any) -> None:
    assert reader(log).initialOffset() == {"0": 0}
    assert reader(log, start="latest").initialOffset() == {"0": COUNT + 1}


class Answering:
    """A broker that finds a record of that time in partition 0, and none so late in partition 1; and then breaks."""

    error = KafkaError(KafkaError.REQUEST_TIMED_OUT)

    def __init__(self, _: object) -> None: ...

    def list_topics(self, topic: str, timeout: float) -> Any:
        return SimpleNamespace(topics={topic: SimpleNamespace(error=None, partitions=[0, 1])})

    def get_watermark_offsets(self, _: object, timeout: float) -> tuple[int, int]:
        return 3, 9

    def offsets_for_times(self, asked: list[Any], timeout: float) -> list[Any]:
        assert [each.offset for each in asked] == [946_684_800_000] * 2
        return [SimpleNamespace(partition=at, offset=offset) for at, offset in enumerate((5, -1))]

    def assign(self, asked: list[Any]) -> None:
        assert [each.offset for each in asked] == [OFFSET_BEGINNING]  # the log holds less than is asked for

    def consume(self, _: int, timeout: float) -> list[Any]:
        return [SimpleNamespace(error=lambda: self.error)]

    def close(self) -> None: ...


class Refusing(Answering):
    """A broker that lets nobody read."""

    error = KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED)


class Unready(Answering):
    """A broker that has just been started, and knows no leader of the topic yet."""

    asked = 0

    def list_topics(self, topic: str, timeout: float) -> Any:
        Unready.asked += 1
        error = KafkaError(KafkaError.LEADER_NOT_AVAILABLE) if Unready.asked == 1 else None
        return SimpleNamespace(topics={topic: SimpleNamespace(error=error, partitions=[0])})

    def poll(self, _: float) -> None:
        """Nothing is said of brokers."""


def test_the_beginning_at_a_time(log: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broker of the tests does not look for times."""
    found = reader(log, start="2000-01-01")
    monkeypatch.setattr(found, "_consumer", Answering)
    assert found.initialOffset() == {"0": 5, "1": 9}


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (Answering, r"^topic 'signals' at \S+ gave records 1 to 4 of partition 0 not within 0 s: REQUEST_TIMED_OUT: "),
        (Refusing, r"^topic 'signals' at \S+: TOPIC_AUTHORIZATION_FAILED: "),
    ],
)
def test_what_the_broker_says_is_said(
    log: Any, monkeypatch: pytest.MonkeyPatch, broken: type[Answering], message: str
) -> None:
    found = reader(log, timeout="0s")
    monkeypatch.setattr(found, "_consumer", broken)
    with pytest.raises(LogError, match=message):
        everything(found, {"0": 1}, {"0": 5})


def test_a_broker_that_is_not_ready_is_asked_again(log: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    found = reader(log)
    monkeypatch.setattr(found, "_consumer", Unready)
    assert found.bounds() == {0: (3, 9)}


def test_a_broker_that_stays_away(log: Any) -> None:
    away = spark.Kafka(f"kafka://127.0.0.1:{free_port()}/signals", timeout="100ms")
    with pytest.raises(LogError, match=r"^topic 'signals' at \S+ gave an answer not within 0\.1 s: _\w+: "):
        reader_of(away).initialOffset()


def test_a_broker_that_refuses_the_user(log: Any) -> None:
    """Nobody waits for it."""
    user = "security.protocol=SASL_PLAINTEXT&sasl.mechanism=PLAIN&sasl.username=me&sasl.password=sesame"
    with pytest.raises(LogError, match=r"^topic 'signals' at \S+: _AUTHENTICATION: ") as raised:
        reader(log, f"signals?{user}").initialOffset()
    assert "sesame" not in str(raised.value)


def test_how_far_a_micro_batch_goes(log: Any) -> None:
    from pyspark.sql.streaming.datasource import ReadAllAvailable, ReadMaxRows

    found = reader(log, most=7)
    assert found.getDefaultReadLimit() == ReadMaxRows(7)
    assert found.latestOffset({"0": 0}, ReadMaxRows(7)) == {"0": 7}
    assert found.latestOffset({"0": 7}, ReadMaxRows(99_999)) == {"0": COUNT + 1}
    assert found.latestOffset({}, ReadAllAvailable()) == {"0": COUNT + 1}
    assert found.latestOffset({"0": COUNT + 1}, ReadMaxRows(7)) == {"0": COUNT + 1}
    with pytest.raises(LogError, match=r"ends at .*, and the checkpoint is at 99999: a new topic"):
        found.latestOffset({"0": 99_999}, ReadMaxRows(7))


def test_a_run_that_ends_reads_no_further_than_the_log_was_when_it_began(log: Any) -> None:
    from pyspark.sql.streaming.datasource import ReadAllAvailable

    make(log, "growing")
    publish(log, "growing", RECORDS[:5])
    found = reader(log, "growing")
    found.prepareForTriggerAvailableNow()
    publish(log, "growing", RECORDS[5:])
    assert found.latestOffset({"0": 0}, ReadAllAvailable()) == {"0": 6}


def test_each_shard_gets_the_records_of_its_channels(log: Any) -> None:
    rows = everything(reader(log), {"0": 0}, {"0": COUNT})
    wanted = [
        (shard, 0, at, record.channel, record.encode())
        for at, record in enumerate(RECORDS)
        for shard in {BTC.name: (0, 3), ETH.name: (1,), OKX.name: ()}[record.channel]
    ]
    assert rows == wanted
    assert {record.channel for record in RECORDS} == {channel.name for channel in CHANNELS}


def test_a_part_of_it(log: Any) -> None:
    rows = everything(reader(log), {"0": 10}, {"0": 20})
    assert {row[2] for row in rows} <= set(range(10, 20))
    assert rows
    assert everything(reader(log), {"0": 20}, {"0": 20}) == []


def test_a_log_that_does_not_give_what_it_has(log: Any) -> None:
    with pytest.raises(LogError, match=r"gave records \d+ to \d+ of partition 0 not within 0\.5 s$"):
        everything(reader(log, timeout="500ms"), {"0": 0}, {"0": COUNT + 50})


def test_what_the_source_is_called_and_holds(log: Any) -> None:
    from cgrx._spark.source import SCHEMA, log_source

    terms = reader(log)._terms
    made: Any = log_source("cgrx_1", terms)
    assert made.name() == "cgrx_1"
    source = made({})
    assert source.schema() == SCHEMA
    assert source.streamReader(None)._terms == terms
