"""Stages in a row: their running forms as one, and a subscription through them."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, Generic, Protocol, TypeAlias, TypeVar, cast

from reactivex import abc
from reactivex.disposable import SingleAssignmentDisposable

from cgrx._model.signals import Signal
from cgrx._streams.counts import StageStats, Subscriptions
from cgrx._streams.entering import Deliver, Entering
from cgrx._streams.keeping import keep
from cgrx._streams.observers import SignalObserver
from cgrx._streams.predicates import Push, ignore
from cgrx._streams.running import Direct, Elementwise, Produced, Running, delivered, noted_of

T = TypeVar("T")

Produce: TypeAlias = Callable[[Signal[Any]], Produced]
"""What a stage makes of a signal."""


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
        self._connect()

    def _connect(self) -> None:
        produces = tuple(_producing(stage, running) for stage, running in self._links)
        self._produces = produces
        first = self._links[0][1] if self._links else None
        self.sieve = first.sieve if isinstance(first, Elementwise) else None
        """What may stand in front, if the first stages are filters: see `Sieve`."""
        self.produce: Produce = _in_row(produces)
        """What `on_signal` gives, without a generator."""
        self.produce_behind: Produce | None = _in_row(produces[1:]) if len(produces) > 1 else None
        """The same of what the first link gave; None if that is the last one."""

    def enter(self, deliver: Deliver) -> tuple[Push, Callable[[], None]] | None:
        """Let signals into the first link itself, if that can take them: see `Entering`."""
        first = self._links[0][1] if self._links else None

        def behind(signals: Sequence[Signal[Any]], failure: Exception | None) -> None:
            passed, earlier = _through(self._produces[1:], *signals)
            deliver(passed, earlier or failure)

        if not isinstance(first, Entering):
            return None
        return first.enter(deliver if self.produce_behind is None else behind)

    @property
    def stats(self) -> StageStats:
        return StageStats.together(running.stats for _, running in self._links)

    def state(self) -> object:
        """The states of its running forms, in order."""
        return [running.state() for _, running in self._links]

    def take_up(self, state: object) -> None:
        states = cast("list[object]", state)
        for index, ((stage, running), held) in enumerate(zip(self._links, states, strict=True)):
            if isinstance(running, Elementwise | Entering):  # in place, for signals may come in there
                running.take_up(held)
            else:
                self._links[index] = (stage, stage.restore(held))
        self._connect()

    def __reduce_ex__(self, protocol: Any) -> str | tuple[Any, ...]:
        return _restored, (self._stages, self.state())

    def on_signal(self, signal: Signal[Any]) -> Iterable[Signal[Any]]:
        return delivered(self.produce(signal))

    def on_completed(self) -> Iterable[Signal[Any]]:
        return delivered(self.finish())

    def finish(self) -> Produced:
        """What `on_completed` gives: each stage ends behind what those before it gave at their end."""
        finished: list[Signal[Any]] = []
        for index, (stage, running) in enumerate(self._links):
            last: list[Signal[Any]] = []
            failure: Exception | None = None
            try:
                last.extend(running.on_completed())
            except Exception as error:  # noqa: BLE001 - handed on as the stream's
                failure = noted_of(error, stage, None)
            signals, earlier = _through(self._produces[index + 1 :], *last)
            finished.extend(signals)
            if earlier or failure:
                return finished, earlier or failure
        return finished, None


def _in_row(produces: Sequence[Produce]) -> Produce:
    return produces[0] if len(produces) == 1 else partial(_through, produces)


def _through(produces: Sequence[Produce], *signals: Signal[Any]) -> Produced:
    """Send signals through stages in a row, each stage taking all of them before the next one does."""
    passed: Sequence[Signal[Any]] = signals
    failure: Exception | None = None
    for produce in produces:
        if len(passed) == 1:  # nearly always: the loop below, unrolled
            passed, raised = produce(passed[0])
        elif not passed:
            break
        else:
            passed, raised = _all_through(produce, passed)
        if raised is not None:
            failure = raised
    return passed, failure


def _all_through(produce: Produce, signals: Sequence[Signal[Any]]) -> Produced:
    produced: list[Signal[Any]] = []
    for signal in signals:
        some, raised = produce(signal)
        produced.extend(some)
        if raised is not None:
            return produced, raised
    return produced, None


def _producing(stage: Startable, running: Running[Any, Any]) -> Produce:
    """What a running form makes of a signal, with what it raises."""
    if isinstance(running, Direct):
        return running.produce
    on_signal = running.on_signal

    def produce(signal: Signal[Any]) -> Produced:
        produced: list[Signal[Any]] = []
        try:
            produced.extend(on_signal(signal))
        except Exception as error:  # noqa: BLE001 - handed on as the stream's
            return produced, noted_of(error, stage, signal)
        return produced, None

    return produce


def _restored(stages: tuple[Startable, ...], state: object) -> Chain:
    chain = Chain(stages)
    chain.take_up(state)
    return chain


class Link(abc.DisposableBase, Generic[T]):
    """One subscription through a fused chain of stages."""

    def __init__(
        self, stages: tuple[Startable, ...], observer: SignalObserver[T], subscriptions: Subscriptions
    ) -> None:
        self.stages = stages
        chain = self._chain = Chain(stages)
        self._subscriptions = subscriptions
        subscriptions.begin(chain)
        self._observer = observer
        self._stopped = False
        self.source = SingleAssignmentDisposable()
        self._connect()
        self.on_signal: Push = self._take
        """Take a signal. As long as it is not stopped it refers to itself by this."""
        self._close = _nothing
        if chain.sieve is not None:
            passed = observer.on_signal if self._behind is None else self._take_behind
            self.on_signal, self._close = chain.sieve(passed, self._take)
        elif (entrance := chain.enter(self._deliver)) is not None:
            self.on_signal, self._close = entrance
        keep(self)

    def _connect(self) -> None:
        self._produce = self._chain.produce
        self._behind = self._chain.produce_behind

    def state(self) -> object:
        return self._stopped, self._chain.state()

    def take_up(self, state: object) -> None:
        self._stopped, held = cast("tuple[bool, object]", state)
        self._chain.take_up(held)
        self._connect()
        if self._stopped:
            self._close()

    def _take(self, signal: Signal[Any]) -> None:
        if not self._stopped:
            signals, failure = self._produce(signal)
            if signals or failure is not None:  # most batches of one end here
                self._deliver(signals, failure)

    def _take_behind(self, signal: Signal[Any]) -> None:
        """The same of what has passed the first stages already. Behind them nothing comes of a link that is stopped."""
        assert self._behind is not None
        signals, failure = self._behind(signal)
        if signals or failure is not None:
            self._deliver(signals, failure)

    def on_error(self, error: Exception) -> None:
        if not self._stopped:
            self.dispose()
            self._observer.on_error(error)

    def on_completed(self) -> None:
        if not self._stopped:
            self._deliver(*self._chain.finish())
        if not self._stopped:
            self.dispose()
            self._observer.on_completed()

    def dispose(self) -> None:
        self._stopped = True
        self._close()
        self.on_signal = ignore
        self._subscriptions.end(self._chain)
        self.source.dispose()

    def _deliver(self, signals: Sequence[Signal[Any]], failure: Exception | None) -> None:
        """Hand on what the stages gave, then the error that they ended with."""
        for signal in signals:
            if self._stopped:
                return
            self._observer.on_signal(signal)
        if failure is not None:
            self.on_error(failure)


def _nothing() -> None:
    """What closes a link without a sieve."""
