"""Rows and events of every kind, for the tests of their forms."""

from cgrx import Event, Liquidation, LiquidationSide, Trade, TradeSide
from cgrx import operators as ops
from cgrx.operators import agg

TRADE = Trade("BTC", "Binance", "BTCUSDT", TradeSide.BUY, 100.0, 50.0, 1)
LIQUIDATION = Liquidation("ETH", "OKX", "ETH-USDT-SWAP", LiquidationSide.LONG, 2_500.0, 0.5, 1_704_110_400_000)
EVENTS = (TRADE, LIQUIDATION)


class Wide(ops.Row):
    """A column of each kind."""

    exchange: str
    n = agg.count()
    vwap = agg.vwap()
    since = agg.first("time_ms")
    side = agg.last("side")
    names = agg.exchanges()
    shares = agg.share()
    big = agg.largest(1)


def count(events: int, event: Event) -> int:
    return events + 1


class Custom(ops.Row):
    """A row that tests give any value."""

    found = agg.custom(int, count, int.__add__, int)


def row(final: bool, gap_ms: int | None, *events: Trade) -> Wide:
    made = Wide.accumulator()
    for event in events:
        made.add(event)
    return Wide.from_values((0, 60_000, "Binance", *made.values(), gap_ms, 0, 0, final, final and gap_ms == 0))
