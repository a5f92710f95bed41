"""Rows into PostgreSQL: each is there once, however often a micro-batch is delivered."""

from collections.abc import Generator
from typing import Any

import psycopg
import pytest

from cgrx import operators as ops
from cgrx.engines import spark
from cgrx.operators import agg
from cgrx.sinks import SinkDataError
from tests.sinks.postgres_server import CannotRunError, Server, serving


class Bar(ops.Row):
    """How many events."""

    exchange: str
    n = agg.count()


ROWS = [Bar(start_ms=at, end_ms=at + 1, exchange="OKX", n=at) for at in range(3)]


class Frame:
    """What Spark hands on."""

    def collect(self) -> list[Any]:
        from cgrx._spark.rows import Pickled

        return [*Pickled().pandas(ROWS[:2]).itertuples(), *Pickled().pandas(ROWS[2:]).itertuples()]


class Empty:
    """Of a micro-batch that gave nothing."""

    def collect(self) -> list[Any]:
        return []


@pytest.fixture(scope="module")
def postgres() -> Generator[Server]:
    try:
        with serving() as server:
            yield server
    except CannotRunError as error:
        pytest.skip(str(error))


def test_rows_are_there_once(postgres: Server) -> None:
    sink = spark.Postgres(postgres.dsn(), "bars", create=True)
    sink.begin(None)
    sink.write(Empty(), 0)
    for batch in (1, 1):
        sink.write(Frame(), batch)
    with psycopg.connect(postgres.dsn()) as connection:
        assert connection.execute("select start_ms, n from bars order by n").fetchall() == [(0, 0), (1, 1), (2, 2)]


def test_what_does_not_fit_fails_the_micro_batch(postgres: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "ROWS", [Bar(start_ms=9, end_ms=10, exchange="OKX", n=2**70), *ROWS])
    with pytest.raises(SinkDataError, match="1 of 4 rows do not fit"):
        spark.Postgres(postgres.dsn(), "more_bars", create=True).write(Frame(), 0)


def test_rows_as_objects() -> None:
    found: list[Any] = []
    sink = spark.Rows(found.append)
    sink.begin(None)
    sink.write(Empty(), 0)
    sink.write(Frame(), 1)
    assert found == [ROWS]
