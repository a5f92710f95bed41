"""`cgrx.sync.stream`: a thread iterates over what is received in another one.

The iterating thread takes its events out of the one buffer that its policy fills; a lock stands around that.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Generic, TypeVar

import attrs
from reactivex import Observable

from cgrx._model.limits import INTERRUPT_S
from cgrx._model.signals import Signal
from cgrx._model.times import Duration, to_seconds
from cgrx._streams.observable import Chained
from cgrx._streams.runtime import Runtime
from cgrx._streams.stream import as_stream
from cgrx._trio.buffers import Inbox, StreamStats

T = TypeVar("T")


class BlockingIterator(Iterator[T], Generic[T]):
    """The events of an observable for `for`, until it completes or fails. `cgrx.sync.stream` makes it.

    Iteration raises what the observable failed with, behind everything that is still queued. Several threads may
    iterate: each event goes to one of them, and all of them see the end.

    Examples:
        >>> import msgspec, pathlib
        >>> _ = pathlib.Path("day.jsonl").write_bytes(
        ...     msgspec.json.encode(liquidation("long", 5_000.0, time="1s"))
        ... )
        >>> _ = cgrx.import_jsonl("day.jsonl", "day", events="liquidations")
        >>> with (
        ...     cgrx.sync.replay("day") as feed,
        ...     cgrx.sync.stream(feed.liquidations()) as events,
        ... ):
        ...     event = next(events)
        ...     print(event.volume_usd, events.stats.dropped)
        5000.0 0
    """

    def __init__(self, inbox: Inbox[T], waiting: "Waiting", runtime: Runtime | None, timeout_s: float) -> None:
        self._inbox = inbox
        self._waiting = waiting
        self._runtime = runtime
        self._timeout_s = timeout_s

    @property
    def stats(self) -> StreamStats:
        """A snapshot of the counters."""
        with self._waiting.lock:
            return self._inbox.stats()

    def __next__(self) -> T:
        self._begin()
        with self._waiting.lock:
            self._wait()
            return self._inbox.take()

    def batches(self) -> Iterator[list[T]]:
        """Everything that is queued, again and again: cheaper than one event at a time."""
        return _Batches(self)

    def take_all(self) -> list[T]:
        """Wait until an event is queued, and take all that are.

        Raises:
            StopIteration: the observable has completed, and everything has been taken.
            TimeoutError: no event came within the time-out of the stream.
        """
        self._begin()
        with self._waiting.lock:
            self._wait()
            return self._inbox.take_all()

    def _begin(self) -> None:
        if self._runtime is not None:
            self._runtime.in_thread(self._runtime.begin)
            self._runtime = None

    def _wait(self) -> None:
        until = time.monotonic() + self._timeout_s
        try:
            while not self._inbox.at_hand():
                left_s = until - time.monotonic()
                if left_s <= 0:
                    raise TimeoutError(f"no event within {self._timeout_s:g} s")
                self._waiting.park(min(left_s, INTERRUPT_S))
        except StopAsyncIteration:
            raise StopIteration from None


@attrs.frozen
class _Batches(Iterator[list[T]], Generic[T]):
    """See `BlockingIterator.batches`."""

    events: BlockingIterator[T]

    def __next__(self) -> list[T]:
        return self.events.take_all()


class Waiting:
    """How threads wait for events: a `Lot` whose lock is held wherever the buffer is touched."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self.lock = self._changed
        self._count = 0

    def __bool__(self) -> bool:
        return self._count > 0

    def park(self, timeout_s: float) -> None:
        """Wait until woken, this many seconds at most."""
        self._count += 1
        try:
            self._changed.wait(timeout_s)
        finally:
            self._count -= 1

    def unpark(self, *, count: int) -> None:
        """Wake this many threads."""
        self._changed.notify(count)

    def unpark_all(self) -> None:
        """Wake all threads."""
        self._changed.notify_all()


@attrs.frozen(eq=False)
class _Guarded(Generic[T]):
    """The inbox as an observer in the feed's thread, behind the lock."""

    inbox: Inbox[T]
    lock: AbstractContextManager[object]

    def on_signal(self, signal: Signal[T]) -> None:
        with self.lock:
            self.inbox.on_signal(signal)

    def on_error(self, error: Exception) -> None:
        with self.lock:
            self.inbox.on_error(error)

    def on_completed(self) -> None:
        with self.lock:
            self.inbox.on_completed()


class Subscribed(AbstractContextManager[BlockingIterator[T]], Generic[T]):
    """Keeps an inbox subscribed to an observable around a body, which iterates."""

    def __init__(self, observable: Observable[T], inbox: Inbox[T], waiting: Waiting, timeout: Duration) -> None:
        self._observable = observable
        self._inbox = inbox
        self._waiting = waiting
        self._timeout_s = to_seconds(timeout, "timeout")
        self._runtime = observable.runtime if isinstance(observable, Chained) else None

    def __enter__(self) -> BlockingIterator[T]:
        observer = _Guarded(self._inbox, self._waiting.lock)
        self._inbox.subscription.disposable = as_stream(self._observable).subscribe_signals(observer)
        return BlockingIterator(self._inbox, self._waiting, self._runtime, self._timeout_s)

    def __exit__(self, *_: object) -> None:
        if self._runtime is None:
            self._close()
        else:
            self._runtime.in_thread(self._close)

    def _close(self) -> None:
        with self._waiting.lock:
            self._inbox.close()
