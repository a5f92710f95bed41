"""What the tests of streams share: a hot source that is told what to say, and a feed's runtime that takes notes."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

import attrs
from reactivex import abc
from reactivex import operators as rx_ops
from reactivex.disposable import Disposable
from reactivex.scheduler import VirtualTimeScheduler

from cgrx import EventStream, Signal, Status, ThreadError
from cgrx._streams.observers import SignalObserver
from cgrx._streams.runtime import Runtime

T = TypeVar("T")


@attrs.define(eq=False)
class Notes:
    """A runtime that writes down what it is told. Its scheduler's time moves when `scheduler.advance_by` is called."""

    scheduler: VirtualTimeScheduler = attrs.field(factory=VirtualTimeScheduler)
    raised: list[Exception] = attrs.field(factory=list[Exception])
    unheard: list[Exception] = attrs.field(factory=list[Exception])
    told: list[Status] = attrs.field(factory=list[Status])
    waits: bool = False
    begins: int = 0
    holds: int = 0
    elsewhere: bool = False
    """Whether it is being used in another thread."""

    def in_thread(self, action: Callable[[], T]) -> T:
        if self.elsewhere:
            raise ThreadError("another thread")
        return action()

    def subscriber_raised(self, error: Exception) -> None:
        self.raised.append(error)

    def unhandled(self, error: Exception) -> None:
        self.unheard.append(error)

    def tell(self, make: Callable[[int], Status]) -> None:
        self.told.append(make(0))

    def begin(self) -> None:
        self.begins += 1

    def after(self, delay_s: float, action: Callable[[], None]) -> abc.DisposableBase:
        def act(*_: object) -> None:
            action()

        return self.scheduler.schedule_relative(delay_s, act)

    def hold(self) -> None:
        self.holds += 1

    def release(self) -> None:
        self.holds -= 1


class Hot(Generic[T]):
    """A source of signals as a feed's: each goes to all who are subscribed."""

    def __init__(self, runtime: Runtime | None = None, *event_types: type) -> None:
        self.observers: list[SignalObserver[T]] = []
        self.schedulers: list[abc.SchedulerBase | None] = []
        """Those of the subscriptions so far."""
        self.stream: EventStream[T] = EventStream(
            self._connect, event_types=frozenset(event_types) or None, runtime=runtime
        )

    def _connect(self, observer: SignalObserver[T], scheduler: abc.SchedulerBase | None) -> abc.DisposableBase:
        self.observers.append(observer)
        self.schedulers.append(scheduler)
        return Disposable(lambda: self.observers.remove(observer))

    @property
    def subscribers(self) -> int:
        return len(self.observers)

    def say(self, *signals: Signal[T]) -> None:
        for signal in signals:
            for observer in tuple(self.observers):
                observer.on_signal(signal)

    def fail(self, error: Exception) -> None:
        for observer in tuple(self.observers):
            observer.on_error(error)

    def complete(self) -> None:
        for observer in tuple(self.observers):
            observer.on_completed()


rx_any: Any = rx_ops
"""reactivex's operators where lambdas leave their types open."""


def notes_of(error: BaseException) -> list[str]:
    """The notes that were added to an exception."""
    return list(getattr(error, "__notes__", []))


def raising(error: Exception) -> Any:
    """A function that raises it, whatever it is called with."""

    def function(*_: object) -> Any:
        raise error

    return function
