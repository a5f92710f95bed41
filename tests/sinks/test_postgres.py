"""`cgrx.sinks.postgres`: what a real server holds afterwards."""

import json
import math
import random
import subprocess
import sys
import traceback
from pathlib import Path
from typing import Any

import pytest
import trio

import cgrx
import cgrx.aio
import cgrx.sync
from cgrx import Liquidation, Trade, sinks
from cgrx import operators as ops
from cgrx.operators import agg
from cgrx.testing import liquidation, trade
from tests.delivery.systems import FLOW, flow
from tests.hosts.asyncio_running import run_asyncio, until
from tests.hosts.asyncio_running import served as served_on_asyncio
from tests.hosts.sync_running import served as served_in_a_thread
from tests.sinks.postgres_server import PASSWORD, Server
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
    with cgrx_connection(dsn) as connection:
        connection.execute("create schema elsewhere")
        connection.execute("create extension timescaledb schema elsewhere")
    write(dsn, "rows", [flow(0)])
    write(dsn, "rows", [flow(1)])
    write(dsn, "events", [liquidation()])
    with cgrx_connection(dsn) as connection:
        found = connection.execute("select * from elsewhere.hypertables").fetchall()
    assert found == [("rows", "start_ms", 604_800_000), ("events", "time_ms", 604_800_000)]


def cgrx_connection(dsn: str) -> Any:
    """A connection of the test."""
    import psycopg

    return psycopg.connect(dsn, autocommit=True)


_CHANGES = {
    "drop table {}": "there is no table",
    "alter table {} drop column volume, drop column delta": 'column "volume" is missing; column "delta" is missing',
    "alter table {} alter column volume type real": 'column "volume" is real, not double precision',
    "alter table {} alter column volume type numeric(9, 2)": 'column "volume" is numeric(9,2), not double precision',
    "alter table {} drop constraint {}_pkey": 'no unique key ("start_ms", "base_asset")',
    "alter table {} add column extra text not null": 'column "extra" must be given, and is no field',
}


@pytest.mark.parametrize("change", _CHANGES)
def test_a_table_that_does_not_fit_is_refused_and_the_remedy_helps(postgres: Server, table: str, change: str) -> None:
    write(postgres.dsn(), table, [], types=[FLOW])
    execute(postgres, change.replace("{}", table))

    async def main() -> str:
        with pytest.raises(sinks.SinkRefusedError) as refused:
            async with writing(postgres.dsn(), table, FLOW, create=False):
                pytest.fail("it was entered")
        return str(refused.value)

    message = run(main)
    assert _CHANGES[change] in message
    assert table in message
    assert PASSWORD not in message
    execute(postgres, message.partition(" it by: ")[2])
    write(postgres.dsn(), table, [flow(0)], types=[FLOW], create=False)
    assert len(read(postgres, table)) == 1


def test_further_columns_and_wider_types_fit(postgres: Server, table: str) -> None:
    write(postgres.dsn(), table, [], types=[FLOW])
    execute(
        postgres,
        f"alter table {table} add column at timestamptz not null default now(), add column note text,"
        " alter column count type numeric, alter column base_asset type varchar,"
        f" drop constraint {table}_pkey, add unique (base_asset, start_ms) include (note)",
    )
    write(postgres.dsn(), table, [flow(0)], types=[FLOW], create=False)
    assert [row[: len(FLOW.fields)] for row in read(postgres, table)] == values(flow(0))


def test_what_the_role_may_not_do_is_refused(postgres: Server, table: str) -> None:
    write(postgres.dsn(), table, [], types=[FLOW])
    role = f"role_{table}"
    execute(postgres, f"create role {role} login password '{PASSWORD}'")

    async def main(**options: Any) -> str:
        with pytest.raises(sinks.SinkRefusedError) as refused:
            async with writing(postgres.dsn(role), options.pop("table", table), FLOW, **options):
                pytest.fail("it was entered")
        return str(refused.value)

    assert f"permission denied for table {table} (42501)" in run(main)
    assert "permission denied for schema public (42501)" in run(lambda: main(table="another"))
    execute(postgres, f"grant select, insert, update on {table} to {role}")
    assert f"permission denied for table {table} (42501)" in run(main)  # withdrawn rows could not be deleted
    execute(postgres, f"grant delete on {table} to {role}")
    write(postgres.dsn(role), table, [flow(0)], types=[FLOW], create=False)


@pytest.mark.parametrize(
    ("user", "password", "database", "message"),
    [
        ("postgres", "wr0ng-secret", "postgres", "password authentication failed"),
        ("nobody-here", "wr0ng-secret", "postgres", "password authentication failed"),
        ("postgres", PASSWORD, "nowhere", 'database "nowhere" does not exist'),
    ],
)
def test_who_is_refused_does_not_enter(postgres: Server, user: str, password: str, database: str, message: str) -> None:
    async def main() -> None:
        with pytest.raises(sinks.SinkRefusedError, match=message) as refused:
            async with writing(postgres.dsn(user, password, database), "bars"):
                pytest.fail("it was entered")
        assert f"postgres bars at 127.0.0.1:{postgres.port}" in str(refused.value)
        assert password not in "".join(traceback.format_exception(refused.value))

    run(main)


_BAD_DSNS = [
    "postgresql://u:s3cret@host:5432/db?nonsense=1",
    "postgresql://u:s3cret@[::1/db",
    "password=s3cret host",
    "host=h password='s3cret",
    "postgresql://u:s3@cret@host/db",
    "postgresql://u:s3cret/x@host/db",
    "s3cret",
    "mysql://u:s3cret@host/db",
]


@pytest.mark.parametrize("dsn", _BAD_DSNS)
def test_a_dsn_that_cannot_be_parsed_is_an_error_of_the_call(dsn: str) -> None:
    async def main() -> None:
        with pytest.raises(ValueError, match=r"^dsn ") as wrong:
            sinks.postgres(dsn, Hot[Any]().stream, table="bars")
        shown = "".join(traceback.format_exception(wrong.value))
        assert "s3" not in shown.replace("sinks.postgres(dsn", "")
        assert wrong.value.__context__ is None

    run_mock(main)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"table": ""}, "table='' is no name"),
        ({"table": "a.b.c"}, "table='a.b.c' is no name"),
        ({"table": ".b"}, "table='.b' is no name"),
        ({"table": "b\0"}, "is no name of a table"),
        ({"table": "ü" * 32}, "of 63 bytes at most"),
        ({"table": 7}, "table=7 must be a text"),
        ({"table": "bars", "pipeline": ""}, "pipeline='' must be a text"),
        ({"table": "bars", "dsn": 7}, "dsn must be a text, not int"),
        ({"table": "bars", "batch": 0}, "batch=0 must be"),
    ],
)
def test_arguments_that_cannot_be_used(options: dict[str, Any], error: str) -> None:
    async def main() -> None:
        with pytest.raises((ValueError, TypeError), match=error):
            sinks.postgres(options.pop("dsn", "postgresql://host/db"), Hot[Any]().stream, **options)

    run_mock(main)


def test_a_row_that_has_a_field_pipeline_cannot_have_the_column(postgres: Server, table: str) -> None:
    class Odd(ops.Row):
        pipeline = agg.count()

    async def main() -> None:
        with pytest.raises(sinks.SinkRefusedError, match="Odd has a field 'pipeline'"):
            async with writing(postgres.dsn(), table, Odd, pipeline="a"):
                pytest.fail("it was entered")

    run(main)


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
            ((name,),) = postgres.query("select count(*) from pg_stat_activity where application_name = 'cgrx'")
            assert name == 1

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
