"""The least and the greatest value of a field."""

from typing import Any, Literal, overload

from cgrx._model.events import Event
from cgrx.operators._aggregates import over_rows
from cgrx.operators._aggregates.aggregate import NUMBERS, Aggregate, Side, field_of, filtered, written
from cgrx.operators._aggregates.formulas import Formula, Found
from cgrx.operators._aggregates.primitives import Extreme, Guard


@overload
def min(
    field: Literal["price", "volume_usd"] = "price", *, side: Side | None = None, of: type[Event] | None = None
) -> Aggregate[float | None]: ...
@overload
def min(  # type: ignore[overload-overlap]  # of events it is an int, and rows have no such field
    field: Literal["time_ms"], *, side: Side | None = None, of: type[Event] | None = None
) -> Aggregate[int | None]: ...
@overload
def min(field: str) -> Aggregate[float | None]: ...
def min(field: str = "price", *, side: Side | None = None, of: type[Event] | None = None) -> Aggregate[Any]:
    """The least value of a field. In a window over rows, of a field of theirs.

    Examples:
        >>> events = batch(*(liquidation(volume_usd=usd) for usd in (200, 900, 500)))
        >>> [row] = play(ops.tumbling("1m", least=agg.min("volume_usd")), [events])
        >>> row.least
        200

    Unit: the field's. Without any event: None. Error: none.

    Args:
        field: `"price"`, `"volume_usd"` or `"time_ms"`; or the name of a number of the rows.
        side: of one side only, see `count`.
        of: of one type of event only.

    Raises:
        ValueError: another field; else as `count`.
        TypeError: as `count`.
    """
    return _of_field("min", field, False, side, of)


@overload
def max(
    field: Literal["price", "volume_usd"] = "price", *, side: Side | None = None, of: type[Event] | None = None
) -> Aggregate[float | None]: ...
@overload
def max(  # type: ignore[overload-overlap]  # of events it is an int, and rows have no such field
    field: Literal["time_ms"], *, side: Side | None = None, of: type[Event] | None = None
) -> Aggregate[int | None]: ...
@overload
def max(field: str) -> Aggregate[float | None]: ...
def max(field: str = "price", *, side: Side | None = None, of: type[Event] | None = None) -> Aggregate[Any]:
    """The greatest value of a field. In a window over rows, of a field of theirs.

    Examples:
        >>> events = batch(*(liquidation(volume_usd=usd) for usd in (200, 900, 500)))
        >>> [row] = play(ops.tumbling("1m", most=agg.max("volume_usd")), [events])
        >>> row.most
        900

    Unit: the field's. Without any event: None. Error: none.

    Args:
        field: `"price"`, `"volume_usd"` or `"time_ms"`; or the name of a number of the rows.
        side: of one side only, see `count`.
        of: of one type of event only.

    Raises:
        ValueError: another field; else as `count`.
        TypeError: as `count`.
    """
    return _of_field("max", field, True, side, of)


def _of_field(name: str, field: str, greatest: bool, side: Side | None, of: type[Event] | None) -> Aggregate[Any]:
    guard = filtered(name, side, of)
    code = written(name, field, side=side, of=of)
    rows = field_of(name, field, NUMBERS, guard, over_rows.extreme(field, greatest))
    if rows is not None and field not in NUMBERS:
        return Aggregate(code, rows, over_rows=rows)
    return extreme(code, field, greatest, guard, rows)


def extreme(code: str, field: str, greatest: bool, guard: Guard, rows: Formula | None = None) -> Aggregate[Any]:
    """The aggregate for the least or the greatest value, written as `code`."""
    kind = int if field == "time_ms" else float
    return Aggregate(code, Found(Extreme(field, greatest, guard=guard)), kind=kind, over_rows=rows)
