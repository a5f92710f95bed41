"""Each sink on the other hosts: one real delivery from `cgrx.aio` and one from `cgrx.sync`."""

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import duckdb
import polars as pl
import pytest
import trio

import cgrx.aio
import cgrx.sync
from tests.hosts.asyncio_running import run_asyncio, until
from tests.hosts.asyncio_running import served as served_on_asyncio
from tests.hosts.sync_running import served as served_in_a_thread
from tests.sinks.kafka_server import Broker
from tests.sinks.redis_server import RedisServer

System: TypeAlias = tuple[Any, dict[str, Any], Callable[[], int]]
"""The first argument and the options of a sink, and how many events have arrived."""


@contextmanager
def _duckdb(folder: Path) -> Generator[System]:
    path = folder / "x.db"

    def count() -> int:
        with duckdb.connect(str(path), read_only=True) as connection:
            return len(connection.execute("from events").fetchall())

    yield path, {"table": "events"}, count


@contextmanager
def _parquet(folder: Path) -> Generator[System]:
    yield folder, {}, lambda: pl.read_parquet(folder / "liquidations-*.parquet").height


@contextmanager
def _redis(folder: Path) -> Generator[System]:
    server = RedisServer(folder)
    trio.run(server.start)
    try:
        yield server.url, {"stream": "events"}, lambda: len(trio.run(server.entries, "events"))
    finally:
        server.kill()


@contextmanager
def _kafka(_: Path) -> Generator[System]:
    broker = Broker()
    trio.run(broker.start, "events")
    try:
        yield broker.servers, {"topic": "events"}, lambda: len(broker.messages("events"))
    finally:
        broker.kill()


_SYSTEMS = {"duckdb": _duckdb, "kafka": _kafka, "parquet": _parquet, "redis": _redis}


@pytest.mark.parametrize("name", _SYSTEMS)
def test_on_asyncio(name: str, tmp_path: Path) -> None:
    with _SYSTEMS[name](tmp_path) as (where, options, count):

        async def main() -> None:
            async with (
                served_on_asyncio() as server,
                cgrx.aio.connect(**server.access) as feed,
                getattr(cgrx.aio.sinks, name)(where, feed.liquidations(), **options) as sink,
            ):
                await server.send(1.0, 2.0)
                await until(lambda: sink.stats.received == 2)
                await sink.flush()
            assert sink.stats.delivered == 2

        run_asyncio(main)
        assert count() == 2


@pytest.mark.parametrize("name", _SYSTEMS)
def test_without_a_loop(name: str, tmp_path: Path) -> None:
    with _SYSTEMS[name](tmp_path) as (where, options, count):
        with (
            served_in_a_thread() as server,
            cgrx.sync.connect(**server.access) as feed,
            getattr(cgrx.sync.sinks, name)(where, feed.liquidations(), **options) as sink,
        ):
            server.send(1.0, 2.0)
            begun = time.monotonic()
            while sink.stats.received < 2 and time.monotonic() - begun < 20:
                sink.flush(timeout="5s")
        assert sink.stats.delivered == 2
        assert count() == 2
