"""Aggregates that pick one of the events, or some: first, last, least, greatest, largest.

The first event is the one with the smallest time; of those the one with the smallest price, then volume, side,
exchange, symbol, base asset, type. The last is the largest in the same order. So no tie depends on arrival.
"""

from enum import IntEnum
from typing import Any, Literal, TypeVar, overload

from cgrx._model.events import Event, LiquidationSide, TradeSide
from cgrx.operators._aggregates.aggregate import NUMBERS, Aggregate, Number, Side, Text, filtered, one_of, written
from cgrx.operators._aggregates.formulas import Events, Field, Found, Value
from cgrx.operators._aggregates.primitives import FIELDS, EdgeEvent, EdgePrice, Extreme, Guard, Top

E = TypeVar("E", bound=Event)

_KINDS: dict[str, type] = {"price": float, "volume_usd": float, "time_ms": int, "side": IntEnum}


def open(*, side: Side | None = None, of: type[Event] | None = None) -> Aggregate[float | None]:
    """The price of the first event: smallest time, then smallest price.

    Unit: the price's. Without any event: None. Error: none.

    Args:
        side: of one side only, see `count`.
        of: of one type of event only.

    Raises:
        ValueError, TypeError: as `count`.
    """
    return Aggregate(written("open", side=side, of=of), Value(EdgePrice(False, guard=filtered("open", side, of))))


def high(*, side: Side | None = None, of: type[Event] | None = None) -> Aggregate[float | None]:
    """The highest price.

    Unit: the price's. Without any event: None. Error: none.

    Args:
        side: of one side only, see `count`.
        of: of one type of event only.

    Raises:
        ValueError, TypeError: as `count`.
    """
    return _extreme(written("high", side=side, of=of), "price", True, filtered("high", side, of))


def low(*, side: Side | None = None, of: type[Event] | None = None) -> Aggregate[float | None]:
    """The lowest price.

    Unit: the price's. Without any event: None. Error: none.

    Args:
        side: of one side only, see `count`.
        of: of one type of event only.

    Raises:
        ValueError, TypeError: as `count`.
    """
    return _extreme(written("low", side=side, of=of), "price", False, filtered("low", side, of))


def close(*, side: Side | None = None, of: type[Event] | None = None) -> Aggregate[float | None]:
    """The price of the last event: largest time, then largest price.

    Unit: the price's. Without any event: None. Error: none.

    Args:
        side: of one side only, see `count`.
        of: of one type of event only.

    Raises:
        ValueError, TypeError: as `count`.
    """
    return Aggregate(written("close", side=side, of=of), Value(EdgePrice(True, guard=filtered("close", side, of))))


@overload
def first(
    field: Literal["price", "volume_usd"], *, side: Side | None = None, of: type[Event] | None = None
) -> Aggregate[float | None]: ...
@overload
def first(
    field: Literal["time_ms"], *, side: Side | None = None, of: type[Event] | None = None
) -> Aggregate[int | None]: ...
@overload
def first(field: Text, *, side: Side | None = None, of: type[Event] | None = None) -> Aggregate[str | None]: ...
@overload
def first(
    field: Literal["side"], *, side: Side | None = None, of: type[Event] | None = None
) -> Aggregate[LiquidationSide | TradeSide | None]: ...
def first(field: str, *, side: Side | None = None, of: type[Event] | None = None) -> Aggregate[Any]:
    """A field of the first event: smallest time, ties by price, then by all other fields.

    Unit: the field's. Without any event: None. Error: none.

    Args:
        field: any field of an event.
        side: of one side only, see `count`.
        of: of one type of event only.

    Raises:
        ValueError: another field; else as `count`.
        TypeError: as `count`.
    """
    return _edge("first", field, False, side, of)


@overload
def last(
    field: Literal["price", "volume_usd"], *, side: Side | None = None, of: type[Event] | None = None
) -> Aggregate[float | None]: ...
@overload
def last(
    field: Literal["time_ms"], *, side: Side | None = None, of: type[Event] | None = None
) -> Aggregate[int | None]: ...
@overload
def last(field: Text, *, side: Side | None = None, of: type[Event] | None = None) -> Aggregate[str | None]: ...
@overload
def last(
    field: Literal["side"], *, side: Side | None = None, of: type[Event] | None = None
) -> Aggregate[LiquidationSide | TradeSide | None]: ...
def last(field: str, *, side: Side | None = None, of: type[Event] | None = None) -> Aggregate[Any]:
    """A field of the last event: largest time, ties by price, then by all other fields.

    Unit: the field's. Without any event: None. Error: none.

    Args:
        field: any field of an event.
        side: of one side only, see `count`.
        of: of one type of event only.

    Raises:
        ValueError: another field; else as `count`.
        TypeError: as `count`.
    """
    return _edge("last", field, True, side, of)


@overload
def min(
    field: Literal["price", "volume_usd"] = "price", *, side: Side | None = None, of: type[Event] | None = None
) -> Aggregate[float | None]: ...
@overload
def min(
    field: Literal["time_ms"], *, side: Side | None = None, of: type[Event] | None = None
) -> Aggregate[int | None]: ...
def min(field: Number = "price", *, side: Side | None = None, of: type[Event] | None = None) -> Aggregate[Any]:
    """The least value of a field.

    Unit: the field's. Without any event: None. Error: none.

    Args:
        field: `"price"`, `"volume_usd"` or `"time_ms"`.
        side: of one side only, see `count`.
        of: of one type of event only.

    Raises:
        ValueError: another field; else as `count`.
        TypeError: as `count`.
    """
    one_of("min", "field", field, NUMBERS)
    return _extreme(written("min", field, side=side, of=of), field, False, filtered("min", side, of))


@overload
def max(
    field: Literal["price", "volume_usd"] = "price", *, side: Side | None = None, of: type[Event] | None = None
) -> Aggregate[float | None]: ...
@overload
def max(
    field: Literal["time_ms"], *, side: Side | None = None, of: type[Event] | None = None
) -> Aggregate[int | None]: ...
def max(field: Number = "price", *, side: Side | None = None, of: type[Event] | None = None) -> Aggregate[Any]:
    """The greatest value of a field.

    Unit: the field's. Without any event: None. Error: none.

    Args:
        field: `"price"`, `"volume_usd"` or `"time_ms"`.
        side: of one side only, see `count`.
        of: of one type of event only.

    Raises:
        ValueError: another field; else as `count`.
        TypeError: as `count`.
    """
    one_of("max", "field", field, NUMBERS)
    return _extreme(written("max", field, side=side, of=of), field, True, filtered("max", side, of))


@overload
def largest(n: int, *, side: Side | None = None, of: None = None) -> Aggregate[tuple[Event, ...]]: ...
@overload
def largest(n: int, *, side: Side | None = None, of: type[E]) -> Aggregate[tuple[E, ...]]: ...
def largest(n: int, *, side: Side | None = None, of: type[Any] | None = None) -> Aggregate[Any]:
    """The events of the largest volume, the largest first; of equal volumes the earlier event.

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


def _edge(name: str, field: str, last: bool, side: Side | None, of: type[Event] | None) -> Aggregate[Any]:
    one_of(name, "field", field, FIELDS)
    guard = filtered(name, side, of)
    code = written(name, field, side=side, of=of)
    if field == "price":
        return Aggregate(code, Value(EdgePrice(last, guard=guard)))
    if field == "time_ms":
        return _extreme(code, field, last, guard)
    return Aggregate(code, Field(EdgeEvent(last, guard=guard), field), kind=_KINDS.get(field, str))


def _extreme(code: str, field: str, greatest: bool, guard: Guard) -> Aggregate[Any]:
    return Aggregate(code, Found(Extreme(field, greatest, guard=guard)), kind=_KINDS[field])
