"""What a stage reads of an item, be it an event, a row, or a result that carries one: its key, a number, its time.

How is found out once for each type of item, where a field that the type lacks is refused; then it is looked up.
"""

from collections.abc import Callable, Hashable, Sequence
from inspect import getattr_static
from operator import attrgetter
from typing import Any, Generic, TypeAlias, TypeVar, cast

import msgspec

from cgrx._model.events import EVENT_TYPES
from cgrx._model.plain import plain
from cgrx._model.use_errors import TooManyKeysError
from cgrx._streams.stream import EventTypes
from cgrx.operators._aggregates.aggregate import NUMBERS
from cgrx.operators._rows.row import KEY_FIELDS, Row

T_co = TypeVar("T_co", covariant=True)

Names: TypeAlias = tuple[str, ...] | None
"""The fields that make the key; None for the key fields of a row, and for events for none."""

EVENT_NUMBERS = (*NUMBERS, "signed_volume_usd")
_ROW_NUMBERS = ("start_ms", "end_ms", "time_ms", "gap_ms", "dropped", "late")


# Msgspec Structs as the events and batches are, and not attrs as all other values: a join makes one for each item, and
# making it takes a quarter of the time.
class Carried(msgspec.Struct, Generic[T_co], frozen=True):
    """A result about an event or a row. A stage behind reads the key, the fields and the time of that."""

    item: T_co
    """The event or the row, as it came."""

    def asdict(self) -> dict[str, object]:
        """The fields and their values, plain; an event, a row or a result among them as its own `asdict()`."""
        return {name: _plain(getattr(self, name)) for name in self.__struct_fields__}


def _plain(value: object) -> object:
    return value.asdict() if isinstance(value, Carried | Row) else plain(value)


def names(by: object, accepted: tuple[str, ...] = KEY_FIELDS) -> Names:
    """The argument `by`: the name of a key field, several in a tuple, none of them, or None.

    Raises:
        ValueError, TypeError: naming the value and the accepted forms.
    """
    if by is None:
        return None
    several = (by,) if isinstance(by, str) else by
    if not isinstance(several, tuple | list) or not all(
        isinstance(each, str) for each in cast("Sequence[object]", several)
    ):
        raise TypeError(f"by={by!r} takes the name of a key field, or several in a tuple")
    found = tuple(cast("Sequence[str]", several))
    if not set(found) <= set(accepted) or len(set(found)) < len(found):
        raise ValueError(f"by={by!r} takes different names out of {', '.join(repr(each) for each in accepted)}")
    return found


def key_as_code(by: Names, of: type | None) -> list[str]:
    """`by=` and `of=` as they stand in a call; nothing for one that was not given."""
    parts = [] if by is None else [f"by={by[0] if len(by) == 1 else by!r}"]
    return parts if of is None else [*parts, f"of={of.__name__}"]


def key_reader(stage: object, kind: type[object], by: Names) -> Callable[[Any], Hashable]:
    """The function that gives the key of an item of this type.

    Raises:
        ValueError: rows of this type are not told apart by one of the fields.
    """
    if issubclass(kind, Carried):
        return _inner(lambda inner: key_reader(stage, inner, by))
    if issubclass(kind, Row):
        lacking = [name for name in by or () if name not in kind.key_fields]
        if lacking:
            raise ValueError(
                f"{stage!r}: {kind.__name__} has no key field {lacking[0]!r}; it has"
                f" {', '.join(map(repr, kind.key_fields)) or 'none'}: give the window by={lacking[0]!r} too"
            )
        by = kind.key_fields if by is None else by
    return attrgetter(*by) if by else _no_key


def number_reader(stage: object, kind: type[object], field: str) -> Callable[[Any], Any]:
    """The function that gives a number of an item of this type.

    Raises:
        ValueError: items of this type have no such number.
    """
    if issubclass(kind, Carried):
        return _inner(lambda inner: number_reader(stage, inner, field))
    known = _numbers(kind)
    if known is not None and field not in known and not _is_own_property(kind, field):
        raise ValueError(
            f"{stage!r}: {kind.__name__} has no number {field!r}; it has {', '.join(repr(each) for each in known)}"
        )
    return attrgetter(field)


def time_reader(kind: type[object]) -> Callable[[Any], int]:
    """The function that gives the event time of an item of this type."""
    return _inner(time_reader) if issubclass(kind, Carried) else attrgetter("time_ms")


def is_withdrawn(item: object) -> bool:
    """Whether it is a withdrawn row, or a result about one."""
    row = innermost(item)
    return isinstance(row, Row) and row.withdrawn


def innermost(item: object) -> object:
    """The event or the row itself."""
    while isinstance(item, Carried):
        item = cast("Carried[object]", item).item
    return item


def too_many(max_keys: float, key: Hashable) -> TooManyKeysError:
    """The error at a key that is one too many."""
    return TooManyKeysError(int(max_keys), cast("tuple[object, ...]", key) if isinstance(key, tuple) else (key,))


def check_types(incoming: EventTypes, check: Callable[[type[object]], object]) -> None:
    """Check what a stream is known to carry; of results that carry an item nothing is known before the first."""
    for kind in cast("frozenset[type[object]]", incoming or frozenset()):
        if not issubclass(kind, Carried):
            check(kind)


def _numbers(kind: type[object]) -> tuple[str, ...] | None:
    """The numbers of events and rows by name; None for other types, of which they are not known."""
    if issubclass(kind, Row):
        return (*(name for name, each in kind.aggregates if each.kind in (int, float, object)), *_ROW_NUMBERS)
    return EVENT_NUMBERS if kind in EVENT_TYPES.values() else None


def _is_own_property(kind: type[object], field: str) -> bool:
    """Whether it is a property that the user gave a row."""
    return issubclass(kind, Row) and not hasattr(Row, field) and isinstance(getattr_static(kind, field, None), property)


def _no_key(_: object) -> Hashable:
    return ()


def _inner(reader_of: Callable[[type[object]], Callable[[Any], Any]]) -> Callable[[Any], Any]:
    """Reads what a result carries, for which a reader is found by its type."""
    readers: dict[type[object], Callable[[Any], Any]] = {}

    def read(result: Carried[Any]) -> Any:
        item = result.item
        kind = cast("type[object]", type(item))
        reader = readers.get(kind)
        if reader is None:
            reader = readers[kind] = reader_of(kind)
        return reader(item)

    return read
