"""One connection to PostgreSQL as a sink needs it: each batch is one transaction, and what is written is committed."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

import psycopg

from cgrx._delivery.records import upserts
from cgrx._model.data_errors import SinkDataError, SinkRefusedError
from cgrx._model.limits import POSTGRES_LOCK_S, POSTGRES_STATEMENT_S
from cgrx._sinks.postgres_dsn import place_of
from cgrx._sinks.postgres_errors import as_sink_error
from cgrx._sinks.postgres_link import Connection, Link
from cgrx._sinks.postgres_table import Name, Table

T = TypeVar("T")


class PostgresWriter:
    """A table, for items of one class, or of several whose columns it has all."""

    def __init__(self, dsn: str, table: str, create: bool, pipeline: str | None) -> None:
        """See `cgrx.sinks.postgres`.

        Raises:
            ValueError, TypeError: an argument cannot be used.
        """
        self._place = place_of(dsn)
        self._table = Name.of(table)
        if pipeline is not None and (not isinstance(cast(object, pipeline), str) or not pipeline or "\0" in pipeline):
            raise ValueError(f"pipeline={pipeline!r} must be a text: a name that tells this pipeline from others")
        self._create = create
        self._pipeline = pipeline
        self.name = f"postgres {table} at {self._place.name}"
        self._link = Link(self._connect)
        self._tables: dict[type, Table] = {}
        """By class of items, those that have been checked on this connection."""
        self._seen: dict[type, None] = {}
        """The classes that have fitted so far: those are checked again on the next connection."""

    async def open(self, types: frozenset[type]) -> None:
        """Connect, and make and check the table for the classes that are known."""
        self._tables = {}
        self._link = Link(self._connect)
        kinds = list(dict.fromkeys([*self._seen, *sorted(types, key=lambda kind: kind.__name__)]))
        await self._run(lambda connection: self._prepare(connection, kinds))

    async def write(self, batch: Sequence[Any], /) -> None:
        """Write a batch in one transaction."""
        groups = upserts(batch)
        await self._run(lambda connection: self._write(connection, groups))

    async def close(self) -> None:
        """Close the connection, which sends one message without waiting."""
        self._link.end()

    async def _run(self, work: Callable[[Connection], T]) -> T:
        try:
            return await self._link.run(work)
        except psycopg.Error as error:
            raise as_sink_error(error, self.name) from error

    # In a thread

    def _connect(self) -> Connection:
        connection = psycopg.connect(**self._place.parameters, autocommit=True, prepare_threshold=None)
        connection.execute(
            "select set_config('statement_timeout', %s, false), set_config('lock_timeout', %s, false)",
            [f"{1000 * POSTGRES_STATEMENT_S:.0f}ms", f"{1000 * POSTGRES_LOCK_S:.0f}ms"],
        )
        return connection

    def _prepare(self, connection: Connection, kinds: Sequence[type]) -> None:
        for kind in kinds:
            if kind not in self._tables:
                table = Table(self._table, kind, self._pipeline, len(self._tables))
                table.prepare(connection, self._create)
                self._tables[kind] = table
                self._seen[kind] = None

    def _write(self, connection: Connection, groups: dict[type, list[Any]]) -> None:
        for kind in groups:
            try:
                self._prepare(connection, [kind])
            except SinkRefusedError as error:
                if not self._tables:
                    raise
                raise SinkDataError(error.reason) from error  # the table fits others, so it is this item that does not
        try:
            with connection.transaction():
                for kind, items in groups.items():
                    self._tables[kind].write(connection, items)
        except (psycopg.DataError, psycopg.IntegrityError):
            for kind in groups:
                self._tables[kind].require(connection)  # or the data is right, and the table has changed
            raise
