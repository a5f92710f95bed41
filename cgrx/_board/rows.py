"""The rows of the windows of a board."""

from cgrx import operators as ops
from cgrx.operators import agg


class Liquidated(ops.Row):
    """The liquidations of an asset on an exchange."""

    base_asset: str
    exchange: str
    count = agg.count()
    long = agg.volume(side="long")
    short = agg.volume(side="short")


class Sided(ops.Row):
    """The liquidations of an asset on all exchanges."""

    base_asset: str
    long = agg.volume(side="long")
    short = agg.volume(side="short")


class Seen(ops.Row):
    """The liquidations of all assets: for what was missed of them."""

    count = agg.count()


class Traded(ops.Row):
    """The trades of one instrument."""

    count = agg.count()
    buy = agg.volume(side="buy")
    sell = agg.volume(side="sell")
    open = agg.open()
    high = agg.high()
    low = agg.low()
    close = agg.close()
