"""Items as records: which columns a class has, of which kind, and the plain values of an item in that order."""

from collections.abc import Hashable, Iterable
from functools import lru_cache
from typing import Any, Literal, TypeAlias

import attrs

from cgrx._model.data_errors import SinkDataError
from cgrx._model.events import Liquidation, Trade
from cgrx._model.plain import PLAIN, plain
from cgrx.operators._rows.row import Row
from cgrx.operators._rows.to_frame import EVENT, types_of

Kind: TypeAlias = Literal["int", "float", "text", "bool", "json"]

_KINDS: dict[object, Kind] = {int: "int", float: "float", str: "text", bool: "bool"}


@attrs.frozen
class Column:
    """One value of a record."""

    name: str
    kind: Kind
    """Of its values; times are integers, milliseconds since the epoch. `"json"`: lists, mappings, or what a custom
    aggregate gives."""
    key: bool = False
    """Whether it is part of what rows are told apart by."""


@lru_cache(maxsize=256)
def columns(kind: type) -> tuple[Column, ...]:
    """The columns of a class of rows or events, in order.

    Raises:
        TypeError: it is another class.
    """
    if issubclass(kind, Row):
        keys = {"start_ms", *kind.key_fields}
        types = types_of(kind)
    elif issubclass(kind, Liquidation | Trade):
        keys, types = set[str](), EVENT
    else:
        raise TypeError(f"{kind.__name__} is neither a class of rows nor of events, so it has no columns")
    return tuple(
        Column(name, _KINDS[of] if isinstance(of, type) else "json", name in keys) for name, of in types.items()
    )


def values(item: Any) -> tuple[Any, ...]:
    """The plain values of a row or an event, in the order of the columns of its class."""
    if isinstance(item, Row):
        return tuple([value if type(value) in PLAIN else plain(value) for value in item.values])
    return tuple(item.asdict().values())


def upserts(batch: Iterable[Any]) -> dict[type, list[Any]]:
    """What a system that upserts has to write of a batch, by class: the last row of each window, and all events.

    The last final one, where there is a final one, as in the system itself.

    Raises:
        SinkDataError: an item is neither a row nor an event.
    """
    last: dict[Hashable, Any] = {}
    for number, item in enumerate(batch):
        window: Hashable = (type(item), item.identity) if isinstance(item, Row) else number
        before = last.get(window)
        if before is None or item.final or not before.final:
            last.pop(window, None)
            last[window] = item
    found: dict[type, list[Any]] = {}
    for item in last.values():
        if not isinstance(item, Row | Liquidation | Trade):
            raise not_a_record(item)
        found.setdefault(type(item), []).append(item)
    return found


def not_a_record(item: object) -> SinkDataError:
    """The error for what is neither a row nor an event."""
    return SinkDataError(f"{item!r} is neither a row nor an event")
