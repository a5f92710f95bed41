"""Between observables and trio: `stream()` to iterate over one, `from_async()` to make one."""

import math
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Awaitable, Callable, Hashable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Generic, Literal, TypeVar, get_args

import attrs
import trio
from reactivex import Observable, abc

from cgrx._model.times import Duration, to_seconds
from cgrx._streams.observable import Chained
from cgrx._streams.runtime import Runtime
from cgrx._streams.stream import EventStream, as_stream
from cgrx._trio.buffers import Block, DropNewest, DropOldest, Inbox, Latest, StreamStats
from cgrx._trio.entering import ToEnter
from cgrx._trio.require import require_trio
from cgrx._trio.scheduler import TrioScheduler

T = TypeVar("T")

Overflow = Literal["error", "drop_oldest", "drop_newest", "latest", "block"]

_TURN = 64
"""How many events are handed out before other tasks get a turn."""


class EventIterator(AsyncIterator[T], Generic[T]):
    """The events of an observable for `async for`, until it completes or fails. `stream` makes it.

    Iteration raises what the observable failed with, behind everything that is still queued. Several tasks may iterate:
    each event goes to one of them, to whichever has waited longest, and all of them see the end.
    """

    def __init__(self, inbox: Inbox[T], runtime: Runtime | None) -> None:
        self._inbox = inbox
        self._runtime = runtime
        self._turn = 0

    @property
    def stats(self) -> StreamStats:
        """A snapshot of the counters."""
        return self._inbox.stats()

    async def __anext__(self) -> T:
        await self.wait()
        return self._inbox.take()

    def batches(self) -> AsyncIterator[list[T]]:
        """Everything that is queued, again and again: cheaper than one event at a time."""
        return _Batches(self.wait, self._inbox)

    async def wait(self) -> None:
        """Wait until an event is queued.

        None is taken before the last checkpoint of a wait, so that a cancellation loses none.

        Raises:
            StopAsyncIteration: the observable has completed, and everything has been taken.
        """
        if self._runtime is not None:
            self._runtime.begin()
            self._runtime = None
        self._turn = (self._turn + 1) % _TURN
        if self._turn == 0:
            await trio.lowlevel.checkpoint()
        else:
            await trio.lowlevel.checkpoint_if_cancelled()
        await self._inbox.wait()


@attrs.frozen
class _Batches(AsyncIterator[list[T]], Generic[T]):
    """See `EventIterator.batches`.

    A class, because an async generator that is not run to its end would be left to the collector.
    """

    wait: Callable[[], Awaitable[None]]
    inbox: Inbox[T]

    async def __anext__(self) -> list[T]:
        await self.wait()
        return self.inbox.take_all()


def _instrument(event: Any) -> Hashable:
    return (event.exchange, event.symbol)


def stream(
    observable: Observable[T],
    *,
    buffer: float = 1024,
    overflow: Overflow = "error",
    key: Callable[[T], Hashable] = _instrument,
    block_timeout: Duration = "30s",
) -> AbstractAsyncContextManager[EventIterator[T]]:
    """Iterate over an observable: `async with cgrx.stream(observable) as events: async for event in events: ...`.

    Subscribes on entering, disposes on leaving.

    Args:
        observable: any; marks are for stages and are left out.
        buffer: how many events may wait, at least 1; `math.inf` for no bound.
        overflow: what happens when more come: `"error"` ends the iteration with `BufferOverflowError` behind what is
            queued (a replay at full speed waits instead, as with `"block"`); `"drop_oldest"` and `"drop_newest"` count
            what they drop; `"latest"` keeps one event for each key; `"block"` stops the reading of the socket, and
            takes what one read brought whole, beyond the bound.
        key: for `"latest"`: what tells events apart; exchange and symbol by default.
        block_timeout: for `"block"`: after so long a stop the iteration ends with `BackpressureError`; `math.inf` to
            wait for ever.

    Returns:
        A context manager that gives an `EventIterator`: an async iterator with `stats` and `batches()`. When the
        observable completes the iteration ends, when it fails the iteration raises its error, both behind what is
        queued.

    Raises:
        ValueError: `buffer` below 1, an unknown policy, or `"block"` on what is not a feed's own stream.
        NotInTrioError: called outside trio.
    """
    require_trio("stream()")
    if math.isnan(buffer) or buffer < 1:
        raise ValueError(f"buffer={buffer!r} must be a number of events, at least 1 (math.inf: no bound)")
    opening = _subscribed(observable, _inbox(observable, buffer, overflow, key, block_timeout))
    return ToEnter(opening, "cgrx.stream()", "events")


def _inbox(
    observable: Observable[T], buffer: float, overflow: str, key: Callable[[T], Hashable], block_timeout: Duration
) -> Inbox[T]:
    timeout_s = to_seconds(block_timeout, "block_timeout")
    match overflow:
        case "error":
            runtime = observable.runtime if isinstance(observable, Chained) else None
            return Inbox(buffer) if runtime is None or not runtime.waits else Block(buffer, runtime, math.inf)
        case "drop_oldest":
            return DropOldest(buffer)
        case "drop_newest":
            return DropNewest(buffer)
        case "latest":
            return Latest(buffer, key)
        case "block":
            if not isinstance(observable, EventStream) or observable.runtime is None:
                raise ValueError(
                    'overflow="block" can only hold up a feed\'s own stream, not one behind a reactivex operator or'
                    " from elsewhere: choose another policy"
                )
            return Block(buffer, observable.runtime, timeout_s)
        case _:
            accepted = ", ".join(map(repr, get_args(Overflow)))
            raise ValueError(f"overflow={overflow!r} is none of {accepted}")


@asynccontextmanager
async def _subscribed(observable: Observable[T], inbox: Inbox[T]) -> AsyncGenerator[EventIterator[T], None]:
    inbox.subscription.disposable = as_stream(observable).subscribe_signals(inbox)
    try:
        yield EventIterator(inbox, observable.runtime if isinstance(observable, Chained) else None)
    finally:
        inbox.close()


def from_async(source: AsyncIterable[T] | Callable[[], AsyncIterable[T]]) -> Observable[T]:
    """An observable of what an async iterable gives.

    Each subscription iterates in a task of its own on the `TrioScheduler` that it is made with (`scheduler=` of
    `subscribe`, or the feed's in a chain that began on one); disposing cancels the task. Completes when the iterable
    ends; what it raises goes to `on_error`. No buffer: the iterable waits while subscribers work.

    Args:
        source: an async iterable, or a function that makes one for each subscription (an async generator can be
            iterated only once).

    Raises:
        TypeError: it is neither; on subscribing, there is no `TrioScheduler`.
    """
    given: object = source
    if isinstance(given, Observable) or not (callable(given) or hasattr(given, "__aiter__")):
        raise TypeError(f"from_async({source!r}) takes an async iterable, or a function that returns one")

    def subscribe(observer: abc.ObserverBase[T], scheduler: abc.SchedulerBase | None = None) -> abc.DisposableBase:
        if not isinstance(scheduler, TrioScheduler):
            raise TypeError(f"from_async() runs on a TrioScheduler, not {scheduler!r}: subscribe(..., scheduler=...)")
        return scheduler.start_soon(_push, source() if callable(source) else source, observer)

    return Observable(subscribe)


async def _push(source: AsyncIterable[T], observer: abc.ObserverBase[T]) -> None:
    iterator = aiter(source)
    try:
        while True:
            try:
                item = await anext(iterator)
            except StopAsyncIteration:
                break
            except Exception as error:  # noqa: BLE001 - the source's own: it is the observable's end
                observer.on_error(error)
                return
            observer.on_next(item)
        observer.on_completed()
    finally:
        if isinstance(iterator, AsyncGenerator):
            with trio.CancelScope(shield=True):
                await iterator.aclose()
