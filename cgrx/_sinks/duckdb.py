"""`cgrx.sinks.duckdb`: rows into a table of a DuckDB file, updated in place; events appended."""

import os
import re
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, Unpack

import trio
from reactivex import Observable

from cgrx._delivery.options import DeliveryOptions
from cgrx._delivery.records import columns, upserts
from cgrx._delivery.sink import Sink, delivered
from cgrx._extras import require_extra
from cgrx._model.data_errors import SinkDataError, SinkRefusedError, SinkUnavailableError
from cgrx._sinks.arrow_tables import table_of
from cgrx.operators._rows.row import Row

_FOREIGN = "not a valid DuckDB database file"
"""What DuckDB says of a file that another program wrote."""

_STAGE = "cgrx_batch"
"""The name of a batch within a query."""


class DuckDBWriter:
    """Opens the file for each batch, so that others can read it in between. In threads."""

    def __init__(self, path: Path, table: str, pipeline: str | None) -> None:
        self.name = f"duckdb {table} in {path}"
        self._path = path
        self._table = table
        self._pipeline = pipeline
        self._kind: type | None = None
        """The class for which the table has been checked."""

    async def open(self, types: frozenset[type]) -> None:
        """Open the file, and make or check the table."""
        self._kind = None
        folder = self._path.parent
        if not folder.is_dir() or self._path.is_dir():
            raise SinkRefusedError(f"{self._path} cannot be a file: {folder} is no folder, or it is one itself")
        if not os.access(self._path if self._path.exists() else folder, os.W_OK):
            raise SinkRefusedError(f"{self._path} cannot be written to: permission denied")
        await self._in_thread(lambda connection: self._require(connection, types))

    async def write(self, batch: Sequence[Any], /) -> None:
        """Write a batch in one transaction."""
        groups = upserts(batch)
        await self._in_thread(lambda connection: self._write(connection, groups))

    async def close(self) -> None:
        """Nothing is open between batches."""

    async def _in_thread(self, work: Callable[[Any], None]) -> None:
        import duckdb

        def connected() -> None:
            with duckdb.connect(str(self._path)) as connection:
                work(connection)

        try:
            await trio.to_thread.run_sync(connected)
        except (duckdb.OperationalError, duckdb.FatalException) as error:
            if _FOREIGN in str(error):
                raise SinkRefusedError(f"{self._path} is no file of DuckDB: give another path") from error
            raise SinkUnavailableError(f"{self._path}: {_first_line(error)}") from error
        except (duckdb.DataError, duckdb.IntegrityError) as error:
            raise SinkDataError(_first_line(error)) from error
        except duckdb.Error as error:
            raise SinkRefusedError(f"{self.name}: {_first_line(error)}") from error

    def _require(self, connection: Any, types: frozenset[type]) -> None:
        for kind in types:
            self._require_table(connection, kind)

    def _require_table(self, connection: Any, kind: type) -> None:
        """Make the table where it is missing, and check it where it is there."""
        if self._kind is not None:
            if columns(self._kind) != columns(kind):
                raise SinkDataError(f"a {kind.__name__} does not fit the table of {self._kind.__name__}")
            return
        self._stage(connection, kind, [])
        wanted = _described(connection, f"select * exclude (withdrawn) from {_STAGE}")
        key = self._key(kind)
        definition = ", ".join(f"{_quoted(name)} {of}" for name, of in wanted.items())
        if key:
            definition += f", primary key ({_list(key)})"
        ddl = f"create table if not exists {_quoted(self._table)} ({definition})"
        connection.execute(ddl)
        found = _described(connection, f"from {_quoted(self._table)}")
        for name in dict.fromkeys([*wanted, *found]):
            if found.get(name) != wanted.get(name):
                raise SinkRefusedError(
                    f"{self.name}: column {name!r} is {found.get(name, 'missing')}, and the rows have"
                    f" {wanted.get(name, 'no such field')}: give another table, or make it by: {ddl}"
                )
        has = {
            tuple(sorted(names))
            for (names,) in connection.execute(
                "select constraint_column_names from duckdb_constraints()"
                " where lower(table_name) = lower(?) and constraint_type = 'PRIMARY KEY'",
                [self._table],
            ).fetchall()
        }
        if has != ({tuple(sorted(key))} if key else set()):
            raise SinkRefusedError(
                f"{self.name}: its primary key is not ({_list(key)}), by which these rows are told apart: give another"
                f" table, or make it by: {ddl}"
            )
        self._kind = kind

    def _key(self, kind: type) -> list[str]:
        key = [column.name for column in columns(kind) if column.key]
        return ["pipeline", *key] if key and self._pipeline is not None else key

    def _stage(self, connection: Any, kind: type, items: Sequence[Any]) -> None:
        """Let queries see items, as a view."""
        from cgrx._recording.arrow import pa

        table = table_of(kind, items)
        if self._pipeline is not None:
            table = table.add_column(0, "pipeline", pa.array([self._pipeline] * len(items), pa.string()))
        withdrawn = [isinstance(item, Row) and item.withdrawn for item in items]
        connection.register(_STAGE, table.append_column("withdrawn", pa.array(withdrawn, pa.bool_())))

    def _write(self, connection: Any, groups: dict[type, list[Any]]) -> None:
        for kind in groups:
            self._require_table(connection, kind)
        connection.begin()
        for kind, group in groups.items():
            self._stage(connection, kind, group)
            self._upsert(connection, kind)
        connection.commit()

    def _upsert(self, connection: Any, kind: type) -> None:
        table, key = _quoted(self._table), self._key(kind)
        insert = f"insert into {table} by name select * exclude (withdrawn) from {_STAGE} where not withdrawn"
        if not key:
            connection.execute(insert)
            return
        same = " and ".join(f"{table}.{_quoted(name)} = {_STAGE}.{_quoted(name)}" for name in key)
        connection.execute(
            f"delete from {table} using {_STAGE} where {same} and {_STAGE}.withdrawn and not {table}.final"
        )
        others = [column.name for column in columns(kind) if not column.key]
        update = ", ".join(f"{_quoted(name)} = excluded.{_quoted(name)}" for name in others)
        connection.execute(
            f"{insert} on conflict ({_list(key)}) do update set {update} where not {table}.final or excluded.final"
        )


def _described(connection: Any, query: str) -> dict[str, str]:
    return {name: of for name, of, *_ in connection.execute(f"describe {query}").fetchall()}


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _list(names: Sequence[str]) -> str:
    return ", ".join(map(_quoted, names))


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def duckdb(
    path: str | os.PathLike[str],
    rows: Observable[Any],
    *,
    table: str,
    pipeline: str | None = None,
    **options: Unpack[DeliveryOptions],
) -> AbstractAsyncContextManager[Sink]:
    """Keep rows in a table of a DuckDB file: `async with cgrx.sinks.duckdb("bars.db", bars, table="bars"): ...`.

    The table is made where it is missing; columns and types are those of `to_frame`, and what `agg.custom` gives is
    JSON text. The primary key of rows is `start_ms` and their key fields. A row updates the one that is there, but a
    running row never a final one; a row that is withdrawn is deleted. Events are appended, and have no key. A batch is
    one transaction, so a killed process leaves whole batches.

    The file is open only while a batch is written: in between others can read and write it. While somebody else has it
    open, the sink holds its rows. Needs the extra `duckdb`.

    Args:
        path: of the file; made where it is missing.
        rows: an observable of rows of one class, or of events.
        table: its name.
        pipeline: where several pipelines share a table: the value of a further column `pipeline`, part of the key.
        **options: see `cgrx.sinks.deliver`.

    Raises:
        ValueError, TypeError: an argument cannot be used.
        SinkRefusedError: on entering: the path cannot be written to, or holds no file of DuckDB; and, where the class
            of the rows is known then, the table has other columns, or another key. The message has the statement that
            makes a fitting one.
        ImportError: duckdb or pyarrow is not installed.

    Examples:
        >>> import duckdb, reactivex
        >>> rows = play(
        ...     ops.tumbling("1m"),
        ...     [batch(liquidation("long", 5_000.0, time="1s")), alive("65s")],
        ... )
        >>> async with cgrx.sinks.duckdb(
        ...     "bars.db", reactivex.of(*rows), table="flows"
        ... ) as sink:
        ...     await sink.flush()
        >>> with duckdb.connect("bars.db") as database:
        ...     print(database.sql("SELECT volume, final FROM flows").fetchall())
        [(5000.0, True)]
    """
    require_extra("cgrx.sinks.duckdb()", "duckdb")
    if not re.fullmatch(r"\w[\w $-]*", table):
        raise ValueError(f"table={table!r} is no name of a table: give one, such as 'bars'")
    if str(path) in ("", ":memory:"):
        raise ValueError(f"path={str(path)!r} is no file: what is in memory is gone between two batches")
    return delivered("cgrx.sinks.duckdb()", rows, DuckDBWriter(Path(path), table, pipeline), options)
