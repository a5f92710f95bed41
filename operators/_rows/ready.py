"""The rows that come ready-made. They have no key of their own: `by=` of the window gives it."""

from cgrx.operators import agg
from cgrx.operators._rows.row import Row


class Flow(Row):
    """How much was traded or liquidated, and which way: the row that windows give unless told otherwise."""

    count = agg.count()
    """How many events."""
    volume = agg.volume()
    """Volume in US dollars."""
    buy_volume = agg.buy_volume()
    """Of that, of orders that bought: takers, and liquidated shorts."""
    sell_volume = agg.sell_volume()
    """Of orders that sold: takers, and liquidated longs."""
    delta = agg.delta()
    """What was bought minus what was sold, US dollars."""


class Bar(Row, instrument=True):
    """Open, high, low, close and volume of one instrument: its key must hold `exchange` and `symbol`."""

    open = agg.open()
    """Price of the first event."""
    high = agg.high()
    """Highest price."""
    low = agg.low()
    """Lowest price."""
    close = agg.close()
    """Price of the last event."""
    vwap = agg.vwap()
    """Volume-weighted average price."""
    volume = agg.volume()
    """Volume in US dollars."""
    count = agg.count()
    """How many events."""
    buy_volume = agg.buy_volume()
    """Of the volume, of orders that bought."""
    sell_volume = agg.sell_volume()
    """Of orders that sold."""
