"""What does a generated accumulator cost against a class written by hand with the same meaning?

    python -m benchmarks.accumulators [--rounds 15] [--quick]

The recorded trades, by exchange, symbol and minute, into the values of a `Bar`: the same dictionary of windows around
both, the same exact sums and ties, and both must give the same bars. They take turns; the median of the rounds counts.
Only `add` is timed.
"""

import argparse
import math
import statistics
import time
from collections.abc import Callable
from typing import Any

from cgrx._codec import Frame, decode
from cgrx._events import Event
from cgrx.operators._row_types import Bar
from tests.recordings import FOLDER, TRADES

WINDOW_MS = 60_000
SCALE = 2.0**96


class ByHand:
    """Open, high, low, close and the sums of a bar; exact for all floats below 2**928."""

    __slots__ = ("base", "buys", "close", "close_ms", "count", "high", "low", "open", "open_ms", "usd")

    def __init__(self) -> None:
        self.open = self.close = 0.0
        self.open_ms = self.low = math.inf
        self.close_ms = self.high = -math.inf
        self.usd = self.base = self.buys = self.count = 0

    def add(self, event: Event) -> None:
        """Take one event in."""
        price = event.price
        time_ms = event.time_ms
        usd = int(event.volume_usd * SCALE)
        self.count += 1
        self.usd += usd
        self.base += int(event.volume_usd / price * SCALE)
        if event.side == 2:
            self.buys += usd
        if price > self.high:
            self.high = price
        if price < self.low:
            self.low = price
        if time_ms < self.open_ms or (time_ms == self.open_ms and price < self.open):
            self.open_ms = time_ms
            self.open = price
        if time_ms > self.close_ms or (time_ms == self.close_ms and price > self.close):
            self.close_ms = time_ms
            self.close = price

    def values(self) -> tuple[object, ...]:
        """The values of a `Bar`, in its order."""
        usd, buys = self.usd / 2**96, self.buys / 2**96
        sells = (self.usd - self.buys) / 2**96
        prices = (self.open, self.high, self.low, self.close)
        return (*prices, self.usd / self.base, usd, self.count, buys, sells)


def fill(make: Callable[[], Any], events: list[Event]) -> dict[Any, Any]:
    """All events into the accumulators of their windows."""
    windows: dict[Any, Any] = {}
    for event in events:
        key = (event.exchange, event.symbol, event.time_ms // WINDOW_MS)
        found = windows.get(key)
        if found is None:
            found = windows[key] = make()
        found.add(event)
    return windows


def main() -> None:
    """Take turns and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--quick", action="store_true", help="three rounds: that it runs, not how fast")
    arguments = parser.parse_args()
    if not FOLDER.is_dir():
        print("skipped: the recordings are not beside this repository, in ../shared/data")
        return
    frames = [decode(frame, 2**42) for frame in TRADES.frames(100)]
    events: list[Event] = [event for frame in frames if isinstance(frame, Frame) for event in frame.events]
    makers: dict[str, Callable[[], Any]] = {"by hand": ByHand, "generated": Bar.accumulator}
    results = [[each.values() for each in fill(make, events).values()] for make in makers.values()]
    assert results[0] == results[1], "both must give the same bars"
    times: dict[str, list[float]] = {name: [] for name in makers}
    for _ in range(3 if arguments.quick else arguments.rounds):
        for name, make in makers.items():
            start = time.perf_counter()
            fill(make, events)
            times[name].append(time.perf_counter() - start)
    medians = {name: statistics.median(each) / len(events) for name, each in times.items()}
    for name, median in medians.items():
        print(f"{name:10} {median * 1e9:6.0f} ns per event")
    print(f"generated / by hand: {medians['generated'] / medians['by hand']:.2f}")


if __name__ == "__main__":
    main()
