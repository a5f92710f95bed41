"""What must not type-check of the sinks for databases: each line fails both checkers. Never run."""

from cgrx import Feed, sinks


def wrongly(feed: Feed) -> None:
    # A table has a name...
    sinks.postgres("postgresql://h/db", feed.liquidations())  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    # ... and an option is spelled right.
    sinks.postgres("postgresql://h/db", feed.liquidations(), table="a", bach=1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
