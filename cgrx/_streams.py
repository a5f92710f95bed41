"""EventStream, the Observable that carries signals; and Stage, the value that says what to do with them.

    subscribe()           single events, as on any reactivex Observable
    subscribe_signals()   whole signals: batches and marks

A stage called with an observable gives an EventStream; a chain of stages is one subscription and one loop. The
two types stand together because each makes the other.

What belongs to a feed (its scheduler, its thread, where a subscriber's error goes) is its `Runtime`; a stream that
comes from no feed has none and keeps to plain Rx.
"""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeAlias, TypeVar, cast

import attrs
from reactivex import Observable, abc
from reactivex.disposable import CompositeDisposable, Disposable, SerialDisposable, SingleAssignmentDisposable

from cgrx._chained import Chained, Foreign, threadless
from cgrx._fans import FanIn, FanOut
from cgrx._observers import InTurn, Runtime, SignalObserver, Subscriber
from cgrx._running import Elementwise, Interrupted, Running, fuse
from cgrx._signals import Batch, Signal

T = TypeVar("T")
U = TypeVar("U")
T_co = TypeVar("T_co", covariant=True)
In_contra = TypeVar("In_contra", contravariant=True)
Out_co = TypeVar("Out_co", covariant=True)

EventTypes: TypeAlias = frozenset[type] | None
"""The types of event that a stream carries, None where that is not known."""

Connect: TypeAlias = Callable[[SignalObserver[T], abc.SchedulerBase | None], abc.DisposableBase]


class Stage(Generic[In_contra, Out_co]):
    """What to do with events, as a value: compares, hashes, pickles and prints as code.

    Subclass as a frozen attrs class and give it `start`. Called with an observable it lifts over it, so it stands in
    any `pipe`; the result is an `EventStream`. Behind an observable that is no EventStream there are no marks: each
    item is a batch of one.
    """

    @abstractmethod
    def start(self) -> Running[In_contra, Out_co]:
        """Its running form, with fresh state for one subscription."""

    @property
    def stages(self) -> tuple["Stage[Any, Any]", ...]:
        """The stages that it is made of: itself, unless it is a pipeline."""
        return (self,)

    def event_types(self, incoming: EventTypes) -> EventTypes:
        """The types of what comes out, given the types of what goes in.

        Raises:
            ValueError: the stage cannot work on events of these types.
        """
        return None

    def __call__(self, source: Observable[In_contra]) -> "EventStream[Out_co]":
        return as_stream(source).through(self)


class EventStream(Chained[T_co]):
    """An observable of events that also carries the marks of what is known and what is lost.

    Any reactivex operator and `subscribe` work on it and see single events. cgrx stages see whole signals. Hot or
    cold as its source is; a feed's streams are hot.
    """

    def __init__(
        self,
        connect: Connect[T_co],
        stages: tuple[Stage[Any, Any], ...] = (),
        event_types: EventTypes = None,
        runtime: Runtime | None = None,
    ) -> None:
        super().__init__(runtime)
        self._connect = connect
        self.stages = stages
        """The cgrx stages between the source and this stream, in order."""
        self.event_types = event_types
        """The types of event that it carries, None where that is not known."""

    def subscribe_signals(
        self, observer: SignalObserver[T_co], *, scheduler: abc.SchedulerBase | None = None
    ) -> abc.DisposableBase:
        """Subscribe to whole signals: batches and marks. The observer must not raise."""
        if self.runtime is not None:
            self.runtime.check_thread()
            scheduler = threadless(scheduler or self.runtime.scheduler)
        if not self.stages:
            return self._connect(observer, scheduler)
        link: _Link[T_co] = _Link(fuse(stage.start() for stage in self.stages), observer)
        link.source.disposable = self._connect(link, scheduler)
        return link

    def _attach(self, subscriber: Subscriber[T_co], scheduler: abc.SchedulerBase | None) -> abc.DisposableBase:
        return self.subscribe_signals(subscriber, scheduler=scheduler)

    def signals(self) -> Observable[Signal[T_co]]:
        """The signals themselves as items: each `Batch`, `Alive`, `Gap`, `Dropped` and `Watermark` in order."""

        def subscribe(
            observer: abc.ObserverBase[Signal[T_co]], scheduler: abc.SchedulerBase | None = None
        ) -> abc.DisposableBase:
            return self.subscribe_signals(_Items(observer), scheduler=scheduler)

        items: Observable[Signal[T_co]] = Observable(subscribe)
        return items if self.runtime is None else Foreign(items, self.runtime)

    def through(self, stage: Stage[Any, U]) -> "EventStream[U]":
        """This stream behind one more stage; `pipe` does the same.

        Raises:
            ValueError: the stage cannot work on what this stream carries.
        """
        event_types = stage.event_types(self.event_types)
        connect = cast("Connect[U]", self._connect)
        return EventStream(connect, self.stages + stage.stages, event_types, self.runtime)

    def where(self, predicate: Callable[[T_co], bool]) -> "EventStream[T_co]":
        """Keep the events for which `predicate` is true. Marks pass; see `ops.where`."""
        return self.through(cast("Stage[T_co, T_co]", Where(predicate)))

    def filter(self, predicate: Callable[[T_co], bool]) -> "EventStream[T_co]":
        """The same as `where`, by Rx's name."""
        return self.where(predicate)

    def map(self, mapper: Callable[[T_co], U]) -> "EventStream[U]":
        """Replace each event by `mapper(event)`. Marks pass; see `ops.map`."""
        return self.through(Map(mapper))

    def merge(self, *sources: Observable[U], max_concurrent: int | None = None) -> "EventStream[T_co | U]":
        """The union with other streams in order of arrival; see `ops.merge`. All are subscribed to at once."""
        if max_concurrent is not None:
            raise ValueError(f"max_concurrent={max_concurrent!r}: a merge of event streams has no such limit")
        return merge(self, *sources)

    def share(self) -> "EventStream[T_co]":
        """One subscription to the source for all subscribers of the result; see `ops.share`."""
        return share(self)


class _Items(Generic[T]):
    """Signals as the items of a plain observer."""

    def __init__(self, observer: abc.ObserverBase[Signal[T]]) -> None:
        self.on_signal = observer.on_next
        self.on_error = observer.on_error
        self.on_completed = observer.on_completed


class _Link(abc.DisposableBase, Generic[T]):
    """One subscription through a fused chain of stages."""

    def __init__(self, running: Running[Any, T], observer: SignalObserver[T]) -> None:
        self._running = running
        self._observer = observer
        self._stopped = False
        self.source = SingleAssignmentDisposable()

    def on_signal(self, signal: Signal[Any]) -> None:
        if not self._stopped:
            self._deliver(lambda: self._running.on_signal(signal))

    def on_error(self, error: Exception) -> None:
        if not self._stopped:
            self.dispose()
            self._observer.on_error(error)

    def on_completed(self) -> None:
        if not self._stopped:
            self._deliver(self._running.on_completed)
        if not self._stopped:
            self.dispose()
            self._observer.on_completed()

    def dispose(self) -> None:
        self._stopped = True
        self.source.dispose()

    def _deliver(self, produce: Callable[[], Any]) -> None:
        """Hand on what a stage gives, then the error that it ended with."""
        produced: list[Signal[T]] = []
        failure: Exception | None = None
        try:
            produced.extend(produce())
        except Exception as error:  # a user's function, or a stage that does not fit: it goes to on_error
            failure = error
        for signal in produced:
            if self._stopped:
                return
            self._observer.on_signal(signal)
        if failure is not None and not self._stopped:
            self.on_error(failure)


def as_stream(source: Observable[T]) -> EventStream[T]:
    """The observable as an EventStream: itself, or a stream of batches of one that carries no marks."""
    if isinstance(source, EventStream):
        return source
    runtime = source.runtime if isinstance(source, Foreign) else None

    def connect(observer: SignalObserver[T], scheduler: abc.SchedulerBase | None) -> abc.DisposableBase:
        gate = InTurn(observer)

        def on_next(item: T) -> None:
            gate.on_signal(Batch(None, getattr(item, "time_ms", 0), (item,)))

        return source.subscribe(on_next, gate.on_error, gate.on_completed, scheduler=scheduler)

    return EventStream(connect, runtime=runtime)


def merge(*sources: Observable[T]) -> EventStream[T]:
    """The union of streams in order of arrival.

    Marks pass; `Alive` of one origin goes on when every source of that origin has given it, `Watermark` when every
    source has. Completes when all sources have; the first error ends it and disposes the others. State: the latest
    proof of each source.

    Args:
        *sources: at least one observable. Those that are no EventStream contribute events without marks.

    Raises:
        ValueError: no source is given.
    """
    if not sources:
        raise ValueError("merge() needs at least one source")
    streams = [as_stream(source) for source in sources]
    runtimes = [stream.runtime for stream in streams if stream.runtime is not None]
    types = [stream.event_types for stream in streams]
    known = [each for each in types if each is not None]

    def connect(observer: SignalObserver[T], scheduler: abc.SchedulerBase | None) -> abc.DisposableBase:
        parts = CompositeDisposable()
        fan = FanIn(observer, len(streams))
        for index, stream in enumerate(streams):
            parts.add(stream.subscribe_signals(fan.input(index), scheduler=scheduler))
        return parts

    return EventStream(
        connect,
        event_types=frozenset[type]().union(*known) if len(known) == len(types) else None,
        runtime=_joint(runtimes),
    )


def share(source: Observable[T]) -> EventStream[T]:
    """One subscription to the source for all subscribers of the result, which is hot.

    Subscribes with the first subscriber and disposes with the last; a later one starts anew. Who joins in between
    begins with a `Gap` from 0 for each channel that is already running. Completion and errors reach all. State: the
    subscribers.
    """
    stream = as_stream(source)
    return EventStream(_Share(stream).connect, event_types=stream.event_types, runtime=stream.runtime)


class _Share(Generic[T]):
    """The subscription that the subscribers of a shared stream have in common."""

    def __init__(self, source: EventStream[T]) -> None:
        self._source = source
        self._fan: FanOut[T] = FanOut()
        self._connection = SerialDisposable()

    def connect(self, observer: SignalObserver[T], scheduler: abc.SchedulerBase | None) -> abc.DisposableBase:
        fan = self._fan
        removal = fan.add(observer)
        if len(fan) == 1:
            self._connection.disposable = self._source.subscribe_signals(fan, scheduler=scheduler)

        def leave() -> None:
            removal.dispose()
            if not fan and self._fan is fan:
                self._fan = FanOut()
                self._connection.disposable = None

        return Disposable(leave)


@attrs.frozen
class _Joint:
    """The runtimes of several feeds, for a stream made of all of them."""

    members: tuple[Runtime, ...]

    @property
    def scheduler(self) -> abc.SchedulerBase:
        return self.members[0].scheduler

    def check_thread(self) -> None:
        for member in self.members:
            member.check_thread()

    def subscriber_raised(self, error: Exception) -> None:
        self.members[0].subscriber_raised(error)

    def unhandled(self, error: Exception) -> None:
        self.members[0].unhandled(error)

    def hold(self) -> None:
        for member in self.members:
            member.hold()

    def release(self) -> None:
        for member in self.members:
            member.release()


def _joint(runtimes: list[Runtime]) -> Runtime | None:
    distinct = tuple(dict.fromkeys(runtimes))
    return _Joint(distinct) if len(distinct) > 1 else (distinct[0] if distinct else None)


def _name(function: Callable[..., object]) -> str:
    return getattr(function, "__qualname__", repr(function))


@attrs.frozen(repr=False)
class Where(Stage[Any, Any]):
    """See `ops.where`."""

    predicate: Callable[[Any], bool]
    of: type | None = None

    def event_types(self, incoming: EventTypes) -> EventTypes:
        return require_types(self, self.of, incoming)

    def start(self) -> Running[Any, Any]:
        predicate = self.predicate

        def step(events: Sequence[Any]) -> list[Any]:
            kept: list[Any] = []
            for event in events:
                try:
                    if predicate(event):
                        kept.append(event)
                except Exception as error:
                    raise Interrupted(kept, noted(error, self, event)) from error
            return kept

        return Elementwise(step)

    def __repr__(self) -> str:
        return f"where({_name(self.predicate)}" + (f", of={self.of.__name__})" if self.of else ")")


@attrs.frozen(repr=False)
class Map(Stage[Any, Out_co]):
    """See `ops.map`."""

    mapper: Callable[[Any], Out_co]
    of: type | None = None

    def event_types(self, incoming: EventTypes) -> EventTypes:
        require_types(self, self.of, incoming)
        return None

    def start(self) -> Running[Any, Out_co]:
        mapper = self.mapper

        def step(events: Sequence[Any]) -> list[Any]:
            mapped: list[Any] = []
            for event in events:
                try:
                    mapped.append(mapper(event))
                except Exception as error:
                    raise Interrupted(mapped, noted(error, self, event)) from error
            return mapped

        return Elementwise(step)

    def __repr__(self) -> str:
        return f"map({_name(self.mapper)}" + (f", of={self.of.__name__})" if self.of else ")")


def noted(error: Exception, stage: Stage[Any, Any], event: object) -> Exception:
    """The user's own exception with a note that names the stage and the event."""
    error.add_note(f"raised in {stage!r} by the event {event!r}")
    return error


def require_types(stage: Stage[Any, Any], accepted: type | None, incoming: EventTypes) -> EventTypes:
    """The types that pass `stage`, which takes events of type `accepted` (None: any).

    Raises:
        ValueError: the stream is known to carry others.
    """
    if accepted is None:
        return incoming
    foreign = sorted(each.__name__ for each in incoming or () if not issubclass(each, accepted))
    if foreign:
        raise ValueError(f"{stage!r} takes events of type {accepted.__name__}, not {' and '.join(foreign)}")
    return frozenset({accepted})
