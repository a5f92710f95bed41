"""Rows written by the client of a database alone, as a program without cgrx would."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import trio

from cgrx.operators import Row


def by_psycopg(made: Sequence[Sequence[Row]]) -> Callable[[str, str], float]:
    """Copies each batch into a temporary table, and upserts from there. Of the DSN and the table: the seconds."""
    import psycopg

    batches = [[row.values for row in batch] for batch in made]
    kind = type(made[0][0])
    keys = ("start_ms", *kind.key_fields)
    updates = ", ".join(f"{name} = excluded.{name}" for name in kind.fields if name not in keys)

    def write(dsn: str, table: str) -> float:
        upsert = (
            f"insert into {table} select * from batch on conflict ({', '.join(keys)}) do update set {updates}"
            f" where not {table}.final or excluded.final"
        ).encode()
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute(f"create temporary table batch (like {table}) on commit delete rows".encode())
            began = time.perf_counter()
            for batch in batches:
                with connection.transaction(), connection.cursor() as cursor:
                    with cursor.copy("copy batch from stdin") as copy:
                        for row in batch:
                            copy.write_row(row)
                    cursor.execute(upsert)
            return time.perf_counter() - began

    return write


def by_coredis(made: Sequence[Sequence[Row]]) -> Callable[[str, str], float]:
    """Appends each batch in one transaction. Of the URL and the stream: the seconds."""
    from coredis import PureToken, Redis

    entries = [
        [
            {
                "kind": type(row).__name__,
                "state": "final",
                "identity": msgspec.json.encode(row.identity).decode(),
                "json": msgspec.json.encode(row.asdict()),
            }
            for row in batch
        ]
        for batch in made
    ]

    async def write(url: str, stream: str) -> float:
        client: Any = Redis.from_url(url, decode_responses=True)
        async with client:
            began = time.perf_counter()
            for batch in entries:
                async with client.pipeline(transaction=True) as pipe:
                    for entry in batch:
                        pipe.xadd(
                            stream,
                            field_values=entry,
                            trim_strategy=PureToken.MAXLEN,
                            trim_operator=PureToken.APPROXIMATELY,
                            threshold=1_000_000,
                        )
            return time.perf_counter() - began

    return lambda url, stream: trio.run(write, url, stream)
