"""`cgrx.sinks.postgres` while its server is killed, is slow, is full, or changes: what arrives, and what is told."""

import shutil

import psycopg
import pytest
import trio

from cgrx import DeliveryHeld, DeliveryResumed, sinks
from cgrx.testing import liquidation
from tests.delivery.systems import FLOW, flow
from tests.sinks.postgres_server import Server
from tests.sinks.postgres_tables import Writing, execute, read, values, write, writing
from tests.sinks.postgres_tables import table as table
from tests.sinks.stalling import stalling
from tests.support import run


async def _give(delivery: Writing, first: int, last: int) -> None:
    """A row a millisecond: a running one of each minute, and then its final one."""
    for minute in range(first, last):
        delivery.give(flow(minute, 1, final=False))
        await trio.sleep(0.001)
        delivery.give(flow(minute, 2))


def test_a_server_that_is_killed_and_started_again_has_every_row(postgres: Server, table: str) -> None:
    async def main() -> None:
        async with writing(postgres.dsn(), table, FLOW, batch=50) as delivery:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_give, delivery, 0, 600)
                await delivery.until(lambda: delivery.sink.stats.batches > 2)
                await trio.to_thread.run_sync(postgres.kill)
                await delivery.until(lambda: delivery.sink.stats.retries > 1)
                assert isinstance(delivery.sink.stats.error, sinks.SinkUnavailableError)
                await trio.to_thread.run_sync(postgres.start)
            await delivery.sink.flush()
            stats = delivery.sink.stats
            assert (stats.received, stats.dropped, stats.dead, stats.queued) == (1200, 0, 0, 0)
            assert stats.delivered + stats.superseded == 1200
            assert {type(status) for status in delivery.notes.told} == {DeliveryHeld, DeliveryResumed}

    run(main)
    assert read(postgres, table) == values(*(flow(minute, 2) for minute in range(600)))


@pytest.mark.soak  # pytest -m soak tests/sinks
def test_ten_seconds_down(postgres: Server, table: str) -> None:
    async def main() -> None:
        async with writing(postgres.dsn(), table, FLOW) as delivery:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_give, delivery, 0, 5000)
                await delivery.until(lambda: delivery.sink.stats.batches > 2)
                await trio.to_thread.run_sync(postgres.kill)
                await trio.sleep(10)
                await trio.to_thread.run_sync(postgres.start)
            await delivery.sink.flush()
            assert delivery.sink.stats.dropped == 0

    run(main)
    assert read(postgres, table) == values(*(flow(minute, 2) for minute in range(5000)))


def test_a_server_that_is_away_on_entering_is_waited_for(postgres: Server, table: str) -> None:
    postgres.kill()

    async def main() -> None:
        async with writing(postgres.dsn(), table, FLOW) as delivery:
            assert "Connection refused" in delivery.told or "refused" in delivery.told
            delivery.give(flow(0))
            await trio.to_thread.run_sync(postgres.start)
            await delivery.sink.flush()
            assert delivery.sink.stats.delivered == 1

    try:
        run(main)
    finally:
        postgres.start()
    assert len(read(postgres, table)) == 1


def test_a_connection_that_is_ended_by_the_administrator(postgres: Server, table: str) -> None:
    async def main() -> None:
        async with writing(postgres.dsn(), table, FLOW) as delivery:
            ended = "select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name = 'cgrx'"
            execute(postgres, ended)
            delivery.give(flow(0))
            await delivery.sink.flush()
            assert delivery.sink.stats.retries == 1
            assert "(57P01)" in delivery.told or "closed" in delivery.told

    run(main)
    assert len(read(postgres, table)) == 1


def test_a_server_that_stalls_is_found_and_nothing_is_lost(
    postgres: Server, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cgrx._delivery.courier.SINK_WRITE_S", 0.3)

    async def main() -> None:
        async with (
            stalling(postgres.port) as line,
            writing(postgres.dsn(port=line.port), table, FLOW) as delivery,
        ):
            delivery.give(flow(0))
            await delivery.sink.flush()
            line.stall()
            delivery.give(*(flow(minute) for minute in range(1, 900)))
            await delivery.until(lambda: delivery.notes.told)
            assert "no acknowledgement within 0.3 s" in delivery.told
            await delivery.until(lambda: postgres_connections(postgres) <= 1)  # that of the wait is shut
            line.go_on()
            await delivery.sink.flush()
            stats = delivery.sink.stats
            assert (stats.delivered, stats.dropped, stats.dead) == (900, 0, 0)

    run(main)
    assert len(read(postgres, table)) == 900


def postgres_connections(postgres: Server) -> int:
    """How many connections sinks have."""
    ((count,),) = postgres.query("select count(*)::int from pg_stat_activity where application_name = 'cgrx'")
    return int(count)


def test_a_server_that_stalls_while_it_is_connected_to(
    postgres: Server, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cgrx._delivery.courier.SINK_OPEN_S", 0.2)

    async def main() -> None:
        async with stalling(postgres.port) as line:
            line.stall()
            async with writing(postgres.dsn(port=line.port), table, FLOW) as delivery:
                assert "no connection within 0.2 s" in delivery.told
                delivery.give(flow(0))
                line.go_on()
                await delivery.sink.flush()
                assert delivery.sink.stats.delivered == 1

    run(main)
    assert len(read(postgres, table)) == 1


def test_leaving_does_not_wait_for_a_server_that_stalls(postgres: Server, table: str) -> None:
    async def main() -> None:
        async with stalling(postgres.port) as line:
            async with writing(postgres.dsn(port=line.port), table, FLOW, drain="0.2s") as delivery:
                line.stall()
                delivery.give(flow(0))
                await delivery.until(lambda: delivery.sink.stats.in_flight)
                began = trio.current_time()
            assert trio.current_time() - began < 3
            assert delivery.sink.stats.dropped == 1

    run(main)


@pytest.mark.skipif(shutil.which("prlimit") is None, reason="the limit of another process is set by prlimit of Linux")
def test_a_full_disk_is_waited_for(postgres: Server, table: str) -> None:
    """No file of the server may grow beyond 2 MB: the kernel refuses the write, which the server reports."""

    def bound(size: str) -> None:
        sinks_pids = postgres.query("select pid from pg_stat_activity where application_name = 'cgrx'")
        for pid in (postgres.pid, *(pid for (pid,) in sinks_pids)):
            refusal = postgres.run(["prlimit", f"--pid={pid}", f"--fsize={size}:"])
            assert not refusal or "No such process" in refusal  # that of a connection which ended meanwhile

    async def main() -> None:
        async with writing(postgres.dsn(), table, type(liquidation())) as delivery:
            bound(str(2**21))
            try:
                delivery.give(*[liquidation(symbol="BTCUSDT" * 100)] * 4000)
                await delivery.until(lambda: delivery.notes.told)
                assert isinstance(delivery.sink.stats.error, sinks.SinkUnavailableError)
                assert "could not extend file" in delivery.told
            finally:
                bound("unlimited")
            await delivery.sink.flush()
            assert (delivery.sink.stats.delivered, delivery.sink.stats.dead) == (4000, 0)

    run(main)
    assert len(read(postgres, table)) == 4000


_CHANGES = {
    "alter table {} drop column volume": "alter table {} add column volume double precision",
    "alter table {} rename to {}_away": "alter table {}_away rename to {}",
    "alter table {} drop constraint {}_pkey": "alter table {} add primary key (start_ms, base_asset)",
    "alter table {} alter column base_asset type varchar(2)": "alter table {} alter column base_asset type text",
    "alter table {} add column extra text not null": "alter table {} alter column extra drop not null",
}


@pytest.mark.parametrize("change", _CHANGES)
def test_a_table_that_changes_is_waited_for(postgres: Server, table: str, change: str) -> None:
    async def main() -> None:
        async with writing(postgres.dsn(), table, FLOW, create=False) as delivery:
            execute(postgres, change.replace("{}", table))
            rows = [flow(minute, asset="BTC") for minute in range(20)]
            delivery.give(*rows)
            await delivery.until(lambda: f'"{table}"' in delivery.told and "by: " in delivery.told)
            assert isinstance(delivery.sink.stats.error, sinks.SinkRefusedError)
            execute(postgres, _CHANGES[change].replace("{}", table))
            await delivery.sink.flush()
            assert (delivery.sink.stats.delivered, delivery.sink.stats.dead) == (20, 0)

    write(postgres.dsn(), table, [], types=[FLOW])
    run(main)
    assert len(read(postgres, table)) == 20


def test_a_table_that_is_missing_when_the_first_row_comes_is_waited_for(postgres: Server, table: str) -> None:
    """Of what class the rows are is not known before."""

    async def main() -> None:
        async with writing(postgres.dsn(), table, create=False, drain="0.1s") as delivery:
            delivery.give(flow(0))
            await delivery.until(lambda: f'there is no table "{table}"' in delivery.told)
            write_other = delivery.told.partition("make it by: ")[2].partition("\n")[0]
            execute(postgres, write_other.partition("; ")[0])
            await delivery.sink.flush()
            execute(postgres, f"drop table {table}")
            delivery.give(flow(1))
            await delivery.until(lambda: delivery.sink.stats.retries > 2)
        assert (delivery.sink.stats.delivered, delivery.sink.stats.dropped) == (1, 1)

    run(main)


def test_a_lock_of_somebody_else_is_waited_for(postgres: Server, table: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cgrx._sinks.postgres_writer.POSTGRES_LOCK_S", 0.1)
    write(postgres.dsn(), table, [], types=[FLOW])

    async def main() -> None:
        async with writing(postgres.dsn(), table, FLOW) as delivery:
            with psycopg.connect(postgres.dsn()) as connection:
                connection.execute(f"lock table {table}".encode())
                delivery.give(flow(0))
                await delivery.until(lambda: delivery.notes.told)
                assert "lock timeout (55P03)" in delivery.told
            await delivery.sink.flush()

    run(main)
    assert len(read(postgres, table)) == 1
