"""The keyword arguments of a run, and what they come to once they are checked."""

import os
from typing import TYPE_CHECKING, TypedDict

from cgrx._model.times import Duration
from cgrx._shards.groups import GroupBy
from cgrx._spark.groups import Chosen

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


class RunOptions(TypedDict, total=False):
    """Those of `run` and `start`.

    Examples:
        >>> from cgrx.engines import spark
        >>> options: spark.RunOptions = {
        ...     "channels": ["liquidationOrders"],
        ...     "checkpoint": "state",
        ...     "every": "5s",
        ... }
        >>> source, sink = spark.Kafka("kafka://broker:9092/signals"), spark.Rows(print)
        >>> spark.explain(
        ...     ops.tumbling("1m"), source=source, sink=sink, **options
        ... ).shards
        256
    """

    channels: Chosen
    """One group for each item: a channel, as a value or wire name, or a tuple of channels that one pipeline takes
    together. None, by default: one group, of what `build(feed)` asks for."""
    partition_by: GroupBy
    """As the topic was published, `cgrx publish --partition-by`: `"channel"`, the default, or `"base_asset"`, which
    puts the channels of an asset into one group."""
    shards: int
    """By how many keys groups are spread over Spark's partitions, 256 by default. A checkpoint keeps its number."""
    final_only: bool
    """Leave running rows out, as by default. Files of Parquet hold final rows in any case."""
    checkpoint: str | os.PathLike[str]
    """A folder where Spark keeps offsets and state, for `Kafka` alone, which needs one. A run with an old one goes on
    where that has ended. All machines must reach its file system."""
    every: Duration
    """For `Kafka`: how often a micro-batch begins, `"1s"` by default; later if the one before takes longer."""
    once: bool
    """For `Kafka`: take what the log holds by now, then end."""
    session: "SparkSession | None"
    """The session to run on. None, by default: the active one, else one on all cores of this machine."""
