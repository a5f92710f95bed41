"""What must not type-check of engines: each line fails both checkers. Never run."""

from cgrx import operators as ops
from cgrx.engines import spark


def wrongly(log: spark.Kafka, files: spark.Parquet) -> None:
    # A folder is no sink...
    spark.run(ops.side("buy"), channels=["a"], source=log, sink="out", checkpoint="c")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    # ... recordings end, and are not started...
    spark.start(ops.side("buy"), source=spark.Recordings("a"), sink=files)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    # ... and an option is spelled right.
    spark.run(ops.side("buy"), source=log, sink=files, shard=8)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
