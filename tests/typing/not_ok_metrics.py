"""What must not type-check of metrics: each line fails both checkers. Never run."""

import cgrx
from cgrx import Feed, metrics
from cgrx import operators as ops


def wrongly(feed: Feed) -> None:
    # A pipeline is a stream...
    metrics.snapshot(feed, pipelines={"bars": ops.tumbling("1m")})  # type: ignore[dict-item]  # pyright: ignore[reportArgumentType]
    # ... and a recorder is no stream.
    metrics.snapshot(feed, streams={"day": cgrx.record(feed, "day", channels=[])})  # type: ignore[dict-item]  # pyright: ignore[reportArgumentType]
