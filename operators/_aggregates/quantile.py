"""Quantiles: exact up to a bound, and by a sketch beyond it, see `bounded`."""

from cgrx._model.events import Event
from cgrx.operators._aggregates.aggregate import AMOUNTS, Aggregate, Amount, Side, filtered, one_of, written
from cgrx.operators._aggregates.bounded import Kept, Numbers, bound, dd_sketch
from cgrx.operators._aggregates.formulas import Median, Quantile

EXACT = 1_000
"""How many different values are kept, unless told otherwise."""


def quantile(
    q: float,
    field: Amount = "price",
    *,
    error: float = 0.01,
    exact: float = EXACT,
    side: Side | None = None,
    of: type[Event] | None = None,
) -> Aggregate[float | None]:
    """A quantile: the value that the share `q` of the events lies below. For the one of 0.5 see also `median`.

    Formula: of the n values in order, the one of rank ⌊q(n - 1)⌋ (from 0). It is exact where the window has at most
    `exact` different values; a price that comes again counts as one. Where it has more, a sketch says the value within
    the relative `error`: the result lies between (1 - error) and (1 + error) times it, and values below 2.3e-308 count
    as 0. The sketch (DDSketch) needs the extra `sketch`; with `exact=math.inf` there is none, and nothing to install.

    Unit: the field's. Without any event: None. State: each different value with its count, about 100 bytes each; then
    one count for each bin of the sketch, of which a range of prices from a to b takes ln(b/a) / (2 error): 35 at 1 %
    from 1 to 2, at most 71,000 for all floats there are. Quantiles of one field with the same `error` and `exact` share
    it.

    Args:
        q: from 0 to 1.
        field: `"price"` or `"volume_usd"`.
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
    part = _part("quantile", field, error, exact, side, of)
    code = written("quantile", q, field, **_unusual(error, exact), side=side, of=of)
    return Aggregate(code, Quantile(part, float(q)))


def median(
    field: Amount = "price",
    *,
    error: float = 0.01,
    exact: float = EXACT,
    side: Side | None = None,
    of: type[Event] | None = None,
) -> Aggregate[float | None]:
    """The median: the value in the middle, or the mean of the two there, each event counting the same.

    It is exact where the window has at most `exact` different values. Where it has more, a sketch says the values
    within the relative `error`, as for `quantile`, with which it shares its state.

    Unit: the field's. Without any event: None. Error: one rounding where it is exact, else `error`.
    State: as `quantile`.

    Args:
        field: `"price"` or `"volume_usd"`.
        error: as of `quantile`.
        exact: as of `quantile`.
        side: of one side only, see `count`.
        of: of one type of event only.

    Raises:
        ValueError, TypeError, ImportError: as `quantile`.
    """
    part = _part("median", field, error, exact, side, of)
    return Aggregate(written("median", field, **_unusual(error, exact), side=side, of=of), Median(part))


def _part(name: str, field: Amount, error: float, exact: float, side: Side | None, of: type[Event] | None) -> Kept:
    _require_number(name, "error", error)
    if not 0 < error < 1:
        raise ValueError(f"agg.{name}(error={error!r}) takes a relative error above 0 and below 1, such as 0.01")
    one_of(name, "field", field, AMOUNTS)
    most = bound(name, exact, 0)
    if most != float("inf"):
        try:
            dd_sketch(error)  # fails here rather than at the event that needs it
        except ImportError as missing:
            raise ImportError(
                f'agg.{name}() needs the package ddsketch: pip install "cgrx[sketch]"; or keep every value, with'
                " exact=math.inf"
            ) from missing
    return Kept(field, Numbers, most, float(error), guard=filtered(name, side, of))


def _require_number(name: str, argument: str, number: object) -> None:
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise TypeError(f"agg.{name}({argument}={number!r}) takes a number")


def _unusual(error: float, exact: float) -> dict[str, object]:
    """Those of the options that are not the usual ones."""
    return {"error": None if error == 0.01 else error, "exact": None if exact == EXACT else exact}
