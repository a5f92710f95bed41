"""What the tests of `cgrx.sinks.postgres` share: rows, sinks on hot sources, tables read back."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from itertools import count
from typing import Any, cast

import attrs
import psycopg
import pytest
import trio
from psycopg import sql

from cgrx import operators as ops
from cgrx import sinks
from cgrx._model.signals import Batch
from cgrx.operators import agg
from tests.delivery.systems import require_balance
from tests.sinks.postgres_server import Server
from tests.streams.streaming import Hot, Notes
from tests.support import run

_NUMBERS = count()


@pytest.fixture
def table() -> str:
    """The name of a table that no other test has."""
    return f"bars_{next(_NUMBERS)}"


class Kinds(ops.Row):
    """A column of each kind."""

    exchange: str
    n = agg.count()
    last = agg.close()
    where = agg.exchanges()
    own = agg.custom(lambda: 0, lambda total, _: total, lambda one, _: one, lambda total: cast(object, total))


def kinds(start_ms: int = 0, **values: object) -> Kinds:
    """A row of all kinds."""
    given = {"exchange": "OKX", "n": 1, "last": 1.5, "where": ("A",), "own": None}
    return Kinds(**{"start_ms": start_ms, "end_ms": start_ms + 1} | given | values)


@attrs.define(eq=False)
class Writing:
    """A sink on a hot source."""

    sink: sinks.Sink
    source: Hot[Any]
    notes: Notes

    def give(self, *items: Any) -> None:
        self.source.say(Batch(None, 0, items))
        require_balance(self.sink.stats)

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait for a condition; the accounts balance at every moment."""
        with trio.fail_after(20):
            while not condition():
                require_balance(self.sink.stats)
                await trio.sleep(0.01)

    @property
    def told(self) -> str:
        return "\n".join(f"{type(status).__name__}: {status}" for status in self.notes.told)


@asynccontextmanager
async def writing(dsn: str, table: str, *types: type, **options: Any) -> AsyncGenerator[Writing]:
    """A sink; its accounts balance at the end."""
    notes = Notes()
    source: Hot[Any] = Hot(notes, *types)
    given: dict[str, Any] = {"every": "0s", "create": True} | options
    async with sinks.postgres(dsn, source.stream, table=table, **given) as sink:
        yield Writing(sink, source, notes)
    require_balance(sink.stats)


def write(dsn: str, table: str, *batches: Sequence[Any], types: Sequence[type] = (), **options: Any) -> sinks.SinkStats:
    """Deliver batches, one after another."""

    async def main() -> sinks.SinkStats:
        async with writing(dsn, table, *types, **options) as delivery:
            for batch in batches:
                delivery.give(*batch)
                await delivery.sink.flush()
        return delivery.sink.stats

    return run(main)


def read(server: Server, table: str) -> list[tuple[Any, ...]]:
    """What the table holds."""
    return server.query(sql.SQL("select * from {} order by 1, 2, 3, 4").format(sql.Identifier(*table.split("."))))


def values(*rows: Any) -> list[tuple[Any, ...]]:
    """What a table of these rows holds."""
    return sorted(tuple(row.asdict().values()) for row in rows)


def execute(server: Server, *statements: str) -> None:
    """Do this in the database."""
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        for statement in statements:
            connection.execute(cast(Any, statement))
