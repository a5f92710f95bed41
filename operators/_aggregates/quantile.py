"""Quantiles by a sketch: DDSketch, whose bins are counts, so order, batching and merging leave no trace.

Masson, Rim, Lee: DDSketch, a fast and fully-mergeable quantile sketch with relative-error guarantees, VLDB 2019,
https://www.vldb.org/pvldb/vol12/p2195-masson.pdf; the package is ddsketch, by the authors. A t-digest depends on the
order of events, and the sketches of Apache DataSketches toss coins.
"""

import sys
from typing import Protocol, Self, cast

from cgrx._model.events import Event
from cgrx.operators._aggregates.aggregate import AMOUNTS, Aggregate, Amount, Side, filtered, one_of, written
from cgrx.operators._aggregates.formulas import Function
from cgrx.operators._aggregates.primitives import Keep


class _Sketch(Protocol):
    def add(self, val: float) -> None: ...
    def merge(self, sketch: Self) -> None: ...
    def get_quantile_value(self, quantile: float) -> float | None: ...


def quantile(
    q: float,
    field: Amount = "price",
    *,
    error: float = 0.01,
    side: Side | None = None,
    of: type[Event] | None = None,
) -> Aggregate[float | None]:
    """A quantile, by a sketch: about the value that the share `q` of the events lies below; 0.5 is the median.

    Formula: of the n values in order, the one of rank ⌊q(n - 1)⌋ (from 0), within the relative `error`: the result
    lies between (1 - error) and (1 + error) times it. Values below 2.3e-308 count as 0. Needs the extra `sketch`.

    Unit: the field's. Without any event: None. State: one count for each bin, of which a range of prices from a to b
    takes ln(b/a) / (2 error): 35 at 1 % from 1 to 2, at most 71,000 for all floats there are.

    Args:
        q: from 0 to 1.
        field: `"price"` or `"volume_usd"`.
        error: the greatest relative error, above 0 and below 1. A smaller one takes more bins.
        side: of one side only, see `count`.
        of: of one type of event only.

    Raises:
        ValueError: `q`, `field` or `error` is none of these; else as `count`.
        TypeError: `q` or `error` is no number; else as `count`.
        ImportError: the package ddsketch is not installed.
    """
    for argument, number in (("q", q), ("error", error)):
        if isinstance(number, bool) or not isinstance(number, int | float):
            raise TypeError(f"agg.quantile({argument}={number!r}) takes a number")
    if not 0 <= q <= 1:
        raise ValueError(f"agg.quantile(q={q!r}) takes a number from 0 to 1, such as 0.5 for the median")
    if not 0 < error < 1:
        raise ValueError(f"agg.quantile(error={error!r}) takes a relative error above 0 and below 1, such as 0.01")
    one_of("quantile", "field", field, AMOUNTS)
    _new_sketch(error)  # fails here rather than at the first event
    part = Keep("sketch", _new_sketch, _add, _merge, field, float(error), guard=filtered("quantile", side, of))
    shown = None if error == 0.01 else error
    code = written("quantile", q, field, error=shown, side=side, of=of)
    return Aggregate(code, Function(_value, (part,), (float(q),)))


def _new_sketch(error: float) -> _Sketch:
    try:
        from ddsketch import DDSketch
    except ImportError as missing:
        raise ImportError('agg.quantile() needs the package ddsketch: pip install "cgrx[sketch]"') from missing
    return cast("_Sketch", DDSketch(error))


def _add(sketch: _Sketch, value: float) -> _Sketch:
    sketch.add(value)
    return sketch


def _merge(sketch: _Sketch, other: _Sketch) -> _Sketch:
    sketch.merge(other)
    return sketch


def _value(sketch: _Sketch, q: float) -> float | None:
    try:
        value = sketch.get_quantile_value(q)
    except OverflowError:  # the upper end of the last bin lies beyond the floats
        return sys.float_info.max
    return None if value is None else float(value)
