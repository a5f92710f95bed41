"""`cgrx.sinks.duckdb`: a real file, read while it is written, by processes that are killed, and on a full disk."""

import math
import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st

import cgrx
from cgrx import sinks
from cgrx._model.signals import Batch
from cgrx.testing import liquidation, trade
from tests.delivery.systems import FLOW, flow, require_balance
from tests.disks import full_disk as full_disk
from tests.sinks.test_parquet import Own
from tests.sinks.writing import write_to, writing_to
from tests.streams.streaming import Hot
from tests.support import run

writing = partial(writing_to, sinks.duckdb, table="bars")
write = partial(write_to, sinks.duckdb, table="bars")


def read(path: Path, table: str = "bars") -> list[tuple[Any, ...]]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(f'from "{table}" order by all').fetchall()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "bars.db"


def values(*rows: Any) -> list[tuple[Any, ...]]:
    return sorted(tuple(row.asdict().values()) for row in rows)


def test_rows_are_updated_and_withdrawn_and_final_ones_stay(path: Path) -> None:
    write(path, [flow(0, 1, final=False), flow(1, 1), flow(2, 1, final=False)])
    assert read(path) == values(flow(0, 1, final=False), flow(1, 1), flow(2, 1, final=False))
    write(path, [flow(0, 2), flow(1, 9, final=False), flow(2, withdrawn=True)])
    assert read(path) == values(flow(0, 2), flow(1, 1))
    write(path, [flow(0, withdrawn=True), flow(3, withdrawn=True), flow(1, 3)])
    assert read(path) == values(flow(0, 2), flow(1, 3))


def test_the_key_is_the_identity(path: Path) -> None:
    write(path, [flow(0), flow(0, asset="ETH")])
    with duckdb.connect(str(path)) as connection:
        found = connection.execute("select column_name, column_type, key from (describe bars)").fetchall()
    assert [name for name, _, key in found if key == "PRI"] == ["start_ms", "base_asset"]
    assert {name: of for name, of, _ in found}["volume"] == "DOUBLE"


def test_several_pipelines_share_a_table(path: Path) -> None:
    write(path, [flow(0, 1)], pipeline="a")
    write(path, [flow(0, 2)], pipeline="b")
    assert [(row[0], row[5]) for row in read(path)] == [("a", 1.0), ("b", 2.0)]


def test_events_are_appended(path: Path) -> None:
    odd = liquidation(symbol="B\0TC'\"ü", volume_usd=math.nan)
    write(path, [liquidation(), liquidation(), trade(), odd], table="some events")
    found = read(path, "some events")
    assert len(found) == 4
    assert "B\0TC'\"ü" in {row[3] for row in found}
    assert any(math.isnan(row[6]) for row in found)


def test_lists_are_lists_and_the_unknown_is_json(path: Path) -> None:
    write(path, [Own(start_ms=2**60, end_ms=2**60 + 1, exchange="OKX", where=("A", "B"), own={"n": 1})])
    ((start_ms, _, _, where, own, *_),) = read(path)
    assert (start_ms, where, own) == (2**60, ["A", "B"], '{"n": 1}')


def test_numbers_that_do_not_fit_are_dead(path: Path) -> None:
    too_large = Own(start_ms=2**70, end_ms=2**70 + 1, exchange="OKX", where=(), own=None)
    stats = write(path, [too_large, Own(start_ms=0, end_ms=1, exchange="OKX", where=(), own=None), {"no": "row"}])
    assert (stats.dead, stats.delivered) == (2, 1)


def test_rows_that_break_a_constraint_are_dead(path: Path) -> None:
    write(path, [flow(0, 1)])
    with duckdb.connect(str(path)) as connection:
        (made,) = connection.execute("select sql from duckdb_tables()").fetchall()[0]
        connection.execute("drop table bars")
        connection.execute(made.replace("volume DOUBLE", "volume DOUBLE check (volume < 10)", 1))
    stats = write(path, [flow(0, 1), flow(1, 99), flow(2, 2)])
    assert (stats.dead, stats.delivered) == (1, 2)


def test_others_read_while_the_sink_is_open(path: Path) -> None:
    async def main() -> None:
        async with writing(path, FLOW) as (sink, source, notes):
            source.say(Batch(None, 0, (flow(0),)))
            await sink.flush()
            with duckdb.connect(str(path)) as theirs:
                theirs.execute("insert into bars select * replace (60000 as start_ms) from bars")
            source.say(Batch(None, 0, (flow(2),)))
            await sink.flush()
            assert not notes.told

    run(main)
    assert [row[0] for row in read(path)] == [0, 60_000, 120_000]


_HOLD = """
import duckdb, sys
connection = duckdb.connect(sys.argv[1])
print("held", flush=True)
sys.stdin.read()
"""


def test_a_file_that_somebody_else_holds_is_waited_for(path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"

        async def main() -> None:
            async with writing(path, FLOW) as (sink, source, notes):
                assert "Could not set lock on file" in str(notes.told[0])
                source.say(Batch(None, 0, (flow(0),)))
                await trio.to_thread.run_sync(holder.communicate, "")
                await sink.flush()
                assert isinstance(notes.told[-1], cgrx.DeliveryResumed)

        run(main)
    finally:
        holder.kill()
        holder.wait(15)
    assert read(path) == values(flow(0))


@pytest.mark.parametrize(
    ("ddl", "message"),
    [
        ("create table bars (start_ms bigint)", "column 'end_ms' is missing, and the rows have BIGINT"),
        ("create table bars (start_ms varchar)", "column 'start_ms' is VARCHAR, and the rows have BIGINT"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(path: Path, ddl: str, message: str) -> None:
    with duckdb.connect(str(path)) as connection:
        connection.execute(ddl)

    async def main() -> None:
        with pytest.raises(sinks.SinkRefusedError, match=message) as refused:
            async with writing(path, FLOW):
                pytest.fail("it was entered")
        assert 'create table if not exists "bars" ("start_ms" BIGINT' in str(refused.value)

    run(main)


def test_a_table_without_the_key_or_with_more_columns_is_refused(path: Path) -> None:
    write(path, [flow(0)])
    with duckdb.connect(str(path)) as connection:
        connection.execute("create table keyless as from bars")
        connection.execute("create table more as select *, 1 as extra from bars")

    async def main() -> None:
        for table, message in (
            ("keyless", "its primary key is not"),
            ("more", "'extra' is INTEGER, and the rows have no"),
        ):
            with pytest.raises(sinks.SinkRefusedError, match=message):
                async with writing(path, FLOW, table=table):
                    pytest.fail("it was entered")

    run(main)


def test_a_table_that_is_changed_meanwhile_holds_the_rows(path: Path) -> None:
    async def main() -> None:
        async with writing(path, FLOW) as (sink, source, notes):
            with duckdb.connect(str(path)) as theirs:
                theirs.execute("alter table bars rename column volume to size")
            source.say(Batch(None, 0, (flow(0),)))
            while not notes.told:  # noqa: ASYNC110 - notes tell nobody
                await trio.sleep(0.01)
            assert "volume" in str(notes.told[0])
            with duckdb.connect(str(path)) as theirs:
                theirs.execute("alter table bars rename column size to volume")
            await sink.flush()
            assert sink.stats.dead == 0

    run(main)
    assert read(path) == values(flow(0))


def test_a_path_that_cannot_be_a_file_of_duckdb_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    foreign = path.with_name("foreign.db")
    foreign.write_bytes(b"of another program" * 1000)

    async def refused(given: Path, message: str) -> None:
        with pytest.raises(sinks.SinkRefusedError, match=message):
            async with writing(given, FLOW):
                pytest.fail("it was entered")

    def denied(*_: object) -> bool:
        return False

    async def main() -> None:
        await refused(path.parent / "none" / "bars.db", "none is no folder")
        await refused(path.parent, "or it is one itself")
        await refused(foreign, "is no file of DuckDB: give another path")
        monkeypatch.setattr("cgrx._sinks.duckdb.os.access", denied)  # root may write everywhere
        await refused(foreign, "cannot be written to: permission denied")

    run(main)


def test_the_name_of_a_table_is_the_same_in_capitals(path: Path) -> None:
    write(path, [flow(0)])
    write(path, [flow(1)], table="BARS")
    assert read(path) == values(flow(0), flow(1))


def test_rows_of_another_class_are_dead(path: Path) -> None:
    stats = write(path, [flow(0), liquidation(), flow(1)])
    assert (stats.delivered, stats.dead) == (2, 1)


_PROGRAM = """
import sys, trio
from cgrx import sinks
from cgrx._model.signals import Batch
from tests.delivery.systems import FLOW, flow
from tests.streams.streaming import Hot, Notes

async def main():
    source = Hot(Notes(), FLOW)
    async with sinks.duckdb(sys.argv[1], source.stream, table="bars", every="0s", batch=10) as sink:
        for minute in range(0, 10_000, 10):
            source.say(Batch(None, 0, tuple(flow(each) for each in range(minute, minute + 10))))
            await sink.flush()
            print(minute + 10, flush=True)

trio.run(main)
"""


@pytest.mark.thorough  # processes take seconds
@pytest.mark.skipif(sys.platform == "win32", reason="there is no signal 9")
def test_a_killed_process_leaves_whole_batches(path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", _PROGRAM, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    delivered = 0
    try:
        for line in process.stdout:
            delivered = int(line)
            if delivered == 100:
                os.kill(process.pid, signal.SIGKILL)
        process.wait(15)
    finally:
        process.kill()
        process.stdout.close()
    found = [row[0] for row in read(path)]
    assert len(found) in (delivered, delivered + 10)
    assert found == list(range(0, len(found) * 60_000, 60_000))


def test_a_full_disk_holds_the_batch(full_disk: Path) -> None:
    """A new file of DuckDB has 12 kB, and a write-ahead log beside it."""

    async def main() -> None:
        async with writing(full_disk / "bars.db", FLOW, batch=500, drain="100ms") as (sink, source, notes):
            minute = 0
            while not notes.told:
                source.say(Batch(None, 0, tuple(flow(each) for each in range(minute, minute + 500))))
                minute += 500
                with trio.move_on_after(0.3):
                    await sink.flush()
                require_balance(sink.stats)
            assert isinstance(notes.told[0], cgrx.DeliveryHeld)
        assert sink.stats.dead == 0

    run(main)


_ROWS = st.builds(
    flow, st.integers(0, 3), st.integers(0, 9).map(float), final=st.booleans(), asset=st.sampled_from(["BTC", "ETH"])
) | st.builds(flow, st.integers(0, 3), withdrawn=st.just(True))


@settings(max_examples=6)
@given(st.lists(st.lists(_ROWS, min_size=1, max_size=6), min_size=1, max_size=4))
def test_a_batch_that_comes_twice_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[Any]]
) -> None:
    """As where an acknowledgement is lost; compared with a dictionary."""
    path = tmp_path_factory.mktemp("db") / "bars.db"
    write(path, *[each for batch in batches for each in (batch, batch)])
    table: dict[Any, Any] = {}
    for batch in batches:
        for row in batch:
            stands = table.get(row.identity)
            if row.withdrawn:
                if stands is not None and not stands.final:
                    del table[row.identity]
            elif row.final or stands is None or not stands.final:
                table[row.identity] = row
    assert read(path) == values(*table.values())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"table": "a; drop"}, "table='a; drop' is no name of a table"),
        ({"table": "bars", "path": ":memory:"}, "path=':memory:' is no file"),
    ],
)
def test_arguments_that_cannot_be_used(arguments: dict[str, Any], message: str) -> None:
    async def main() -> None:
        source: Hot[Any] = Hot()
        with pytest.raises(ValueError, match=message):
            sinks.duckdb(arguments.pop("path", "bars.db"), source.stream, **arguments)

    run(main)
