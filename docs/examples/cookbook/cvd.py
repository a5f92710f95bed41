"""Cumulative volume delta (CVD): what takers bought minus what they sold, added up minute by minute.

On the real feed: `feed.futures_trades("Binance", "BTCUSDT", min_volume=0).pipe(cvd)` in place of `play(cvd, signals)`.
"""

import random

import attrs

from cgrx import Signal, Trade
from cgrx import operators as ops
from cgrx.testing import alive, batch, gap, play, trade


@attrs.frozen
class Cvd:
    """The sum so far."""

    time_ms: int = 0
    usd: float = 0.0
    complete: bool = False
    """False before the first whole minute, and from the next one on of which something was not seen."""
    begun: bool = False


def add(cvd: Cvd, minute: ops.Flow) -> Cvd:
    if not cvd.begun and not minute.complete:  # that in which the feed began
        return Cvd(minute.end_ms)
    return Cvd(minute.end_ms, cvd.usd + minute.delta, minute.complete and (cvd.complete or not cvd.begun), begun=True)


cvd = ops.pipeline(ops.tumbling("1m"), ops.final(), ops.scan(add, Cvd()))

# Six minutes of trades, one a second; the connection is lost for five seconds of the fourth.
chance = random.Random(1)
trades = [trade(chance.choice(["buy", "sell"]), chance.randint(1, 50) * 1e3, time=second) for second in range(360)]
seen = [batch(each) for each in trades]
signals: list[Signal[Trade]] = [alive(0), *seen[:200], gap(200, 205), *seen[205:], alive("365s")]
rows = play(cvd, signals)

for row in rows:
    print(f"{row.time_ms // 60_000} min  {row.usd:>+10,.0f} USD{'' if row.complete else '  incomplete'}")
