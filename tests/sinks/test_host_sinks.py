"""Each sink on the other hosts: one real delivery from `cgrx.aio` and one from `cgrx.sync`."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

import cgrx.aio
import cgrx.sync
from tests.hosts.asyncio_running import run_asyncio, until
from tests.hosts.asyncio_running import served as served_on_asyncio
from tests.hosts.sync_running import served as served_in_a_thread


def _in_duckdb(folder: Path) -> int:
    with duckdb.connect(str(folder / "x.db"), read_only=True) as connection:
        return len(connection.execute("from events").fetchall())


def _in_parquet(folder: Path) -> int:
    return pl.read_parquet(folder / "liquidations-*.parquet").height


_SINKS: dict[str, tuple[Callable[[Path], tuple[Any, dict[str, Any]]], Callable[[Path], int]]] = {
    "duckdb": (lambda folder: (folder / "x.db", {"table": "events"}), _in_duckdb),
    "parquet": (lambda folder: (folder, {}), _in_parquet),
}
"""By name: the first argument and the options, and how many events have arrived."""


@pytest.mark.parametrize("name", _SINKS)
def test_on_asyncio(name: str, tmp_path: Path) -> None:
    arguments, count = _SINKS[name]
    where, options = arguments(tmp_path)

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
    assert count(tmp_path) == 2


@pytest.mark.parametrize("name", _SINKS)
def test_without_a_loop(name: str, tmp_path: Path) -> None:
    arguments, count = _SINKS[name]
    where, options = arguments(tmp_path)
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
    assert count(tmp_path) == 2
