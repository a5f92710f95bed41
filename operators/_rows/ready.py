"""The rows that come ready-made. They have no key of their own: `by=` of the window gives it.

So which of the key fields a row has is known when its window is made, not before. Type checkers are told of all of
them; to read one that is not in `by=` is an `AttributeError`.
"""

from typing import TYPE_CHECKING

from cgrx._model.events import LiquidationSide, TradeSide
from cgrx.operators import agg
from cgrx.operators._rows.row import Row


class Flow(Row):
    """How much was traded or liquidated, and which way: the row that windows give unless told otherwise.

    Examples:
        >>> trades = batch(trade("buy", 500), trade("sell", 200))
        >>> [row] = play(ops.tumbling("1m", ops.Flow), [trades, alive("2m")])
        >>> row.count, row.volume, row.buy_volume, row.sell_volume, row.delta
        (2, 700.0, 500.0, 200.0, 300.0)

    It has the key fields that `by=` of its window names, and no others.
    """

    if TYPE_CHECKING:
        base_asset: str
        """The asset, such as `"BTC"`."""
        exchange: str
        """The exchange."""
        symbol: str
        """The symbol, as its exchange spells it."""
        side: LiquidationSide | TradeSide
        """The position that was liquidated, or what the taker did."""

    count = agg.count()
    """How many events."""
    volume = agg.volume()
    """Volume in US dollars."""
    buy_volume = agg.buy_volume()
    """Of that, of orders that bought: takers, and liquidated shorts. US dollars."""
    sell_volume = agg.sell_volume()
    """Of orders that sold: takers, and liquidated longs. US dollars."""
    delta = agg.delta()
    """What was bought minus what was sold, US dollars; negative where more was sold."""


class Bar(Row, instrument=True):
    """Open, high, low, close and volume of one instrument: `by=` of its window must name `exchange` and `symbol`.

    Examples:
        >>> prices = (101, 99, 104, 103)
        >>> trades = batch(*(trade(price=p, time=i) for i, p in enumerate(prices)))
        >>> minutes = ops.tumbling("1m", ops.Bar, by=("exchange", "symbol"))
        >>> [row] = play(minutes, [trades, alive("2m")])
        >>> row.symbol, row.open, row.high, row.low, row.close
        ('BTCUSDT', 101, 104, 99, 103)

    It may name `base_asset` and `side` too; else a row has neither.
    """

    if TYPE_CHECKING:
        base_asset: str
        """The asset, such as `"BTC"`."""
        exchange: str
        """The exchange."""
        symbol: str
        """The symbol, as its exchange spells it."""
        side: LiquidationSide | TradeSide
        """The position that was liquidated, or what the taker did."""

    open = agg.open()
    """Price of the first event, in the quote currency."""
    high = agg.high()
    """Highest price, likewise."""
    low = agg.low()
    """Lowest price, likewise."""
    close = agg.close()
    """Price of the last event, likewise."""
    vwap = agg.vwap()
    """Volume-weighted average price, likewise."""
    volume = agg.volume()
    """Volume in US dollars."""
    count = agg.count()
    """How many events."""
    buy_volume = agg.buy_volume()
    """Of the volume, of orders that bought. US dollars."""
    sell_volume = agg.sell_volume()
    """Of orders that sold. US dollars."""
