"""The functions of `cgrx.aio`: those of `cgrx`, for the tasks of asyncio."""

from collections.abc import AsyncIterable, Callable, Hashable
from contextlib import AbstractAsyncContextManager
from functools import wraps
from typing import ParamSpec, TypeVar

from reactivex import Observable

from cgrx._feed.connect import connect as _connect
from cgrx._feed.recorder import record as _record
from cgrx._hosts.on_asyncio import AsyncioParking, Held, push
from cgrx._log.consume import consume as _consume
from cgrx._log.publish import publish as _publish
from cgrx._model.times import Duration
from cgrx._replay.replay import replay as _replay
from cgrx._trio.entering import ToEnter
from cgrx._trio.iterate import EventIterator, pushed_by, subscribed
from cgrx._trio.overflow import Overflow, inbox_for, instrument
from cgrx._trio.require import require_asyncio

T = TypeVar("T")
P = ParamSpec("P")


def held(
    open_it: Callable[P, AbstractAsyncContextManager[T]], gives: str, module: str = "cgrx.aio"
) -> Callable[P, AbstractAsyncContextManager[T]]:
    """The same function for asyncio."""
    call = f"{module}.{open_it.__name__}()"

    @wraps(open_it)
    def opened(*args: P.args, **kwargs: P.kwargs) -> AbstractAsyncContextManager[T]:
        require_asyncio(call)
        return ToEnter(Held(lambda: open_it(*args, **kwargs)), call, gives)

    return opened


connect = held(_connect, "feed")
"""`cgrx.connect` for asyncio: `async with cgrx.aio.connect() as feed: ...`. Gives a `cgrx.Feed`.

Arguments, behaviour and errors are the same; a feed that fails cancels the task that has entered it, and its error
leaves the `async with`. Raises `NotInAsyncioError` where no asyncio loop runs.

Examples:
    >>> async with cgrx.aio.connect() as feed:  # doctest: +SKIP
    ...     feed.liquidations().pipe(ops.min_volume(100_000)).subscribe(print)
    ...     await feed.run()

    Without a key:

    >>> async with cgrx.aio.connect() as feed:
    ...     ...
    Traceback (most recent call last):
        ...
    ValueError: no API key: pass api_key=... or set COINGLASS_API_KEY (`cgrx demo` needs none)
"""

replay = held(_replay, "feed")
"""`cgrx.replay` for asyncio: `async with cgrx.aio.replay("recording") as feed: ...`. Gives a `cgrx.Replay`.

Examples:
    >>> import msgspec, pathlib
    >>> _ = pathlib.Path("day.jsonl").write_bytes(
    ...     msgspec.json.encode(liquidation("long", 5_000.0, time="1s"))
    ... )
    >>> _ = cgrx.import_jsonl("day.jsonl", "day", events="liquidations")
    >>> async with (
    ...     cgrx.aio.replay("day") as feed,
    ...     cgrx.aio.stream(feed.liquidations()) as events,
    ... ):
    ...     print([each.volume_usd async for each in events])
    [5000.0]
"""

record = held(_record, "recorder")
"""`cgrx.record` for asyncio: `async with cgrx.aio.record(feed, "day", channels=[...]) as recorder: ...`.

Gives a `cgrx.Recorder`.

Examples:
    >>> import msgspec, pathlib
    >>> _ = pathlib.Path("day.jsonl").write_bytes(
    ...     msgspec.json.encode(liquidation("long", 5_000.0, time="1s"))
    ... )
    >>> _ = cgrx.import_jsonl("day.jsonl", "day", events="liquidations")
    >>> async with (
    ...     cgrx.aio.replay("day") as feed,
    ...     cgrx.aio.record(feed, "copy", channels=["liquidationOrders"]),
    ... ):
    ...     await feed.run()
    >>> cgrx.Recording("copy").events
    1
"""

publish = held(_publish, "sink")
"""`cgrx.publish` for asyncio: `async with cgrx.aio.publish(feed, channels, "kafka://HOST:9092/TOPIC") as sink: ...`.

Gives a `cgrx.sinks.Sink`.

Examples:
    >>> async with cgrx.aio.connect() as feed:  # doctest: +SKIP
    ...     async with cgrx.aio.publish(
    ...         feed, ["liquidationOrders"], "kafka://broker:9092/signals"
    ...     ):
    ...         await feed.run()

    What stands on the topic:

    >>> cgrx.Record("liquidationOrders", "a1", 0, 5, cgrx.Alive("cgrx", 5)).encode()
    b'[1,"a1",0,5,"a",["cgrx",5]]'
"""

consume = held(_consume, "feed")
"""`cgrx.consume` for asyncio: `async with cgrx.aio.consume("kafka://HOST:9092/TOPIC") as feed: ...`.

Gives a `cgrx.LogFeed`.

Examples:
    >>> async with cgrx.aio.consume(
    ...     "kafka://127.0.0.1:9/signals", connect_timeout=0.1
    ... ) as feed:
    ...     await feed.run()
    Traceback (most recent call last):
        ...
    cgrx._model.errors.ConnectError: no connection within 0.1 s (...
"""


def stream(
    observable: Observable[T],
    *,
    buffer: float = 1024,
    overflow: Overflow = "error",
    key: Callable[[T], Hashable] = instrument,
    block_timeout: Duration = "30s",
) -> AbstractAsyncContextManager[EventIterator[T]]:
    """Iterate over an observable in a task of asyncio; arguments, policies and accounts are those of `cgrx.stream`.

    There is no other queue than its own: an event is handed from it to the task that awaits it.

    Raises:
        ValueError: as `cgrx.stream`.
        NotInAsyncioError: no asyncio loop runs here.

    Examples:
        >>> import msgspec, pathlib
        >>> events = [
        ...     liquidation("long", 5_000.0, time="1s"),
        ...     liquidation("short", 300.0, time="2s"),
        ... ]
        >>> _ = pathlib.Path("day.jsonl").write_bytes(
        ...     msgspec.json.Encoder().encode_lines(events)
        ... )
        >>> _ = cgrx.import_jsonl("day.jsonl", "day", events="liquidations")
        >>> async with cgrx.aio.replay("day") as feed:
        ...     async with cgrx.aio.stream(
        ...         feed.liquidations().pipe(ops.side("short"))
        ...     ) as events:
        ...         print([each.volume_usd async for each in events])
        [300.0]
    """
    parking = AsyncioParking(require_asyncio("cgrx.aio.stream()"))
    inbox = inbox_for(observable, parking, buffer, overflow, key, block_timeout)
    return ToEnter(subscribed(observable, inbox, parking), "cgrx.aio.stream()", "events")


def from_async(source: AsyncIterable[T] | Callable[[], AsyncIterable[T]]) -> Observable[T]:
    """An observable of what an async iterable of asyncio gives; otherwise as `cgrx.from_async`.

    Each subscription iterates in a task of asyncio, which ends with the feed whose scheduler it is made with.

    Examples:
        >>> async def prices():
        ...     for price in (60_000.0, 60_100.0):
        ...         yield price
        >>> import msgspec, pathlib
        >>> _ = pathlib.Path("day.jsonl").write_bytes(
        ...     msgspec.json.encode(liquidation("long", 5_000.0, time="1s"))
        ... )
        >>> _ = cgrx.import_jsonl("day.jsonl", "day", events="liquidations")
        >>> async with cgrx.aio.replay("day") as feed:
        ...     _ = cgrx.aio.from_async(prices).subscribe(
        ...         print, scheduler=feed.scheduler
        ...     )
        ...     await feed.run()
        60000.0
        60100.0
    """
    return pushed_by(push, source)
