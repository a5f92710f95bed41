"""`cgrx.sinks.postgres`: what a real server holds afterwards."""

import json
import math
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest
import trio

import cgrx
import cgrx.aio
import cgrx.sync
from cgrx import Liquidation, Trade, sinks
from cgrx.testing import liquidation, trade
from tests.delivery.systems import FLOW, flow
from tests.hosts.asyncio_running import run_asyncio, until
from tests.hosts.asyncio_running import served as served_on_asyncio
from tests.hosts.sync_running import served as served_in_a_thread
from tests.sinks.postgres_server import Server
from tests.sinks.postgres_tables import Kinds, execute, kinds, read, values, write, writing
from tests.sinks.postgres_tables import table as table
from tests.streams.streaming import Hot
from tests.support import run, run_mock


def test_rows_are_updated_and_withdrawn_and_final_ones_stay(postgres: Server, table: str) -> None:
    dsn = postgres.dsn()
    first = [flow(0, 1, final=False), flow(1, 1), flow(2, 1, final=False)]
    write(dsn, table, first)
    assert read(postgres, table) == values(*first)
    write(dsn, table, [flow(0, 2), flow(1, 9, final=False), flow(2, withdrawn=True)])
    assert read(postgres, table) == values(flow(0, 2), flow(1, 1))
    write(dsn, table, [flow(0, withdrawn=True), flow(3, withdrawn=True), flow(1, 3)])
    assert read(postgres, table) == values(flow(0, 2), flow(1, 3))
    write(dsn, table, [flow(0, withdrawn=True), flow(3, withdrawn=True), flow(1, 3)])
    assert read(postgres, table) == values(flow(0, 2), flow(1, 3))


def test_any_sequence_in_any_batches_leaves_what_stands(postgres: Server, table: str) -> None:
    chance = random.Random(16)
    stands: dict[int, Any] = {}
    batches: list[list[Any]] = []
    for _ in range(40):
        batches.append([])
        for _ in range(chance.randrange(1, 12)):
            minute, kind = chance.randrange(8), chance.choice(["running", "running", "withdrawn", "final"])
            row = flow(minute, chance.random(), final=kind == "final", withdrawn=kind == "withdrawn")
            batches[-1].append(row)
            before = stands.get(minute)
            if before is not None and before.final and not row.final:
                continue
            stands[minute] = None if row.withdrawn else row
    write(postgres.dsn(), table, *batches)
    assert read(postgres, table) == values(*(row for row in stands.values() if row is not None))


def test_values_come_back_exactly(postgres: Server, table: str) -> None:
    floats = [0.1, -0.0, 5e-324, 1.7976931348623157e308, math.inf, -math.inf, 1 / 3, None]
    texts = ["", "a\tb\nc\\N\\.\r", "'\"%s{}", "ü漢😀\u202e", "\\N", "x" * 1000]
    owns: list[Any] = [{"a": [1, 2.5, None, "\t\\"]}, [], "text", 2**70, True, 0.1, {"ü": 2**53 + 1}]
    rows = [kinds(place, last=each) for place, each in enumerate(floats)]
    rows += [kinds(2**53 + 1 + place, exchange=each, n=2**63 - 1) for place, each in enumerate(texts)]
    rows += [kinds(2**62 + place, own=each, where=("A", "ü")) for place, each in enumerate(owns)]
    stats = write(postgres.dsn(), table, rows)
    assert (stats.delivered, stats.dead) == (len(rows), 0)
    assert sorted(map(repr, read(postgres, table))) == sorted(map(repr, values(*rows)))
    write(postgres.dsn(), table, [kinds(last=math.nan)])
    assert math.isnan(read(postgres, table)[0][4])


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (kinds(5, exchange="B\0TC"), "NUL"),
        (kinds(5, n=2**63), "out of range"),
        (kinds(5, own="\0"), "unsupported Unicode"),
        (kinds(5, own=math.nan), "JSON compliant"),
        (kinds(5, own=object()), "not JSON serializable"),
        (kinds(5, exchange="\ud800"), "surrogates not allowed"),
        ({"no": "row"}, "neither a row nor an event"),
        (flow(5), 'column "base_asset" is missing'),
    ],
)
def test_what_cannot_be_held_is_refused_alone(
    postgres: Server, table: str, tmp_path: Path, bad: Any, reason: str
) -> None:
    good = [kinds(place) for place in range(4)]
    stats = write(postgres.dsn(), table, [*good, bad], types=[Kinds], dead_letters=tmp_path / "dead.jsonl")
    assert (stats.delivered, stats.dead) == (4, 1)
    assert read(postgres, table) == values(*good)
    (letter,) = (json.loads(line) for line in (tmp_path / "dead.jsonl").read_text().splitlines())
    assert reason in letter["reason"]


def test_events_are_appended(postgres: Server, table: str) -> None:
    events = [liquidation(), liquidation(), trade(), liquidation(symbol="'ü")]
    write(postgres.dsn(), table, events, types=[Liquidation, Trade])
    assert read(postgres, table) == values(*events)
    write(postgres.dsn(), table, [trade()], pipeline=None)
    assert len(read(postgres, table)) == 5


def test_the_table_is_made_from_the_class(postgres: Server, table: str) -> None:
    schema = f"Sch ema {table}"
    execute(postgres, f'create schema "{schema}"')
    name = f'{schema}.Ba"rs'
    write(postgres.dsn(), name, [kinds()], pipeline="a")
    assert read(postgres, name) == [("a", *kinds().asdict().values())]
    found = postgres.query(
        "select a.attname::text, format_type(a.atttypid, a.atttypmod), a.attnum = any(i.indkey) from pg_attribute a"
        " join pg_index i on i.indrelid = a.attrelid where attrelid = %s::regclass and attnum > 0 order by attnum",
        f'"{schema}"."Ba""rs"',
    )
    assert found[:6] == [
        ("pipeline", "text", True),
        ("start_ms", "bigint", True),
        ("end_ms", "bigint", False),
        ("exchange", "text", True),
        ("n", "bigint", False),
        ("last", "double precision", False),
    ]
    assert {(name, of) for name, of, _ in found[6:]} >= {("where", "jsonb"), ("own", "jsonb"), ("final", "boolean")}


def test_two_sinks_share_a_table(postgres: Server, table: str) -> None:
    async def main() -> None:
        async with (
            writing(postgres.dsn(), table, FLOW, pipeline="a") as one,
            writing(postgres.dsn(), table, FLOW, pipeline="b") as other,
        ):
            for minute in range(50):
                one.give(flow(minute, 1))
                other.give(flow(minute, 2))
                await trio.sleep(0.001)
            other.give(flow(50, final=False), flow(50, withdrawn=True))

    run(main)
    found = read(postgres, table)
    assert [row[:2] for row in found] == [(name, 60_000 * minute) for name in "ab" for minute in range(50)]


def test_a_hypertable_where_the_extension_is_there(postgres: Server, table: str) -> None:
    """The extension is a stand-in that takes notes: pgserver has no Timescale."""
    execute(postgres, f"create database {table}")
    dsn = postgres.dsn(database=table)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("create schema elsewhere")
        connection.execute("create extension timescaledb schema elsewhere")
    write(dsn, "rows", [flow(0)])
    write(dsn, "rows", [flow(1)])
    write(dsn, "events", [liquidation()])

    async def enter(pipeline: str) -> None:
        async with writing(dsn, "shared", FLOW, pipeline=pipeline) as delivery:
            assert not delivery.notes.told

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(enter, "a")
            nursery.start_soon(enter, "b")

    run(main)
    with psycopg.connect(dsn, autocommit=True) as connection:
        found = connection.execute("select * from elsewhere.hypertables").fetchall()
    assert found == [
        ("rows", "start_ms", 604_800_000),
        ("events", "time_ms", 604_800_000),
        ("shared", "start_ms", 604_800_000),
    ]


_STATES = {
    "dead": ("22003", "23514", "44000", "54000", "P0001"),
    "refused": ("42501", "0A000"),
    "away": ("53100", "40P01", "57014", "25006", "XX000", "58030", "55P03"),
}


@pytest.mark.parametrize(("kind", "state"), [(kind, state) for kind, states in _STATES.items() for state in states])
def test_errors_by_their_state(postgres: Server, table: str, kind: str, state: str) -> None:
    async def main() -> None:
        async with writing(postgres.dsn(), table, FLOW) as delivery:
            execute(
                postgres,
                f"create function {table}() returns trigger language plpgsql as"
                f" $$ begin raise exception 'the disk, say' using errcode = '{state}'; end $$",
                f"create trigger no before insert on {table} for each row execute function {table}()",
            )
            delivery.give(flow(0))
            if kind == "dead":
                await delivery.sink.flush()
                assert delivery.sink.stats.dead == 1
                return
            await delivery.until(lambda: delivery.notes.told)
            expected = sinks.SinkRefusedError if kind == "refused" else sinks.SinkUnavailableError
            assert isinstance(delivery.sink.stats.error, expected)
            assert f"the disk, say ({state})" in delivery.told
            execute(postgres, f"drop trigger no on {table}")
            await delivery.sink.flush()
            assert delivery.sink.stats.delivered == 1

    run(main)


def test_secrets_are_nowhere(postgres: Server, table: str) -> None:
    async def main() -> None:
        async with writing(postgres.dsn(), table, FLOW) as delivery:
            shown = f"{delivery.sink!r} {delivery.sink.name}"
            assert shown == (
                f"<Sink postgres {table} at 127.0.0.1:{postgres.port}> postgres {table} at 127.0.0.1:{postgres.port}"
            )
            assert postgres.query("select 1 from pg_stat_activity where application_name = 'cgrx'")

    run(main)


def test_on_asyncio(postgres: Server, table: str) -> None:
    async def main() -> None:
        async with (
            served_on_asyncio() as server,
            cgrx.aio.connect(**server.access) as feed,
            cgrx.aio.sinks.postgres(postgres.dsn(), feed.liquidations(), table=table, create=True) as sink,
        ):
            await server.send(1.0, 2.0)
            await until(lambda: sink.stats.received == 2)
            await sink.flush()
        assert sink.stats.delivered == 2

    run_asyncio(main)
    assert len(read(postgres, table)) == 2


def test_without_a_loop(postgres: Server, table: str) -> None:
    with (
        served_in_a_thread() as server,
        cgrx.sync.connect(**server.access) as feed,
        cgrx.sync.sinks.postgres(postgres.dsn(), feed.liquidations(), table=table, create=True) as sink,
    ):
        server.send(1.0, 2.0)
        while sink.stats.delivered < 2:
            sink.flush(timeout="5s")
    assert len(read(postgres, table)) == 2


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    monkeypatch.setattr("cgrx._extras.find_spec", dict[str, object]().get)

    async def main() -> None:
        with pytest.raises(ImportError, match=r'needs the package psycopg: pip install "cgrx\[postgres\]"'):
            sinks.postgres("", Hot[Any]().stream, table="bars")

    run_mock(main)


def test_the_package_is_imported_when_it_is_asked_for() -> None:
    program = "import sys, cgrx, cgrx.sinks; sys.exit('psycopg' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
