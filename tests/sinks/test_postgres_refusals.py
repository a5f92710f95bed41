"""`cgrx.sinks.postgres`: what is refused, before anything is written, and what the refusal says."""

import traceback
from typing import Any

import pytest

from cgrx import operators as ops
from cgrx import sinks
from cgrx.operators import agg
from tests.delivery.systems import FLOW, flow
from tests.sinks.postgres_server import PASSWORD, Server
from tests.sinks.postgres_tables import execute, read, values, write, writing
from tests.sinks.postgres_tables import table as table
from tests.streams.streaming import Hot
from tests.support import run, run_mock

_CHANGES = {
    "drop table {}": "there is no table",
    "alter table {} drop column volume, drop column delta": 'column "volume" is missing; column "delta" is missing',
    "alter table {} alter column volume type text": 'column "volume" is text, not double precision',
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
