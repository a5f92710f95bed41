"""Results in columns become `Row` objects, or the table that `cgrx.to_frame` makes of those.

In columns a side is a number that tells its event type too, an event is a record, a mapping a list of pairs.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import polars as pl

from cgrx._backtest.expressions import SIDES, side_code
from cgrx._model.events import Event, Liquidation, LiquidationSide, Trade, TradeSide
from cgrx.operators._aggregates.aggregate import Aggregate
from cgrx.operators._aggregates.formulas import Events, Field, Names, Parts
from cgrx.operators._aggregates.primitives import FIELDS
from cgrx.operators._aggregates.shares import Shares
from cgrx.operators._rows.row import Row

RowT = TypeVar("RowT", bound=Row)


def as_rows(frame: pl.DataFrame, row: type[RowT]) -> tuple[RowT, ...]:
    """The rows as objects."""
    aggregates = dict(row.aggregates)
    columns = [_objects(frame[name].to_list(), name, aggregates.get(name)) for name in row.fields]
    return tuple(map(row.from_values, zip(*columns, strict=True)))


def as_table(frame: pl.DataFrame, row: type[Row]) -> pl.DataFrame:
    """The rows as a table."""
    aggregates = dict(row.aggregates)
    return frame.select(_plain(pl.col(name), name, aggregates.get(name)).alias(name) for name in row.fields)


def _objects(values: list[Any], name: str, aggregate: Aggregate[Any] | None) -> list[Any]:
    convert = _conversion(name, aggregate)
    return values if convert is None else [convert(value) for value in values]


def _conversion(name: str, aggregate: Aggregate[Any] | None) -> Callable[[Any], object] | None:
    """Makes the value of a row of the value that polars gives; None where they are the same."""
    match aggregate and aggregate.formula:
        case Events():
            return lambda events: tuple(map(_event, events or ()))
        case Names():
            return lambda names: tuple(names or ())
        case Parts():
            return lambda parts: Shares(tuple((part["name"], part["value"]) for part in parts or ()))
        case Field(field="side"):
            return lambda code: None if code is None else SIDES[code]
        case None if name == "side":
            return SIDES.__getitem__
        case _:
            return None


def _event(fields: dict[str, Any]) -> Event:
    values: dict[str, Any] = {name: fields[name] for name in FIELDS}
    if fields["trade"]:
        values["side"] = TradeSide(values["side"])
        return Trade(**values)
    values["side"] = LiquidationSide(values["side"])
    return Liquidation(**values)


def _plain(column: pl.Expr, name: str, aggregate: Aggregate[Any] | None) -> pl.Expr:
    match aggregate and aggregate.formula:
        case Events():
            event = pl.element().struct
            side = _side_name(side_code(event.field("side"), event.field("trade")))
            kind = pl.when(event.field("trade")).then(pl.lit(Trade.kind)).otherwise(pl.lit(Liquidation.kind))
            fields = [side.alias("side") if field == "side" else event.field(field) for field in FIELDS]
            return column.list.eval(pl.struct(kind.alias("kind"), *fields))
        case Names() | Parts():
            return column.fill_null([])
        case Field(field="side"):
            return _side_name(column)
        case None if name == "side":
            return _side_name(column)
        case _:
            return column


def _side_name(code: pl.Expr) -> pl.Expr:
    words = {number: side.word for number, side in SIDES.items()}
    return code.replace_strict(words, return_dtype=pl.String)
