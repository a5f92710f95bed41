"""Any field of the first or the last event.

The first event is the one with the smallest time; of those that share it, the one with the smallest price, then volume,
side, exchange, symbol, base asset, type. The last is the largest in the same order. So the arrival order of events
decides nothing.
"""

from enum import IntEnum
from typing import Any, Literal, overload

from cgrx._model.events import Event, LiquidationSide, TradeSide
from cgrx.operators._aggregates.aggregate import Aggregate, Side, Text, field_of, filtered, written
from cgrx.operators._aggregates.formulas import Field, Value
from cgrx.operators._aggregates.min_max import extreme
from cgrx.operators._aggregates.over_rows import edge
from cgrx.operators._aggregates.primitives import FIELDS, EdgeEvent, EdgePrice

_KINDS: dict[str, type] = {"volume_usd": float, "side": IntEnum}
"""The types of the fields that are no text."""


@overload
def first(
    field: Literal["price", "volume_usd"], *, side: Side | None = None, of: type[Event] | None = None
) -> Aggregate[float | None]: ...
@overload
def first(  # type: ignore[overload-overlap]  # these are no numbers of rows
    field: Literal["time_ms"], *, side: Side | None = None, of: type[Event] | None = None
) -> Aggregate[int | None]: ...
@overload
def first(  # type: ignore[overload-overlap]  # these are no numbers of rows
    field: Text, *, side: Side | None = None, of: type[Event] | None = None
) -> Aggregate[str | None]: ...
@overload
def first(  # type: ignore[overload-overlap]  # these are no numbers of rows
    field: Literal["side"], *, side: Side | None = None, of: type[Event] | None = None
) -> Aggregate[LiquidationSide | TradeSide | None]: ...
@overload
def first(field: str) -> Aggregate[float | None]: ...
def first(field: str, *, side: Side | None = None, of: type[Event] | None = None) -> Aggregate[Any]:
    """A field of the first event: smallest time, ties by price, then by all other fields.

    Examples:
        >>> events = batch(trade("sell", time="3s"), trade("buy", time="1s"))
        >>> [row] = play(ops.tumbling("1m", began=agg.first("time_ms")), [events])
        >>> row.began
        1000

    In a window over rows, a field of the first row that has it: smallest start, then end, then key.

    Unit: the field's. Without any event: None. Error: none.

    Args:
        field: any field of an event; or the name of a number of the rows.
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
def last(  # type: ignore[overload-overlap]  # these are no numbers of rows
    field: Literal["time_ms"], *, side: Side | None = None, of: type[Event] | None = None
) -> Aggregate[int | None]: ...
@overload
def last(  # type: ignore[overload-overlap]  # these are no numbers of rows
    field: Text, *, side: Side | None = None, of: type[Event] | None = None
) -> Aggregate[str | None]: ...
@overload
def last(  # type: ignore[overload-overlap]  # these are no numbers of rows
    field: Literal["side"], *, side: Side | None = None, of: type[Event] | None = None
) -> Aggregate[LiquidationSide | TradeSide | None]: ...
@overload
def last(field: str) -> Aggregate[float | None]: ...
def last(field: str, *, side: Side | None = None, of: type[Event] | None = None) -> Aggregate[Any]:
    """A field of the last event: largest time, ties by price, then by all other fields.

    Examples:
        >>> events = batch(trade(price=100, time="3s"), trade(price=101, time="1s"))
        >>> [row] = play(ops.tumbling("1m", price=agg.last("price")), [events])
        >>> row.price
        100

    In a window over rows, a field of the last row that has it: largest start, then end, then key.

    Unit: the field's. Without any event: None. Error: none.

    Args:
        field: any field of an event; or the name of a number of the rows.
        side: of one side only, see `count`.
        of: of one type of event only.

    Raises:
        ValueError: another field; else as `count`.
        TypeError: as `count`.
    """
    return _edge("last", field, True, side, of)


def _edge(name: str, field: str, last: bool, side: Side | None, of: type[Event] | None) -> Aggregate[Any]:
    guard = filtered(name, side, of)
    code = written(name, field, side=side, of=of)
    rows = field_of(name, field, FIELDS, guard, edge(field, last))
    if rows is not None and field not in FIELDS:
        return Aggregate(code, rows, over_rows=rows)
    if field == "price":
        return Aggregate(code, Value(EdgePrice(last, guard=guard)), over_rows=rows)
    if field == "time_ms":
        return extreme(code, field, last, guard, rows)
    return Aggregate(code, Field(EdgeEvent(last, guard=guard), field), kind=_KINDS.get(field, str), over_rows=rows)
