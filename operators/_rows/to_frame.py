"""Events or rows as a table of polars, pandas or Arrow."""

from collections.abc import Callable, Iterable, Sequence
from enum import Enum
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast, overload

from cgrx._model.events import Event, Liquidation, Trade
from cgrx._model.plain import PLAIN, plain
from cgrx.operators._aggregates.aggregate import Aggregate
from cgrx.operators._aggregates.formulas import Events, Names, Parts
from cgrx.operators._rows.row import Row
from cgrx.operators._rows.standing import standing
from cgrx.operators._rows.to_dicts import not_an_item

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow

Type: TypeAlias = "type[object] | list[Type] | dict[str, Type] | None"
"""The type of a column: that of plain values, a list of one type, a record of types; None: for the library to find."""

Columns: TypeAlias = dict[str, tuple[list[Any], Type]]
"""The values of each column, and their type."""

EVENT: dict[str, Type] = {
    "kind": str,
    "base_asset": str,
    "exchange": str,
    "symbol": str,
    "side": str,
    "price": float,
    "volume_usd": float,
    "time_ms": int,
}
"""What an event is in a table: the fields of its `asdict()`."""


@overload
def to_frame(
    items: Iterable[Event | Row], *, final_only: bool = True, library: Literal["polars"] = "polars"
) -> "polars.DataFrame": ...
@overload
def to_frame(
    items: Iterable[Event | Row], *, final_only: bool = True, library: Literal["pandas"]
) -> "pandas.DataFrame": ...
@overload
def to_frame(
    items: Iterable[Event | Row], *, final_only: bool = True, library: Literal["pyarrow"]
) -> "pyarrow.Table": ...
def to_frame(
    items: Iterable[Event | Row], *, final_only: bool = True, library: str = "polars"
) -> "polars.DataFrame | pandas.DataFrame | pyarrow.Table":
    """Events or rows as a table: one column for each field of their `asdict()`, in order.

    Times stay integers of milliseconds, sides are words (`"buy"`), events in rows records, mappings lists of records
    with `name` and `value`. The type of a column does not depend on the values, so that tables fit together; only for
    what `agg.custom` gives the library finds one. Needs the extra `frames`.

    Args:
        items: events, of one kind or both, which the column `kind` tells apart; or rows of one class. They are read
            once.
        final_only: leave the running rows out, so that no window counts twice. Otherwise withdrawn rows, and the
            running rows that they take back, are left out alone. Events are never left out.
        library: `"polars"`, `"pandas"` or `"pyarrow"`.

    Returns:
        A data frame, or a table of Arrow; of no items one without columns, for nothing says which there would be. Of
        running rows alone it has the columns and no row.

    Raises:
        ValueError: another library.
        TypeError: rows of several classes, rows and events, or something else.
        ImportError: the library is not installed.

    Examples:
        >>> rows = play(
        ...     ops.tumbling("1m", by="side"),
        ...     [batch(liquidation("long", 5_000.0, time="1s")), alive("65s")],
        ... )
        >>> cgrx.to_frame(rows).select("side", "volume").rows()
        [('long', 5000.0)]
    """
    if library not in _LIBRARIES:
        raise ValueError(f"library={library!r} is none of 'polars', 'pandas' and 'pyarrow'")
    all_items = list(items)
    for item in all_items:
        if not isinstance(item, Row | Liquidation | Trade):
            raise not_an_item("to_frame", item)
    kinds = dict.fromkeys(None if isinstance(item, Liquidation | Trade) else type(item) for item in all_items)
    if len(kinds) > 1:
        names = " and ".join("events" if kind is None else kind.__name__ for kind in kinds)
        raise TypeError(f"to_frame() takes events, or rows of one class, not {names} together")
    columns: Columns = {}
    for kind in kinds:
        if kind is None:
            columns = columns_of_events(cast("list[Event]", all_items))
        else:
            rows = standing(cast("list[Row]", all_items))
            columns = columns_of_rows(kind, [row for row in rows if row.final or not final_only])
    try:
        frame: polars.DataFrame | pandas.DataFrame | pyarrow.Table = _LIBRARIES[library](columns)
    except ModuleNotFoundError as missing:
        raise ImportError(
            f'to_frame(library="{library}") needs the package {library}: pip install "cgrx[frames]"'
        ) from missing
    return frame


def columns_of_events(events: Sequence[Event]) -> Columns:
    """The columns of events."""
    dicts = [event.asdict() for event in events]
    return {field: ([each[field] for each in dicts], of_type) for field, of_type in EVENT.items()}


def columns_of_rows(kind: type[Row], rows: Sequence[Row]) -> Columns:
    """The columns of rows of one class."""
    types = types_of(kind)
    return {
        field: ([_plain(row.values[place]) for row in rows], types[field]) for place, field in enumerate(kind.fields)
    }


def _plain(value: object) -> object:
    return value if type(value) in PLAIN else plain(value, pairs=True)


def types_of(kind: type[Row]) -> dict[str, Type]:
    """The types of the columns of a class of rows, by name, in the order of its fields."""
    found: dict[str, Type] = dict.fromkeys(Row.fields, int)
    found["final"] = found["complete"] = bool
    found.update(dict.fromkeys(kind.key_fields, str))
    found.update((name, _type(aggregate)) for name, aggregate in kind.aggregates)
    return {field: found[field] for field in kind.fields}


def _type(aggregate: Aggregate[Any]) -> Type:
    match aggregate.formula:
        case Events():
            return [EVENT]
        case Names():
            return [str]
        case Parts():
            return [{"name": str, "value": float}]
        case _ if issubclass(aggregate.kind, Enum):
            return str
        case _:
            return aggregate.kind if aggregate.kind in PLAIN else None


def _dtype(of: Type, scalars: dict[object, Any], list_of: Callable[..., Any], record: Callable[..., Any]) -> Any:
    """A type as a library says it; None for it to find out."""
    match of:
        case None:
            return None
        case [inner]:
            return list_of(_dtype(inner, scalars, list_of, record))
        case dict():
            return record([(name, _dtype(each, scalars, list_of, record)) for name, each in of.items()])
        case _:
            return scalars[of]


def _polars(columns: Columns) -> "polars.DataFrame":
    import polars as pl

    scalars: dict[object, Any] = {int: pl.Int64, float: pl.Float64, str: pl.String, bool: pl.Boolean}

    def record(fields: Iterable[tuple[str, Any]]) -> pl.Struct:
        return pl.Struct(dict(fields))

    return pl.DataFrame(
        [pl.Series(name, values, _dtype(of, scalars, pl.List, record)) for name, (values, of) in columns.items()]
    )


def _pandas(columns: Columns) -> "pandas.DataFrame":
    import pandas as pd

    # Int64 holds None as missing, where int64 would turn into floats.
    dtypes: dict[object, Any] = {int: "Int64", float: "float64", str: "string", bool: "bool"}
    return pd.DataFrame(
        {
            name: pd.Series(values, dtype=dtypes[of] if isinstance(of, type) else "object")
            for name, (values, of) in columns.items()
        }
    )


def arrow_table(columns: Columns) -> Any:
    """Columns as a table of Arrow."""
    import pyarrow

    pa: Any = pyarrow  # its stubs leave most types unknown
    scalars: dict[object, Any] = {int: pa.int64(), float: pa.float64(), str: pa.string(), bool: pa.bool_()}
    return pa.table(
        {name: pa.array(values, _dtype(of, scalars, pa.list_, pa.struct)) for name, (values, of) in columns.items()}
    )


_LIBRARIES: dict[str, Callable[[Columns], Any]] = {"polars": _polars, "pandas": _pandas, "pyarrow": arrow_table}
