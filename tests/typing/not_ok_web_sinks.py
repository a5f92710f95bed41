"""What must not type-check of the sinks for web services and chats: each line fails both checkers. Never run."""

from cgrx import Feed, Liquidation, sinks


def number(event: Liquidation) -> float:
    return event.price


def wrongly(feed: Feed) -> None:
    # A text is no number...
    sinks.slack("https://host.example", feed.liquidations(), text=number)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    # ... Telegram needs a chat...
    sinks.telegram("1:x", feed.liquidations())  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    # ... and an option is spelled right.
    sinks.webhook("https://host.example", feed.liquidations(), bach=1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
