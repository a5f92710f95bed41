"""Aggregates across exchanges: which there are, the share of each, how far their prices lie apart."""

from collections.abc import Mapping

from cgrx._model.events import Event
from cgrx.operators._aggregates.aggregate import TEXTS, Aggregate, Side, Text, filtered, one_of, written
from cgrx.operators._aggregates.formulas import Names, Parts, Spread
from cgrx.operators._aggregates.primitives import Distinct, SumBy


def exchanges(*, side: Side | None = None, of: type[Event] | None = None) -> Aggregate[tuple[str, ...]]:
    """The exchanges of the events, sorted by name.

    Examples:
        >>> events = batch(liquidation(exchange="OKX"), liquidation(exchange="Binance"))
        >>> [row] = play(ops.tumbling("1m", on=agg.exchanges()), [events])
        >>> row.on
        ('Binance', 'OKX')

    Unit: names, as the events carry them. Without any event: an empty tuple. Error: none. Keeps each name once per
    key and window.

    Args:
        side: of one side only, see `count`.
        of: of one type of event only.

    Raises:
        ValueError, TypeError: as `count`.
    """
    part = Distinct("exchange", guard=filtered("exchanges", side, of))
    return Aggregate(written("exchanges", side=side, of=of), Names(part), kind=tuple)


def share(
    by: Text = "exchange", *, side: Side | None = None, of: type[Event] | None = None
) -> Aggregate[Mapping[str, float]]:
    """Each one's share of the volume: Σ volume_usd of it / Σ volume_usd of all.

    Examples:
        >>> binance = trade("buy", 300, exchange="Binance")
        >>> okx = trade("sell", 100, exchange="OKX")
        >>> minute = ops.tumbling("1m", share=agg.share("exchange"))
        >>> [row] = play(minute, [batch(binance, okx)])
        >>> dict(row.share)
        {'Binance': 0.75, 'OKX': 0.25}

    Unit: none, from 0.0 to 1.0, sorted by name. Without any event: an empty mapping. Error: one rounding each; they
    add up to 1.0 within as many. The mapping is frozen, hashes and pickles. Keeps one sum for each name per key and
    window.

    Args:
        by: whose share: `"exchange"`, `"symbol"` or `"base_asset"`.
        side: of one side only, see `count`.
        of: of one type of event only.

    Raises:
        ValueError: another field; else as `count`.
        TypeError: as `count`.
    """
    one_of("share", "by", by, TEXTS)
    part = SumBy("volume_usd", by, guard=filtered("share", side, of))
    return Aggregate(written("share", by, side=side, of=of), Parts(part), kind=Mapping)


def dispersion(*, side: Side | None = None, of: type[Event] | None = None) -> Aggregate[float | None]:
    """How far the exchanges' prices lie apart: (greatest - least of their vwaps) / vwap of all events.

    Examples:
        >>> okx = trade(price=60_000, exchange="OKX")
        >>> bybit = trade(price=60_060, exchange="Bybit")
        >>> [row] = play(ops.tumbling("1m", wide=agg.dispersion()), [batch(okx, bybit)])
        >>> round(row.wide, 6)
        0.001

    The vwap of one exchange is Σ volume_usd / Σ (volume_usd / price) of its events. Meant for rows whose key fixes
    the asset (`by="base_asset"`) and contracts that are priced alike: where one exchange's price is for 1000 coins,
    this says so.

    Unit: none; 0.001 is a tenth of a percent. With events of one exchange: 0.0; without any: None. Error: one
    rounding per event in volume_usd / price and one of the result. Keeps two sums for each exchange per key and
    window.

    Args:
        side: of one side only, see `count`.
        of: of one type of event only.

    Raises:
        ValueError, TypeError: as `count`.
    """
    guard = filtered("dispersion", side, of)
    spread = Spread(SumBy("volume_usd", "exchange", guard=guard), SumBy("base", "exchange", guard=guard))
    return Aggregate(written("dispersion", side=side, of=of), spread)
