"""`cgrx.sinks.kafka` against a real broker: killed and restarted, stalled, refusing."""

import json
import sys
from collections.abc import Awaitable, Callable, Generator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio
from confluent_kafka import KafkaError

import cgrx
from cgrx import operators as ops
from cgrx import sinks
from cgrx._model.signals import Batch
from cgrx._sinks.kafka import understood
from cgrx.operators import agg
from cgrx.testing import liquidation, trade
from tests.delivery.systems import FLOW, flow
from tests.sinks.kafka_server import Broker
from tests.sinks.stalling import stalling
from tests.sinks.writing import until, writing_to
from tests.streams.streaming import Hot
from tests.support import run

_TASKS = Path("/proc/self/task")
"""Where Linux lists the threads of this process, those of libraries too."""


class Large(ops.Row):
    """A row of any size."""

    exchange: str
    text = agg.custom(lambda: "", lambda text, _: text, lambda text, _: text, lambda text: text)


writing = partial(writing_to, sinks.kafka, topic="bars")


@pytest.fixture
def broker() -> Generator[Broker]:
    found = Broker()
    yield found
    found.kill()


def with_broker(broker: Broker, main: Callable[[], Awaitable[None]]) -> None:
    async def started() -> None:
        await broker.start()
        await main()

    run(started)


def test_messages_say_what_they_are(broker: Broker) -> None:
    rows: list[Any] = [flow(0, 1, final=False), flow(1, 2), flow(2, withdrawn=True), liquidation(), trade("sell")]

    async def main() -> None:
        async with writing(broker.servers, FLOW, pipeline="1m") as (sink, source, _):
            source.say(Batch(None, 0, tuple(rows)))
            await sink.flush()

    with_broker(broker, main)
    found = {message.value(): message for message in broker.messages()}
    assert [json.loads(value)["start_ms"] for value in list(found)[:3]] == [0, 60_000, 120_000]
    headers = [dict(message.headers()) for message in found.values()]
    assert [header["state"] for header in headers] == [b"running", b"final", b"withdrawn", b"event", b"event"]
    assert [header["kind"] for header in headers] == [b"Flow", b"Flow", b"Flow", b"liquidation", b"trade"]
    assert [message.key() for message in found.values()] == [
        b'["1m",0,"BTC"]',
        b'["1m",60000,"BTC"]',
        b'["1m",120000,"BTC"]',
        None,
        None,
    ]


def test_a_broker_that_is_killed_in_mid_stream_is_waited_for(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    """This one forgets with its death what it has acknowledged; what it has not comes to the next."""
    monkeypatch.setattr("cgrx._sinks.kafka.KAFKA_ANSWER_S", 1.0)

    async def main() -> None:
        async with writing(broker.servers, FLOW, batch=10) as (sink, source, notes):
            source.say(Batch(None, 0, tuple(map(flow, range(50)))))
            await sink.flush()
            broker.kill()
            source.say(Batch(None, 0, tuple(map(flow, range(50, 100)))))
            await trio.sleep(0.2)
            assert sink.stats.delivered == 50
            await broker.start()
            await sink.flush()
            assert sink.stats.delivered == 100
            assert not any(isinstance(told, cgrx.Undelivered) for told in notes.told)

    with_broker(broker, main)
    assert {message.key() for message in broker.messages()} == {b'[%d,"BTC"]' % (60_000 * n) for n in range(50, 100)}


def test_a_broker_that_is_away_at_the_start_is_waited_for(
    broker: Broker, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("cgrx._sinks.kafka.KAFKA_CONNECT_S", 0.3)

    async def main() -> None:
        async with writing(broker.servers, FLOW) as (sink, source, notes):
            assert "_TRANSPORT" in str(notes.told[0])
            await broker.start()
            source.say(Batch(None, 0, (flow(0),)))
            await sink.flush()

    run(main)
    assert "rdkafka" not in capfd.readouterr().err  # the client tells nobody who has not asked
    assert len(broker.messages()) == 1


def test_a_broker_that_stalls_is_given_up_in_time(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cgrx._sinks.kafka.KAFKA_CONNECT_S", 0.5)
    monkeypatch.setattr("cgrx._sinks.kafka.KAFKA_ANSWER_S", 1.5)

    async def main() -> None:
        async with stalling(broker.port) as proxy:
            # The broker tells clients its own address: only what asks for the topic goes through the proxy.
            proxy.stall()
            async with writing(f"127.0.0.1:{proxy.port}", FLOW) as (sink, source, notes):
                assert isinstance(notes.told[0], cgrx.DeliveryHeld)
                source.say(Batch(None, 0, (flow(0),)))
                await until(lambda: sink.stats.retries > 0)
                proxy.go_on()
                await sink.flush()
                assert sink.stats.delivered == 1

    with_broker(broker, main)


def test_leaving_does_not_wait_for_a_broker_that_stalls(broker: Broker) -> None:
    """In the midst of a batch; and nothing of the client is left."""
    before = len(list(_TASKS.iterdir())) if sys.platform == "linux" else 0

    async def main() -> None:
        async with stalling(broker.port) as proxy:
            broker.told_port = proxy.port
            await broker.start()
            async with writing(f"127.0.0.1:{proxy.port}", FLOW, drain="0s") as (sink, source, _):
                source.say(Batch(None, 0, (flow(0),)))
                await sink.flush()
                proxy.stall()
                source.say(Batch(None, 0, (flow(1),)))
                await until(lambda: sink.stats.in_flight == 1)
                await trio.sleep(0.1)
                begun = trio.current_time()
            assert trio.current_time() - begun < 3
            assert sink.stats.dropped == 1

    run(main)
    if sys.platform == "linux":
        assert len(list(_TASKS.iterdir())) <= before + 2  # threads of trio, which wait for more work


def test_a_user_whom_the_broker_refuses_is_refused(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cgrx._sinks.kafka.KAFKA_CONNECT_S", 0.5)
    config = {"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "PLAIN"}
    user = {"sasl.username": "me", "sasl.password": "sesame"}

    async def main() -> None:
        with pytest.raises(sinks.SinkRefusedError, match="_AUTHENTICATION") as refused:
            async with writing(broker.servers, FLOW, config=config | user):
                pytest.fail("it was entered")
        assert "sesame" not in str(refused.value) + repr(refused.value)

    with_broker(broker, main)


def test_what_is_too_large_is_dead(broker: Broker) -> None:
    def row(start_ms: int, size: int) -> Large:
        return Large(start_ms=start_ms, end_ms=start_ms + 1, exchange="OKX", text="x" * size)

    async def main() -> None:
        async with writing(broker.servers) as (sink, source, notes):
            source.say(Batch(None, 0, (row(0, 10), row(1, 2_000_000), row(2, 10), "text")))
            await sink.flush()
            assert (sink.stats.delivered, sink.stats.dead) == (2, 2)
            assert "MSG_SIZE_TOO_LARGE" in str(notes.told)

    with_broker(broker, main)
    assert {message.key() for message in broker.messages()} == {b'[0,"OKX"]', b'[2,"OKX"]'}


def test_more_than_the_client_takes_at_once_is_sent_piece_by_piece(broker: Broker) -> None:
    async def main() -> None:
        async with writing(broker.servers, FLOW, config={"queue.buffering.max.messages": 10}) as (sink, source, _):
            source.say(Batch(None, 0, tuple(map(flow, range(100)))))
            await sink.flush()
            assert sink.stats.batches == 1

    with_broker(broker, main)
    assert len(broker.messages()) == 100


def test_a_topic_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The broker of these tests makes every topic that it is asked for, so this answer is made up."""

    class Topics:
        def __init__(self, *_: object, **__: object) -> None:
            self.topics = {"bars": self}
            self.error = KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART)

        def list_topics(self, *_: object, **__: object) -> "Topics":
            return self

        def purge(self) -> None:
            """Nothing was sent."""

        def close(self) -> None:
            """Nothing is open."""

    monkeypatch.setattr("confluent_kafka.Producer", Topics)

    async def main() -> None:
        with pytest.raises(sinks.SinkRefusedError, match="make the topic first"):
            async with writing("127.0.0.1:1", FLOW):
                pytest.fail("it was entered")

    run(main)


def test_a_property_that_does_not_exist_is_refused_without_its_value(broker: Broker) -> None:
    async def main() -> None:
        with pytest.raises(sinks.SinkRefusedError, match="_INVALID_ARG") as refused:
            async with writing(broker.servers, FLOW, config={"sasl.password": "sesame", "no.such": "thing"}):
                pytest.fail("it was entered")
        assert "sesame" not in str(refused.value) + repr(refused.value)

    run(main)


@pytest.mark.parametrize(
    ("code", "kind", "message"),
    [
        (KafkaError.TOPIC_AUTHORIZATION_FAILED, sinks.SinkRefusedError, "the user needs Write and Describe on it"),
        (KafkaError.UNKNOWN_TOPIC_OR_PART, sinks.SinkRefusedError, "make the topic first"),
        (KafkaError.SASL_AUTHENTICATION_FAILED, sinks.SinkRefusedError, "SASL_AUTHENTICATION_FAILED"),
        (KafkaError.INVALID_RECORD, sinks.SinkDataError, "INVALID_RECORD"),
        (KafkaError.NOT_ENOUGH_REPLICAS, sinks.SinkUnavailableError, "NOT_ENOUGH_REPLICAS"),
        (KafkaError._MSG_TIMED_OUT, sinks.SinkUnavailableError, "_MSG_TIMED_OUT"),
    ],
)
def test_what_errors_mean(code: int, kind: type[Exception], message: str) -> None:
    """Those that this broker does not give."""
    found = understood(KafkaError(code), "kafka bars at host:1")
    assert type(found) is kind
    assert message in str(found)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"servers": "host"}, "servers='host' cannot be read: give host:port"),
        ({"servers": "a:1,b"}, "servers='a:1,b' cannot be read"),
        ({"topic": "a b"}, "topic='a b' is no name of a topic"),
        ({"config": {"transactional.id": "x"}}, r"config=\{'transactional.id': ...\}: cgrx sets this"),
        ({"config": {"acks": 0}}, r"config=\{'acks': ...\}: cgrx sets this property itself"),
    ],
)
def test_arguments_that_cannot_be_used(arguments: dict[str, Any], message: str) -> None:
    async def main() -> None:
        source: Hot[Any] = Hot()
        given: dict[str, Any] = {"servers": "host:9092", "topic": "bars"} | arguments
        with pytest.raises(ValueError, match=message):
            sinks.kafka(given.pop("servers"), source.stream, **given)

    run(main)
