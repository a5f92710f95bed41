"""Aggregates that are sums, and ratios of sums. All sums are exact, see `_exact.py`."""

from cgrx._model.events import Event
from cgrx.operators._aggregates.aggregate import AMOUNTS, Aggregate, Amount, Side, filtered, one_of, written
from cgrx.operators._aggregates.formulas import Deviation, Ratio, Total, Value
from cgrx.operators._aggregates.primitives import Count, Guard, Sum

_BUY = 2
"""The side of an order that buys: of a trade, and of the liquidation of a short."""


def count(*, side: Side | None = None, of: type[Event] | None = None) -> Aggregate[int]:
    """How many events.

    Unit: events. Without any: 0. Error: none.

    Args:
        side: count those of one side only: `"long"`, `"short"` of liquidations, `"buy"`, `"sell"` of trades.
        of: count those of one type only, `Liquidation` or `Trade`.

    Raises:
        ValueError: an unknown side, or one of the other type of event than `of`.
        TypeError: `of` is no type of event.
    """
    guard = filtered("count", side, of)
    return Aggregate(written("count", side=side, of=of), Value(Count(guard=guard)), kind=int)


def volume(*, side: Side | None = None, of: type[Event] | None = None) -> Aggregate[float]:
    """The volume: Σ volume_usd.

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

    Unit: none, from -1.0 (all sold) to 1.0 (all bought). Without any event: None. Error: one rounding.

    Args:
        of: of one type of event only.

    Raises:
        TypeError: `of` is no type of event.
    """
    total, bought = _total_and_buys(filtered("imbalance", None, of))
    return Aggregate(written("imbalance", of=of), Ratio(((2, bought), (-1, total)), ((1, total),)))


def mean(
    field: Amount = "price", *, side: Side | None = None, of: type[Event] | None = None
) -> Aggregate[float | None]:
    """The arithmetic mean: Σx / n, each event counting the same. For the price per unit traded see `vwap`.

    Unit: the field's. Without any event: None. Error: one rounding.

    Args:
        field: `"price"` or `"volume_usd"`.
        side: of one side only, see `count`.
        of: of one type of event only.

    Raises:
        ValueError: another field; else as `count`.
        TypeError: as `count`.
    """
    one_of("mean", "field", field, AMOUNTS)
    guard = filtered("mean", side, of)
    code = written("mean", field, side=side, of=of)
    return Aggregate(code, Ratio(((1, Sum(field, guard=guard)),), Count(guard=guard)))


def vwap(*, side: Side | None = None, of: type[Event] | None = None) -> Aggregate[float | None]:
    """The volume-weighted average price: Σ volume_usd / Σ (volume_usd / price).

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


def stddev(
    field: Amount = "price", *, side: Side | None = None, of: type[Event] | None = None
) -> Aggregate[float | None]:
    """The standard deviation of these events: √(Σ(x - mean)² / n), that of a population, each event counting the same.

    Unit: the field's. Without any event: None; of one: 0.0. Error: one rounding; computed as √(nΣx² - (Σx)²) / n in
    integers, where nothing cancels.

    Args:
        field: `"price"` or `"volume_usd"`.
        side: of one side only, see `count`.
        of: of one type of event only.

    Raises:
        ValueError: another field; else as `count`.
        TypeError: as `count`.
    """
    one_of("stddev", "field", field, AMOUNTS)
    guard = filtered("stddev", side, of)
    deviation = Deviation(Count(guard=guard), Sum(field, guard=guard), Sum(f"{field}_squared", guard=guard))
    return Aggregate(written("stddev", field, side=side, of=of), deviation)


def _total_and_buys(guard: Guard) -> tuple[Sum, Sum]:
    # What was sold is the rest, exactly: one test of the side per event serves both.
    return Sum("volume_usd", guard=guard), Sum("volume_usd", guard=Guard(guard.of, _BUY))
