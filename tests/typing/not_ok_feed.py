"""What must not type-check of a feed: each line fails both checkers, or they report its comments as unneeded.

Never run.
"""

import cgrx


async def entered_wrongly(liquidations: cgrx.EventStream[cgrx.Liquidation]) -> None:
    # A feed is entered, not awaited...
    await cgrx.connect()  # type: ignore[misc]  # pyright: ignore[reportGeneralTypeIssues]
    # ... by `async with`...
    with cgrx.connect():  # type: ignore[attr-defined]  # pyright: ignore[reportGeneralTypeIssues]
        pass
    # ... before it is used.
    cgrx.connect().liquidations()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    # So is a replay.
    cgrx.replay("folder").liquidations()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    # A stream is entered before it is iterated over.
    async for _ in cgrx.stream(liquidations):  # type: ignore[attr-defined]  # pyright: ignore[reportGeneralTypeIssues, reportUnknownVariableType]
        pass


async def main_of(symbol: str) -> None:
    pass


def run_wrongly() -> None:
    # The function is given, not called...
    cgrx.run(main_of("BTCUSDT"))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    # ... with its arguments.
    cgrx.run(main_of, 5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def used_wrongly(feed: cgrx.Feed, replay: cgrx.Replay) -> None:
    # It has no such member...
    feed.trades("Binance", "BTCUSDT")  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    # ... nor has a replay.
    replay.trades("Binance", "BTCUSDT")  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    # What drives it is nobody's business.
    replay.begin()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    # The minimum is required...
    feed.futures_trades("Binance", "BTCUSDT")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    replay.futures_trades("Binance", "BTCUSDT")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    # ... and a number...
    feed.futures_trades("Binance", "BTCUSDT", min_volume="10k")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    # ... in the channel as a value too.
    cgrx.FuturesTrades("Binance", "BTCUSDT", "10k")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    # A counter that a replay does not have is no number.
    _bytes: int = feed.stats.received_bytes  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
