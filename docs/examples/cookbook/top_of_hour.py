"""The three assets with the greatest liquidated volume of each hour.

On the real feed: `feed.liquidations().pipe(leaders)` in place of `play(leaders, signals)`.
"""

import random
from datetime import UTC, datetime
from itertools import groupby

from cgrx import Liquidation, Signal
from cgrx import operators as ops
from cgrx.operators import agg
from cgrx.testing import alive, batch, gap, liquidation, play


class Hour(ops.Row):
    """A row for each asset and hour."""

    base_asset: str
    volume = agg.volume()
    longs = agg.volume(side="long")
    count = agg.count()


leaders = ops.pipeline(ops.tumbling("1h", Hour), ops.top(3, "volume"))

# Two hours of liquidations, one every four seconds; for a minute of the second hour the connection is lost.
chance = random.Random(3)
assets = ["BTC", "ETH", "SOL", "XRP", "DOGE"]
events = [
    liquidation(
        chance.choice(["long", "short"]), 100 * chance.randint(5, 900), time=4 * n, base_asset=chance.choice(assets)
    )
    for n in range(1_800)
]
sent = [batch(each) for each in events]
signals: list[Signal[Liquidation]] = [
    alive(0),
    *sent[:1_500],
    gap(6_000, 6_060),
    *sent[1_515:],
    alive("2h"),
    alive("3h"),
]
rows = play(leaders, signals)

for start_ms, of_hour in groupby(rows, lambda row: row.start_ms):
    print(f"{datetime.fromtimestamp(start_ms / 1000, UTC):%H:%M}")
    for place, row in enumerate(of_hour, 1):
        missing = "" if row.complete else f"  {(row.gap_ms or 0) / 1000:.0f} s not seen"
        print(f"  {place}. {row.base_asset:4} {row.volume:>12,.0f} USD, longs {row.longs / row.volume:.0%}{missing}")
