"""What a price did on its way, of bars: how far it fell, and how much it moved."""

from cgrx.operators._aggregates import paths
from cgrx.operators._aggregates.aggregate import Aggregate, only_of_rows, written
from cgrx.operators._aggregates.primitives import ALL


def max_drawdown(field: str = "close") -> Aggregate[float | None]:
    """The maximum drawdown of a field of the rows: the greatest (peak - value) / peak, each peak before its value.

    Examples:
        >>> prices = (100, 90, 120, 114)
        >>> trades = batch(*(trade(price=p, time=60 * i) for i, p in enumerate(prices)))
        >>> minutes = ops.tumbling("1m", close=agg.close())
        >>> hour = ops.tumbling("1h", fall=agg.max_drawdown("close"))
        >>> [row] = play(ops.pipeline(minutes, hour), [trades, alive("2h")])
        >>> row.fall  # from 100 to 90
        0.1

    It is of bars, not of events: put it in a window over rows. The values are those of the rows in the order of their
    windows, and those of one time in the order of their keys; give each instrument a key of its own. What the price did
    within a bar it does not see; shorter bars see more.

    Unit: none; 0.1 is a fall by a tenth, 0.0 is none. Without any row: None; also where a value is not above 0, of
    which there is no share. Error: two roundings. State: the value of each row of the window.

    Args:
        field: the name of a number of the rows, such as `"close"`.

    Raises:
        ValueError: it cannot be a field of rows; or, when it is put before a stream of events, that these are no rows.
    """
    only_of_rows("max_drawdown", "field", field, ALL)
    rows = paths.max_drawdown(field)
    return Aggregate(written("max_drawdown", field), rows, over_rows=rows)


def realised_volatility(field: str = "close") -> Aggregate[float | None]:
    """The realised volatility of a field of the rows: √Σ ln(x / previous x)², over the n - 1 returns of n rows.

    Examples:
        >>> prices = (100, 101, 100)
        >>> trades = batch(*(trade(price=p, time=60 * i) for i, p in enumerate(prices)))
        >>> minutes = ops.tumbling("1m", close=agg.close())
        >>> hour = ops.tumbling("1h", volatility=agg.realised_volatility("close"))
        >>> [row] = play(ops.pipeline(minutes, hour), [trades, alive("2h")])
        >>> round(row.volatility, 4)
        0.0141

    It is of bars, not of events, as `max_drawdown`, and in the same order. It is that of the window, not of a year: of
    a day of bars times √365 it is the annual one. Neither the mean return nor the number of returns is in it. Andersen,
    Bollerslev, Diebold, Labys: Modeling and forecasting realized volatility, Econometrica 71 (2003),
    https://doi.org/10.1111/1468-0262.00418.

    Unit: none; 0.01 is about one percent. Without any row: None; also of one row, which has no return, and where a
    value is not above 0. Error: 1e-15 of it. State: the value of each row of the window.

    Args:
        field: the name of a number of the rows, such as `"close"`.

    Raises:
        ValueError: as `max_drawdown`.
    """
    only_of_rows("realised_volatility", "field", field, ALL)
    rows = paths.realised_volatility(field)
    return Aggregate(written("realised_volatility", field), rows, over_rows=rows)
