"""Many streams to one, in order of arrival: what `merge` is made of, and `merge_exchanges` up to the order."""

from collections import deque
from collections.abc import Callable
from typing import Any, Generic, TypeVar, cast

import attrs
from reactivex import abc
from reactivex.disposable import CompositeDisposable

from cgrx._model.signals import Alive, Batch, Dropped, Gap, Signal, Watermark
from cgrx._streams.keeping import gathered, keep, put_back
from cgrx._streams.observers import InTurn, SignalObserver

T = TypeVar("T")
X = TypeVar("X")


_RECENT = 64
"""How many of the latest losses a union remembers, to recognise those that come again by a second path."""


@attrs.define(eq=False)
class _Input:
    """What one input has told of itself: whether anything came of it, its proofs by origin, its watermark."""

    heard: bool = False
    alive_ms: dict[str, int] = attrs.field(factory=dict[str, int])
    watermark_ms: int | None = None


class FanIn(abc.DisposableBase, Generic[T]):
    """The union of several inputs in order of arrival.

    proofs     `Alive` goes on when every input of its origin has given it, a `Watermark` when every input has: the
               union has come as far as the slowest of them. One connection's proof thus counts once. An origin whose
               inputs have all ended is taken to be as alive as the others
    unheard    while an input has given nothing at all, a `Gap` without a channel goes out before whatever moves time
               on, because events of that input may be missing. Only once some input has given a mark: without marks
               nothing is known anyway
    losses     a `Gap` or `Dropped` that comes by several paths of one stream is the same object, and passes once

    Completes when all inputs have; the first error ends it.
    """

    def __init__(self, observer: SignalObserver[T], inputs: int) -> None:
        self.turns = InTurn(observer)
        self._inputs = {index: _Input() for index in range(inputs)}
        self.unheard = inputs
        self._marked = False
        self._unheard_ms = 0  # the end of the latest gap for the unheard inputs
        self._alive_ms: dict[str, int] = {}
        self._behind: dict[str, int] = {}  # how many inputs have proved no more: while there are, no proof goes on
        self._watermark_ms: int | None = None
        self._losses: deque[Gap | Dropped] = deque(maxlen=_RECENT)
        self.sources = CompositeDisposable()
        """The subscriptions to the inputs."""
        keep(self)

    def state(self) -> object:
        return self.turns.stopped, gathered(self, ("turns", "sources"))

    def take_up(self, state: object) -> None:
        stopped, held = cast("tuple[bool, dict[str, Any]]", state)
        put_back(self, held)
        if stopped:
            self.dispose()

    def dispose(self) -> None:
        self.turns.dispose()
        self.sources.dispose()

    def input(self, index: int) -> SignalObserver[T]:
        """The observer for one of the inputs."""
        return _FanInInput(self, index)

    def on_signal(self, index: int, signal: Signal[T]) -> None:
        if isinstance(signal, Batch):
            if self.unheard:
                self.hear_batch(index, signal)
            self.turns.on_signal(signal)
            return
        state = self._inputs[index]
        self._hear(state)
        self._marked = True
        match signal:
            case Alive(origin=origin, at_ms=at_ms):
                self._hear_alive(state.alive_ms, origin, at_ms)
            case Watermark(time_ms=time_ms):
                state.watermark_ms = max(time_ms, state.watermark_ms or 0)
                self._advance_watermark()
            case loss if not any(loss is known for known in self._losses):
                self._losses.append(loss)
                self.turns.on_signal(loss)
            case _:
                pass  # it came by another path before

    def hear_batch(self, index: int, batch: Batch[T]) -> None:
        """Note that an input gives events: to be called before they go on, as long as there are unheard ones."""
        self._hear(self._inputs[index])
        if self.unheard and self._marked and batch.channel is not None:  # without a channel nothing is known of gaps
            self._tell_unheard(batch.received_ms)

    def pass_on(self, index: int, notify: Callable[[X], None], what: X) -> None:
        """The same with what is no signal."""
        self._hear(self._inputs[index])
        self.turns.take(notify, what)

    def on_error(self, error: Exception) -> None:
        self.sources.dispose()
        self.turns.on_error(error)

    def on_completed(self, index: int) -> None:
        self._hear(self._inputs.pop(index))
        if not self._inputs:
            self.turns.on_completed()
            return
        for origin in tuple(self._alive_ms):  # the one that ended may have been the slowest
            self._advance_alive(origin)
        self._advance_watermark()

    def _hear(self, state: _Input) -> None:
        self.unheard -= not state.heard
        state.heard = True

    def _tell_unheard(self, time_ms: int) -> None:
        if self.unheard and time_ms > self._unheard_ms:
            since_ms, self._unheard_ms = self._unheard_ms, time_ms
            self.turns.on_signal(Gap(None, since_ms, time_ms, "a merged stream has said nothing yet"))

    def _hear_alive(self, alive_ms: dict[str, int], origin: str, at_ms: int) -> None:
        """Look at all inputs only when the last one that was behind has come up: each gives a proof a second."""
        before_ms, proved_ms = alive_ms.get(origin), self._alive_ms.get(origin, -1)
        alive_ms[origin] = max(at_ms, before_ms or 0)
        if before_ms is None:
            self._behind[origin] = self._behind.get(origin, 0) + (at_ms <= proved_ms)
        elif before_ms <= proved_ms < at_ms:
            self._behind[origin] -= 1
        if not self._behind[origin]:
            self._advance_alive(origin)

    def _advance_alive(self, origin: str) -> None:
        times = [state.alive_ms[origin] for state in self._inputs.values() if origin in state.alive_ms]
        proved_ms, slowest_ms = self._alive_ms.get(origin, -1), min(times, default=-1)
        self._behind[origin] = sum(time_ms <= max(proved_ms, slowest_ms) for time_ms in times)
        if slowest_ms > proved_ms:
            self._tell_unheard(slowest_ms)
            for each in self._find_ended():
                if self._alive_ms[each] < slowest_ms:
                    self._prove(each, slowest_ms)
            self._prove(origin, slowest_ms)

    def _prove(self, origin: str, at_ms: int) -> None:
        self._alive_ms[origin] = at_ms
        self.turns.on_signal(Alive(origin, at_ms))

    def _find_ended(self) -> list[str]:
        """The origins of which no input is left."""
        present = {origin for state in self._inputs.values() for origin in state.alive_ms}
        return [origin for origin in self._alive_ms if origin not in present]

    def _advance_watermark(self) -> None:
        times = [state.watermark_ms for state in self._inputs.values()]
        known = [time_ms for time_ms in times if time_ms is not None]
        if len(known) == len(times) and (self._watermark_ms is None or min(known) > self._watermark_ms):
            self._watermark_ms = min(known)
            self.turns.on_signal(Watermark(self._watermark_ms))


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
