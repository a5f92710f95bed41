"""What does delivery cost: into a database, against its client alone; and on the feed's path, against not delivering?

Into PostgreSQL (of the package pgserver, started for the run) go bars of a minute, in batches of 1,000. The rival has
them as tuples from the start, and does by psycopg what the sink does: it copies each batch into a temporary table and
upserts from there, in one transaction. Both tables are empty before each round, and are compared. The figure is the
time by the clock, from the first row to the last acknowledgement; `processor_ns` is that of the processor, without the
server.

On the feed's path frames of 20 trades each are decoded and handed to one subscriber, as in `recording`. With a sink, of
a function that does nothing, the same batches go to the sink too. The figure is processor time. The limit delivers
nothing, and what cgrx takes above it is the cost of a sink.
"""

import gc
import random
import time
from collections.abc import Awaitable, Callable, Generator, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

import attrs
import trio
from reactivex.disposable import Disposable

from benchmarks._harness.data import CHANNEL, EXCHANGES, MARKETS, START_MS, any_trades
from benchmarks._harness.scenario import AbsentError, Case, Contest, Results, Rival, Role, Sample, Scenario
from benchmarks.recording import FOLLOWED, Following
from cgrx import Batch, EventStream, Trade, sinks
from cgrx import operators as ops
from cgrx._wire.codec import encode_frame
from cgrx.operators import agg

BATCH = 1_000
FRAME = 20
"""Trades."""
READ = 10
"""Frames, after which the loop goes round."""

Row: TypeAlias = tuple[Any, ...]


class Minute(ops.Row):
    """A bar."""

    exchange: str
    symbol: str
    n = agg.count()
    open = agg.open()
    high = agg.high()
    low = agg.low()
    close = agg.close()
    volume = agg.volume()


@attrs.frozen
class Rows:
    """How many go into a database."""

    count: int

    def batches(self) -> list[list[Minute]]:
        """The same in every process."""
        chance = random.Random(7)
        places = [(exchange, symbol) for exchange in EXCHANGES for _, symbol in MARKETS]
        made: list[Minute] = []
        for number in range(self.count):
            start_ms = START_MS + number // len(places) * 60_000
            price, volume = chance.uniform(100, 200), chance.lognormvariate(6, 2)
            numbers = (chance.randrange(1, 999), price, price + 1, price - 1, price, volume)
            quality = (0, 0, 0, True, True)
            made.append(
                Minute.from_values((start_ms, start_ms + 60_000, *places[number % len(places)], *numbers, *quality))
            )
        return [made[at : at + BATCH] for at in range(0, len(made), BATCH)]


@attrs.frozen
class Events:
    """How many come on the feed's path."""

    count: int


What: TypeAlias = Rows | Events


@attrs.frozen
class Databases:
    """Those that run beside the rivals."""

    postgres: str
    """Its DSN; empty: it cannot run."""
    why: str = ""
    """Why not."""


@contextmanager
def _databases() -> Generator[Databases]:
    from tests.sinks.postgres_server import CannotRunError, serving

    try:
        with serving() as server:
            yield Databases(server.dsn())
    except CannotRunError as error:
        yield Databases("", str(error))


# Into PostgreSQL


@attrs.frozen
class IntoPostgres:
    """One way to write rows."""

    dsn: str
    table: str
    rows: Rows
    write: Callable[[str, str], float]
    """Of the DSN and the table: writes all rows, and returns the seconds."""

    def results(self) -> Results:
        """What the table holds."""
        import psycopg

        self._write()
        with psycopg.connect(self.dsn) as connection:
            return connection.execute(f"select * from {self.table} order by 1, 3, 4".encode()).fetchall()

    def measure(self) -> Sample:
        """See `Contest`."""
        gc.collect()
        spent_s = time.process_time()
        wall_s = self._write()
        spent_s = time.process_time() - spent_s
        return Sample(wall_s / self.rows.count * 1e9, {"processor_ns": spent_s / self.rows.count * 1e9})

    def _write(self) -> float:
        import psycopg

        with psycopg.connect(self.dsn, autocommit=True) as connection:
            connection.execute(_ddl(self.table))
            connection.execute(f"truncate {self.table}".encode())
        return self.write(self.dsn, self.table)


def _ddl(table: str) -> bytes:
    return (
        f"create table if not exists {table} (start_ms bigint, end_ms bigint, exchange text, symbol text, n bigint,"
        " open double precision, high double precision, low double precision, close double precision,"
        " volume double precision, gap_ms bigint, dropped bigint, late bigint, final boolean, complete boolean,"
        " primary key (start_ms, exchange, symbol))"
    ).encode()


def _by_cgrx(rows: Rows) -> Callable[[str, str], float]:
    batches = [Batch(None, 0, tuple(batch)) for batch in rows.batches()]

    async def deliver(dsn: str, table: str) -> float:
        observers: list[Any] = []

        def connect(observer: Any, _: object) -> Disposable:
            observers.append(observer)
            return Disposable()

        stream: EventStream[Minute] = EventStream(connect, event_types=frozenset({Minute}))
        async with sinks.postgres(dsn, stream, table=table, batch=BATCH) as sink:
            began = time.perf_counter()
            for batch in batches:
                observers[0].on_signal(batch)
            await sink.flush()
            took = time.perf_counter() - began
        assert sink.stats.delivered == rows.count
        return took

    return lambda dsn, table: trio.run(deliver, dsn, table)


def _by_psycopg(rows: Rows) -> Callable[[str, str], float]:
    import psycopg

    batches: list[list[Row]] = [[row.values for row in batch] for batch in rows.batches()]
    keys = ("start_ms", "exchange", "symbol")
    updates = ", ".join(f"{name} = excluded.{name}" for name in Minute.fields if name not in keys)

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


# On the feed's path


@attrs.frozen
class OnPath:
    """A feed's path, with or without a sink."""

    reads: Sequence[Sequence[bytes]]
    events: int
    follow: Callable[[Sequence[Sequence[bytes]], Following], Awaitable[None]]

    def results(self) -> Results:
        """How many trades the subscriber has got."""
        following = Following()
        trio.run(self.follow, self.reads, following)
        return [following.passed]

    def measure(self) -> Sample:
        """See `Contest`."""
        gc.collect()
        spent_s = time.process_time()
        trio.run(self.follow, self.reads, Following())
        return Sample((time.process_time() - spent_s) / self.events * 1e9)


async def _read(reads: Sequence[Sequence[bytes]], following: Following) -> None:
    for number, frames in enumerate(reads):
        following.read(frames, START_MS + number)
        await trio.lowlevel.checkpoint()


async def _nothing(_: Sequence[Trade]) -> None:
    await trio.lowlevel.checkpoint()


async def _with_sink(reads: Sequence[Sequence[bytes]], following: Following) -> None:
    stream: EventStream[Trade] = EventStream(
        lambda observer, _: following.hub.subscribe(FOLLOWED, observer), event_types=frozenset({Trade})
    )
    async with sinks.deliver(_nothing, stream, batch=BATCH) as sink:
        await _read(reads, following)
        await sink.flush()
    assert sink.stats.delivered == sink.stats.received == sum(map(len, reads)) * FRAME


def _rival(
    name: str,
    writes: Callable[[Rows], Callable[[str, str], float]] | None,
    follows: Callable[[Sequence[Sequence[bytes]], Following], Awaitable[None]] | None,
    role: Role,
) -> Rival[What]:
    def prepare(what: What, databases: Databases) -> Contest:
        if isinstance(what, Rows):
            if writes is None:
                raise AbsentError("it writes nothing")
            if not databases.postgres:
                raise AbsentError(databases.why)
            return IntoPostgres(databases.postgres, f"minutes_by_{name.split(',')[0]}", what, writes(what))
        if follows is None:
            raise AbsentError("it is the client of a database")
        trades = any_trades(what.count)
        frames = [encode_frame(CHANNEL, trades[at : at + FRAME]) for at in range(0, len(trades), FRAME)]
        return OnPath([frames[at : at + READ] for at in range(0, len(frames), READ)], what.count, follows)

    return Rival(name, prepare, role)


def _cases(quick: bool) -> list[Case[What]]:
    return [
        Case("rows into PostgreSQL", Rows(2 * BATCH if quick else 30 * BATCH)),
        Case("events on the feed's path", Events(2_000 if quick else 44_000)),
    ]


SCENARIO = Scenario(
    name="delivery",
    question=(__doc__ or "").partition("\n")[0],
    unit="ns per item",
    cases=_cases,
    surroundings=_databases,
    rivals=(
        _rival("cgrx", _by_cgrx, _with_sink, "ours"),
        _rival("psycopg, by hand", _by_psycopg, None, "rival"),
        _rival("no sink", None, _read, "limit"),
    ),
)
