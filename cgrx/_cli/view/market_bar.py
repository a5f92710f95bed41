"""Bars of an instrument whose trades and liquidations come together, and are never mixed.

They are called as `ops.Bar` is, so that a table or a topic of them is: a sink names it by the class.
"""

from cgrx import Liquidation, Trade
from cgrx import operators as ops
from cgrx.operators import agg


class Bar(ops.Row, instrument=True):
    """Prices and volumes are those of trades alone; what was liquidated stands beside them."""

    open = agg.open(of=Trade)
    high = agg.high(of=Trade)
    low = agg.low(of=Trade)
    close = agg.close(of=Trade)
    vwap = agg.vwap(of=Trade)
    volume = agg.volume(of=Trade)
    count = agg.count(of=Trade)
    buy_volume = agg.buy_volume(of=Trade)
    sell_volume = agg.sell_volume(of=Trade)
    liquidations = agg.count(of=Liquidation)
    long_volume = agg.volume(side="long", of=Liquidation)
    """Of longs that were liquidated, US dollars."""
    short_volume = agg.volume(side="short", of=Liquidation)
