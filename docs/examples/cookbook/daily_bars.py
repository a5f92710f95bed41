"""Daily bars from 17:00 to 17:00 in New York, over the night in which the clocks there are set forward.

On the real feed: `feed.futures_trades("Binance", "BTCUSDT", min_volume=0).pipe(days)` in place of
`play(days, signals)`.
"""

import random
from datetime import datetime
from zoneinfo import ZoneInfo

from cgrx import Signal, Trade
from cgrx import operators as ops
from cgrx.testing import alive, batch, play, trade

NEW_YORK = ZoneInfo("America/New_York")
days = ops.tumbling("1d", ops.Bar, by=("exchange", "symbol"), zone="America/New_York", start="17:00")

# Three and a half days, a trade every ten minutes.
chance = random.Random(5)
first = datetime(2026, 3, 5, 17, tzinfo=NEW_YORK).timestamp()
times = [first + 600 * n for n in range(504)]
trades = [trade(time=time, price=60_000.0 + chance.randint(-900, 900), volume_usd=2_500.0) for time in times]
signals: list[Signal[Trade]] = [alive(first), *(batch(each) for each in trades), alive(times[-1])]
bars = play(days, signals)

for bar in bars:
    began = datetime.fromtimestamp(bar.start_ms / 1000, NEW_YORK)
    state = "closed" if bar.final else "goes on"
    prices = " ".join(f"{price:,.0f}" for price in (bar.open, bar.high, bar.low, bar.close))
    hours = (bar.end_ms - bar.start_ms) / 3_600_000
    print(f"{began:%a %Y-%m-%d %H:%M %Z}  {hours:.0f} h  {prices}  {bar.volume:,.0f} USD  {state}")
