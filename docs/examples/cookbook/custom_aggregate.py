"""The share of large trades in the volume of each minute: an aggregate that cgrx does not have.

On the real feed: `feed.futures_trades("Binance", "BTCUSDT", min_volume=0).pipe(minutes)` in place of
`play(minutes, signals)`.
"""

import random

import attrs

from cgrx import Signal, Trade
from cgrx import operators as ops
from cgrx.operators import agg
from cgrx.testing import alive, batch, play, trade

LARGE_USD = 50_000


@attrs.define
class Cents:
    """What is kept of a window while it is open: whole numbers, whose sums do not depend on the order."""

    all: int = 0
    large: int = 0


def add(cents: Cents, trade: Trade) -> Cents:
    of_trade = round(100 * trade.volume_usd)
    cents.all += of_trade
    cents.large += of_trade if trade.volume_usd >= LARGE_USD else 0
    return cents


def merge(one: Cents, other: Cents) -> Cents:
    return Cents(one.all + other.all, one.large + other.large)


def share(cents: Cents) -> float | None:
    return cents.large / cents.all if cents.all else None


class Minute(ops.Row):
    """A row a minute, over all that comes."""

    volume = agg.volume()
    large_share = agg.custom(Cents, add, merge, share, of=Trade)


minutes = ops.tumbling("1m", Minute)

chance = random.Random(8)
trades = [trade(volume_usd=round(1e3 * chance.paretovariate(1.1), 2), time=n / 5) for n in range(900)]
signals: list[Signal[Trade]] = [alive(0), *(batch(each) for each in trades), alive("185s")]
rows = play(minutes, signals)

for row in rows:
    print(f"{row.start_ms // 60_000} min  {row.volume:>12,.2f} USD  {row.large_share or 0:.1%} of it in large trades")
