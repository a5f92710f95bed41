"""Run a pipeline on given signals, here and now: no event loop, no clock, no sleeping."""

from collections.abc import Callable, Iterable
from typing import Generic, TypeAlias, TypeVar

import attrs
from reactivex import Observable, abc
from reactivex.disposable import Disposable
from reactivex.scheduler import ImmediateScheduler

from cgrx._model.signals import Alive, Batch, Dropped, Gap, Signal, Watermark
from cgrx._streams.observers import SignalObserver
from cgrx._streams.sharing import FanOut
from cgrx._streams.stream import EventStream, as_stream

In = TypeVar("In")
Out = TypeVar("Out")
T = TypeVar("T")


def _kind_and_text(error: Exception | None) -> tuple[type, str]:
    return (type(error), str(error))


@attrs.frozen
class Timeline(Generic[T]):
    """The signals of a stream in order, and how it ends.

    Examples:
        >>> from cgrx.testing import Timeline
        >>> broken = Timeline(
        ...     (batch(liquidation()),), completed=False, error=OSError("gone")
        ... )
        >>> play(ops.side("long"), broken)
        Traceback (most recent call last):
            ...
        OSError: gone
    """

    signals: tuple[Signal[T], ...]
    completed: bool = True
    """Whether it completes behind its signals; False too where it fails."""
    error: Exception | None = attrs.field(default=None, eq=_kind_and_text)
    """What it fails with behind its signals, None where it does not; equal by type and text."""

    def __attrs_post_init__(self) -> None:
        if self.completed and self.error is not None:
            raise ValueError(f"a stream that fails with {self.error!r} does not complete: give completed=False")

    @property
    def results(self) -> list[T]:
        """The events of all batches, in order."""
        return [event for signal in self.signals if isinstance(signal, Batch) for event in signal.events]


Operator: TypeAlias = Callable[[Observable[In]], Observable[Out]]
"""A stage, a pipeline, a reactivex operator, or any function from a stream to an observable."""


def play(stage: Operator[In, Out], signals: Iterable[Signal[In]] | Timeline[In]) -> list[Out]:
    """The results of a stage or pipeline on these signals.

    Args:
        stage: a stage, a pipeline, a reactivex operator without a timer (there is no clock here), or any function
            from an observable to an observable.
        signals: passed one at a time to every subscriber, as a feed's stream passes them; behind the last the stream
            completes. A `Timeline`, such as `marbles` gives, has its own end.

    Returns:
        The events that come out, in order, until the end of the signals or of the observable.

    Raises:
        Exception: what the observable fails with.
        TypeError: something is no signal; events go into `batch(...)`.

    Examples:
        >>> events = [
        ...     liquidation("long", 5_000.0),
        ...     liquidation("short", 5_000.0),
        ...     liquidation("long", 300.0),
        ... ]
        >>> [each.volume_usd for each in play(ops.side("long"), [batch(*events)])]
        [5000.0, 300.0]
        >>> len(
        ...     play(
        ...         ops.pipeline(ops.side("long"), ops.min_volume(1_000)),
        ...         [batch(*events)],
        ...     )
        ... )
        1
    """
    return _raised(play_timeline(stage, signals)).results


def play_signals(stage: Operator[In, Out], signals: Iterable[Signal[In]] | Timeline[In]) -> list[Signal[Out]]:
    """The signals that come out: batches and the marks between them. Otherwise as `play`.

    Behind a reactivex operator each event is a batch of one and there are no marks.

    Examples:
        >>> from cgrx.testing import play_signals
        >>> [
        ...     type(each).__name__
        ...     for each in play_signals(
        ...         ops.side("long"), [batch(liquidation("long")), alive("5s")]
        ...     )
        ... ]
        ['Batch', 'Alive']
    """
    return list(_raised(play_timeline(stage, signals)).signals)


def play_timeline(stage: Operator[In, Out], signals: Iterable[Signal[In]] | Timeline[In]) -> Timeline[Out]:
    """The signals that come out and how the stream ends; an error is returned, not raised. Otherwise as `play`.

    Examples:
        >>> from cgrx.testing import Timeline, play_timeline
        >>> broken = Timeline(
        ...     (batch(liquidation()),), completed=False, error=OSError("gone")
        ... )
        >>> played = play_timeline(ops.side("long"), broken)
        >>> len(played.results), played.error
        (1, OSError('gone'))
    """
    source: _Source[In] = _Source()
    ear: _Ear[Out] = _Ear()
    # This scheduler raises where it would have to wait: without it, a timed operator would start a thread.
    subscription = as_stream(stage(EventStream(source.connect))).subscribe_signals(
        ear, scheduler=ImmediateScheduler.singleton()
    )
    source.say(signals if isinstance(signals, Timeline) else _Endless(signals))
    subscription.dispose()
    return Timeline(tuple(ear.signals), completed=ear.completed, error=ear.error)


def _raised(played: Timeline[T]) -> Timeline[T]:
    if played.error is not None:
        raise played.error
    return played


@attrs.frozen
class _Endless(Generic[T]):
    """Signals from an iterable that may have no end; if it has, the stream completes there."""

    signals: Iterable[Signal[T]]
    completed: bool = True
    error: Exception | None = None


class _Source(Generic[T]):
    """A hot stream of given signals."""

    def __init__(self) -> None:
        self._fan: FanOut[T] = FanOut()
        self._end: Callable[[SignalObserver[T]], None] | None = None

    def connect(self, observer: SignalObserver[T], _: abc.SchedulerBase | None) -> abc.DisposableBase:
        if self._end is None:
            return self._fan.add(observer)
        self._end(observer)
        return Disposable()

    def say(self, timeline: Timeline[T] | _Endless[T]) -> None:
        for signal in timeline.signals:
            if not isinstance(signal, Batch | Alive | Gap | Dropped | Watermark):
                raise TypeError(f"{signal!r} is no signal: put events into batch(...)")
            if not self._fan.heard:
                return
            self._fan.on_signal(signal)
        error = timeline.error
        if error is not None:
            self._end = lambda observer: observer.on_error(error)
            self._fan.on_error(error)
        elif timeline.completed:
            self._end = lambda observer: observer.on_completed()
            self._fan.on_completed()


class _Ear(Generic[T]):
    """An observer that keeps every signal, and how the stream ended."""

    def __init__(self) -> None:
        self.signals: list[Signal[T]] = []
        self.completed = False
        self.error: Exception | None = None

    def on_signal(self, signal: Signal[T]) -> None:
        self.signals.append(signal)

    def on_error(self, error: Exception) -> None:
        self.error = error

    def on_completed(self) -> None:
        self.completed = True
