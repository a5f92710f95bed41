"""What a row is among those before it, and sums: aggregates of rows alone, for `ops.rolling` and windows over rows."""

from cgrx.operators._aggregates import over_rows
from cgrx.operators._aggregates.aggregate import Aggregate, only_of_rows, written
from cgrx.operators._aggregates.formulas import Formula
from cgrx.operators._aggregates.primitives import ALL


def sum(field: str) -> Aggregate[float]:
    """The sum of a field of the rows: Σx. Of events see `volume` and `count`.

    Examples:
        >>> usd = (100, 200, 300)
        >>> trades = batch(*(trade("buy", x, time=60 * i) for i, x in enumerate(usd)))
        >>> minute, hour = ops.tumbling("1m"), ops.tumbling("1h", usd=agg.sum("volume"))
        >>> [row] = play(ops.pipeline(minute, hour), [trades, alive("2h")])
        >>> row.usd
        600.0

    Where the field is itself a sum, such as the `volume` of a `Flow`, a row hands on what it summed, exactly: the sum
    of the minutes is the hour's to the byte. That is so for rows that come from their window or from windows over such;
    a row that was pickled or made by hand hands on the rounded number.

    Unit: the field's. Without any row: 0. An integer where all values are. Error: one rounding.

    Args:
        field: the name of a number of the rows, such as `"volume"`.

    Raises:
        ValueError: it cannot be a field of rows.
    """
    return _made("sum", field, over_rows.total(_own("sum", field)))


def change(field: str) -> Aggregate[float | None]:
    """How much a field of the rows has changed: the last value minus the first.

    Examples:
        >>> prices = (100, 90, 120)
        >>> trades = batch(*(trade(price=p, time=60 * i) for i, p in enumerate(prices)))
        >>> minute = ops.tumbling("1m", close=agg.close())
        >>> three = ops.rolling(3, change=agg.change("close"))
        >>> [row] = play(ops.pipeline(minute, three), [trades, alive("1h")])
        >>> row.change
        20

    Unit: the field's. Without any row: None; of one: 0. Error: one rounding.

    Args:
        field: the name of a number of the rows, such as `"close"`.

    Raises:
        ValueError: it cannot be a field of rows.
    """
    return _made("change", field, over_rows.change(_own("change", field)))


def zscore(field: str) -> Aggregate[float | None]:
    """How far the last value of a field is from the mean, in standard deviations: (last - mean) / stddev.

    Examples:
        >>> usd = (100, 100, 100, 100, 600)
        >>> trades = batch(*(trade("buy", x, time=60 * i) for i, x in enumerate(usd)))
        >>> minute, five = ops.tumbling("1m"), ops.rolling(5, z=agg.zscore("volume"))
        >>> [row] = play(ops.pipeline(minute, five), [trades, alive("1h")])
        >>> row.z
        2.0

    The last row is one of those that the mean and the standard deviation are of, so with n rows the result is at most
    √(n - 1).

    Unit: none. Without any row, and where all values are equal: None. Error: one rounding, computed in integers.

    Args:
        field: the name of a number of the rows, such as `"volume"`.

    Raises:
        ValueError: it cannot be a field of rows.
    """
    return _made("zscore", field, over_rows.zscore(_own("zscore", field)))


def rank(field: str) -> Aggregate[int | None]:
    """How many of the last n values of a field are at most the last one: 1 for the least, n for the greatest.

    Examples:
        >>> usd = (100, 500, 300)
        >>> trades = batch(*(trade("buy", x, time=60 * i) for i, x in enumerate(usd)))
        >>> minute, three = ops.tumbling("1m"), ops.rolling(3, rank=agg.rank("volume"))
        >>> [row] = play(ops.pipeline(minute, three), [trades, alive("1h")])
        >>> row.rank  # 300 is the second of three
        2

    For `ops.rolling` alone. Values that are equal have the same rank, the highest of theirs.

    Unit: rows. Without any row: None. Error: none.

    Args:
        field: the name of a number of the rows, such as `"volume"`.

    Raises:
        ValueError: it cannot be a field of rows; or, when a window is made of it, that is no `ops.rolling`.
    """
    rows = over_rows.rank(_own("rank", field))
    return Aggregate(written("rank", field), rows, kind=int, over_rows=rows)


def _own(name: str, field: str) -> str:
    only_of_rows(name, "field", field, ALL)
    return field


def _made(name: str, field: str, rows: Formula) -> Aggregate[float]:
    return Aggregate(written(name, field), rows, over_rows=rows)
