"""A table of PostgreSQL for one class of rows or events: how it is made, what it must have, how it is written."""

import json
from collections.abc import Sequence
from typing import Any, LiteralString, cast

import attrs
from psycopg import sql

from cgrx._delivery.records import Column, Kind, columns, values
from cgrx._model.data_errors import SinkRefusedError
from cgrx._model.limits import POSTGRES_CHUNK_MS
from cgrx._sinks.postgres_link import Connection
from cgrx.operators._rows.row import Row

_TYPES: dict[Kind, tuple[LiteralString, ...]] = {
    "int": ("bigint", "numeric"),
    "float": ("double precision",),
    "text": ("text", "character varying"),
    "bool": ("boolean",),
    "json": ("jsonb", "json"),
}
"""The types in which all values of a kind fit; the first one is used in tables that are made here."""

_LONGEST = 63
"""Bytes of a name. Source: PostgreSQL 16, 4.1.1, "Identifiers and Key Words"."""

_RELATION = """
    select c.oid, n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.oid = to_regclass(%s)
"""

_COLUMNS = """
    select attname::text, format_type(atttypid, atttypmod),
           attnotnull and not atthasdef and attidentity = '' and attgenerated = ''
    from pg_attribute where attrelid = %s and attnum > 0 and not attisdropped
"""

_KEYS = """
    select array_agg(a.attname::text)
    from pg_index i, unnest(i.indkey) with ordinality k(number, place), pg_attribute a
    where i.indrelid = %s and a.attrelid = i.indrelid and a.attnum = k.number and k.place <= i.indnkeyatts
      and i.indisunique and i.indimmediate and i.indisvalid and i.indpred is null and i.indexprs is null
    group by i.indexrelid
"""
"""What `on conflict` can go by: unique indexes over columns, of all rows, that are checked at once."""

_TIMESCALE = """
    select n.nspname from pg_extension e join pg_namespace n on n.oid = e.extnamespace where e.extname = 'timescaledb'
"""


@attrs.frozen
class Name:
    """The name of a table, as it is in the database."""

    schema: str | None
    table: str

    @classmethod
    def of(cls, text: str) -> "Name":
        """`"table"` or `"schema.table"`.

        Raises:
            ValueError, TypeError: it is none.
        """
        if not isinstance(cast(object, text), str):
            raise TypeError(f"table={text!r} must be a text: give 'bars', or 'schema.bars'")
        schema, dot, table = text.rpartition(".")
        parts = [schema, table] if dot else [table]
        if "." in schema or not all(part.isprintable() and 0 < len(part.encode()) <= _LONGEST for part in parts):
            raise ValueError(
                f"table={text!r} is no name of a table: give 'bars', or 'schema.bars', of {_LONGEST} bytes at most"
            )
        return cls(schema or None, table)

    @property
    def quoted(self) -> sql.Identifier:
        """For a statement."""
        return sql.Identifier(*(part for part in (self.schema, self.table) if part is not None))


class Table:
    """A table as one class of items needs it. Its methods that take a connection are for threads."""

    def __init__(self, name: Name, kind: type, pipeline: str | None, number: int = 0) -> None:
        """`number` tells the temporary tables of several classes apart."""
        self.kind = kind
        self.columns = columns(kind)
        self.of_rows = issubclass(kind, Row)
        if pipeline is not None:
            if any(column.name == "pipeline" for column in self.columns):
                raise SinkRefusedError(
                    f"{kind.__name__} has a field 'pipeline' already: leave out pipeline={pipeline!r}"
                )
            self.columns = (Column("pipeline", "text", key=self.of_rows), *self.columns)
        self.key = [column.name for column in self.columns if column.key]
        self._name = name
        self._first = () if pipeline is None else (pipeline,)
        self._json = [place for place, column in enumerate(self.columns) if column.kind == "json"]
        self._stage = sql.Identifier("pg_temp", f"cgrx_batch_{number}")

    # Before the first batch

    def prepare(self, connection: Connection, create: bool) -> None:
        """Make the table if it is missing and `create` says so, check it, and make ready for batches.

        Raises:
            SinkRefusedError: it is missing, or does not fit.
        """
        if create:
            with connection.transaction():
                # One after another: of two who make it at the same time, one would fail, in spite of "if not exists".
                connection.execute("select pg_advisory_xact_lock(hashtext(%s))", [f"cgrx {self._name.table}"])
                if self._find(connection) is None:
                    self._create(connection)
        self.require(connection)
        if self.of_rows:
            connection.execute(
                sql.SQL("create temporary table {} ({}, withdrawn boolean) on commit delete rows").format(
                    self._stage, _definitions(self.columns)
                )
            )
        self.write(connection, [], try_all=True)  # whatever else it may refuse, such as a right that is missing

    def _find(self, connection: Connection) -> tuple[int, Name] | None:
        found = connection.execute(_RELATION, [_shown(self._name.quoted)]).fetchone()
        return None if found is None else (found[0], Name(found[1], found[2]))

    def _ddl(self) -> sql.Composed:
        definitions = _definitions(self.columns)
        if self.key:
            definitions = sql.SQL("{}, primary key ({})").format(definitions, _names(self.key))
        return sql.SQL("create table if not exists {} ({})").format(self._name.quoted, definitions)

    def _create(self, connection: Connection) -> None:
        connection.execute(self._ddl())
        extension = connection.execute(_TIMESCALE).fetchone()
        if extension is not None:
            connection.execute(
                sql.SQL("select {}(%s::regclass, %s, chunk_time_interval => %s::bigint)").format(
                    sql.Identifier(extension[0], "create_hypertable")
                ),
                [_shown(self._name.quoted), "start_ms" if self.of_rows else "time_ms", POSTGRES_CHUNK_MS],
            )

    def require(self, connection: Connection) -> None:
        """Compare what is there with what is needed.

        Raises:
            SinkRefusedError: the table is missing, or does not fit.
        """
        found = self._find(connection)
        if found is None:
            raise SinkRefusedError(
                f"there is no table {_shown(self._name.quoted)}: give create=True, or make it by: {_shown(self._ddl())}"
            )
        oid, self._name = found
        there = {name: (of, needed) for name, of, needed in connection.execute(_COLUMNS, [oid])}
        table = _shown(self._name.quoted)
        wrong: list[tuple[str, str]] = []
        for column in self.columns:
            name, types = _shown(sql.Identifier(column.name)), _TYPES[column.kind]
            if column.name not in there:
                wrong.append((f"column {name} is missing", f"add column {name} {types[0]}"))
            elif (of := there[column.name][0]) not in types:
                change = f"alter column {name} type {types[0]} using {name}::{types[0]}"
                wrong.append((f"column {name} is {of}, not {types[0]}", change))
        ours = {column.name for column in self.columns}
        for name, (_, needed) in there.items():
            if needed and name not in ours:
                quoted = _shown(sql.Identifier(name))
                wrong.append(
                    (f"column {quoted} must be given, and is no field", f"alter column {quoted} drop not null")
                )
        keys = [set(names) for (names,) in connection.execute(_KEYS, [oid])] if self.key and not wrong else []
        if self.key and not wrong and set(self.key) not in keys:
            key = _shown(_names(self.key))
            wrong.append((f"it has no unique key ({key}), by which rows are told apart", f"add unique ({key})"))
        if wrong:
            raise SinkRefusedError(
                f"table {table} does not fit {self.kind.__name__}: {'; '.join(what for what, _ in wrong)}."
                f" Mend it by: alter table {table} {', '.join(how for _, how in wrong)}"
            )

    # Batches

    def records(self, items: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Items as they are copied.

        Raises:
            ValueError, TypeError: what `agg.custom` gave is no JSON.
        """
        found = [(*self._first, *values(item)) for item in items]
        if self._json:
            found = [self._with_json(record) for record in found]
        return found

    def _with_json(self, record: tuple[Any, ...]) -> tuple[Any, ...]:
        written = list(record)
        for place in self._json:
            if written[place] is not None:
                written[place] = json.dumps(written[place], allow_nan=False)
        return tuple(written)

    def write(self, connection: Connection, items: Sequence[Any], *, try_all: bool = False) -> None:
        """Write items, of which no two have the same identity; within a transaction.

        Args:
            connection: with an open transaction.
            items: of the class of the table.
            try_all: execute every statement that a batch may need.
        """
        records = self.records(items)
        if not self.of_rows:
            self._copy(connection, self._name.quoted, [column.name for column in self.columns], records)
            return
        withdrawn = [item.withdrawn for item in items]
        self._copy(
            connection,
            self._stage,
            [*(column.name for column in self.columns), "withdrawn"],
            [(*record, gone) for record, gone in zip(records, withdrawn, strict=True)],
        )
        if try_all or any(withdrawn):
            connection.execute(self._delete())
        connection.execute(self._upsert())

    def _copy(
        self, connection: Connection, into: sql.Identifier, names: Sequence[str], records: Sequence[tuple[Any, ...]]
    ) -> None:
        statement = sql.SQL("copy {} ({}) from stdin").format(into, _names(names))
        with connection.cursor() as cursor, cursor.copy(statement) as copy:
            for record in records:
                copy.write_row(record)

    def _delete(self) -> sql.Composed:
        same = sql.SQL(" and ").join(sql.SQL("there.{0} = batch.{0}").format(sql.Identifier(name)) for name in self.key)
        return sql.SQL("delete from {} there using {} batch where {} and batch.withdrawn and not there.final").format(
            self._name.quoted, self._stage, same
        )

    def _upsert(self) -> sql.Composed:
        names = [column.name for column in self.columns]
        updates = sql.SQL(", ").join(
            sql.SQL("{0} = excluded.{0}").format(sql.Identifier(name)) for name in names if name not in self.key
        )
        return sql.SQL(
            "insert into {table} as there ({names}) select {names} from {stage} where not withdrawn"
            " on conflict ({key}) do update set {updates} where not there.final or excluded.final"
        ).format(table=self._name.quoted, names=_names(names), stage=self._stage, key=_names(self.key), updates=updates)


def _definitions(fields: Sequence[Column]) -> sql.Composed:
    parts = [sql.Identifier(column.name) + sql.SQL(" ") + sql.SQL(_TYPES[column.kind][0]) for column in fields]
    return sql.SQL(", ").join(parts)


def _names(names: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, names))


def _shown(part: sql.Composable) -> str:
    return part.as_string(None)
