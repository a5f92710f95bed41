"""The least and the greatest value of a field."""

from typing import Any, Literal, overload

from cgrx._model.events import Event
from cgrx.operators._aggregates.aggregate import NUMBERS, Aggregate, Number, Side, filtered, one_of, written
from cgrx.operators._aggregates.formulas import Found
from cgrx.operators._aggregates.primitives import Extreme, Guard


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
    return extreme(written("min", field, side=side, of=of), field, False, filtered("min", side, of))


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
    return extreme(written("max", field, side=side, of=of), field, True, filtered("max", side, of))


def extreme(code: str, field: str, greatest: bool, guard: Guard) -> Aggregate[Any]:
    """The aggregate for the least or the greatest value, written as `code`."""
    return Aggregate(code, Found(Extreme(field, greatest, guard=guard)), kind=int if field == "time_ms" else float)
