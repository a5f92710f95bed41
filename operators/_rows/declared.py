"""What the body of a class of rows may hold: which key fields, and which aggregates beside each other."""

import inspect
from collections.abc import Mapping, Sequence
from types import FunctionType
from typing import Any, TypeAlias, cast

import attrs

from cgrx.operators._aggregates.aggregate import Aggregate

KEY_FIELDS = ("base_asset", "exchange", "symbol", "side")
"""The fields of an event that a window can have as its key."""
Named: TypeAlias = tuple[tuple[str, Aggregate[Any]], ...]


def checked_keys(name: str, keys: Sequence[str]) -> tuple[str, ...]:
    """The key fields of a class.

    Raises:
        ValueError: there is no such field, or one is there twice.
    """
    for key in keys:
        if key not in KEY_FIELDS:
            raise ValueError(
                f"{name}: {key!r} is no field to tell rows apart by; those are"
                f" {', '.join(repr(each) for each in KEY_FIELDS)} (an aggregate takes a value: {key} = agg.count())"
            )
    repeated = sorted({key for key in keys if keys.count(key) > 1})
    if repeated:
        raise ValueError(f"{name}: {repeated[0]!r} is twice among the key fields {tuple(keys)!r}")
    return tuple(keys)


def running_form(name: str, aggregates: Named, *, over_rows: bool) -> tuple[Aggregate[Any], ...]:
    """The aggregates as they run: on events, or on rows if one of them reads such.

    Raises:
        ValueError: another one cannot read rows.
    """
    if not over_rows:
        return tuple(aggregate for _, aggregate in aggregates)
    reading = next(f"{field}={each!r}" for field, each in aggregates if each.reads_rows)
    found: list[Aggregate[Any]] = []
    for field, aggregate in aggregates:
        if aggregate.over_rows is None:
            raise ValueError(
                f"{name}: {field}={aggregate!r} reads events, and {reading} the fields of rows; a row is made of one or"
                " the other. Of rows there are agg.count(), and agg.first, last, min, max, sum, mean, stddev, median,"
                " quantile, ewm, change, zscore, rank, max_drawdown and realised_volatility of a field"
            )
        found.append(attrs.evolve(aggregate, formula=aggregate.over_rows))
    return tuple(found)


def declared(name: str, made: type, namespace: Mapping[str, object]) -> tuple[tuple[str, ...], Named]:
    """The key fields and the aggregates in the body of a class: annotations without a value, and values."""
    annotated = inspect.get_annotations(made)
    keys = tuple(field for field in annotated if not field.startswith("_") and field not in namespace)
    return keys, _values(name, namespace)


def _values(name: str, namespace: Mapping[str, object]) -> Named:
    """The aggregates of a class body; methods and properties may stand beside them."""
    found: list[tuple[str, Aggregate[Any]]] = []
    for field, value in namespace.items():
        if isinstance(value, Aggregate):
            found.append((field, cast(Any, value)))
        elif not field.startswith("_"):
            forgotten = isinstance(value, FunctionType) and value.__module__.startswith("cgrx.operators.")
            if forgotten or not hasattr(value, "__get__"):
                raise not_an_aggregate(name, field, value)
    return tuple(found)


def not_an_aggregate(name: str, field: str, value: object) -> TypeError:
    """The error for a value that stands where an aggregate should."""
    return TypeError(f"{name}: {field}={value!r} is no aggregate; give one such as agg.count() or agg.vwap()")
