"""Stages in a row: their running forms as one, and a subscription through them."""

from collections.abc import Iterable
from typing import Any, Generic, Protocol, TypeVar, cast

from reactivex import abc
from reactivex.disposable import SingleAssignmentDisposable

from cgrx._model.signals import Batch, Signal
from cgrx._streams.counts import StageStats, Subscriptions
from cgrx._streams.keeping import keep
from cgrx._streams.observers import SignalObserver
from cgrx._streams.running import Elementwise, Produced, Running, delivered, noted

T = TypeVar("T")


class Startable(Protocol):
    """What `Chain` needs of a stage."""

    def start(self) -> Running[Any, Any]:
        """Its running form, with fresh state for one subscription."""
        ...

    def restore(self, state: object, /) -> Running[Any, Any]:
        """Its running form, with the state of another one."""
        ...


class Chain(Running[Any, Any]):
    """The running forms of stages in a row, neighbouring elementwise ones fused into one loop.

    Where a stage raises, what it gave before still goes through the stages behind it; where one of those raises too,
    its error comes earlier in the stream and is the one that counts.
    """

    def __init__(self, stages: Iterable[Startable]) -> None:
        links: list[tuple[Startable, Running[Any, Any]]] = []
        self._stages = tuple(stages)
        for stage in self._stages:
            running = stage.start()
            before = links[-1][1] if links else None
            if isinstance(before, Elementwise) and isinstance(running, Elementwise):
                links[-1] = (stage, running.behind(before))
            else:
                links.append((stage, running))
        self._links = links
        only = links[0][1] if len(links) == 1 else None
        self.produce = only.produce if isinstance(only, Elementwise) else self._produce
        """What `on_signal` gives, without a generator."""

    @property
    def stats(self) -> StageStats:
        return StageStats.together(running.stats for _, running in self._links)

    def state(self) -> object:
        """The states of its running forms, in order."""
        return [running.state() for _, running in self._links]

    def take_up(self, state: object) -> None:
        states = cast("list[object]", state)
        for index, ((stage, running), held) in enumerate(zip(self._links, states, strict=True)):
            if isinstance(running, Elementwise):
                running.take_up(held)
            else:
                self._links[index] = (stage, stage.restore(held))

    def __reduce_ex__(self, protocol: Any) -> str | tuple[Any, ...]:
        return _restored, (self._stages, self.state())

    def on_signal(self, signal: Signal[Any]) -> Iterable[Signal[Any]]:
        return delivered(self.produce(signal))

    def on_completed(self) -> Iterable[Signal[Any]]:
        return delivered(self.finish())

    def _produce(self, signal: Signal[Any]) -> Produced:
        return self._through((signal,), 0)

    def finish(self) -> Produced:
        """What `on_completed` gives: each stage ends behind what those before it gave at their end."""
        finished: list[Signal[Any]] = []
        for index, (stage, running) in enumerate(self._links):
            last: list[Signal[Any]] = []
            failure: Exception | None = None
            try:
                last.extend(running.on_completed())
            except Exception as error:  # noqa: BLE001 - handed on as the stream's
                failure = _noted(error, stage, None)
            signals, earlier = self._through(last, index + 1)
            finished.extend(signals)
            if earlier or failure:
                return finished, earlier or failure
        return finished, None

    def _through(self, signals: Iterable[Signal[Any]], start: int) -> Produced:
        """Send signals through the stages from `start` on."""
        failure: Exception | None = None
        for stage, running in self._links[start:]:
            produced: list[Signal[Any]] = []
            for signal in signals:
                if isinstance(running, Elementwise):
                    some, raised = running.produce(signal)
                    produced.extend(some)
                else:
                    raised = _extend(produced, running, stage, signal)
                if raised is not None:
                    failure = raised
                    break
            signals = produced
        return signals, failure


def _extend(
    produced: list[Signal[Any]], running: Running[Any, Any], stage: Startable, signal: Signal[Any]
) -> Exception | None:
    try:
        produced.extend(running.on_signal(signal))
    except Exception as error:  # noqa: BLE001 - handed on as the stream's
        return _noted(error, stage, signal)
    return None


def _restored(stages: tuple[Startable, ...], state: object) -> Chain:
    chain = Chain(stages)
    chain.take_up(state)
    return chain


def _noted(error: Exception, stage: Startable, signal: Signal[Any] | None) -> Exception:
    """The same where a stage handles whole batches: the event is known only where it came alone."""
    match signal:
        case None:
            cause = "at completion"
        case Batch(events=(event,)):
            return noted(error, stage, event)
        case Batch(events=(first, *_, last) as events):
            cause = f"by one of {len(events)} events, from {first!r} to {last!r}"
        case other:
            cause = f"by {other!r}"
    error.add_note(f"raised in {stage!r} {cause}")
    return error


class Link(abc.DisposableBase, Generic[T]):
    """One subscription through a fused chain of stages."""

    def __init__(
        self, stages: tuple[Startable, ...], observer: SignalObserver[T], subscriptions: Subscriptions
    ) -> None:
        self.stages = stages
        chain = self._chain = Chain(stages)
        self._subscriptions = subscriptions
        subscriptions.begin(chain)
        self._produce = chain.produce
        self._finish = chain.finish
        self._observer = observer
        self._stopped = False
        self.source = SingleAssignmentDisposable()
        keep(self)

    def state(self) -> object:
        return self._stopped, self._chain.state()

    def take_up(self, state: object) -> None:
        self._stopped, held = cast("tuple[bool, object]", state)
        self._chain.take_up(held)

    def on_signal(self, signal: Signal[Any]) -> None:
        if not self._stopped:
            self._deliver(self._produce(signal))

    def on_error(self, error: Exception) -> None:
        if not self._stopped:
            self.dispose()
            self._observer.on_error(error)

    def on_completed(self) -> None:
        if not self._stopped:
            self._deliver(self._finish())
        if not self._stopped:
            self.dispose()
            self._observer.on_completed()

    def dispose(self) -> None:
        self._stopped = True
        self._subscriptions.end(self._chain)
        self.source.dispose()

    def _deliver(self, produced: Produced) -> None:
        """Hand on what the stages gave, then the error that they ended with."""
        signals, failure = produced
        for signal in signals:
            if self._stopped:
                return
            self._observer.on_signal(signal)
        if failure is not None:
            self.on_error(failure)
