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
"""

replay = held(_replay, "feed")
"""`cgrx.replay` for asyncio: `async with cgrx.aio.replay("recording") as feed: ...`. Gives a `cgrx.Replay`."""

record = held(_record, "recorder")
"""`cgrx.record` for asyncio: `async with cgrx.aio.record(feed, "day", channels=[...]) as recorder: ...`.

Gives a `cgrx.Recorder`.
"""

publish = held(_publish, "sink")
"""`cgrx.publish` for asyncio: `async with cgrx.aio.publish(feed, channels, "kafka://HOST:9092/TOPIC") as sink: ...`.

Gives a `cgrx.sinks.Sink`.
"""

consume = held(_consume, "feed")
"""`cgrx.consume` for asyncio: `async with cgrx.aio.consume("kafka://HOST:9092/TOPIC") as feed: ...`.

Gives a `cgrx.LogFeed`.
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
    """
    parking = AsyncioParking(require_asyncio("cgrx.aio.stream()"))
    inbox = inbox_for(observable, parking, buffer, overflow, key, block_timeout)
    return ToEnter(subscribed(observable, inbox, parking), "cgrx.aio.stream()", "events")


def from_async(source: AsyncIterable[T] | Callable[[], AsyncIterable[T]]) -> Observable[T]:
    """An observable of what an async iterable of asyncio gives; otherwise as `cgrx.from_async`.

    Each subscription iterates in a task of asyncio, which ends with the feed whose scheduler it is made with.
    """
    return pushed_by(push, source)
