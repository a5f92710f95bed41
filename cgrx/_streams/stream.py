"""EventStream, the Observable that carries signals; and Stage, the value that says what to do with them.

    subscribe()           single events, as on any reactivex Observable
    subscribe_signals()   whole signals: batches and marks

A stage called with an observable gives an EventStream; a chain of stages is one subscription and one loop. The
two types stand together because each makes the other.

What belongs to a feed (its scheduler, its thread, where a subscriber's error goes) is its `Runtime`; a stream that
comes from no feed has none and keeps to plain Rx.
"""

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, Generic, TypeAlias, TypeVar, cast, overload

import attrs
from reactivex import Observable, abc
from reactivex.disposable import CompositeDisposable

from cgrx._model.signals import Batch, Signal
from cgrx._streams.about import STATELESS, About
from cgrx._streams.chain import Link
from cgrx._streams.counts import StageStats, Subscriptions
from cgrx._streams.functions import check_function, check_type, code_of, map_step, where_step
from cgrx._streams.merging import FanIn
from cgrx._streams.observable import Chained, Foreign, scheduler_of
from cgrx._streams.observers import InTurn, Items, SignalObserver
from cgrx._streams.running import Elementwise, Running
from cgrx._streams.runtime import Runtime, joint
from cgrx._streams.sharing import Shared
from cgrx._streams.subscriber import Subscriber
from cgrx._streams.telling import shown

T = TypeVar("T")
U = TypeVar("U")
V = TypeVar("V")
T_co = TypeVar("T_co", covariant=True)
In_contra = TypeVar("In_contra", contravariant=True)
Out_co = TypeVar("Out_co", covariant=True)

EventTypes: TypeAlias = frozenset[type] | None
"""The types of event that a stream carries, None where that is not known."""

Connect: TypeAlias = Callable[[SignalObserver[T], abc.SchedulerBase | None], abc.DisposableBase]


class Stage(Generic[In_contra, Out_co]):
    """What to do with events, as a value: compares, hashes, pickles and prints as code.

    Examples:
        >>> stage = ops.side("long")
        >>> stage, stage == ops.side("LONG"), stage.about.state
        (side("long"), True, 'none')

    Subclass as a frozen attrs class and give it `start`. Called with an observable it lifts over it, so it stands in
    any `pipe`; the result is an `EventStream`. Behind an observable that is no EventStream there are no marks: each
    item is a batch of one.
    """

    __slots__ = ()

    @abstractmethod
    def start(self) -> Running[In_contra, Out_co]:
        """Its running form, with fresh state for one subscription."""

    def restore(self, state: object) -> Running[In_contra, Out_co]:
        """A running form that goes on from what `Running.state` of another one of this stage gave.

        That may be of another process and long ago. It goes on exactly as the other one would have. The form takes the
        objects of the state over, so restore a copy where the other one goes on too.

        Raises:
            TypeError: it is no state of such a form.
        """
        running = self.start()
        running.take_up(state)
        return running

    @property
    def stages(self) -> tuple["Stage[Any, Any]", ...]:
        """The stages that it is made of: itself, unless it is a pipeline."""
        return (self,)

    @property
    def about(self) -> About:
        """What it keeps and how long it holds events back, for `cgrx.explain`. A stage of your own may tell it too."""
        return About()

    def event_types(self, incoming: EventTypes) -> EventTypes:
        """The types of what comes out, given the types of what goes in.

        Raises:
            ValueError: the stage cannot work on events of these types.
        """
        return None

    def check_behind(self, stages: "tuple[Stage[Any, Any], ...]") -> None:
        """Check the stages in front of it, as far as they are known: since the source, or since the last `share`.

        Raises:
            ValueError: the stage cannot work behind these.
        """

    def __call__(self, source: Observable[In_contra]) -> "EventStream[Out_co]":
        return as_stream(source).through(self)

    def _repr_html_(self) -> str:
        return shown(self.stages)


class EventStream(Chained[T_co]):
    """An observable of events that also carries the marks of what is known and what is lost.

    Any reactivex operator and `subscribe` work on it and see single events. cgrx stages see whole signals. Hot or
    cold as its source is; a feed's streams are hot.

    Examples:
        >>> events = [
        ...     liquidation("long", 5_000.0, time="1s"),
        ...     liquidation("short", 300.0, time="2s"),
        ... ]
        >>> def by_side(
        ...     stream: cgrx.EventStream[cgrx.Liquidation],
        ... ) -> cgrx.EventStream[ops.Flow]:
        ...     return stream.pipe(ops.tumbling("1m", by="side"))
        >>> [
        ...     (row.side.word, row.volume)
        ...     for row in play(by_side, [batch(*events), alive("65s")])
        ... ]
        [('long', 5000.0), ('short', 300.0)]
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
        self._subscriptions = Subscriptions()

    @property
    def stage_stats(self) -> StageStats:
        """What its `stages` hold and have counted, all its subscriptions together. A snapshot.

        Of the stages behind its source, as `cgrx.explain` shows them: a stream that is made of this one, by a stage or
        by a merge, counts for itself. Ask the stream that is subscribed to.
        """
        return self._subscriptions.stats

    @property
    def source(self) -> Connect[Any]:
        """For compilers of pipelines: the subscribe function beneath the first stage."""
        return cast("Connect[Any]", self._connect)

    def subscribe_signals(
        self, observer: SignalObserver[T_co], *, scheduler: abc.SchedulerBase | None = None
    ) -> abc.DisposableBase:
        """Subscribe to whole signals: batches and marks. The observer must not raise."""
        runtime = self.runtime
        if runtime is None:
            return self._connect_signals(observer, scheduler)
        chosen = scheduler_of(runtime, scheduler)
        return runtime.in_thread(lambda: self._connect_signals(observer, chosen))

    def _connect_signals(
        self, observer: SignalObserver[T_co], scheduler: abc.SchedulerBase | None
    ) -> abc.DisposableBase:
        if not self.stages:
            return self._connect(observer, scheduler)
        link: Link[T_co] = Link(self.stages, observer, self._subscriptions)
        link.source.disposable = self._connect(link, scheduler)
        return link

    @property
    def _is_running(self) -> bool:
        return bool(getattr(self._connect, "running", False))  # a share and a feed tell; any other source may emit

    def _attach(self, subscriber: Subscriber[T_co], scheduler: abc.SchedulerBase | None) -> abc.DisposableBase:
        return self.subscribe_signals(subscriber, scheduler=scheduler)

    def signals(self) -> Observable[Signal[T_co]]:
        """The signals themselves as items: each `Batch`, `Alive`, `Gap`, `Dropped` and `Watermark` in order."""

        def subscribe(
            observer: abc.ObserverBase[Signal[T_co]], scheduler: abc.SchedulerBase | None = None
        ) -> abc.DisposableBase:
            return self.subscribe_signals(Items(observer), scheduler=scheduler)

        items: Observable[Signal[T_co]] = Observable(subscribe)
        return items if self.runtime is None else Foreign(items, self.runtime)

    def through(self, stage: Stage[Any, U]) -> "EventStream[U]":
        """This stream behind one more stage; `pipe` does the same.

        Raises:
            ValueError: the stage cannot work on what this stream carries.
        """
        event_types = stage.event_types(self.event_types)
        stage.check_behind(self.stages)
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
        """The union with other streams in order of arrival; see `cgrx.merge`. All are subscribed to at once."""
        if max_concurrent is not None:
            raise ValueError(f"max_concurrent={max_concurrent!r}: a merge of event streams has no such limit")
        return merge(self, *sources)

    def share(self) -> "EventStream[T_co]":
        """One subscription to the source for all subscribers of the result; see `ops.share`."""
        return share(self)


def as_stream(source: Observable[T]) -> EventStream[T]:
    """The observable as an EventStream: itself, or a stream of batches of one that carries no marks."""
    if isinstance(source, EventStream):
        return source
    return EventStream(Unmarked(source), runtime=_runtime_of(source))


@attrs.frozen(eq=False)
class Unmarked:
    """The source of a stream whose events an observable gives that knows no marks."""

    source: Observable[Any]

    def __call__(self, observer: SignalObserver[Any], scheduler: abc.SchedulerBase | None) -> abc.DisposableBase:
        gate = InTurn(observer)

        def on_next(item: Any) -> None:
            gate.on_signal(Batch(None, getattr(item, "time_ms", 0), (item,)))

        subscription = self.source.subscribe(on_next, gate.on_error, gate.on_completed, scheduler=scheduler)
        return CompositeDisposable(gate, subscription)


def _runtime_of(source: Observable[Any]) -> Runtime | None:
    if not isinstance(source, abc.ObservableBase):
        raise TypeError(f"{source!r} is no Observable")
    return source.runtime if isinstance(source, Chained) else None


@attrs.frozen(eq=False)
class Union:
    """The source of a `merge`."""

    streams: tuple[EventStream[Any], ...]

    def __call__(self, observer: SignalObserver[Any], scheduler: abc.SchedulerBase | None) -> abc.DisposableBase:
        fan = FanIn(observer, len(self.streams))
        try:
            for index, stream in enumerate(self.streams):
                fan.sources.add(stream.subscribe_signals(fan.input(index), scheduler=scheduler))
        except Exception:  # a stage that does not start: nothing is left running
            fan.dispose()
            raise
        return fan


@overload
def merge(first: Observable[T], second: Observable[U], /) -> EventStream[T | U]: ...
@overload
def merge(first: Observable[T], second: Observable[U], third: Observable[V], /) -> EventStream[T | U | V]: ...
@overload
def merge(*sources: Observable[T]) -> EventStream[T]: ...
def merge(*sources: Observable[Any]) -> EventStream[Any]:
    """The union of streams in order of arrival.

    Marks pass; `Alive` of one origin goes on when every source of that origin has given it, `Watermark` when every
    source has. A loss that comes by two paths of one stream passes once. While a source has given nothing, a `Gap`
    without a channel tells that its events may be missing. Completes when all sources have; the first error ends it
    and disposes the others. State: the latest proof of each source, and the last 64 losses.

    Args:
        *sources: at least one observable. Those that are no EventStream contribute events without marks.

    Raises:
        ValueError: no source is given.
        TypeError: a source is no Observable.

    Examples:
        >>> def both(stream):
        ...     return cgrx.merge(
        ...         stream.pipe(ops.side("long")), stream.pipe(ops.min_volume(1_000))
        ...     )
        >>> [
        ...     each.volume_usd
        ...     for each in play(
        ...         both,
        ...         [batch(liquidation("long", 5.0), liquidation("short", 5_000.0))],
        ...     )
        ... ]
        [5.0, 5000.0]
    """
    if not sources:
        raise ValueError("merge() needs at least one source")
    streams = tuple(as_stream(source) for source in sources)
    types = [stream.event_types for stream in streams]
    known = [each for each in types if each is not None]
    return EventStream(
        Union(streams),
        event_types=frozenset[type]().union(*known) if len(known) == len(types) else None,
        runtime=joint(stream.runtime for stream in streams if stream.runtime is not None),
    )


def share(source: Observable[T]) -> EventStream[T]:
    """One subscription to the source for all subscribers of the result, which is hot.

    Subscribes with the first subscriber and disposes with the last; a later one starts anew. A subscriber that joins in
    between begins with a `Gap` from 0 for each channel that is already running. Completion and errors reach all.
    State: the subscribers.
    """
    stream = as_stream(source)
    shared: Shared[T] = Shared(stream)
    return EventStream(shared, event_types=stream.event_types, runtime=stream.runtime)


@attrs.frozen(repr=False)
class Where(Stage[Any, Any]):
    """See `ops.where`."""

    predicate: Callable[[Any], bool] = attrs.field(validator=check_function)
    of: type | None = attrs.field(default=None, validator=check_type)

    def event_types(self, incoming: EventTypes) -> EventTypes:
        return require_types(self, self.of, incoming)

    def start(self) -> Running[Any, Any]:
        return Elementwise(where_step(self, self.predicate))

    @property
    def about(self) -> About:
        return attrs.evolve(STATELESS, functions=(self.predicate,))

    def __repr__(self) -> str:
        return code_of("where", self.predicate, self.of)


@attrs.frozen(repr=False)
class Map(Stage[Any, Out_co]):
    """See `ops.map`."""

    mapper: Callable[[Any], Out_co] = attrs.field(validator=check_function)
    of: type | None = attrs.field(default=None, validator=check_type)

    def event_types(self, incoming: EventTypes) -> EventTypes:
        require_types(self, self.of, incoming)
        return None

    def start(self) -> Running[Any, Out_co]:
        return Elementwise(map_step(self, self.mapper))

    @property
    def about(self) -> About:
        return attrs.evolve(STATELESS, functions=(self.mapper,))

    def __repr__(self) -> str:
        return code_of("map", self.mapper, self.of)


def require_types(stage: Stage[Any, Any], accepted: type | None, incoming: EventTypes) -> EventTypes:
    """The types that pass `stage`, which takes events of type `accepted` (None: any).

    Raises:
        ValueError: the stream is known to carry others.
    """
    if accepted is None:
        return incoming
    if incoming is None:
        return frozenset({accepted})
    foreign = sorted(each.__name__ for each in incoming if not issubclass(each, accepted))
    if foreign:
        raise ValueError(f"{stage!r} takes events of type {accepted.__name__}, not {' and '.join(foreign)}")
    return incoming
