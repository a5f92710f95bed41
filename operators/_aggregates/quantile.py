"""Quantiles: exact up to a bound, and by a sketch beyond it, see `bounded`."""

import math
from collections.abc import Callable
from typing import overload

from cgrx._model.events import Event
from cgrx.operators._aggregates import paths
from cgrx.operators._aggregates.aggregate import AMOUNTS, Aggregate, Amount, Side, field_of, filtered, written
from cgrx.operators._aggregates.bounded import Kept, Numbers, bound, dd_sketch
from cgrx.operators._aggregates.formulas import Formula, Median, Quantile

EXACT = 1_000
"""How many different values are kept, unless told otherwise."""


@overload
def quantile(
    q: float,
    field: Amount = "price",
    *,
    error: float = 0.01,
    exact: float = EXACT,
    side: Side | None = None,
    of: type[Event] | None = None,
) -> Aggregate[float | None]: ...
@overload
def quantile(q: float, field: str) -> Aggregate[float | None]: ...
def quantile(
    q: float,
    field: str = "price",
    *,
    error: float = 0.01,
    exact: float = EXACT,
    side: Side | None = None,
    of: type[Event] | None = None,
) -> Aggregate[float | None]:
    """A quantile: the value that the share `q` of the events lies below. For the one of 0.5 see also `median`.

    Examples:
        >>> events = batch(*(trade(volume_usd=usd) for usd in range(1, 102)))
        >>> minute = ops.tumbling("1m", p95=agg.quantile(0.95, "volume_usd"))
        >>> [row] = play(minute, [events])
        >>> row.p95
        96

    Formula: of the n values in order, the one of rank ⌊q(n - 1)⌋ (from 0). It is exact where the window has at most
    `exact` different values, each counted once however often it comes. Where it has more, a sketch says the value
    within the relative `error`: the result lies between (1 - error) and (1 + error) times it, and values below 2.3e-308
    count as 0. The sketch (DDSketch) needs the extra `sketch`; with `exact=math.inf` there is none, and nothing to
    install.

    In a window over rows, that of a field of theirs: always exact, for the values of all rows are kept.

    Unit: the field's. Without any event: None. State: each different value with its count, about 100 bytes each; then
    one count for each bin of the sketch, of which a range of prices from a to b takes ln(b/a) / (2 error): 35 at 1 %
    from 1 to 2, at most 71,000 for all floats there are. Quantiles of one field with the same `error` and `exact` share
    it.

    Args:
        q: from 0 to 1.
        field: `"price"` or `"volume_usd"`; or the name of a number of the rows.
        error: the greatest relative error of the sketch, above 0 and below 1. A smaller one takes more bins.
        exact: how many different values are kept, for each key and window. 0: always the sketch; `math.inf`: never,
            so that memory grows with the values.
        side: of one side only, see `count`.
        of: of one type of event only.

    Raises:
        ValueError: `q`, `field`, `error` or `exact` is none of these; else as `count`.
        TypeError: `q`, `error` or `exact` is no number; else as `count`.
        ImportError: `exact` is finite, and the package ddsketch is not installed.
    """
    _require_number("quantile", "q", q)
    if not 0 <= q <= 1:
        raise ValueError(f"agg.quantile(q={q!r}) takes a number from 0 to 1, such as 0.5 for the median")
    of_rows = paths.quantile(field, float(q))
    return _made("quantile", q, field, error, exact, side, of, lambda part: Quantile(part, float(q)), of_rows)


@overload
def median(
    field: Amount = "price",
    *,
    error: float = 0.01,
    exact: float = EXACT,
    side: Side | None = None,
    of: type[Event] | None = None,
) -> Aggregate[float | None]: ...
@overload
def median(field: str) -> Aggregate[float | None]: ...
def median(
    field: str = "price",
    *,
    error: float = 0.01,
    exact: float = EXACT,
    side: Side | None = None,
    of: type[Event] | None = None,
) -> Aggregate[float | None]:
    """The median: the value in the middle, or the mean of the two there, each event counting the same.

    Examples:
        >>> events = batch(*(trade(volume_usd=usd) for usd in (100, 200, 9_000)))
        >>> [row] = play(ops.tumbling("1m", usual=agg.median("volume_usd")), [events])
        >>> row.usual
        200

    It is exact where the window has at most `exact` different values. Where it has more, a sketch says the values
    within the relative `error`, as for `quantile`, with which it shares its state. In a window over rows, that of a
    field of theirs: always exact.

    Unit: the field's. Without any event: None. Error: two roundings where it is exact, else `error`. State:
    as `quantile`.

    Args:
        field: `"price"` or `"volume_usd"`; or the name of a number of the rows.
        error: as of `quantile`.
        exact: as of `quantile`.
        side: of one side only, see `count`.
        of: of one type of event only.

    Raises:
        ValueError, TypeError, ImportError: as `quantile`.
    """
    return _made("median", None, field, error, exact, side, of, Median, paths.median(field))


def _made(
    name: str,
    q: float | None,
    field: str,
    error: float,
    exact: float,
    side: Side | None,
    of: type[Event] | None,
    of_events: Callable[[Kept], Formula],
    of_rows: Formula,
) -> Aggregate[float | None]:
    _require_number(name, "error", error)
    if not 0 < error < 1:
        raise ValueError(f"agg.{name}(error={error!r}) takes a relative error above 0 and below 1, such as 0.01")
    most = bound(name, exact, 0)
    guard = filtered(name, side, of)
    rows = field_of(name, field, AMOUNTS, guard, of_rows)
    unusual = {"error": None if error == 0.01 else error, "exact": None if exact == EXACT else exact}
    code = written(name, *(() if q is None else (q,)), field, **unusual, side=side, of=of)
    if rows is not None and field not in AMOUNTS:
        return Aggregate(code, rows, over_rows=rows)
    if most != math.inf:
        try:
            dd_sketch(error)  # fails here rather than at the event that needs it
        except ImportError as missing:
            raise ImportError(
                f'agg.{name}() needs the package ddsketch: pip install "cgrx[sketch]"; or keep every value, with'
                " exact=math.inf"
            ) from missing
    return Aggregate(code, of_events(Kept(field, Numbers, most, float(error), guard=guard)), over_rows=rows)


def _require_number(name: str, argument: str, number: object) -> None:
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise TypeError(f"agg.{name}({argument}={number!r}) takes a number")
