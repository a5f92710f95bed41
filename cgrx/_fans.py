"""Many to one and one to many, on signals: what `merge` and `share` are made of."""

from collections.abc import Callable
from typing import Generic, TypeVar

import attrs
from reactivex.disposable import Disposable

from cgrx._channels import Channel
from cgrx._observers import InTurn, SignalObserver
from cgrx._signals import Alive, Batch, Gap, Signal, Watermark, mark_ms

T = TypeVar("T")


@attrs.define(eq=False)
class _Input:
    """What one input of a union has said so far."""

    alive_ms: dict[str, int] = attrs.field(factory=dict[str, int])
    watermark_ms: int | None = None


class FanIn(Generic[T]):
    """The union of several inputs in order of arrival.

    A mark that speaks for all that came before it holds for the union when every input concerned has given it:
    `Alive` every input of its origin, `Watermark` every input there is. So one connection's proof counts once, and
    never before the slowest path. Completes when all inputs have; the first error ends it.
    """

    def __init__(self, observer: SignalObserver[T], inputs: int) -> None:
        self._observer = InTurn(observer)
        self._inputs = {index: _Input() for index in range(inputs)}
        self._alive_ms: dict[str, int] = {}
        self._watermark_ms: int | None = None

    def input(self, index: int) -> SignalObserver[T]:
        """The observer for one of the inputs."""
        return _FanInInput(self, index)

    def on_signal(self, index: int, signal: Signal[T]) -> None:
        state = self._inputs[index]
        if isinstance(signal, Alive):
            state.alive_ms[signal.origin] = max(signal.at_ms, state.alive_ms.get(signal.origin, 0))
            self._advance_alive(signal.origin)
        elif isinstance(signal, Watermark):
            state.watermark_ms = signal.time_ms
            self._advance_watermark()
        else:
            self._observer.on_signal(signal)

    def on_error(self, error: Exception) -> None:
        self._observer.on_error(error)

    def on_completed(self, index: int) -> None:
        del self._inputs[index]
        if not self._inputs:
            self._observer.on_completed()
            return
        for origin in self._alive_ms:  # the one that ended may have been the slowest
            self._advance_alive(origin)
        self._advance_watermark()

    def _advance_alive(self, origin: str) -> None:
        times = [state.alive_ms[origin] for state in self._inputs.values() if origin in state.alive_ms]
        if times and min(times) > self._alive_ms.get(origin, -1):
            self._alive_ms[origin] = min(times)
            self._observer.on_signal(Alive(origin, min(times)))

    def _advance_watermark(self) -> None:
        times = [state.watermark_ms for state in self._inputs.values()]
        known = [time_ms for time_ms in times if time_ms is not None]
        if len(known) == len(times) and (self._watermark_ms is None or min(known) > self._watermark_ms):
            self._watermark_ms = min(known)
            self._observer.on_signal(Watermark(self._watermark_ms))


@attrs.frozen
class _FanInInput(Generic[T]):
    fan: FanIn[T]
    index: int

    def on_signal(self, signal: Signal[T]) -> None:
        self.fan.on_signal(self.index, signal)

    def on_error(self, error: Exception) -> None:
        self.fan.on_error(error)

    def on_completed(self) -> None:
        self.fan.on_completed(self.index)


class FanOut(Generic[T]):
    """One source, many observers. Each signal reaches all who were there when it came, whatever one of them does.

    Who joins later begins with a gap for each channel that has been running, since nothing before was seen.
    """

    def __init__(self) -> None:
        self._observers: tuple[SignalObserver[T], ...] = ()
        self._started: dict[Channel, None] = {}  # a set in order of appearance
        self._now_ms = 0

    def __len__(self) -> int:
        return len(self._observers)

    def add(self, observer: SignalObserver[T]) -> Disposable:
        """Add an observer; disposing removes it."""
        for channel in self._started:
            observer.on_signal(Gap(channel, 0, self._now_ms, "joined a shared stream"))
        self._observers = (*self._observers, observer)
        return Disposable(lambda: self._remove(observer))

    def on_signal(self, signal: Signal[T]) -> None:
        if isinstance(signal, Batch):
            self._now_ms = max(self._now_ms, signal.received_ms)
        else:
            self._now_ms = max(self._now_ms, mark_ms(signal))
            if isinstance(signal, Gap):
                self._started[signal.channel] = None
        self._each(lambda observer: observer.on_signal(signal))

    def on_error(self, error: Exception) -> None:
        self._each(lambda observer: observer.on_error(error))

    def on_completed(self) -> None:
        self._each(lambda observer: observer.on_completed())

    def _remove(self, observer: SignalObserver[T]) -> None:
        self._observers = tuple(each for each in self._observers if each is not observer)

    def _each(self, notify: Callable[[SignalObserver[T]], None]) -> None:
        first: Exception | None = None
        for observer in self._observers:
            try:
                notify(observer)
            except Exception as error:  # only without a runtime: raised again when everyone has been reached
                first = first or error
        if first is not None:
            raise first
