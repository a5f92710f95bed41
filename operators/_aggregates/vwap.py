"""The volume-weighted average price."""

from cgrx._model.events import Event
from cgrx.operators._aggregates.aggregate import Aggregate, Side, filtered, written
from cgrx.operators._aggregates.formulas import Ratio
from cgrx.operators._aggregates.primitives import Sum


def vwap(*, side: Side | None = None, of: type[Event] | None = None) -> Aggregate[float | None]:
    """The volume-weighted average price: Σ volume_usd / Σ (volume_usd / price).

    Examples:
        >>> events = batch(trade("buy", 300, price=100), trade("buy", 300, price=300))
        >>> [row] = play(ops.tumbling("1m", price=agg.vwap()), [events])
        >>> row.price  # 600 dollars for 3 + 1 coins
        150.0

    Dollars per unit of the asset: each price counts by the amount of the asset that changed hands at it.

    Unit: the price's. Without any event: None. Error: one rounding per event in volume_usd / price, 1e-16 of it;
    equal in any order of events.

    Args:
        side: of one side only, see `count`.
        of: of one type of event only.

    Raises:
        ValueError, TypeError: as `count`.
    """
    guard = filtered("vwap", side, of)
    usd, base = Sum("volume_usd", guard=guard), Sum("base", guard=guard)
    return Aggregate(written("vwap", side=side, of=of), Ratio(((1, usd),), ((1, base),)))
