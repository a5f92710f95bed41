"""Events, rows and other values of cgrx as dictionaries."""

from collections.abc import Iterable
from typing import Protocol, runtime_checkable

import attrs

from cgrx._model.events import Event, Liquidation, Trade
from cgrx._model.plain import plain_fields
from cgrx.operators._rows.row import Row
from cgrx.operators._rows.standing import standing


@runtime_checkable
class _OfItsOwn(Protocol):
    """Results that carry an event or a row, which the stages define; and a user's own values."""

    def asdict(self) -> dict[str, object]: ...


def asdict(value: object) -> dict[str, object]:
    """A value of cgrx as a dictionary of plain values, by the names of its attributes.

        json.dumps({"row": row, "stats": feed.stats}, default=cgrx.asdict)

    As `default=` of `json.dumps` it writes events, rows, statuses, counters and marks wherever they stand. As
    `enc_hook=` of msgspec it is never asked about events, which msgspec writes with the names and numbers of the wire.

    Args:
        value: an event, a row, or a result that carries one, such as an `ops.Crossing`: what its own `asdict()` gives,
            as of any other value that has one; a status, with the name of its class under `status`; or another frozen
            value, such as `feed.stats` or a `Gap`. In it channels are their names on the wire, errors
            `{"type": ..., "message": ...}`.

    Raises:
        TypeError: another value.

    Examples:
        >>> (row,) = play(
        ...     ops.tumbling("1m"),
        ...     [batch(liquidation("long", 5_000.0, time="1s")), alive("65s")],
        ... )
        >>> cgrx.asdict(row)
        {'start_ms': 0, 'end_ms': 60000, 'count': 1, 'volume': 5000.0, 'buy_volume': 0.0, 'sell_volume': 5000.0,
        'delta': -5000.0, 'gap_ms': 0, 'dropped': 0, 'late': 0, 'final': True, 'complete': True}
    """
    match value:
        case Row() | Liquidation() | Trade():
            return dict(value.asdict())
        case _ if attrs.has(type(value)):
            return plain_fields(value)
        case _OfItsOwn() if not isinstance(value, type):  # asked last, for it takes longest
            return value.asdict()
        case _:
            raise TypeError(f"asdict() takes an event, a row, a status, counters or a mark, not {value!r}")


def to_dicts(items: Iterable[Event | Row], *, final_only: bool = True) -> list[dict[str, object]]:
    """Events or rows as dictionaries of plain values, each as its `asdict()` gives it.

    Args:
        items: events, rows, or both; they are read once.
        final_only: leave the running rows out, so that no window counts twice. Otherwise withdrawn rows, and the
            running rows that they take back, are left out alone. Events are never left out.

    Returns:
        One dictionary for each, in order.

    Raises:
        TypeError: one is neither an event nor a row.

    Examples:
        >>> rows = play(
        ...     ops.tumbling("1m", by="side"),
        ...     [batch(liquidation("long", 5_000.0, time="1s")), alive("65s")],
        ... )
        >>> [each["volume"] for each in cgrx.to_dicts(rows)]
        [5000.0]
    """
    found: list[dict[str, object]] = []
    for item in standing(list(items)):
        match item:
            case Row():
                if item.final or not final_only:
                    found.append(item.asdict())
            case Liquidation() | Trade():
                found.append(dict[str, object](item.asdict()))
            case _:
                raise not_an_item("to_dicts", item)
    return found


def not_an_item(function: str, item: object) -> TypeError:
    """The error for what is neither an event nor a row."""
    return TypeError(f"{function}() takes events or rows, not {item!r}")
