"""Volumes in US dollars: of all, of what was bought and sold, and how far the one exceeds the other.

All sums are exact, see `exact`.
"""

from cgrx._model.events import Event
from cgrx.operators._aggregates.aggregate import Aggregate, Side, filtered, written
from cgrx.operators._aggregates.formulas import Ratio, Total
from cgrx.operators._aggregates.primitives import Guard, Sum

_BUY = 2
"""The side of an order that buys: of a trade, and of the liquidation of a short."""


def volume(*, side: Side | None = None, of: type[Event] | None = None) -> Aggregate[float]:
    """The volume: Σ volume_usd.

    Examples:
        >>> events = batch(trade("buy", 900), trade("sell", 400))
        >>> minute = ops.tumbling("1m", usd=agg.volume(), bought=agg.volume(side="buy"))
        >>> [row] = play(minute, [events])
        >>> row.usd, row.bought
        (1300.0, 900.0)

    Unit: US dollars. Without any event: 0.0. Error: one rounding, in any order of events.

    Args:
        side: of one side only, see `count`.
        of: of one type of event only.

    Raises:
        ValueError, TypeError: as `count`.
    """
    guard = filtered("volume", side, of)
    return Aggregate(written("volume", side=side, of=of), Total(((1, Sum("volume_usd", guard=guard)),)))


def buy_volume(*, of: type[Event] | None = None) -> Aggregate[float]:
    """The volume of orders that bought: Σ volume_usd of taker buys and of forced ones (a liquidated short).

    Examples:
        >>> events = batch(trade("buy", 900), trade("sell", 400))
        >>> [row] = play(ops.tumbling("1m", bought=agg.buy_volume()), [events])
        >>> row.bought
        900.0
        >>> short = batch(liquidation("short", 50))  # whose position is bought back
        >>> [row] = play(ops.tumbling("1m", bought=agg.buy_volume()), [short])
        >>> row.bought
        50.0

    Unit: US dollars. Without any: 0.0. Error: one rounding. For trades alone or liquidations alone the same as
    `volume(side="buy")` or `volume(side="short")`.

    Args:
        of: of one type of event only.

    Raises:
        TypeError: `of` is no type of event.
    """
    kind = filtered("buy_volume", None, of).of
    return Aggregate(written("buy_volume", of=of), Total(((1, Sum("volume_usd", guard=Guard(kind, _BUY))),)))


def sell_volume(*, of: type[Event] | None = None) -> Aggregate[float]:
    """The volume of orders that sold: Σ volume_usd of taker sells and of forced ones (a liquidated long).

    Examples:
        >>> events = batch(trade("buy", 900), trade("sell", 400))
        >>> [row] = play(ops.tumbling("1m", sold=agg.sell_volume()), [events])
        >>> row.sold
        400.0
        >>> long = batch(liquidation("long", 50))  # whose position is sold
        >>> [row] = play(ops.tumbling("1m", sold=agg.sell_volume()), [long])
        >>> row.sold
        50.0

    Unit: US dollars. Without any: 0.0. Error: one rounding. For trades alone or liquidations alone the same as
    `volume(side="sell")` or `volume(side="long")`.

    Args:
        of: of one type of event only.

    Raises:
        TypeError: `of` is no type of event.
    """
    kind = filtered("sell_volume", None, of).of
    total, bought = _total_and_buys(Guard(kind))
    return Aggregate(written("sell_volume", of=of), Total(((1, total), (-1, bought))))


def delta(*, of: type[Event] | None = None) -> Aggregate[float]:
    """The volume delta: `buy_volume - sell_volume`.

    Examples:
        >>> events = batch(trade("buy", 900), trade("sell", 400))
        >>> [row] = play(ops.tumbling("1m", delta=agg.delta()), [events])
        >>> row.delta
        500.0

    Unit: US dollars, negative where more was sold; a liquidated long is a forced sell. Without any event: 0.0.
    Error: one rounding.

    Args:
        of: of one type of event only.

    Raises:
        TypeError: `of` is no type of event.
    """
    total, bought = _total_and_buys(filtered("delta", None, of))
    return Aggregate(written("delta", of=of), Total(((2, bought), (-1, total))))


def imbalance(*, of: type[Event] | None = None) -> Aggregate[float | None]:
    """The imbalance of volume: `delta / volume`.

    Examples:
        >>> events = batch(trade("buy", 750), trade("sell", 250))
        >>> [row] = play(ops.tumbling("1m", imbalance=agg.imbalance()), [events])
        >>> row.imbalance
        0.5

    Unit: none, from -1.0 (all sold) to 1.0 (all bought). Without any event: None. Error: one rounding.

    Args:
        of: of one type of event only.

    Raises:
        TypeError: `of` is no type of event.
    """
    total, bought = _total_and_buys(filtered("imbalance", None, of))
    return Aggregate(written("imbalance", of=of), Ratio(((2, bought), (-1, total)), ((1, total),)))


def _total_and_buys(guard: Guard) -> tuple[Sum, Sum]:
    # What was sold is the rest, exactly: one test of the side per event serves both.
    return Sum("volume_usd", guard=guard), Sum("volume_usd", guard=Guard(guard.of, _BUY))
