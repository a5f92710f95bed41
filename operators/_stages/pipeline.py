"""Stages in a row as one stage, and the contract for users' own.

`Stage` is the value, `Running` its running form for one subscription; both are defined where the stream is, because
a stage lifts over an observable to a stream.
"""

from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar, cast, overload

import attrs
from reactivex import Observable

from cgrx._model.events import Event
from cgrx._streams.chain import Chain
from cgrx._streams.running import Running as Running
from cgrx._streams.stream import EventStream, EventTypes
from cgrx._streams.stream import Stage as Stage

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")
E = TypeVar("E")
F = TypeVar("F")
G = TypeVar("G")
H = TypeVar("H")
SomeEvent = TypeVar("SomeEvent", bound=Event)


class AnyEvent(Stage[Event, Event]):
    """A stage for events of either type, which keeps the type of the stream it is applied to."""

    __slots__ = ()

    def __call__(self, source: Observable[SomeEvent]) -> EventStream[SomeEvent]:
        return cast("EventStream[SomeEvent]", super().__call__(source))

    def event_types(self, incoming: EventTypes) -> EventTypes:
        return incoming


@attrs.frozen(repr=False)
class Pipeline(Stage[Any, Any]):
    """See `pipeline`."""

    members: tuple[Stage[Any, Any], ...]

    @property
    def stages(self) -> tuple[Stage[Any, Any], ...]:
        return self.members

    def event_types(self, incoming: EventTypes) -> EventTypes:
        types = incoming
        for stage in self.members:
            types = stage.event_types(types)
        return types

    def check_behind(self, stages: tuple[Stage[Any, Any], ...]) -> None:
        for index, stage in enumerate(self.members):
            stage.check_behind(stages + self.members[:index])

    def start(self) -> Running[Any, Any]:
        return Chain(self.members)

    def __repr__(self) -> str:
        return f"pipeline({', '.join(map(repr, self.members))})"


@attrs.frozen(repr=False)
class EventPipeline(Pipeline, AnyEvent):
    """A pipeline of nothing but stages that keep the type of events."""


_Lift: TypeAlias = Callable[[Observable[A]], EventStream[B]]
_Next: TypeAlias = Callable[[EventStream[A]], EventStream[B]]


@overload
def pipeline(first: AnyEvent, /, *more: AnyEvent) -> AnyEvent: ...
# An event of either type is what a leading stage of these hands to a stage that takes rows too.
@overload
def pipeline(
    first: AnyEvent,
    second: _Next[Event, B],
    /,
) -> Stage[Event, B]: ...
@overload
def pipeline(
    first: AnyEvent,
    second: _Next[Event, B],
    third: _Next[B, C],
    /,
) -> Stage[Event, C]: ...
@overload
def pipeline(
    first: AnyEvent,
    second: _Next[Event, B],
    third: _Next[B, C],
    fourth: _Next[C, D],
    /,
) -> Stage[Event, D]: ...
@overload
def pipeline(
    first: AnyEvent,
    second: _Next[Event, B],
    third: _Next[B, C],
    fourth: _Next[C, D],
    fifth: _Next[D, E],
    /,
) -> Stage[Event, E]: ...
@overload
def pipeline(
    first: AnyEvent,
    second: _Next[Event, B],
    third: _Next[B, C],
    fourth: _Next[C, D],
    fifth: _Next[D, E],
    sixth: _Next[E, F],
    /,
) -> Stage[Event, F]: ...
@overload
def pipeline(
    first: AnyEvent,
    second: _Next[Event, B],
    third: _Next[B, C],
    fourth: _Next[C, D],
    fifth: _Next[D, E],
    sixth: _Next[E, F],
    seventh: _Next[F, G],
    /,
) -> Stage[Event, G]: ...
@overload
def pipeline(first: _Lift[A, B], /) -> Stage[A, B]: ...
@overload
def pipeline(first: _Lift[A, B], second: _Next[B, C], /) -> Stage[A, C]: ...
@overload
def pipeline(first: _Lift[A, B], second: _Next[B, C], third: _Next[C, D], /) -> Stage[A, D]: ...
@overload
def pipeline(first: _Lift[A, B], second: _Next[B, C], third: _Next[C, D], fourth: _Next[D, E], /) -> Stage[A, E]: ...
@overload
def pipeline(
    first: _Lift[A, B], second: _Next[B, C], third: _Next[C, D], fourth: _Next[D, E], fifth: _Next[E, F], /
) -> Stage[A, F]: ...
@overload
def pipeline(
    first: _Lift[A, B],
    second: _Next[B, C],
    third: _Next[C, D],
    fourth: _Next[D, E],
    fifth: _Next[E, F],
    sixth: _Next[F, G],
    /,
) -> Stage[A, G]: ...
@overload
def pipeline(
    first: _Lift[A, B],
    second: _Next[B, C],
    third: _Next[C, D],
    fourth: _Next[D, E],
    fifth: _Next[E, F],
    sixth: _Next[F, G],
    seventh: _Next[G, H],
    /,
) -> Stage[A, H]: ...
def pipeline(*stages: Any) -> Stage[Any, Any]:
    """Stages in a row as one stage: the value to keep, compare, pickle, and run live, in a test or on a file.

    Examples:
        >>> large_longs = ops.pipeline(ops.side("long"), ops.min_volume(100_000))
        >>> large_longs
        pipeline(side("long"), min_volume(100000))
        >>> events = batch(liquidation("long", 500_000), liquidation("short", 500_000))
        >>> len(play(large_longs, [events]))
        1

    Args:
        *stages: one or more stages; pipelines among them are taken apart. The types of up to seven are checked, so
            put more into pipelines of their own.

    Returns:
        A stage whose input is the first's and whose output is the last's. It runs as one fused loop.

    Raises:
        TypeError: an argument is no stage, such as a reactivex operator (those go into `stream.pipe`).
        ValueError: no stage is given, or one cannot work on what the one before it gives.
    """
    if not stages:
        raise ValueError("pipeline() needs at least one stage")
    for stage in stages:
        if not isinstance(stage, Stage):
            raise TypeError(f"pipeline() takes stages, not {stage!r}; use stream.pipe(...) for reactivex operators")
    members = tuple(member for stage in stages for member in stage.stages)
    made = (EventPipeline if all(isinstance(each, AnyEvent) for each in members) else Pipeline)(members)
    made.event_types(None)
    made.check_behind(())
    return made
