"""The bounded buffers between an observable and a consumer that may be slow: one for each overflow policy.

At every moment received = delivered + dropped + queued. A buffer knows no event loop: consumers wait in a `Lot`, of
which trio, asyncio and threads each have their own.
"""

from collections import OrderedDict, deque
from collections.abc import Callable, Hashable
from typing import Generic, Protocol, TypeVar

import attrs
from reactivex.disposable import SerialDisposable, SingleAssignmentDisposable

from cgrx._model.signals import Batch, Signal
from cgrx._model.use_errors import BackpressureError, BufferOverflowError
from cgrx._streams.runtime import Runtime

T = TypeVar("T")


@attrs.frozen
class StreamStats:
    """Counters of a `stream`, in events; `received == delivered + dropped + queued`.

    Examples:
        >>> from cgrx.testing import Simulator
        >>> async with Simulator([liquidation("long", 5_000.0)]) as simulator:
        ...     async with cgrx.connect(
        ...         url=simulator.url, api_key="made-up-key"
        ...     ) as feed:
        ...         async with cgrx.stream(feed.liquidations()) as events:
        ...             event = await anext(events)
        ...             print(events.stats)
        StreamStats(received=1, delivered=1, dropped=0, queued=0)
    """

    received: int
    delivered: int
    dropped: int
    queued: int


class Lot(Protocol):
    """Where consumers wait for events, with the methods of `trio.lowlevel.ParkingLot`; it is true while one waits."""

    def __bool__(self) -> bool: ...

    def unpark(self, *, count: int) -> object:
        """Wake this many consumers, the one that has waited longest first."""
        ...

    def unpark_all(self) -> object:
        """Wake them all."""
        ...


class Inbox(Generic[T]):
    """An observer of signals that queues events for a consumer. This class fails when full; subclasses do otherwise."""

    def __init__(self, lot: Lot, buffer: float) -> None:
        self._waiting = lot
        self._buffer = buffer
        self._queue: deque[T] = deque()
        self._received = 0
        self._dropped = 0
        self._delivered = 0
        self._ended = False
        self._error: Exception | None = None
        self.subscription = SingleAssignmentDisposable()

    # As an observer

    def on_signal(self, signal: Signal[T]) -> None:
        if isinstance(signal, Batch) and not self._ended:
            self._received += len(signal.events)
            self._put(signal.events)
            if self._waiting:
                self._waiting.unpark(count=self.queued)

    def on_error(self, error: Exception) -> None:
        self._end(error)

    def on_completed(self) -> None:
        self._end(None)

    def _put(self, events: tuple[T, ...]) -> None:
        room = self._room()
        self._queue.extend(events[:room])
        if len(events) > room:
            self._drop(len(events) - room)
            self._end(BufferOverflowError(self._buffer, len(events) - room))

    def _room(self) -> int:
        return int(min(max(self._buffer - len(self._queue), 0), 2**62))

    def _drop(self, count: int) -> None:
        self._dropped += count

    def _end(self, error: Exception | None) -> None:
        if not self._ended:
            self._ended = True
            self._error = error
            self.subscription.dispose()
            self._waiting.unpark_all()

    # As a queue

    @property
    def queued(self) -> int:
        return len(self._queue)

    def stats(self) -> StreamStats:
        return StreamStats(self._received, self._delivered, self._dropped, self.queued)

    def take(self) -> T:
        """The next event; there must be one."""
        event = self._queue.popleft()
        self._delivered += 1
        return event

    def take_all(self) -> list[T]:
        """Everything that is queued."""
        events = list(self._queue)
        self._queue.clear()
        self._delivered += len(events)
        return events

    def at_hand(self) -> bool:
        """Whether there are events to take.

        Raises:
            StopAsyncIteration: there are none and will be none, for the observable has completed.
            Exception: what it failed with, likewise.
        """
        if self.queued:
            return True
        if self._error is not None:
            raise self._error
        if self._ended:
            raise StopAsyncIteration
        return False

    def close(self) -> None:
        """Let go of the observable."""
        self._end(None)


class DropNewest(Inbox[T]):
    """When full, drops the event that comes."""

    def _put(self, events: tuple[T, ...]) -> None:
        room = self._room()
        self._queue.extend(events[:room])
        self._drop(max(len(events) - room, 0))


class DropOldest(Inbox[T]):
    """When full, drops the event that has waited longest."""

    def _put(self, events: tuple[T, ...]) -> None:
        self._queue.extend(events)
        while len(self._queue) > self._buffer:
            self._queue.popleft()
            self._drop(1)


class Latest(Inbox[T]):
    """Keeps the latest event of each key, in the order in which the keys came; when full, drops that of the oldest."""

    def __init__(self, lot: Lot, buffer: float, key: Callable[[T], Hashable]) -> None:
        super().__init__(lot, buffer)
        self._key = key
        self._latest: OrderedDict[Hashable, T] = OrderedDict()

    def _put(self, events: tuple[T, ...]) -> None:
        for index, event in enumerate(events):
            try:
                key = self._key(event)
            except Exception as error:  # noqa: BLE001 - the user's function: it ends the iteration
                self._drop(len(events) - index)
                self._end(error)
                return
            if key in self._latest:
                self._drop(1)
            elif len(self._latest) >= self._buffer:
                self._latest.popitem(last=False)
                self._drop(1)
            self._latest[key] = event

    @property
    def queued(self) -> int:
        return len(self._latest)

    def take(self) -> T:
        _, event = self._latest.popitem(last=False)
        self._delivered += 1
        return event

    def take_all(self) -> list[T]:
        events = list(self._latest.values())
        self._latest.clear()
        self._delivered += len(events)
        return events


class Block(Inbox[T]):
    """When full, stops the feed from reading until there is room again.

    All events that one read of the socket brought are taken, so the queue may exceed the bound by those.
    """

    def __init__(self, lot: Lot, buffer: float, runtime: Runtime, timeout_s: float) -> None:
        super().__init__(lot, buffer)
        self._runtime = runtime
        self._timeout_s = timeout_s
        self._holding = False
        self._timer = SerialDisposable()

    def _put(self, events: tuple[T, ...]) -> None:
        self._queue.extend(events)
        if len(self._queue) >= self._buffer and not self._holding:
            self._holding = True
            self._runtime.hold()
            if self._timeout_s != float("inf"):
                self._timer.disposable = self._runtime.after(self._timeout_s, self._on_timeout)

    def _on_timeout(self) -> None:
        self._end(BackpressureError(self._timeout_s))

    def take(self) -> T:
        event = super().take()
        self._release_if_room()
        return event

    def take_all(self) -> list[T]:
        events = super().take_all()
        self._release_if_room()
        return events

    def _release_if_room(self) -> None:
        if self._holding and (len(self._queue) < self._buffer or self._ended):
            self._holding = False
            self._timer.disposable = None
            self._runtime.release()

    def _end(self, error: Exception | None) -> None:
        super()._end(error)
        self._release_if_room()
