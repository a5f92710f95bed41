"""`run` and `start`: a pipeline on Spark, live behind a log, or once over recordings.

log ──► source ──► shuffle by shard ──► ShardsProcessor ──► sink, once a micro-batch
recordings ──► a backtest of each group ──► sink
"""

import math
import os
import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Self, Unpack

from cgrx._extras import require_extra
from cgrx._model.times import positive_ms
from cgrx._spark.checkpoint import Checkpoint
from cgrx._spark.failure import understood
from cgrx._spark.groups import SHARDS, Keyed, Pipeline, groups, require_together
from cgrx._spark.options import RunOptions
from cgrx._spark.rows import Columns, Pickled
from cgrx._spark.session import session_of
from cgrx._spark.settings import Kafka, Recordings
from cgrx._spark.sinks import SparkSink
from cgrx._trio.require import require_no_trio

_LOOK_S = 1.0


class Query:
    """A pipeline that runs on Spark until it is stopped or fails. As a context manager it stops on leaving.

    Examples:
        >>> from cgrx.engines import spark
        >>> source, sink = spark.Kafka("kafka://broker:9092/signals"), spark.Rows(print)
        >>> query = spark.start(
        ...     ops.tumbling("1m"), source=source, sink=sink, checkpoint="state"
        ... )  # doctest: +SKIP
        >>> query.wait()  # doctest: +SKIP
    """

    def __init__(self, query: Any, failures: Sequence[Exception]) -> None:
        self.query = query
        """Spark's own handle, a `StreamingQuery`."""
        self._failures = failures

    @property
    def progress(self) -> Mapping[str, object] | None:
        """What Spark tells of the last micro-batch; None before the first."""
        found: Mapping[str, object] | None = self.query.lastProgress
        return found

    def wait(self, seconds: float = math.inf) -> bool:
        """Wait until it ends, for so long at the most, and return whether it has ended.

        Raises:
            EngineError: Spark gives up.
            Exception: what the sink has failed with.
        """
        try:
            while not self.query.awaitTermination(min(_LOOK_S, seconds)):
                seconds -= _LOOK_S  # a signal is handled between two looks
                if seconds <= 0:
                    return False
        except Exception as error:
            raise understood(self._failures[0] if self._failures else error) from error
        return True

    def stop(self) -> None:
        """Stop it. The micro-batch that is under way runs again when the checkpoint is taken up."""
        self.query.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def start(build: Pipeline, *, source: Kafka, sink: SparkSink, **options: Unpack[RunOptions]) -> Query:
    """Start a pipeline behind a log, and return at once. Arguments and errors are those of `run`.

    Examples:
        >>> from cgrx.engines import spark
        >>> source, sink = spark.Kafka("kafka://broker:9092/signals"), spark.Rows(print)
        >>> query = spark.start(
        ...     ops.tumbling("1m"), source=source, sink=sink, checkpoint="state"
        ... )  # doctest: +SKIP
        >>> query.wait()  # doctest: +SKIP
    """
    require_no_trio("cgrx.engines.spark.start()")
    require_extra("cgrx.engines.spark.start()", "spark")
    require_extra("cgrx.engines.spark.Kafka", "kafka")
    if "checkpoint" not in options:
        raise ValueError("what runs behind a log keeps its state in a folder: give checkpoint=")
    folder, every_ms = os.fspath(options["checkpoint"]), positive_ms(options.get("every", "1s"), "every")
    keyed, form, session = _prepared(build, sink, options)
    from cgrx._spark.processor import ShardsProcessor
    from cgrx._spark.source import LogReader, Terms, log_source

    by_shard: dict[int, list[Keyed]] = {}
    wanted: dict[str, set[int]] = {}
    for each in keyed:
        by_shard.setdefault(each.shard, []).append(each)
        for channel in each.channels:
            wanted.setdefault(channel, set()).add(each.shard)
    terms = Terms(source, wanted)
    require_together(keyed, options.get("partition_by", "channel"), len(LogReader(terms).bounds()))
    if Checkpoint(folder, session).begin(keyed, options.get("shards", SHARDS)):
        sink.begin(session)
    name = f"cgrx_{secrets.token_hex(8)}"
    session.dataSource.register(log_source(name, terms))
    shards = session.readStream.format(name).load().groupBy("shard")
    processor = ShardsProcessor(name, by_shard, form, final_only=_final_only(options))
    rows = shards.transformWithStateInPandas(processor, form.schema, "Append", "None")
    failures: list[Exception] = []

    def write(frame: Any, batch: int) -> None:
        try:
            sink.write(frame, batch)
        except Exception as error:
            failures.append(error)
            raise

    writer = rows.writeStream.foreachBatch(write).option("checkpointLocation", folder)
    if options.get("once"):
        return Query(writer.trigger(availableNow=True).start(), failures)
    return Query(writer.trigger(processingTime=f"{every_ms} milliseconds").start(), failures)


def run(build: Pipeline, *, source: Kafka | Recordings, sink: SparkSink, **options: Unpack[RunOptions]) -> None:
    """Run a pipeline on Spark, and return when it has ended.

        from cgrx.engines import spark

        def bars(feed: cgrx.Feed, channel: cgrx.Channel) -> cgrx.EventStream[ops.Bar]:
            return feed.channel(channel).pipe(ops.tumbling("1m", ops.Bar, by=("exchange", "symbol")))

        spark.run(
            bars,
            channels=["futures_trades@Binance_BTCUSDT@0", "futures_trades@OKX_BTC-USDT-SWAP@0"],
            source=spark.Kafka("kafka://broker:9092/signals"),
            sink=spark.Parquet("s3a://bucket/bars"),
            checkpoint="s3a://bucket/bars.checkpoint",
        )

    Spark supplies partitions, shuffle, checkpoints and recovery; the stages of cgrx supply the rows: those of
    `cgrx.backtest`. What each group keeps is a snapshot of its `cgrx.Shard` in Spark's state store, a few kilobytes for
    a window of one key. A task, a worker or the driver may be killed at any moment: the micro-batch runs again from the
    state before it. What a log has lost, or its publisher has not seen, is a gap in the rows.

    Args:
        build: a stage, such as `ops.pipeline(...)`, for the channels of each group; or a function from a feed and the
            channels of a group to a stream, `build(feed, *channels)`. It pickles by cloudpickle.
        source: `Kafka(...)`, live; or `Recordings(...)`, once from beginning to end, by `cgrx.backtest` in the workers.
        sink: `Parquet(...)`, `Postgres(...)` or `Rows(callback)`.
        **options: see `RunOptions`.

    Raises:
        ValueError, TypeError: an argument cannot be used.
        StateError: the checkpoint is of another pipeline, or a pipeline holds what cannot be put away.
        LogError: the topic cannot be read at the start.
        EngineError: Spark gives up, with the error that failed a worker; or there is no Java.
        InTrioError: called inside a running trio loop, which it would block.
        ImportError: pyspark, pandas or confluent-kafka is not installed.
        Exception: what the callback of `Rows`, or a sink, raises.

    Examples:
        >>> from cgrx.engines import spark
        >>> source, sink = (
        ...     spark.Kafka("kafka://broker:9092/signals"),
        ...     spark.Parquet("bars"),
        ... )
        >>> spark.run(
        ...     ops.tumbling("1m"),
        ...     source=source,
        ...     sink=sink,
        ...     checkpoint="bars.checkpoint",
        ... )  # doctest: +SKIP

        What it would do, without Spark:

        >>> plan = spark.explain(
        ...     ops.tumbling("1m"),
        ...     channels=["liquidationOrders"],
        ...     source=source,
        ...     sink=sink,
        ... )
        >>> plan.groups
        (('liquidationOrders',),)
    """
    require_no_trio("cgrx.engines.spark.run()")
    require_extra("cgrx.engines.spark.run()", "spark")
    if isinstance(source, Kafka):
        with start(build, source=source, sink=sink, **options) as query:
            query.wait()
        return
    for name in ("checkpoint", "every", "once"):
        if name in options:
            raise ValueError(f"{name}= is for what runs behind a log; recordings are run from beginning to end")
    keyed, form, session = _prepared(build, sink, options)
    from cgrx._spark.recorded import BacktestReader, recorded_source

    name = f"cgrx_{secrets.token_hex(8)}"
    session.dataSource.register(recorded_source(name, BacktestReader(source, keyed, form, _final_only(options))))
    try:
        sink.write(session.read.format(name).load(), 0)
    except Exception as error:
        raise understood(error) from error


def _prepared(build: Pipeline, sink: SparkSink, options: RunOptions) -> tuple[Sequence[Keyed], Columns | Pickled, Any]:
    """The groups, how their rows travel, and the session."""
    keyed = groups(
        build, options.get("channels"), options.get("partition_by", "channel"), options.get("shards", SHARDS)
    )
    if sink.pickled:
        return keyed, Pickled(), session_of(options.get("session"))
    if not _final_only(options):
        raise ValueError(f"final_only=False: {sink!r} cannot be updated, and holds final rows alone")
    return keyed, Columns.of(keyed[0].group), session_of(options.get("session"))


def _final_only(options: RunOptions) -> bool:
    return options.get("final_only", True)
