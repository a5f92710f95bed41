"""The class of the rows that a window gives: a declared one, one with key fields added, or one made for keywords."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar, cast, overload

from cgrx.operators._aggregates.aggregate import Aggregate
from cgrx.operators._rows.ready import Flow
from cgrx.operators._rows.row import Derivation, Row, not_an_aggregate, require_instrument

RowT = TypeVar("RowT", bound=Row)


@overload
def row_type(row: type[RowT], by: str | Sequence[str], aggregates: Mapping[str, Aggregate[Any]]) -> type[RowT]: ...
@overload
def row_type(row: None, by: str | Sequence[str], aggregates: Mapping[str, Aggregate[Any]]) -> type[Row]: ...
def row_type(row: type[Row] | None, by: str | Sequence[str], aggregates: Mapping[str, Aggregate[Any]]) -> type[Row]:
    """The class of rows for the arguments of a window.

    Args:
        row: a declared class. None: a class of the keyword aggregates alone, or `Flow` if there are none.
        by: the names of the key fields; they are added to a class that declares none. Empty: those that it declares.
        aggregates: further aggregates by name.

    Returns:
        The class itself, or a subclass with the key fields and aggregates added: the same one for equal arguments.

    Raises:
        ValueError: an unknown or repeated key field, other key fields than the class declares, an aggregate with the
            name of another field, a `Bar` whose key does not hold exchange and symbol.
        TypeError: `row` is no class of rows, `by` holds no names, or a value is no aggregate.
    """
    base: object = row if row is not None else Row if aggregates else Flow
    if not (isinstance(base, type) and issubclass(base, Row)):
        raise TypeError(f"row={row!r} is no class of rows; give ops.Flow, ops.Bar or a class that extends ops.Row")
    keys = _keys(by)
    for name, aggregate in aggregates.items():
        if not isinstance(aggregate, Aggregate):
            raise not_an_aggregate(base.__name__, name, aggregate)
    if keys and base.key_fields:
        if set(keys) != set(base.key_fields) or len(keys) != len(base.key_fields):
            raise ValueError(
                f"by={by!r}: {base.__name__} has the key fields {base.key_fields!r}; leave `by` out, or give these"
            )
        keys = ()
    made = Derivation(base, keys, tuple(aggregates.items())).row_type() if keys or aggregates else base
    require_instrument(made)
    return made


def _keys(by: object) -> tuple[str, ...]:
    if isinstance(by, str):
        return (by,)
    if not isinstance(by, tuple | list) or not all(isinstance(key, str) for key in cast("Sequence[object]", by)):
        raise TypeError(f"by={by!r} takes the name of a field, or several in a tuple")
    return tuple(cast("Sequence[str]", by))
