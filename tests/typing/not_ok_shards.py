"""What must not type-check of shards: each line fails both checkers. Never run."""

from cgrx import Shard
from cgrx import operators as ops


def wrongly(data: bytes) -> None:
    # A shard is made by a function of a feed...
    Shard(ops.tumbling("1m"))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    # ... takes records...
    Shard(lambda feed: feed.liquidations()).take([b"record"])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    # ... and is divided in two ways.
    Shard(lambda feed: feed.liquidations(), partition_by="exchange")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
