"""What must not type-check of the board: each line fails both checkers, or they report its comments as unneeded.

Never run.
"""

import cgrx


async def wrongly(feed: cgrx.Feed) -> None:
    # A board is entered, before it is used...
    cgrx.board(feed).url  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]  # noqa: B018
    # ... on a feed or on recordings...
    cgrx.board(7)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    # ... with options by their names...
    cgrx.board(feed, "127.0.0.1")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    # ... and a least volume for each instrument.
    cgrx.board(feed, trades=[("Binance", "BTCUSDT")])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
