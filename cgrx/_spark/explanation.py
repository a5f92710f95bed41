"""What a run would be: its shard key, what each shard keeps, and what runs where. Known before it runs."""

from collections import Counter
from typing import Unpack

import attrs

from cgrx._backtest.plan import PlanningFeed
from cgrx._shards.shard import Shard
from cgrx._spark.groups import SHARDS, Pipeline, groups
from cgrx._spark.options import RunOptions
from cgrx._spark.settings import Kafka, Recordings
from cgrx._spark.sinks import SparkSink
from cgrx._streams.stream import EventStream
from cgrx.operators._stages.explain import explain as explained


@attrs.frozen
class SparkPlan:
    """What a run would be. Prints as a list.

    Examples:
        >>> from cgrx.engines import spark
        >>> plan = spark.explain(
        ...     ops.tumbling("1m"),
        ...     channels=["liquidationOrders"],
        ...     source=spark.Kafka("kafka://broker:9092/signals"),
        ...     sink=spark.Parquet("bars"),
        ... )
        >>> plan.groups, plan.fullest
        ((('liquidationOrders',),), 1)
    """

    groups: tuple[tuple[str, ...], ...]
    """The channels of each group, which one pipeline takes."""
    shards: int
    """How many keys the groups are spread over."""
    fullest: int
    """The most groups that one of them holds."""
    snapshot_bytes: int
    """How large the state of the first group is before any record."""
    pipeline: str
    """What the first group's stages keep and how long they hold results back, as `cgrx.explain` says it."""
    where: tuple[tuple[str, str], ...]
    """Each part of the run, and where it runs."""

    def __str__(self) -> str:
        joint = [group for group in self.groups if len(group) > 1]
        lines = [
            f"shard key: CRC-32 of a group's channels, modulo {self.shards}",
            f"groups: {len(self.groups)}, at most {self.fullest} in a shard",
            f"state: of each group a snapshot, {self.snapshot_bytes} bytes before any record; it grows with these:",
            *(f"   {line}" for line in self.pipeline.splitlines()),
        ]
        if joint:
            lines.append(
                f"one partition of the topic must hold all channels of a group; {len(joint)} have several, such as:"
                f" {' '.join(joint[0])}"
            )
        lines += [f"{part}: {where}" for part, where in self.where]
        return "\n".join(lines)


def explain(
    build: Pipeline, *, source: Kafka | Recordings, sink: SparkSink, **options: Unpack[RunOptions]
) -> SparkPlan:
    """Say what `run` would do with these arguments, without Spark and without the log.

        print(spark.explain(bars, channels=channels, source=source, sink=sink, checkpoint="bars.checkpoint"))

    Raises:
        ValueError, TypeError: an argument cannot be used.
        StateError: a pipeline holds what cannot be put away.

    Examples:
        >>> from cgrx.engines import spark
        >>> source, sink = (
        ...     spark.Kafka("kafka://broker:9092/signals"),
        ...     spark.Parquet("bars"),
        ... )
        >>> plan = spark.explain(
        ...     ops.pipeline(ops.tumbling("1m")),
        ...     channels=["liquidationOrders"],
        ...     source=source,
        ...     sink=sink,
        ...     checkpoint="bars.checkpoint",
        ... )
        >>> print(str(plan).splitlines()[1])
        groups: 1, at most 1 in a shard
    """
    shards = options.get("shards", SHARDS)
    keyed = groups(build, options.get("channels"), options.get("partition_by", "channel"), shards)
    stream = keyed[0].group(PlanningFeed())
    if isinstance(source, Kafka):
        where: tuple[tuple[str, str], ...] = (
            (
                f"topic {source.address.topic}",
                f"a task for each partition, {source.most:,} records a micro-batch at the most",
            ),
            ("pipelines", "one call for each shard with records, in the workers that hold its state"),
        )
    else:
        where = ((", ".join(source.folders), "one task for each group, which runs cgrx.backtest in a worker"),)
    return SparkPlan(
        groups=tuple(each.channels for each in keyed),
        shards=shards,
        fullest=max(Counter(each.shard for each in keyed).values()),
        snapshot_bytes=len(Shard(keyed[0].group).snapshot()),
        pipeline=str(explained(stream)) if isinstance(stream, EventStream) else repr(stream),
        where=(*where, (repr(sink), "the driver" if sink.pickled else "the workers")),
    )
