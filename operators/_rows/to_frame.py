"""Rows as a table of polars or pandas."""

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any, Literal, cast, overload

import msgspec

from cgrx.operators._rows.row import Row

if TYPE_CHECKING:
    import pandas
    import polars


@overload
def to_frame(
    rows: Iterable[Row], *, final_only: bool = True, library: Literal["polars"] = "polars"
) -> "polars.DataFrame": ...
@overload
def to_frame(rows: Iterable[Row], *, final_only: bool = True, library: Literal["pandas"]) -> "pandas.DataFrame": ...
def to_frame(
    rows: Iterable[Row], *, final_only: bool = True, library: str = "polars"
) -> "polars.DataFrame | pandas.DataFrame":
    """Rows as a table: one column for each field, in order.

    Times stay integers of milliseconds, sides become their names (`"buy"`), events and mappings nested records. Needs
    the extra `frames`.

    Args:
        rows: rows of one class; they are read once.
        final_only: leave the running rows out, so that no window counts twice.
        library: `"polars"` or `"pandas"`.

    Returns:
        A data frame; of no rows one without columns.

    Raises:
        ValueError: another library.
        TypeError: rows of several classes, or no rows.
        ImportError: the library is not installed.
    """
    if library not in ("polars", "pandas"):
        raise ValueError(f"library={library!r} is none of 'polars' and 'pandas'")
    all_rows = list(rows)
    for row in all_rows:
        if not isinstance(row, Row):
            raise TypeError(f"to_frame() takes rows, not {row!r}")
    kinds: dict[type[Row], None] = dict.fromkeys(type(row) for row in all_rows)
    if len(kinds) > 1:
        raise TypeError(f"to_frame() takes rows of one class, not of {', '.join(kind.__name__ for kind in kinds)}")
    columns: dict[str, list[Any]] = {}
    for kind in kinds:
        chosen = [row.values for row in all_rows if row.final or not final_only]
        columns = {field: [_plain(values[i]) for values in chosen] for i, field in enumerate(kind.fields)}
    types = _types(next(iter(kinds), Row))
    return _polars(columns, types) if library == "polars" else _pandas(columns, types)


def _types(kind: type[Row]) -> dict[str, type[object]]:
    """The types of the columns of plain values, so that they do not depend on which values are None."""
    found: dict[str, type[object]] = dict.fromkeys(Row.fields, int)
    found["final"] = found["complete"] = bool
    found.update(dict.fromkeys(kind.key_fields, str))
    kinds = ((name, str if issubclass(each.kind, Enum) else each.kind) for name, each in kind.aggregates)
    found.update((name, each) for name, each in kinds if each in (int, float, str))
    return found


def _plain(value: object) -> object:
    """Values as both libraries take them."""
    match value:
        case Enum():
            return value.name.lower()
        case msgspec.Struct():
            return {name: _plain(getattr(value, name)) for name in value.__struct_fields__}
        case Mapping():
            # A list of pairs: as a record it would have other fields in each row.
            items = cast("Mapping[object, object]", value).items()
            return [{"name": _plain(name), "value": _plain(each)} for name, each in items]
        case tuple():
            return [_plain(each) for each in cast("tuple[object, ...]", value)]
        case _:
            return value


def _polars(columns: dict[str, list[Any]], types: dict[str, type]) -> "polars.DataFrame":
    try:
        import polars
    except ImportError as missing:
        raise _not_installed("polars") from missing
    schema = {int: polars.Int64, float: polars.Float64, str: polars.String, bool: polars.Boolean}
    series = [
        polars.Series(name, values, schema[types[name]] if name in types else None) for name, values in columns.items()
    ]
    return polars.DataFrame(series)


def _pandas(columns: dict[str, list[Any]], types: dict[str, type]) -> "pandas.DataFrame":
    try:
        import pandas
    except ImportError as missing:
        raise _not_installed("pandas") from missing
    # Int64 and boolean hold None as missing, where int64 would turn into floats.
    dtypes = {int: "Int64", float: "float64", str: "string", bool: "bool"}
    series = {
        name: pandas.Series(values, dtype=dtypes[types[name]] if name in types else "object")
        for name, values in columns.items()
    }
    return pandas.DataFrame(series)


def _not_installed(library: str) -> ImportError:
    return ImportError(f'to_frame(library="{library}") needs the package {library}: pip install "cgrx[frames]"')
