"""`cgrx.sinks.redis` against a real Redis: killed and restarted, stalled, full, refusing."""

import json
import signal
from collections.abc import Awaitable, Callable, Generator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio

import cgrx
from cgrx import sinks
from cgrx._model.signals import Batch
from cgrx._sinks.redis import RedisWriter
from cgrx.testing import liquidation, trade
from tests.delivery.systems import FLOW, flow
from tests.sinks.redis_server import RedisServer
from tests.sinks.stalling import stalling
from tests.sinks.writing import until, writing_to
from tests.streams.streaming import Hot
from tests.support import run

writing = partial(writing_to, sinks.redis, stream="bars")


@pytest.fixture
def server(tmp_path: Path) -> Generator[RedisServer]:
    redis = RedisServer(tmp_path)
    yield redis
    redis.kill()


def with_server(server: RedisServer, main: Callable[[], Awaitable[None]]) -> None:
    async def started() -> None:
        await server.start()
        await main()

    run(started)


def test_entries_say_what_they_are(server: RedisServer) -> None:
    rows: list[Any] = [flow(0, 1, final=False), flow(1, 2), flow(2, withdrawn=True), liquidation(), trade("sell")]

    async def main() -> None:
        async with writing(server.url + "/0", FLOW) as (sink, source, _):
            source.say(Batch(None, 0, tuple(rows)))
            await sink.flush()
        found = {entry["json"]: entry for entry in await server.entries("bars")}
        assert [json.loads(entry) for entry in found] == [
            json.loads(json.dumps(row.asdict())) for row in (flow(0, 1, final=False), *rows[1:])
        ]
        assert [entry["state"] for entry in found.values()] == ["running", "final", "withdrawn", "event", "event"]
        assert [entry["kind"] for entry in found.values()] == ["Flow", "Flow", "Flow", "liquidation", "trade"]
        assert [entry["identity"] for entry in found.values()] == [
            '[0,"BTC"]',
            '[60000,"BTC"]',
            '[120000,"BTC"]',
            "",
            "",
        ]

    with_server(server, main)


def test_a_pipeline_begins_the_identity_and_the_stream_is_bounded(server: RedisServer) -> None:
    async def main() -> None:
        async with writing(server.url, pipeline="1m", maxlen=10) as (sink, source, _):
            source.say(Batch(None, 0, tuple(flow(minute) for minute in range(1000))))
            await sink.flush()
        found = await server.entries("bars")
        assert 10 <= len(found) <= 110  # whole nodes of a hundred are trimmed
        assert found[-1]["identity"] == '["1m",59940000,"BTC"]'

    with_server(server, main)


def test_a_server_that_is_killed_in_mid_stream_loses_nothing(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cgrx._sinks.redis.REDIS_ANSWER_S", 1.0)

    async def main() -> None:
        async with writing(server.url, FLOW, batch=10) as (sink, source, notes):
            for minute in range(100):
                source.say(Batch(None, 0, (flow(minute),)))
                await trio.sleep(0.002)
                if minute == 50:
                    await until(lambda: sink.stats.delivered > 0)
                    server.kill()
            await until(lambda: sink.stats.retries > 2)
            await server.start()
            await sink.flush()
            assert sink.stats.delivered == 100
            assert isinstance(notes.told[0], cgrx.DeliveryHeld)
        found = [entry["identity"] for entry in await server.entries("bars")]
        assert set(found) == {f'[{minute * 60_000},"BTC"]' for minute in range(100)}
        assert len(found) <= 110  # a batch whose answer was lost is there twice

    with_server(server, main)


def test_an_answer_that_does_not_come_is_not_waited_for(server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the client would."""

    async def main() -> None:
        async with writing(server.url, FLOW) as (sink, source, notes):
            source.say(Batch(None, 0, (flow(0),)))
            await sink.flush()
            monkeypatch.setattr("cgrx._sinks.redis.REDIS_ANSWER_S", 0.2)
            server.signal(signal.SIGSTOP)
            source.say(Batch(None, 0, (flow(1),)))
            await until(lambda: sink.stats.retries > 0)
            monkeypatch.undo()
            server.signal(signal.SIGCONT)
            await sink.flush()
            assert "no answer within 0.2 s" in str(notes.told[0])
        found = [entry["identity"] for entry in await server.entries("bars")]
        assert set(found) == {'[0,"BTC"]', '[60000,"BTC"]'}  # the second may be there twice

    with_server(server, main)


def test_a_server_that_is_away_at_the_start_is_waited_for(server: RedisServer) -> None:
    async def main() -> None:
        async with writing(server.url, FLOW) as (sink, source, notes):
            assert "Unable to establish a connection" in str(notes.told[0])
            source.say(Batch(None, 0, (flow(0),)))
            await server.start()
            await sink.flush()
        assert len(await server.entries("bars")) == 1

    run(main)


def test_a_server_that_never_comes_holds_nobody_up(server: RedisServer) -> None:
    async def main() -> None:
        begun = trio.current_time()
        async with writing(server.url, FLOW, drain="0s") as (_, source, _):
            source.say(Batch(None, 0, (flow(0),)))
        assert trio.current_time() - begun < 5

    run(main)


def test_a_connection_that_stalls_is_replaced(server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cgrx._sinks.redis.REDIS_ANSWER_S", 0.3)
    monkeypatch.setattr("cgrx._sinks.redis.REDIS_CONNECT_S", 0.3)

    async def main() -> None:
        async with stalling(server.port) as proxy:
            async with writing(f"redis://127.0.0.1:{proxy.port}", FLOW) as (sink, source, _):
                source.say(Batch(None, 0, (flow(0),)))
                await sink.flush()
                proxy.stall()
                source.say(Batch(None, 0, (flow(1),)))
                await until(lambda: sink.stats.retries > 1)
                proxy.go_on()
                await sink.flush()
            assert sink.stats.delivered == 2
        assert {entry["identity"] for entry in await server.entries("bars")} == {'[0,"BTC"]', '[60000,"BTC"]'}

    with_server(server, main)


def test_a_full_memory_holds_the_batch(server: RedisServer) -> None:
    async def main() -> None:
        async with writing(server.url, FLOW) as (sink, source, notes), server.client() as client:
            await client.config_set({"maxmemory": 1})
            source.say(Batch(None, 0, (flow(0),)))
            await until(lambda: bool(notes.told))
            assert "OOM command not allowed" in str(notes.told[0])
            await client.config_set({"maxmemory": 0})
            await sink.flush()
            assert await client.xlen("bars") == 1

    with_server(server, main)


def test_who_is_not_known_is_refused_without_a_word_of_the_password(tmp_path: Path) -> None:
    server = RedisServer(tmp_path, "--requirepass", "sesame")

    async def main() -> None:
        for user, message in (
            ("", "put the password into the URL"),
            (":wrong-secret@", "look at the user and the pass"),
        ):
            with pytest.raises(sinks.SinkRefusedError, match=message) as refused:
                async with writing(server.url.replace("//", f"//{user}"), FLOW):
                    pytest.fail("it was entered")
            assert "wrong-secret" not in repr(refused.value) + str(refused.value)
        async with writing(server.url.replace("//", "//:sesame@"), FLOW) as (sink, source, _):
            source.say(Batch(None, 0, (flow(0),)))
            await sink.flush()
            assert "sesame" not in repr(sink) + sink.name
        assert len(await server.entries("bars", "sesame")) == 1

    try:
        with_server(server, main)
    finally:
        server.kill()


def test_who_lacks_rights_is_refused(server: RedisServer) -> None:
    async def main() -> None:
        async with server.client() as client:
            await client.acl_setuser("reader", "on", ">secret", "~*", "+@read", "+@connection")
        async with writing(server.url.replace("//", "//reader:secret@"), FLOW, drain="0s") as (_, source, notes):
            source.say(Batch(None, 0, (flow(0),)))
            await until(lambda: bool(notes.told))
            assert "the user needs XADD and XLEN on this key, and MULTI and EXEC" in str(notes.told[0])

    with_server(server, main)


def test_a_key_of_another_type_is_refused_and_later_held(server: RedisServer) -> None:
    async def main() -> None:
        async with server.client() as client:
            await client.set("bars", "a text")
            with pytest.raises(sinks.SinkRefusedError, match="the key holds something else: give another stream"):
                async with writing(server.url, FLOW):
                    pytest.fail("it was entered")
            await client.delete(["bars"])
            async with writing(server.url, FLOW) as (sink, source, notes):
                await client.set("bars", "a text")
                source.say(Batch(None, 0, (flow(0),)))
                await until(lambda: bool(notes.told))
                await client.delete(["bars"])
                await sink.flush()
            assert await client.xlen("bars") == 1

    with_server(server, main)


def test_a_connection_may_be_closed_twice(server: RedisServer) -> None:
    """As by a sink that is left while it waits for another attempt."""

    async def main() -> None:
        writer = RedisWriter(server.url, "bars", 10, None)
        await writer.open(frozenset())
        await writer.close()
        await writer.close()

    with_server(server, main)


def test_what_is_no_row_is_dead(server: RedisServer) -> None:
    async def main() -> None:
        async with writing(server.url) as (sink, source, _):
            source.say(Batch(None, 0, ("text", flow(0))))
            await sink.flush()
            assert (sink.stats.dead, sink.stats.delivered) == (1, 1)

    with_server(server, main)


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("http://host", "its scheme is neither redis nor rediss"),
        ("redis://:secret@host:port", "its host or its port cannot be read"),
        ("redis://:secret@", "it has no host"),
        ("redis://:secret@host/one", "more than a number behind it"),
        ("redis://:secret@host?db=1", "more than a number behind it"),
        (None, "url is of type NoneType"),
    ],
)
def test_urls_that_cannot_be_used(url: Any, error: str) -> None:
    async def main() -> None:
        source: Hot[Any] = Hot()
        with pytest.raises((ValueError, TypeError), match=error) as refused:
            sinks.redis(url, source.stream, stream="bars")
        assert "secret" not in str(refused.value)

    run(main)


@pytest.mark.parametrize(
    ("options", "error"), [({"stream": ""}, "stream='' is no key"), ({"stream": "a", "maxlen": 0}, "maxlen=0 must be")]
)
def test_arguments_that_cannot_be_used(options: dict[str, Any], error: str) -> None:
    async def main() -> None:
        source: Hot[Any] = Hot()
        with pytest.raises(ValueError, match=error):
            sinks.redis("redis://host", source.stream, **options)

    run(main)
