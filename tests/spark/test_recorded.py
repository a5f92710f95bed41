"""Recordings as a source of Spark, and files as a sink of it, without a JVM."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import cgrx
from cgrx._spark.groups import Group, groups
from cgrx._spark.rows import Columns, Pickled, unpickled
from cgrx.engines import spark
from tests.spark.market import BTC, ETH, across, bars, entries, record

pytest.importorskip("pyspark", reason="pyspark is not installed; `nox -s spark` brings it")


def missing(_: object) -> bool:
    raise LookupError("no such field")


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return record(tmp_path_factory.mktemp("recorded") / "r", entries(30))


def reader(recording: Path, build: Any, *, final_only: bool = True, pickled: bool = False) -> Any:
    from cgrx._spark.recorded import BacktestReader

    keyed = groups(build, [BTC, ETH], "channel", 8)
    form = Pickled() if pickled else Columns.of(keyed[0].group)
    return BacktestReader(spark.Recordings(recording), keyed, form, final_only)


def test_a_task_is_the_backtest_of_a_group(recording: Path) -> None:
    found = reader(recording, bars)
    schema = cgrx.backtest(Group(bars, (BTC,)), recording).to_polars().schema
    for job, channel in zip(found.partitions(), (BTC, ETH), strict=True):
        table = pl.concat([pl.DataFrame(batch.to_pydict(), schema) for batch in found.read(job)])
        # Two runs in columns may differ in the last digit of a sum.
        assert_frame_equal(table, cgrx.backtest(Group(bars, (channel,)), recording).to_polars(), rel_tol=1e-9)


def test_rows_that_are_not_final_where_they_are_asked_for(recording: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cgrx._spark.recorded._CHUNK", 2)
    found = reader(recording, across, final_only=False, pickled=True)

    class Frame:
        def collect(self) -> list[Any]:
            batches = [batch.to_pandas() for batch in found.read(found.partitions()[0])]
            assert len(batches) > 1
            return [row for batch in batches for row in batch.itertuples()]

    rows = cgrx.backtest(Group(across, (BTC,)), recording).rows
    assert unpickled(Frame()) == list(rows)
    assert not rows[-1].final


def test_a_group_that_fails_says_which(recording: Path) -> None:
    def broken(feed: cgrx.Feed, channel: cgrx.Channel) -> cgrx.EventStream[Any]:
        return feed.channel(channel).where(missing)

    found = reader(recording, broken, pickled=True)
    with pytest.raises(LookupError) as caught:
        list(found.read(found.partitions()[1]))
    assert f"in the group {ETH.name}" in caught.value.__notes__


def test_what_the_source_is_called_and_holds(recording: Path) -> None:
    from cgrx._spark.recorded import recorded_source

    found = reader(recording, bars)
    made: Any = recorded_source("cgrx_1", found)
    assert made.name() == "cgrx_1"
    assert made({}).schema() == found.form.schema
    assert made({}).reader(None) is found


def test_a_micro_batch_without_rows_writes_nothing() -> None:
    calls: list[str] = []

    class Frame:
        def persist(self) -> "Frame":
            return self

        def count(self) -> int:
            return 0

        def unpersist(self) -> None:
            calls.append("let go")

    spark.Parquet("out").write(Frame(), 3)
    assert calls == ["let go"]
