"""Between observables and trio: `stream()` to iterate over one, `from_async()` to make one.

What differs in another event loop is how a task waits: `Parking`. What iterates is the same.
"""

from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Awaitable, Callable, Hashable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Generic, Protocol, TypeAlias, TypeVar

import attrs
import trio
from reactivex import Observable, abc

from cgrx._model.times import Duration
from cgrx._streams.observable import Chained, require_here
from cgrx._streams.runtime import Runtime
from cgrx._streams.stream import as_stream
from cgrx._trio.buffers import Inbox, Lot, StreamStats
from cgrx._trio.entering import ToEnter
from cgrx._trio.overflow import Overflow, inbox_for, instrument
from cgrx._trio.require import require_trio
from cgrx._trio.scheduler import TrioScheduler

T = TypeVar("T")

_TURN = 64
"""How many events are handed out before other tasks get a turn."""


class Parking(Lot, Protocol):
    """How the tasks of an event loop wait for events."""

    def park(self) -> Awaitable[object]:
        """Wait until woken."""
        ...

    def pause(self) -> Awaitable[object]:
        """Notice a cancellation."""
        ...

    def pass_turn(self) -> Awaitable[object]:
        """Notice a cancellation, and let other tasks run."""
        ...


class TrioParking:
    """How the tasks of trio wait."""

    def __init__(self) -> None:
        self._lot = trio.lowlevel.ParkingLot()
        self.park = self._lot.park
        self.unpark = self._lot.unpark
        self.unpark_all = self._lot.unpark_all
        self.pause = trio.lowlevel.checkpoint_if_cancelled
        self.pass_turn = trio.lowlevel.checkpoint

    def __bool__(self) -> bool:
        return bool(self._lot)


class EventIterator(AsyncIterator[T], Generic[T]):
    """The events of an observable for `async for`, until it completes or fails. `stream` makes it.

    Iteration raises what the observable failed with, behind everything that is still queued. Several tasks may iterate:
    each event goes to one of them, to whichever has waited longest, and all of them see the end.

    Examples:
        >>> from cgrx.testing import Simulator
        >>> async with Simulator([liquidation("long", 5_000.0)]) as simulator:
        ...     async with cgrx.connect(
        ...         url=simulator.url, api_key="made-up-key"
        ...     ) as feed:
        ...         async with cgrx.stream(
        ...             feed.liquidations(), buffer=1_000, overflow="drop_oldest"
        ...         ) as events:
        ...             event = await anext(events)
        ...             print(events.stats.received, events.stats.dropped)
        1 0
    """

    def __init__(self, inbox: Inbox[T], parking: Parking, runtime: Runtime | None) -> None:
        self._inbox = inbox
        self._parking = parking
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
            await self._parking.pass_turn()
        else:
            await self._parking.pause()
        while not self._inbox.at_hand():
            await self._parking.park()


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


def stream(
    observable: Observable[T],
    *,
    buffer: float = 1024,
    overflow: Overflow = "error",
    key: Callable[[T], Hashable] = instrument,
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

    Examples:
        >>> from cgrx.testing import Simulator
        >>> async with Simulator(
        ...     [liquidation("long", 5_000.0), liquidation("short", 300.0)]
        ... ) as simulator:
        ...     async with cgrx.connect(
        ...         url=simulator.url, api_key="made-up-key"
        ...     ) as feed:
        ...         async with cgrx.stream(
        ...             feed.liquidations().pipe(ops.side("short"))
        ...         ) as events:
        ...             async for event in events:
        ...                 print(event.volume_usd)
        ...                 break
        300.0
    """
    require_trio("stream()")
    parking = TrioParking()
    inbox = inbox_for(observable, parking, buffer, overflow, key, block_timeout)
    return ToEnter(subscribed(observable, inbox, parking), "cgrx.stream()", "events")


@asynccontextmanager
async def subscribed(
    observable: Observable[T], inbox: Inbox[T], parking: Parking
) -> AsyncGenerator[EventIterator[T], None]:
    """Keep the inbox subscribed to the observable around a body, which iterates."""
    runtime = observable.runtime if isinstance(observable, Chained) else None
    require_here(runtime)
    inbox.subscription.disposable = as_stream(observable).subscribe_signals(inbox)
    try:
        yield EventIterator(inbox, parking, runtime)
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

    Examples:
        >>> import trio.testing
        >>> async def prices():
        ...     for price in (60_000.0, 60_100.0):
        ...         yield price
        >>> async with cgrx.TrioScheduler() as scheduler:
        ...     subscription = cgrx.from_async(prices).subscribe(
        ...         print, scheduler=scheduler
        ...     )
        ...     await trio.testing.wait_all_tasks_blocked()
        60000.0
        60100.0
    """
    return pushed_by(_push, source)


Push: TypeAlias = Callable[[AsyncIterable[T], abc.ObserverBase[T]], Awaitable[None]]


def pushed_by(push: Push[T], source: AsyncIterable[T] | Callable[[], AsyncIterable[T]]) -> Observable[T]:
    """The observable of `from_async`; `push`, a function of trio, iterates for one subscription."""
    given: object = source
    if isinstance(given, Observable) or not (callable(given) or hasattr(given, "__aiter__")):
        raise TypeError(f"from_async({source!r}) takes an async iterable, or a function that returns one")

    def subscribe(observer: abc.ObserverBase[T], scheduler: abc.SchedulerBase | None = None) -> abc.DisposableBase:
        if not isinstance(scheduler, TrioScheduler):
            raise TypeError(f"from_async() runs on a TrioScheduler, not {scheduler!r}: subscribe(..., scheduler=...)")
        return scheduler.start_soon(push, source() if callable(source) else source, observer)

    return Observable(subscribe)


async def _push(source: AsyncIterable[T], observer: abc.ObserverBase[T]) -> None:
    iterator = aiter(source)
    try:
        await push_all(iterator, observer)
    finally:
        if isinstance(iterator, AsyncGenerator):
            with trio.CancelScope(shield=True):
                await iterator.aclose()


async def push_all(iterator: AsyncIterator[T], observer: abc.ObserverBase[T]) -> None:
    """Hand on what an async iterator gives, and how it ends. It knows no event loop."""
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
