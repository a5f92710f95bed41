"""Spark on this machine: live behind a real broker, and once over a recording, the rows are those of a backtest."""

import shutil
from collections.abc import Generator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import cgrx
from cgrx import Channel, EngineError, LogError
from cgrx import operators as ops
from cgrx._model.use_errors import StateError
from cgrx.engines import spark
from tests.spark.backtested import assert_backtested, backtested
from tests.spark.market import BTC, CHANNELS, ETH, OKX, across, always, bars, entries, record, records
from tests.spark.topic import broker, make, publish

pytest.importorskip("pyspark", reason="pyspark is not installed; `nox -s spark` brings it")
pytestmark = [
    pytest.mark.skipif(shutil.which("java") is None, reason="Spark needs Java, and there is none on the path"),
    # What py4j and Spark's own accumulators leave to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

SAID = entries(60)


@pytest.fixture(scope="module")
def log() -> Generator[Any]:
    """A broker with the records in a topic of two partitions."""
    with broker("signals", partitions=2) as found:
        publish(found, "signals", records(SAID), partitions=2)
        yield found


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as a recording."""
    return record(tmp_path_factory.mktemp("recorded") / "r", SAID)


def test_once_over_a_recording(session: Any, recording: Path, tmp_path: Path) -> None:
    spark.run(
        bars,
        channels=CHANNELS,
        source=spark.Recordings(recording),
        sink=spark.Parquet(str(tmp_path / "bars")),
        session=session,
    )
    assert_backtested(pl.read_parquet(tmp_path / "bars/**/*.parquet"), backtested(recording, *CHANNELS))


def test_live_behind_a_log(session: Any, log: Any, recording: Path, tmp_path: Path) -> None:
    """In several micro-batches, and two runs on one checkpoint."""
    for most in (150, 100_000):
        spark.run(
            bars,
            channels=CHANNELS,
            source=spark.Kafka(f"kafka://{log.servers}/signals", most=most),
            sink=spark.Parquet(str(tmp_path / "bars")),
            checkpoint=tmp_path / "checkpoint",
            shards=4,
            once=True,
            session=session,
        )
    assert len(list((tmp_path / "bars").glob("batch=*"))) > 2
    assert_backtested(pl.read_parquet(tmp_path / "bars/**/*.parquet"), backtested(recording, *CHANNELS))


def test_rows_as_objects_equal_those_of_one_process(session: Any, log: Any, recording: Path, tmp_path: Path) -> None:
    """To the byte, running rows too; and a query that is stopped goes on where it was."""

    def updated(feed: cgrx.Feed, channel: Channel) -> cgrx.EventStream[Any]:
        window = ops.tumbling("10s", by="exchange", updates="1s", emit_empty=True)
        return feed.channel(channel).where(always).pipe(window)

    found: list[Any] = []
    arguments: dict[str, Any] = {
        "channels": [ETH],
        "source": spark.Kafka(f"kafka://{log.servers}/signals", most=100),
        "checkpoint": tmp_path / "checkpoint",
        "final_only": False,
        "session": session,
    }
    query = spark.start(updated, sink=spark.Rows(found.extend), every="100ms", **arguments)
    with query:
        while not found:
            query.query.processAllAvailable()
        assert query.progress is not None
        assert not query.wait(0.2)
    assert query.wait()
    spark.run(updated, sink=spark.Rows(found.extend), once=True, **arguments)
    assert found == list(cgrx.backtest(lambda feed: updated(feed, ETH), recording).rows)


def test_a_pipeline_of_several_channels(session: Any, log: Any, recording: Path, tmp_path: Path) -> None:
    """From a topic of one partition; from one of two it is refused before the start."""
    make(log, "one")
    publish(log, "one", records(SAID))
    found: list[Any] = []
    arguments: dict[str, Any] = {"channels": [(BTC, ETH)], "sink": spark.Rows(found.extend), "session": session}
    spark.run(
        across, source=spark.Kafka(f"kafka://{log.servers}/one"), checkpoint=tmp_path / "one", once=True, **arguments
    )
    rows = cgrx.backtest(lambda feed: across(feed, BTC, ETH), recording).rows
    assert found == [row for row in rows if row.final]
    with pytest.raises(ValueError, match="must be in one partition of the topic"):
        spark.run(
            across, source=spark.Kafka(f"kafka://{log.servers}/signals"), checkpoint=tmp_path / "two", **arguments
        )


def test_another_pipeline_is_refused(session: Any, log: Any, tmp_path: Path) -> None:
    arguments: dict[str, Any] = {
        "channels": [BTC],
        "source": spark.Kafka(f"kafka://{log.servers}/signals"),
        "sink": spark.Rows(len),
        "checkpoint": tmp_path / "checkpoint",
        "once": True,
        "session": session,
    }
    spark.run(ops.tumbling("10s"), **arguments)
    with pytest.raises(StateError):
        spark.run(ops.tumbling("20s"), **arguments)
    with pytest.raises(ValueError, match=r"shards=7, but the checkpoint .* was begun with 256"):
        spark.run(ops.tumbling("10s"), shards=7, **arguments)
    more: dict[str, Any] = {"channels": [BTC, OKX]}
    spark.run(ops.tumbling("10s"), **(arguments | more))  # a group may come later


def test_what_fails_says_so(session: Any, log: Any, recording: Path, tmp_path: Path) -> None:
    """In a worker: the line that matters. In the driver: the exception itself."""

    def broken(row: Any) -> bool:
        raise LookupError("no such row")

    log_of: dict[str, Any] = {"channels": [BTC], "source": spark.Kafka(f"kafka://{log.servers}/signals"), "once": True}
    with pytest.raises(EngineError, match=r"^Spark: LookupError: no such row$"):
        spark.run(ops.where(broken), sink=spark.Rows(len), checkpoint=tmp_path / "a", session=session, **log_of)
    with pytest.raises(EngineError, match=r"^Spark: LookupError: no such row"):
        spark.run(
            ops.where(broken),
            channels=[BTC],
            source=spark.Recordings(recording),
            sink=spark.Rows(len),
            session=session,
        )

    def refuse(rows: list[Any]) -> None:
        raise LookupError(len(rows))

    with pytest.raises(LookupError):
        spark.run(bars, sink=spark.Rows(refuse), checkpoint=tmp_path / "b", session=session, **log_of)


def test_what_cannot_be_run(session: Any, log: Any, recording: Path, tmp_path: Path) -> None:
    live: dict[str, Any] = {
        "channels": [BTC],
        "source": spark.Kafka(f"kafka://{log.servers}/signals"),
        "session": session,
    }
    with pytest.raises(ValueError, match="give checkpoint="):
        spark.run(bars, sink=spark.Rows(len), **live)
    with pytest.raises(ValueError, match="final_only=False: Parquet"):
        spark.run(bars, sink=spark.Parquet("out"), checkpoint=tmp_path / "a", final_only=False, **live)
    with pytest.raises(ValueError, match="is not empty, and the checkpoint is new"):
        spark.run(bars, sink=spark.Parquet(str(recording)), checkpoint=tmp_path / "b", **live)
    with pytest.raises(ValueError, match="once= is for what runs behind a log"):
        spark.run(bars, source=spark.Recordings(recording), sink=spark.Rows(len), channels=[BTC], once=True)
    live["source"] = spark.Kafka(f"kafka://{log.servers}/none")
    with pytest.raises(LogError, match=r"topic 'none' at .*: make the topic first"):
        spark.run(bars, sink=spark.Rows(len), checkpoint=tmp_path / "c", **live)
