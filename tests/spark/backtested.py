"""What a run on Spark is compared with: a backtest of each channel."""

from pathlib import Path

import polars as pl
from polars.testing import assert_frame_equal

import cgrx
from cgrx import Channel
from cgrx._spark.groups import Group, Pipeline
from tests.spark.market import bars

KEYS = ["start_ms", "exchange", "symbol"]


def backtested(recording: Path, *channels: Channel, build: Pipeline = bars) -> pl.DataFrame:
    """The rows of a backtest of each channel."""
    builds = [Group(build, (channel,)) for channel in channels]
    return pl.concat([cgrx.backtest(build, recording).to_polars() for build in builds]).sort(KEYS)


def assert_backtested(found: pl.DataFrame, wanted: pl.DataFrame) -> None:
    """Equal in all columns: sums and ratios within 1e-9, as between any two engines, all else exactly."""
    assert_frame_equal(found.drop("batch", strict=False).sort(KEYS), wanted, rel_tol=1e-9, abs_tol=0, check_exact=False)
