"""Merging as an operator: the stream in front of it in the pipe, and others.

`cgrx.merge` and `cgrx.merge_exchanges` are the same as functions of all the streams.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar, Unpack, overload

import attrs
from reactivex import Observable

from cgrx._model.events import Event
from cgrx._model.times import Duration
from cgrx._streams import ordering, stream
from cgrx._streams.order_terms import MAX_HELD, OnSourceError, OrderTerms, Terms, Until
from cgrx._streams.ordering import OrderedStream
from cgrx._streams.stream import EventStream, as_stream

T = TypeVar("T")
U = TypeVar("U")
V = TypeVar("V")
SomeEvent = TypeVar("SomeEvent", bound=Event)


@attrs.frozen(eq=False, repr=False)
class _With:
    """An operator that makes one stream of the stream in front of it and others."""

    name: str
    others: tuple[EventStream[Any], ...]
    union: Callable[..., EventStream[Any]]
    """Makes the stream, given all that go into it."""

    def __call__(self, source: Observable[Any], /) -> Any:
        return self.union(source, *self.others)

    def __repr__(self) -> str:
        return f"{self.name}({', '.join(map(repr, self.others))})"

    if TYPE_CHECKING:
        pass  # a checker refuses what it has not
    else:

        def __getattr__(self, name: str) -> NoReturn:
            raise AttributeError(
                f"ops.{self.name}(...) is an operator and has no {name!r}: write stream.pipe(ops.{self.name}(other)),"
                f" or cgrx.{self.name}(stream, other) for the stream of all"
            )


# The types say first what comes out where all streams carry the same, then where all carry events, then the rest: mypy
# infers what stands behind a merge in a pipe only where the type of the result is no union with a type variable in it.


class Merging(_With, Generic[T]):
    """The operator that `merge` gives, with others that carry `T`."""

    __slots__ = ()

    @overload
    def __call__(self, source: Observable[T], /) -> EventStream[T]: ...
    @overload
    def __call__(self, source: Observable[U], /) -> EventStream[U | T]: ...
    def __call__(self, source: Observable[Any], /) -> EventStream[Any]:
        merged: EventStream[Any] = super().__call__(source)
        return merged


class EventMerging(Merging[SomeEvent]):
    """The same with others that carry events."""

    __slots__ = ()

    @overload  # type: ignore[override]  # more exact than above, which a checker takes for another
    def __call__(self, source: Observable[SomeEvent], /) -> EventStream[SomeEvent]: ...
    @overload
    def __call__(self, source: Observable[Event], /) -> EventStream[Event]: ...
    @overload
    def __call__(self, source: Observable[U], /) -> EventStream[U | SomeEvent]: ...
    # The same, for the other checker.
    def __call__(self, source: Observable[Any], /) -> EventStream[Any]:  # pyright: ignore[reportIncompatibleMethodOverride]
        return super().__call__(source)


class Ordering(_With, Generic[SomeEvent]):
    """The operator that `merge_exchanges` gives."""

    __slots__ = ()

    @overload
    def __call__(self, source: Observable[SomeEvent], /) -> OrderedStream[SomeEvent]: ...
    @overload
    def __call__(self, source: Observable[Event], /) -> OrderedStream[Event]: ...
    def __call__(self, source: Observable[Any], /) -> OrderedStream[Any]:
        merged: OrderedStream[Any] = super().__call__(source)
        return merged


@overload
def merge(first: Observable[SomeEvent], /, *others: Observable[SomeEvent]) -> EventMerging[SomeEvent]: ...
@overload
def merge(first: Observable[U], second: Observable[V], /) -> Merging[U | V]: ...
@overload
def merge(*others: Observable[T]) -> Merging[T]: ...
def merge(*others: Observable[Any]) -> Merging[Any]:
    """The union of the stream with others in order of arrival; completion, errors and marks as in `cgrx.merge`.

    Examples:
        >>> import reactivex
        >>> play(ops.merge(reactivex.of("x")), marbles("ab|"))
        ['x', 'a', 'b']

    Args:
        *others: observables. Those that are no EventStream contribute events without marks.

    Raises:
        TypeError: one of them is no Observable.
    """
    return EventMerging("merge", tuple(as_stream(other) for other in others), stream.merge)


@overload
def merge_exchanges(
    **terms: Unpack[OrderTerms],
) -> Callable[[Observable[SomeEvent]], OrderedStream[SomeEvent]]: ...
@overload
def merge_exchanges(
    first: Observable[SomeEvent], /, *others: Observable[SomeEvent], **terms: Unpack[OrderTerms]
) -> Ordering[SomeEvent]: ...
def merge_exchanges(
    *others: Observable[Any],
    max_delay: Duration = "2s",
    until: Until = "all",
    on_source_error: OnSourceError = "raise",
    max_held: float = MAX_HELD,
) -> Callable[[Observable[Any]], OrderedStream[Any]]:
    """Put the stream, and others with it, in the order of event time; all else as in `cgrx.merge_exchanges`.

    Examples:
        >>> times = (("OKX", "1s"), ("Binance", "2s"), ("Binance", "4s"), ("OKX", "3s"))
        >>> arrived = batch(*(trade(exchange=name, time=time) for name, time in times))
        >>> in_order = ops.merge_exchanges(max_delay="5s")
        >>> [event.time_ms for event in play(in_order, [arrived])]
        [1000, 2000, 3000, 4000]

    Args:
        *others: observables of events; none where the stream itself has several exchanges in it.
        max_delay: how long an event may be held, on the stream's own clock; `math.inf` waits for every source.
        until: complete when `"all"` sources have, or as soon as `"any"` has.
        on_source_error: `"raise"`, or a function that is called with the error of a source while the others go on.
        max_held: how many events are held at most; `math.inf` for no bound.

    Returns:
        An operator that gives an `OrderedStream`, an event for an event. Its `stats` tell how many were late.

    Raises:
        ValueError: an argument out of range; when applied, a stream that is known to carry something else than events.
        TypeError: one of the others is no Observable, an argument of another type.
    """
    terms = Terms.of(max_delay, until, on_source_error, max_held)
    sources = tuple(as_stream(other) for other in others)
    return Ordering[Any]("merge_exchanges", sources, lambda *streams: ordering.in_order(streams, terms))
