"""How many different values: exact up to a bound, and by a sketch beyond it, see `bounded`."""

import math

from cgrx._model.events import Event
from cgrx.operators._aggregates.aggregate import (
    NUMBERS,
    TEXTS,
    Aggregate,
    Number,
    Side,
    Text,
    filtered,
    one_of,
    written,
)
from cgrx.operators._aggregates.bounded import Different, Kept, Theta, bound
from cgrx.operators._aggregates.formulas import DistinctCount

EXACT = 4_096
"""How many different values are kept, unless told otherwise."""
_LEAST_LG_K, _MOST_LG_K = 5, 26
"""The sizes of the sketches that the library makes, as powers of two."""


def count_distinct(
    field: Text | Number, *, exact: float = EXACT, side: Side | None = None, of: type[Event] | None = None
) -> Aggregate[int]:
    """How many different values a field has.

    Examples:
        >>> names = ("BTCUSDT", "ETHUSDT", "BTCUSDT")
        >>> events = batch(*(liquidation(symbol=name) for name in names))
        >>> minute = ops.tumbling("1m", symbols=agg.count_distinct("symbol"))
        >>> [row] = play(minute, [events])
        >>> row.symbols
        2

    It is exact up to `exact` of them. Beyond, a sketch estimates it from the least hashes of all values, as many as
    `exact` rounded up to a power of two: about two of three results lie within the relative standard error 1 / √exact,
    19 of 20 within twice that; for 4,096 these are 1.6 % and 3.1 %. The estimate is the same in any order and after any
    merge. The sketch (theta, of Apache DataSketches) needs the extra `sketch`; with `exact=math.inf` there is none, and
    nothing to install.

    Unit: values. Without any event: 0. Error: none up to `exact`, a relative standard error of 1 / √exact beyond.
    State: each different value, about 100 bytes each; then 8 bytes for each hash, of which there are at most twice as
    many as it keeps, and as many again after a merge: 128 kB for 4,096.

    Args:
        field: `"exchange"`, `"symbol"`, `"base_asset"`, `"price"`, `"volume_usd"` or `"time_ms"`.
        exact: how many different values are kept, for each key and window: from 1 to 2**26, or `math.inf`, so that
            memory grows with the values.
        side: of one side only, see `count`.
        of: of one type of event only.

    Raises:
        ValueError: another field, or `exact` is out of range; else as `count`.
        TypeError: `exact` is no number of values; else as `count`.
        ImportError: `exact` is finite, and the package datasketches is not installed.
    """
    one_of("count_distinct", "field", field, (*TEXTS, *NUMBERS))
    most = bound("count_distinct", exact, 1, 1 << _MOST_LG_K)
    lg_k = 0 if most == math.inf else max(_LEAST_LG_K, (int(most) - 1).bit_length())
    if lg_k:
        try:
            Theta(lg_k)  # fails here rather than at the event that needs it
        except ImportError as missing:
            raise ImportError(
                'agg.count_distinct() needs the package datasketches: pip install "cgrx[sketch]"; or keep every value,'
                " with exact=math.inf"
            ) from missing
    part = Kept(field, Different, most, lg_k, guard=filtered("count_distinct", side, of))
    code = written("count_distinct", field, exact=None if exact == EXACT else exact, side=side, of=of)
    return Aggregate(code, DistinctCount(part), kind=int)
