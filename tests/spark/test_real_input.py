"""Both real recordings, published on a log, consumed from it, and run on Spark: the rows are those of a backtest."""

import shutil
import sys
from pathlib import Path
from typing import Any, Literal

import polars as pl
import pytest
import trio
from polars.testing import assert_frame_equal

import cgrx
from cgrx import operators as ops
from cgrx._spark.groups import Group
from cgrx.engines import spark
from tests import recordings
from tests.recordings import LIQUIDATIONS, TRADES
from tests.spark.topic import broker, publish

pytest.importorskip("pyspark", reason="pyspark is not installed; `nox -s spark` brings it")
pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif(shutil.which("java") is None, reason="Spark needs Java, and there is none on the path"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    recordings.REQUIRED,
]
KEYS = ["start_ms", "exchange", "symbol"]


def bars(feed: cgrx.Feed, channel: cgrx.Channel) -> cgrx.EventStream[Any]:
    return feed.channel(channel).pipe(ops.tumbling("10s", ops.Bar, by=("exchange", "symbol")))


async def put_on_a_log(recording: Path, channels: tuple[cgrx.Channel, ...], target: str) -> None:
    async with cgrx.replay(recording) as feed, cgrx.publish(feed, channels, target, ends=True, drain="30s"):
        await feed.run()


async def consumed(channels: tuple[cgrx.Channel, ...], target: str) -> list[Any]:
    rows: list[Any] = []
    with trio.fail_after(120):
        async with cgrx.consume(target, start="earliest") as feed:
            for channel in channels:
                bars(feed, channel).subscribe(rows.append)
            await feed.run()
    return rows


@pytest.mark.parametrize(("file", "events"), [(LIQUIDATIONS, "liquidations"), (TRADES, "trades")])
def test_rows_behind_a_log_are_those_of_a_backtest(
    file: recordings.Recording, events: Literal["liquidations", "trades"], tmp_path: Path
) -> None:
    folder, out = tmp_path / "recording", tmp_path / "bars"
    found = cgrx.import_jsonl(recordings.FOLDER / file.file, folder, events=events, received="recv", gapless=True)
    assert found.events == file.events
    channels = cgrx.Recording(folder).channels
    with broker("signals", partitions=2) as log:
        target = f"kafka://{log.servers}/signals"
        trio.run(put_on_a_log, folder, channels, target)
        publish(log, "signals", [], partitions=2)
        behind = trio.run(consumed, channels, target)
        spark.run(
            bars,
            channels=channels,
            source=spark.Kafka(f"kafka://{log.servers}/signals", most=5_000),
            sink=spark.Parquet(str(out)),
            checkpoint=tmp_path / "checkpoint",
            once=True,
        )
    by_spark = pl.read_parquet(out / "**/*.parquet").drop("batch", strict=False).sort(KEYS)
    wanted = pl.concat([cgrx.backtest(Group(bars, (channel,)), folder).to_polars() for channel in channels]).sort(KEYS)
    assert_frame_equal(by_spark, wanted, check_exact=False, rel_tol=1e-9, abs_tol=0)
    assert_frame_equal(cgrx.to_frame(behind).sort(KEYS), by_spark, check_exact=True)  # one engine: to the byte
    told = f"{file.file}: {found.events:,} events of {len(channels)} channels, {by_spark.height:,} bars,"
    sys.stdout.write(f"{told} all {by_spark.width} columns equal; {by_spark['complete'].sum():,} complete\n")
