"""A master and two workers: an executor and the driver are killed by signal 9, and each row is there exactly once.

In files of Parquet, and in a table of PostgreSQL: a query for each runs on the same cluster.
"""

import os
import shutil
import signal
from pathlib import Path

import polars as pl
import psycopg
import pytest

from tests.sinks.postgres_server import CannotRunError, Server, serving
from tests.spark.backtested import assert_backtested, backtested
from tests.spark.cluster import cluster, kill, until
from tests.spark.market import CHANNELS, entries, record, records
from tests.spark.topic import broker, publish

pytest.importorskip("pyspark", reason="pyspark is not installed; `nox -s spark` brings it")
pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif(shutil.which("java") is None, reason="Spark needs Java, and there is none on the path"),
]


def written(folder: Path) -> int:
    """How many rows the finished micro-batches have put into files."""
    parts = [part for done in folder.glob("bars/batch=*/_SUCCESS") for part in done.parent.glob("*.parquet")]
    return sum(len(pl.read_parquet(part)) for part in parts)


def stored(postgres: Server) -> int:
    """How many rows are in the table."""
    try:
        return int(postgres.query("select count(*) from bars")[0][0])
    except psycopg.errors.UndefinedTable:
        return 0


def test_rows_are_there_once_whoever_is_killed(tmp_path: Path) -> None:
    try:
        with serving() as postgres:
            _kill_all(tmp_path, postgres)
    except CannotRunError as error:
        pytest.skip(str(error))


def _kill_all(tmp_path: Path, postgres: Server) -> None:
    said = entries(60)
    all_records = records(said)
    third = len(all_records) // 3
    parts = [all_records[:third], all_records[third - 40 : 2 * third], all_records[2 * third - 40 :]]  # some come twice

    def rows() -> list[int]:
        return [written(tmp_path), stored(postgres)]

    def more_than(before: list[int]) -> bool:
        return all(now > then for now, then in zip(rows(), before, strict=True))

    with broker("signals", partitions=2) as log, cluster(tmp_path, workers=2) as spark:
        arguments = (log.servers, "signals", tmp_path, postgres.dsn())
        publish(log, "signals", parts[0], partitions=2)
        driver = spark.driver(*arguments)
        until(lambda: len(spark.executors()) > 1 and more_than([0, 0]), "the first rows", driver)

        killed = spark.executors()[0]
        os.kill(killed, signal.SIGKILL)
        before = rows()
        publish(log, "signals", parts[1], partitions=2)
        until(lambda: more_than(before), "rows behind the executor that was killed", driver)
        assert killed not in spark.executors()

        kill(driver)
        publish(log, "signals", parts[2], partitions=2)
        again = spark.driver(*arguments, "once")
        until(lambda: again.poll() is not None, "the driver that goes on")
        assert again.returncode == 0, (tmp_path / "driver-1.log").read_text()[-3000:]

    wanted = backtested(record(tmp_path / "r", said), *CHANNELS)
    assert_backtested(pl.read_parquet(tmp_path / "bars/**/*.parquet"), wanted)
    found = postgres.query("select {} from bars".format(", ".join(f'"{name}"' for name in wanted.columns)))
    assert_backtested(pl.DataFrame(found, schema=wanted.schema, orient="row"), wanted)
