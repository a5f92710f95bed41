"""What must not type-check of logs: each line fails both checkers. Never run."""

import cgrx
from cgrx import Feed


def wrongly(feed: Feed) -> None:
    # Channels are grouped by one of two things...
    cgrx.publish(feed, ["liquidationOrders"], "kafka://host:9092/x", partition_by="symbol")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    # ... a log says where it begins, not where it ends...
    cgrx.consume("kafka://host:9092/x", end="latest")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    # ... and a feed from a log is entered first.
    cgrx.consume("kafka://host:9092/x").liquidations()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
