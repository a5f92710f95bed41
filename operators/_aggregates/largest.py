"""The largest events themselves."""

from typing import Any, TypeVar, overload

from cgrx._model.events import Event
from cgrx.operators._aggregates.aggregate import Aggregate, Side, filtered, written
from cgrx.operators._aggregates.formulas import Events
from cgrx.operators._aggregates.primitives import Top

E = TypeVar("E", bound=Event)


@overload
def largest(n: int, *, side: Side | None = None, of: None = None) -> Aggregate[tuple[Event, ...]]: ...
@overload
def largest(n: int, *, side: Side | None = None, of: type[E]) -> Aggregate[tuple[E, ...]]: ...
def largest(n: int, *, side: Side | None = None, of: type[Any] | None = None) -> Aggregate[Any]:
    """The events of the largest volume, the largest first; of equal volumes the earlier event.

    Examples:
        >>> events = batch(*(liquidation(volume_usd=usd) for usd in (200, 900, 500)))
        >>> [row] = play(ops.tumbling("1m", largest=agg.largest(2)), [events])
        >>> [event.volume_usd for event in row.largest]
        [900, 500]

    Unit: events. Without any: an empty tuple. Error: none. Keeps at most `n` events per key and window.

    Args:
        n: how many, at least 1.
        side: of one side only, see `count`.
        of: of one type of event only.

    Raises:
        ValueError: `n` below 1; else as `count`.
        TypeError: `n` is no integer; else as `count`.
    """
    if isinstance(n, bool) or not isinstance(n, int):
        raise TypeError(f"agg.largest({n!r}) takes a number of events, 1 or more")
    if n < 1:
        raise ValueError(f"agg.largest({n!r}) takes a number of events, 1 or more")
    part = Top(n, guard=filtered("largest", side, of))
    return Aggregate(written("largest", n, side=side, of=of), Events(part), kind=tuple)
