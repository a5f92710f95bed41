"""`cgrx.sinks.postgres`: rows into a table of PostgreSQL, updated in place; events appended."""

from contextlib import AbstractAsyncContextManager
from typing import Any, Unpack

from reactivex import Observable

from cgrx._delivery.options import DeliveryOptions
from cgrx._delivery.sink import Sink, delivered
from cgrx._extras import require_extra


def postgres(
    dsn: str,
    rows: Observable[Any],
    *,
    table: str,
    create: bool = False,
    pipeline: str | None = None,
    **options: Unpack[DeliveryOptions],
) -> AbstractAsyncContextManager[Sink]:
    """Keep rows in a table of PostgreSQL: `async with cgrx.sinks.postgres(dsn, bars, table="bars") as sink: ...`.

    A row updates the one with the same identity (`start_ms`, its key fields, and `pipeline`), but a running row never a
    final one; a row that is withdrawn is deleted, unless it is final. Events are appended. A batch is one transaction:
    what `sink.stats` counts as delivered is committed, and rows that are written twice are there once.

    On entering, the table is compared with the class of the rows, where that is known then; otherwise with the first
    batch. It may have further columns that are nullable or have a default. Times are integers, milliseconds since the
    epoch; sides are words; lists, mappings and events are `jsonb`. With `create=True` a missing table is made, as a
    hypertable where the database has the extension `timescaledb`, by `start_ms` (events: `time_ms`) in chunks of seven
    days.

    A row with a value that PostgreSQL cannot hold, such as a NUL character or a whole number beyond 64 bits, goes to
    the dead letters alone. When the table changes in mid-stream so that the rows no longer fit, they wait until it fits
    again. Needs the extra `postgres`; one connection, which keeps a temporary table, so a pooler must pool sessions.

    Args:
        dsn: where the database is: `"postgresql://user:password@host:5432/database"`, or `"host=... user=..."`, with
            every parameter that libpq knows, and its environment variables and files for those left out. Time-outs and
            keepalives have values that find a server that is frozen or cut off; the ones given here go before.
        rows: an observable of rows, or of events.
        table: its name, or `"schema.name"`, with capital letters as they are in the database.
        create: make the table where it is missing.
        pipeline: where several pipelines share a table: the value of a further column `pipeline`, part of the key.
        **options: see `cgrx.sinks.deliver`.

    Raises:
        ValueError, TypeError: an argument cannot be used; the text does not hold the password.
        SinkRefusedError: on entering: the user, the database, or a table that does not fit; the message has the
            statements that mend it.
        ImportError: psycopg is not installed.

    Examples:
        >>> bars = feed.liquidations().pipe(
        ...     ops.tumbling("1m", by="exchange")
        ... )  # doctest: +SKIP
        >>> dsn = "postgresql://localhost/market"
        >>> async with cgrx.sinks.postgres(
        ...     dsn, bars, table="bars", create=True
        ... ):  # doctest: +SKIP
        ...     await feed.run()

        A row has the columns of the table:

        >>> (row,) = play(
        ...     ops.tumbling("1m", by="exchange"),
        ...     [batch(liquidation(time="1s")), alive("65s")],
        ... )
        >>> list(row.asdict())
        ['start_ms', 'end_ms', 'exchange', 'count', 'volume', 'buy_volume', 'sell_volume', 'delta', 'gap_ms',
        'dropped', 'late', 'final', 'complete']
    """
    require_extra("cgrx.sinks.postgres()", "postgres")
    from cgrx._sinks.postgres_writer import PostgresWriter

    return delivered("cgrx.sinks.postgres()", rows, PostgresWriter(dsn, table, create, pipeline), options)
