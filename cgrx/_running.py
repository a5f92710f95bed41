"""The running form of a stage: signals in, signals out, state for one subscription.

    Running     what users subclass: on_batch, on_mark, on_end; the results go out first, then the mark
    Elementwise each event on its own, no state; neighbours in a chain fuse into one loop
    Chain       running forms in a row, itself one

Everything a `Running` returns may be lazy. A user function that raises in the middle of a batch therefore loses
nothing: what came out before it is delivered, then the error.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, TypeAlias, TypeVar

from cgrx._signals import Batch, Mark, Signal, mark_ms

In = TypeVar("In")
Out = TypeVar("Out")


class Running(Generic[In, Out]):
    """What a stage does with the signals of one subscription.

    Subclasses override `on_batch`, and `on_mark` and `on_end` where marks or completion release results. A stage
    that holds events back or puts them into another order overrides `on_signal` too, to keep the marks in
    sequence with them.
    """

    now_ms: int = 0
    """The latest time seen on a signal (receive time or proof), milliseconds since the epoch."""

    def on_batch(self, batch: Batch[In]) -> Iterable[Out]:
        """The results of a batch of events."""
        raise NotImplementedError

    def on_mark(self, mark: Mark) -> Iterable[Out]:
        """The results that a mark releases; the mark itself follows them."""
        return ()

    def on_end(self) -> Iterable[Out]:
        """The results that remain when the stream completes (not when it fails or is disposed)."""
        return ()

    def on_signal(self, signal: Signal[In]) -> Iterable[Signal[Out]]:
        """The signals that go on for one that came in."""
        if isinstance(signal, Batch):
            self.now_ms = max(self.now_ms, signal.received_ms)
            yield from _batches(self.on_batch(signal), signal)
        else:
            self.now_ms = max(self.now_ms, mark_ms(signal))
            yield from _batches(self.on_mark(signal), Batch(None, self.now_ms, ()))
            yield signal

    def on_completed(self) -> Iterable[Signal[Out]]:
        """The signals that go on before completion does."""
        return _batches(self.on_end(), Batch(None, self.now_ms, ()))


def _batches(results: Iterable[Out], origin: Batch[Any]) -> Iterable[Batch[Out]]:
    """The results as a batch like `origin`, or none; where they raise, those before the error go out first."""
    taken: list[Out] = []
    try:
        taken.extend(results)
    except Exception:  # whatever the user's function raised goes on, behind what preceded it
        if taken:
            yield Batch(origin.channel, origin.received_ms, tuple(taken))
        raise
    if taken:
        yield Batch(origin.channel, origin.received_ms, tuple(taken))


class Interrupted(Exception):  # noqa: N818 - never leaves this module's users: it carries results, not a failure
    """A step's user function raised `error`; `results` are what came out before."""

    def __init__(self, results: list[Any], error: Exception) -> None:
        super().__init__(results, error)
        self.results = results
        self.error = error


Step: TypeAlias = Callable[[Sequence[Any]], list[Any]]
"""Takes events, returns the results; raises `Interrupted` where a user function raised."""


class Elementwise(Running[In, Out]):
    """No or one result for each event, in order, without state: all marks pass."""

    def __init__(self, *steps: Step) -> None:
        self.steps = steps

    def on_signal(self, signal: Signal[In]) -> Iterable[Signal[Out]]:
        if not isinstance(signal, Batch):
            return (signal,)
        results: Sequence[Any] = signal.events
        failure: Exception | None = None
        for step in self.steps:
            try:
                results = step(results)
            except Interrupted as interrupted:  # a later step's error comes earlier in the stream, and counts
                results, failure = interrupted.results, interrupted.error
        if failure is not None:
            return _batches(_then_raise(results, failure), signal)
        return (Batch(signal.channel, signal.received_ms, tuple(results)),) if results else ()


def _then_raise(results: Iterable[Out], failure: Exception) -> Iterable[Out]:
    yield from results
    raise failure


class Chain(Running[Any, Any]):
    """Running forms one after the other."""

    def __init__(self, runnings: Sequence[Running[Any, Any]]) -> None:
        self._runnings = runnings

    def on_signal(self, signal: Signal[Any]) -> Iterable[Signal[Any]]:
        return self._through([signal], 0)

    def on_completed(self) -> Iterable[Signal[Any]]:
        for index, running in enumerate(self._runnings):
            yield from self._through(running.on_completed(), index + 1)

    def _through(self, signals: Iterable[Signal[Any]], start: int) -> Iterable[Signal[Any]]:
        """Send signals through the stages from `start` on.

        Where a stage raises, what it gave before still goes through the stages behind it; where one of those
        raises too, its error comes earlier in the stream and is the one that counts.
        """
        failure: Exception | None = None
        for running in self._runnings[start:]:
            produced: list[Signal[Any]] = []
            try:
                for signal in signals:
                    produced.extend(running.on_signal(signal))
            except Exception as error:  # raised below, behind the results that precede it
                failure = error
            signals = produced
        yield from signals
        if failure is not None:
            raise failure


def fuse(runnings: Iterable[Running[Any, Any]]) -> Running[Any, Any]:
    """One running form for a row of them: neighbouring elementwise ones become one loop."""
    fused: list[Running[Any, Any]] = []
    for running in runnings:
        before = fused[-1] if fused else None
        if isinstance(before, Elementwise) and isinstance(running, Elementwise):
            steps: tuple[Step, ...] = (*before.steps, *running.steps)
            fused[-1] = Elementwise[Any, Any](*steps)
        else:
            fused.append(running)
    return fused[0] if len(fused) == 1 else Chain(fused)
