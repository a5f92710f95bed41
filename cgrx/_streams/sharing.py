"""One stream to many subscribers: what `share` is made of."""

from collections.abc import Callable
from typing import Generic, TypeVar, cast

import attrs
from reactivex import abc
from reactivex.disposable import SingleAssignmentDisposable

from cgrx._model.channels import Channel
from cgrx._model.signals import Batch, Gap, Signal, mark_ms
from cgrx._streams.keeping import keep
from cgrx._streams.observers import SignalObserver, SignalSource

T = TypeVar("T")


@attrs.define(eq=False)
class Seat(Generic[T]):
    """One of many observers of a source."""

    observer: SignalObserver[T]
    taken: bool = True
    """Whether it still listens. It may leave while a signal is on its way through the others."""


@attrs.define(eq=False)
class _SeatOf(Seat[T], abc.DisposableBase):
    """A seat of a fan; disposing it removes the observer."""

    fan: "FanOut[T]" = attrs.field(kw_only=True)

    def dispose(self) -> None:
        if self.taken:
            self.taken = False
            self.fan.leave(self)


class Shared(Generic[T]):
    """One subscription to a source for many observers, made with the first and disposed with the last."""

    def __init__(self, source: SignalSource[T]) -> None:
        self.source = source
        self._fan: FanOut[T] | None = None

    @property
    def running(self) -> bool:
        """Whether there is a subscription to the source already, so that one more makes it emit nothing."""
        return self._fan is not None and not self._fan.closed

    def __call__(self, observer: SignalObserver[T], scheduler: abc.SchedulerBase | None) -> abc.DisposableBase:
        if self._fan is not None and not self._fan.closed:
            return self._fan.add(observer)
        fan: FanOut[T] = FanOut()
        self._fan = fan
        seat = fan.add(observer)
        try:
            fan.connection.disposable = self.source.subscribe_signals(fan, scheduler=scheduler)
        except Exception:  # a stage that does not start: the next subscriber tries again
            fan.close()
            raise
        return seat


class FanOut(Generic[T]):
    """One source, many observers. Each signal reaches every observer that was there when it came, also if one raises.

    An observer that joins later first gets a gap for each channel that is already running: it saw nothing of it before.
    """

    def __init__(self) -> None:
        self._seats: dict[Seat[T], None] = {}  # a set in order
        self._present: tuple[Seat[T], ...] | None = None  # the same, for the next signal; None: somebody came or left
        self._started: dict[Channel | None, None] = {}  # a set in order of appearance
        self._now_ms = 0
        self.closed = False
        """Whether the source has ended or the last observer has left."""
        self.connection = SingleAssignmentDisposable()
        """The subscription to the source."""
        keep(self)

    def state(self) -> object:
        return self.closed, self._now_ms, self._started

    def take_up(self, state: object) -> None:
        self.closed, self._now_ms, self._started = cast("tuple[bool, int, dict[Channel | None, None]]", state)

    @property
    def heard(self) -> bool:
        """Whether there are observers."""
        return bool(self._seats)

    def add(self, observer: SignalObserver[T]) -> abc.DisposableBase:
        """Add an observer; disposing removes it."""
        for channel in self._started:
            observer.on_signal(Gap(channel, 0, self._now_ms, "joined a shared stream"))
        seat = _SeatOf(observer, fan=self)
        self._seats[seat] = None
        self._present = None
        return seat

    def leave(self, seat: Seat[T]) -> None:
        """An observer has left."""
        del self._seats[seat]
        self._present = None
        if not self._seats:
            self.close()

    def close(self) -> None:
        """Let go of the source."""
        self.closed = True
        self.connection.dispose()

    def on_signal(self, signal: Signal[T]) -> None:
        if isinstance(signal, Batch):
            if signal.received_ms > self._now_ms:
                self._now_ms = signal.received_ms
        else:
            self._now_ms = max(self._now_ms, mark_ms(signal))
            if isinstance(signal, Gap):
                self._started[signal.channel] = None
        raised: Exception | None = None
        for seat in self._present or self._call():  # `_each`, without a call for each
            if seat.taken:
                try:
                    seat.observer.on_signal(signal)
                except Exception as error:  # noqa: BLE001 - as there
                    raised = raised or error
        if raised is not None:
            raise raised

    def on_error(self, error: Exception) -> None:
        self.close()
        self._each(lambda observer: observer.on_error(error))

    def on_completed(self) -> None:
        self.close()
        self._each(lambda observer: observer.on_completed())

    def _call(self) -> tuple[Seat[T], ...]:
        self._present = tuple(self._seats)
        return self._present

    def _each(self, notify: Callable[[SignalObserver[T]], None]) -> None:
        raised: Exception | None = None
        for seat in self._call():
            if not seat.taken:
                continue
            try:
                notify(seat.observer)
            except Exception as error:  # noqa: BLE001 - without a runtime; raised again when all are reached
                raised = raised or error
        if raised is not None:
            raise raised
