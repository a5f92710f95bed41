"""Closing a feed of asyncio on a signal, beside a server that has its own handlers for signals."""

import asyncio
import signal
import threading
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from types import FrameType

from cgrx._feed.face import Feed
from cgrx._hosts.run import SIGNALS
from cgrx._trio.require import require_asyncio


@asynccontextmanager
async def closing_on_signals(feed: Feed) -> AsyncGenerator[None, None]:
    """Close a feed on a signal: `async with cgrx.aio.connect() as feed, cgrx.aio.closing_on_signals(feed): ...`.

    For servers such as uvicorn, which end when every response has been sent: one that is made of the events of a feed
    ends with the feed. In the body, the first signal closes the feed as `feed.aclose()` does, and is then handled as
    before; later ones are handled as before alone. What is not handled, such as SIGTERM in a script that `asyncio.run`
    runs, does not end the process the first time: what iterates over the feed ends by itself. The signals are those of
    `cgrx.run`. Outside the main thread, the only one that Python gives signals to, nothing is done.

    Args:
        feed: of `cgrx.aio.connect` or `cgrx.aio.replay`.

    Raises:
        NotInAsyncioError: no asyncio loop runs here.

    Examples:
        >>> import msgspec, pathlib
        >>> _ = pathlib.Path("day.jsonl").write_bytes(
        ...     msgspec.json.encode(liquidation("long", 5_000.0, time="1s"))
        ... )
        >>> _ = cgrx.import_jsonl("day.jsonl", "day", events="liquidations")
        >>> async with (
        ...     cgrx.aio.replay("day") as feed,
        ...     cgrx.aio.closing_on_signals(feed),
        ... ):
        ...     await feed.run()
    """
    loop = require_asyncio("cgrx.aio.closing_on_signals()")
    closing: list[asyncio.Task[None]] = []
    heard = SIGNALS if threading.current_thread() is threading.main_thread() else ()
    before = {each: signal.getsignal(each) for each in heard}

    def on_signal(number: int, frame: FrameType | None) -> None:
        give_back()
        loop.call_soon_threadsafe(lambda: closing.append(loop.create_task(feed.aclose())))
        handler = before[signal.Signals(number)]
        if callable(handler):
            handler(number, frame)

    def give_back() -> None:
        for each in taken:
            if signal.getsignal(each) is on_signal:
                signal.signal(each, before[each])

    taken = [each for each in heard if before[each] not in (signal.SIG_IGN, None)]
    for each in taken:
        signal.signal(each, on_signal)
    try:
        yield
    finally:
        give_back()
        for task in closing:
            await task
