"""The mean and the standard deviation of a field, where each event counts the same."""

from typing import overload

from cgrx._model.events import Event
from cgrx.operators._aggregates import over_rows
from cgrx.operators._aggregates.aggregate import (
    AMOUNTS,
    Aggregate,
    Amount,
    Side,
    field_of,
    filtered,
    only_of_rows,
    written,
)
from cgrx.operators._aggregates.formulas import Deviation, Ratio
from cgrx.operators._aggregates.primitives import Count, Sum


@overload
def mean(
    field: Amount = "price", *, side: Side | None = None, of: type[Event] | None = None
) -> Aggregate[float | None]: ...
@overload
def mean(field: str, *, weight: str | None = None) -> Aggregate[float | None]: ...
def mean(
    field: str = "price", *, weight: str | None = None, side: Side | None = None, of: type[Event] | None = None
) -> Aggregate[float | None]:
    """The arithmetic mean: Σx / n, each event counting the same. For the price per unit traded see `vwap`.

    Examples:
        >>> events = batch(trade(volume_usd=100), trade(volume_usd=400))
        >>> [row] = play(ops.tumbling("1m", usual=agg.mean("volume_usd")), [events])
        >>> row.usual
        250.0

    In a window over rows, the mean of a field of theirs, each row counting the same, or by its `weight`: Σwx / Σw. The
    mean of the minutes' `"vwap"` by their `"volume"` is near the hour's vwap, and is not the same: that weighs by the
    amount of the asset, which rows do not hold.

    Unit: the field's. Without any event, and for weights that add up to 0: None. Error: one rounding.

    Args:
        field: `"price"` or `"volume_usd"`; or the name of a number of the rows.
        weight: the name of another number of the rows.
        side: of one side only, see `count`.
        of: of one type of event only.

    Raises:
        ValueError: another field; else as `count`.
        TypeError: as `count`.
    """
    guard = filtered("mean", side, of)
    code = written("mean", field, weight=weight, side=side, of=of)
    if weight is not None:
        only_of_rows("mean", "weight", weight, guard)
    rows = field_of("mean", field, AMOUNTS, guard, over_rows.mean(field, weight))
    if rows is not None and (weight is not None or field not in AMOUNTS):
        return Aggregate(code, rows, over_rows=rows)
    return Aggregate(code, Ratio(((1, Sum(field, guard=guard)),), Count(guard=guard)), over_rows=rows)


@overload
def stddev(
    field: Amount = "price", *, side: Side | None = None, of: type[Event] | None = None
) -> Aggregate[float | None]: ...
@overload
def stddev(field: str) -> Aggregate[float | None]: ...
def stddev(field: str = "price", *, side: Side | None = None, of: type[Event] | None = None) -> Aggregate[float | None]:
    """The standard deviation of these events: √(Σ(x - mean)² / n), that of a population, each event counting the same.

    Examples:
        >>> events = batch(trade(price=99), trade(price=101))
        >>> [row] = play(ops.tumbling("1m", spread=agg.stddev("price")), [events])
        >>> row.spread
        1.0

    In a window over rows, that of a field of theirs, each row counting the same.

    Unit: the field's. Without any event: None; of one: 0.0. Error: one rounding; computed as √(nΣx² - (Σx)²) / n in
    integers, where nothing cancels.

    Args:
        field: `"price"` or `"volume_usd"`; or the name of a number of the rows.
        side: of one side only, see `count`.
        of: of one type of event only.

    Raises:
        ValueError: another field; else as `count`.
        TypeError: as `count`.
    """
    guard = filtered("stddev", side, of)
    code = written("stddev", field, side=side, of=of)
    rows = field_of("stddev", field, AMOUNTS, guard, over_rows.deviation(field))
    if rows is not None and field not in AMOUNTS:
        return Aggregate(code, rows, over_rows=rows)
    events = Deviation(Count(guard=guard), Sum(field, guard=guard), Sum(f"{field}_squared", guard=guard))
    return Aggregate(code, events, over_rows=rows)
