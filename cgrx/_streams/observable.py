"""Observables of a chain that began on a feed: what reactivex makes of a stream keeps the stream's runtime.

With the runtime, timed operators find the feed's scheduler without being told, no thread is ever started, and an
exception of a subscriber reaches the feed, however many operators stand between.
"""

import asyncio
from abc import abstractmethod
from collections.abc import Callable, Generator
from functools import partial
from threading import get_ident
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, cast

from reactivex import ConnectableObservable, Observable, abc, concat
from reactivex.operators import to_future
from reactivex.scheduler import (
    CurrentThreadScheduler,
    EventLoopScheduler,
    NewThreadScheduler,
    ThreadPoolScheduler,
    TimeoutScheduler,
)

from cgrx._model.use_errors import ThreadError
from cgrx._streams.runtime import Runtime
from cgrx._streams.subscriber import PLAIN, Subscriber

T_co = TypeVar("T_co", covariant=True)

_THREADED = (EventLoopScheduler, NewThreadScheduler, ThreadPoolScheduler, TimeoutScheduler)


class _Subscribed(abc.DisposableBase):
    """Ends a subscription, in the feed's thread. It needs no lock as reactivex's has: doing it twice does no harm."""

    def __init__(self, runtime: Runtime, made: abc.DisposableBase) -> None:
        self._runtime = runtime
        self._made: abc.DisposableBase | None = made

    def dispose(self) -> None:
        if self._made is not None:
            self._runtime.in_thread(self._made.dispose)
            self._made = None


class Chained(Observable[T_co]):
    """An observable that keeps the runtime of the feed that its chain began on; without one it is plain Rx."""

    def __init__(self, runtime: Runtime | None) -> None:
        super().__init__()
        self.runtime = runtime

    if TYPE_CHECKING:
        pass  # the type of `pipe` is reactivex's overloads
    else:

        def pipe(self, *operators):
            """Apply operators, reactivex's and cgrx's, left to right.

            As long as only cgrx stages are used the result is an `EventStream`, else an `Observable` that still runs
            its timed operators on the feed's scheduler.
            """
            result = self
            for operator in operators:
                result = operator(result)
                if self.runtime is not None:
                    result = _chained(result, self.runtime)
            return result

    def __add__(self, other: Observable[T_co]) -> Observable[T_co]:
        return self.pipe(lambda source: concat(source, other))

    def __iadd__(self, other: Observable[T_co]) -> Observable[T_co]:
        return self + other

    def subscribe(
        self,
        on_next: abc.ObserverBase[T_co] | Callable[[T_co], object] | None = None,
        on_error: Callable[[Exception], object] | None = None,
        on_completed: Callable[[], object] | None = None,
        *,
        scheduler: abc.SchedulerBase | None = None,
    ) -> abc.DisposableBase:
        """Subscribe to single events, in the feed's thread.

        Args:
            on_next: called with each event, or an observer. Not an async function. What a callback returns is ignored.
            on_error: called with the error that ends the stream. Without it an error of the feed's own goes to its
                status, any other to the feed as if the subscriber had raised it.
            on_completed: called when the stream ends.
            scheduler: for timed operators; the feed's own by default.

        Returns:
            What ends the subscription when disposed.

        Raises:
            TypeError: a callback is an async function.
            ThreadError: called in another thread than the feed's, or with a scheduler that starts threads.
        """
        runtime = self.runtime
        if runtime is None:
            return self._subscribe_here(on_next, on_error, on_completed, scheduler)
        chosen = scheduler_of(runtime, scheduler)
        made = runtime.in_thread(lambda: self._subscribe_here(on_next, on_error, on_completed, chosen))
        return _Subscribed(runtime, made)

    def _subscribe_here(
        self,
        on_next: abc.ObserverBase[T_co] | Callable[[T_co], object] | None,
        on_error: Callable[[Exception], object] | None,
        on_completed: Callable[[], object] | None,
        scheduler: abc.SchedulerBase | None,
    ) -> abc.DisposableBase:
        runtime = self.runtime
        first: Any = on_next  # an observer, or anything with its methods, as in reactivex
        if not isinstance(first, PLAIN) and hasattr(first, "on_next"):
            first, on_error, on_completed = first.on_next, first.on_error, first.on_completed
        subscriber: Subscriber[T_co] = Subscriber(runtime, first, on_error, on_completed)
        # As in reactivex: the outermost subscribe sets the trampoline up, so that a source which emits while it is
        # subscribed to can be disposed by what it emits. It costs as much as all else here, and a running source needs
        # none.
        trampoline = None if self._is_running else CurrentThreadScheduler.singleton()
        if trampoline is not None and trampoline.schedule_required():
            trampoline.schedule(partial(self._connect_here, subscriber, scheduler))
        else:
            self._connect_here(subscriber, scheduler)
        return subscriber

    def _connect_here(self, subscriber: Subscriber[T_co], scheduler: abc.SchedulerBase | None, *_: object) -> None:
        subscriber.connected(self._attach(subscriber, scheduler))

    @property
    def _is_running(self) -> bool:
        """Whether its source runs already, or by itself, so that one more subscription makes it emit nothing."""
        return False

    @abstractmethod
    def _attach(self, subscriber: Subscriber[T_co], scheduler: abc.SchedulerBase | None) -> abc.DisposableBase:
        """Connect the end of a subscription to its source."""

    def run(self, scheduler: abc.SchedulerBase | None = None) -> NoReturn:
        """Not available: it would block the event loop. Use `cgrx.stream`."""
        raise TypeError("run() blocks the thread of the event loop: use `async with cgrx.stream(observable)`")

    # Behind the back of the checkers, which refuse to iterate over what has no such methods: Python refuses it too, but
    # without a way out. Without `__iter__`, reactivex's `__getitem__` would give observables for ever.
    if not TYPE_CHECKING:

        def __aiter__(self):
            raise TypeError(
                "an observable cannot be iterated over: use"
                " `async with cgrx.stream(observable) as events: async for event in events: ...`"
            )

        __iter__ = __aiter__

    def __await__(self) -> Generator[Any, None, T_co]:
        """The last event, for a task of asyncio as in reactivex, on the feed's scheduler. On trio it cannot be awaited.

        Raises:
            SequenceContainsNoElementsError: the observable completes without an event.
            ThreadError: it comes from a feed of another thread.
            TypeError: awaited on trio.
        """
        if not in_asyncio_task():
            raise TypeError("an observable cannot be awaited on trio: use `async with cgrx.stream(observable)`")
        require_here(self.runtime)
        last: asyncio.Future[T_co] = self.pipe(to_future())
        return last.__await__()


def in_asyncio_task() -> bool:
    """Whether a task of asyncio runs here. A trio task has none, also where trio is a guest of asyncio's loop."""
    try:
        return asyncio.current_task() is not None
    except RuntimeError:  # no loop of asyncio runs in this thread
        return False


def require_here(runtime: Runtime | None) -> None:
    """Refuse a feed of another thread where a task waits for what it gives: it cannot be woken from there.

    Raises:
        ThreadError: the feed is in another thread, which may well take calls.
    """
    if runtime is not None and runtime.in_thread(get_ident) != get_ident():
        raise ThreadError(
            "a feed of cgrx.sync gives its events in another thread: iterate with cgrx.sync.stream, record with"
            " cgrx.sync.record"
        )


def scheduler_of(runtime: Runtime, given: abc.SchedulerBase | None) -> abc.SchedulerBase:
    """The scheduler of a subscription; by default the runtime's own.

    Raises:
        ThreadError: the one that is given would start a thread.
    """
    own = runtime.scheduler
    if given is None or given is own:
        return own
    if isinstance(given, _THREADED):
        raise ThreadError(
            f"{type(given).__name__} would run a feed's events in another thread: apply timed operators with"
            " `stream.pipe(...)`, or pass scheduler=feed.scheduler"
        )
    return given


class Foreign(Chained[T_co]):
    """What a reactivex operator made of a feed's stream."""

    def __init__(self, source: Observable[T_co], runtime: Runtime) -> None:
        super().__init__(runtime)
        self._source = source
        self.lock = source.lock

    def _attach(self, subscriber: Subscriber[T_co], scheduler: abc.SchedulerBase | None) -> abc.DisposableBase:
        return self._source.subscribe(subscriber, scheduler=scheduler)


class ForeignConnectable(Foreign[Any], ConnectableObservable[Any]):
    """What `publish`, `replay` or `multicast` made of a feed's stream."""

    def __init__(self, made: ConnectableObservable[Any], runtime: Runtime) -> None:
        # Its type parameter is unknown in the call of an unbound method.
        ConnectableObservable.__init__(self, made.source, made.subject)  # pyright: ignore[reportUnknownMemberType]
        self.runtime = self._runtime = runtime
        self._source = made

    def auto_connect(self, subscriber_count: int = 1) -> Observable[Any]:
        return Foreign(super().auto_connect(subscriber_count), self._runtime)


def _chained(result: Any, runtime: Runtime) -> Any:
    """Wrap a foreign observable, so that it keeps the runtime; return anything else unchanged."""
    kind = cast("type[object]", type(result))
    if issubclass(kind, Chained):
        return result
    if issubclass(kind, ConnectableObservable):
        return ForeignConnectable(result, runtime)
    return Foreign(result, runtime) if kind is Observable else result
