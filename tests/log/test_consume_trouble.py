"""`cgrx.consume` where brokers are away, refuse, forget, or cannot keep a place; and what it does not accept."""

from functools import partial
from typing import Any

import pytest
import trio
from confluent_kafka import Consumer, KafkaError, KafkaException

import cgrx
from cgrx import Gap
from tests.log.logs import Heard, L, Log, heard, plain, session
from tests.sinks.writing import until
from tests.support import run


class Forgetful(Consumer):
    """A client whose group nobody coordinates."""

    def commit(self, *_: object, **__: object) -> Any:
        raise KafkaException(KafkaError(KafkaError.NOT_COORDINATOR))


def test_a_group_that_cannot_be_kept_reads_again(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    records = session("a")
    log.put(*records)
    monkeypatch.setattr("confluent_kafka.Consumer", Forgetful)

    async def main() -> None:
        for _ in range(2):
            said, _ = await heard(log, 6, group="one")
            assert said == plain(records)

    run(main)


def test_a_broker_that_is_killed_is_waited_for(mortal: Log) -> None:
    """And read on: what the log lacks afterwards is a gap. The status says what happened.

    This broker keeps nothing, so what stood there is put there again.
    """
    records = session("a", count=9)

    async def main() -> None:
        await mortal.start()
        await trio.to_thread.run_sync(lambda: mortal.put(*records[:3]))
        statuses: list[Any] = []
        async with cgrx.consume(f"{mortal.target}?reconnect.backoff.max.ms=100", start="earliest") as feed:
            feed.status.subscribe(statuses.append)
            found = Heard(feed, [L])
            async with trio.open_nursery() as nursery:
                nursery.start_soon(feed.run)
                await until(lambda: found.signals == 3)
                mortal.broker.kill()
                await until(lambda: feed.state is cgrx.State.RECONNECTING)
                await mortal.start()
                for some in (records[:3], records[5:]):
                    await trio.to_thread.run_sync(partial(mortal.put, *some))
                await until(lambda: found.signals >= 8)
                assert feed.state is cgrx.State.CONNECTED
                nursery.cancel_scope.cancel()
        assert found.by_name[L.name] == [
            *plain(records[:3]),
            Gap(L, 3_000, 6_000, "records 3 to 4 are missing"),
            *plain(records[5:]),
        ]
        kinds = [type(each).__name__ for each in statuses]
        assert "Disconnected" in kinds
        assert kinds.count("Connected") >= 2

    run(main)


def test_a_broker_that_is_away_is_waited_for_on_entering(mortal: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cgrx._log.consume.KAFKA_CONNECT_S", 0.1)
    monkeypatch.setattr("cgrx._log.log_engine._AGAIN_S", 0.01)

    async def main() -> None:
        with pytest.raises(cgrx.ConnectError, match="cannot reach") as raised:
            async with cgrx.consume(mortal.target, connect_timeout="200ms"):
                pytest.fail("it was entered")
        assert isinstance(raised.value.last, cgrx.UnreachableError)

    run(main)


def test_what_the_broker_refuses_is_refused(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cgrx._log.consume.KAFKA_CONNECT_S", 0.5)
    user = "security.protocol=SASL_PLAINTEXT&sasl.mechanism=PLAIN&sasl.username=me&sasl.password=sesame"

    async def main() -> None:
        with pytest.raises(cgrx.LogError, match="_AUTHENTICATION") as raised:
            async with cgrx.consume(f"{log.target}?{user}"):
                pytest.fail("it was entered")
        with pytest.raises(cgrx.LogError, match="_INVALID_ARG"):
            async with cgrx.consume(f"{log.target}?no.such=thing"):
                pytest.fail("it was entered")
        assert "sesame" not in repr(raised.value) + str(raised.value.__cause__)

    run(main)


class Client:
    """A client that says what the broker of these tests does not say."""

    topics: Any = None
    polled: Any = ()

    def __init__(self, *_: object, **__: object) -> None:
        self.left = list(self.polled)

    def list_topics(self, *_: object, **__: object) -> "Client":
        return self

    def assign(self, _: object) -> None: ...

    def poll(self, _: float) -> Any:
        return self.left.pop(0) if self.left else None

    def consume(self, *_: object) -> list[Any]:
        return []

    def committed(self, places: Any, **_: object) -> Any:
        return places

    def close(self) -> None: ...


class Failed:
    """A topic that has an error, or none."""

    partitions: tuple[int, ...] = (0,)

    def __init__(self, code: int | None) -> None:
        self.failure = None if code is None else KafkaError(code)

    def partition(self) -> int:
        return 0

    @property
    def error(self) -> Any:
        return self.failure


class FailedMessage(Failed):
    """A message that is an error."""

    @property
    def error(self) -> Any:
        return lambda: self.failure


def test_a_topic_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("confluent_kafka.Consumer", Client)
    monkeypatch.setattr(Client, "topics", {"x": Failed(KafkaError.UNKNOWN_TOPIC_OR_PART)})

    async def main() -> None:
        with pytest.raises(cgrx.LogError, match="make the topic first"):
            async with cgrx.consume("kafka://127.0.0.1:1/x"):
                pytest.fail("it was entered")

    run(main)


def test_trouble_while_reading_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("confluent_kafka.Consumer", Client)
    monkeypatch.setattr(Client, "topics", {"x": Failed(None)})
    gone = FailedMessage(KafkaError.TOPIC_AUTHORIZATION_FAILED)
    at_end = FailedMessage(KafkaError._PARTITION_EOF)
    monkeypatch.setattr(Client, "polled", [at_end, gone, gone, at_end])

    async def main() -> None:
        statuses: list[Any] = []
        async with cgrx.consume("kafka://127.0.0.1:1/x", start="earliest", group="one") as feed:
            feed.status.subscribe(statuses.append)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(feed.run)
                await until(lambda: sum(isinstance(each, cgrx.Connected) for each in statuses) == 2)
                nursery.cancel_scope.cancel()
        assert [type(each) for each in statuses[1:3]] == [cgrx.Disconnected, cgrx.Connected]

    run(main)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"start": "yesterday"}, ValueError, 'start=\'yesterday\' .*; or "earliest", "latest", or an offset'),
        ({"start": 1.5}, TypeError, 'start=1.5 .*; or "earliest"'),
        ({"start": {0: -1}}, ValueError, "takes partitions and offsets, whole numbers from 0 on"),
        ({"start": {0: True}}, ValueError, "takes partitions and offsets"),
        ({"group": "a b"}, ValueError, "group='a b' is no name of a group"),
        ({"shard": "0/3"}, ValueError, "shard='0/3' cannot be read"),
        ({"connect_timeout": "soon"}, ValueError, "connect_timeout='soon'"),
        ({"on_subscriber_error": "x"}, ValueError, "on_subscriber_error='x'"),
        ({"source": "kafka://host:1/x?group.id=x"}, ValueError, r"config=\{'group.id': ...\}: cgrx sets this"),
        ({"source": "redis://host:1/x"}, ValueError, "give kafka://"),
    ],
)
def test_arguments_that_cannot_be_used(arguments: dict[str, Any], error: type[Exception], message: str) -> None:
    async def main() -> None:
        given: dict[str, Any] = {"source": "kafka://host:1/x"} | arguments
        with pytest.raises(error, match=message):
            cgrx.consume(given.pop("source"), **given)

    run(main)
