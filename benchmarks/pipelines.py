"""How fast are pipelines: fused stages against reactivex, and against a loop written by hand for the one purpose?

    python -m benchmarks.pipelines [--quick] [--rounds 7] [--json FILE]

Events are held in memory as batches of 100, then of 1: those of `../shared/data/futures_trades.jsonl.gz`, or generated
ones where that file is absent. Every rival must give the same results before anything is measured; then they take
turns (A B C A B C ...), processor time counts, and of the rounds the median. Cases:

- filters: `side("buy")` and `min_volume(1000)`; in reactivex two `filter` on a Subject of single events.
- bars: `tumbling("1s", Bar, by=("exchange", "symbol"))`. In reactivex the idiomatic pipeline: `group_by` the key,
  `scan` over the bars that are open (with lateness), `flat_map` those that closed. By hand: one loop that does what a
  window does for these events: lateness, ties of open and close, exact sums, all fields of the row.

The hand loop leaves out what these events do not need: more than one source, marks, gaps, late events for `late=`.
"""

import argparse
import gc
import gzip
import json
import random
import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import attrs
from reactivex.subject import Subject

from benchmarks._rivals import MIN_VOLUME, by_reactivex, hand_bars, hand_filters, reactivex_bars, reactivex_filters
from cgrx._channels import LiquidationOrders
from cgrx._events import Trade, TradeSide
from cgrx._observers import SignalObserver
from cgrx._signals import Batch, Signal
from cgrx._streams import EventStream, Stage
from cgrx.operators._filters import min_volume, side
from cgrx.operators._row_types import Bar
from cgrx.operators._stage import pipeline
from cgrx.operators._windows import tumbling

FILE = Path(__file__).resolve().parents[2] / "shared" / "data" / "futures_trades.jsonl.gz"
CHANNEL = LiquidationOrders()


def load(count: int | None) -> tuple[list[Trade], str]:
    """The recorded trades, or so many generated ones of the same shape; and where they are from."""
    if not FILE.is_file():
        return generate(count or 40_000), "generated"
    with gzip.open(FILE, "rt", encoding="utf-8") as lines:
        raw = [json.loads(line) for line in lines]
    trades = [
        Trade(e["baseAsset"], e["exName"], e["symbol"], TradeSide(e["side"]), e["price"], e["volUsd"], e["time"])
        for e in raw[:count]
    ]
    return trades, FILE.name


def generate(count: int) -> list[Trade]:
    """Four symbols at some 70 trades a second, a tenth of them a little out of order."""
    chance = random.Random(7)
    symbols = (("BTC", "BTCUSDT"), ("ETH", "ETHUSDT"), ("BTC", "BTCUSD_PERP"), ("ETH", "ETHUSD_PERP"))
    trades: list[Trade] = []
    time_ms = 1_700_000_000_000
    for _ in range(count):
        time_ms += int(chance.expovariate(1 / 14))
        asset, symbol = chance.choice(symbols)
        price = round((60_000 if asset == "BTC" else 2600) * chance.uniform(0.99, 1.01), 1)
        volume = round(chance.lognormvariate(6, 2), 4) + 0.01
        disorder = chance.randrange(76) if chance.random() < 0.1 else 0
        trades.append(
            Trade(asset, "Binance", symbol, TradeSide(chance.choice((1, 2))), price, volume, time_ms - disorder)
        )
    return trades


def batches(trades: list[Trade], size: int) -> list[Batch[Trade]]:
    """The trades in batches."""
    return [
        Batch(CHANNEL, trades[start].time_ms, tuple(trades[start : start + size]))
        for start in range(0, len(trades), size)
    ]


# --- cgrx -----------------------------------------------------------------------------------------------------------


class Source:
    """A stream into which a benchmark pushes signals."""

    def __init__(self) -> None:
        self.observer: SignalObserver[Trade] | None = None
        self.stream: EventStream[Trade] = EventStream(self._connect, event_types=frozenset({Trade}))

    def _connect(self, observer: SignalObserver[Trade], scheduler: object = None) -> Any:
        self.observer = observer
        return Subject[None]()


class Collector:
    """Takes whole signals, as a stage, a bridge or a recorder behind the pipeline would."""

    def __init__(self) -> None:
        self.results: list[Any] = []

    def on_signal(self, signal: Signal[Any]) -> None:
        """Keep the results."""
        if isinstance(signal, Batch):
            self.results += signal.events

    def on_error(self, error: Exception) -> None:
        """No pipeline here may fail."""
        raise error

    def on_completed(self) -> None:
        """Nothing to do."""


def by_stages(stage: Stage[Any, Any], signals: list[Batch[Trade]]) -> list[Any]:
    """Run a stage on batches."""
    source, collector = Source(), Collector()
    source.stream.through(stage).subscribe_signals(collector)
    assert source.observer is not None
    push = source.observer.on_signal
    for signal in signals:
        push(signal)
    source.observer.on_completed()
    return collector.results


# --- rounds ---------------------------------------------------------------------------------------------------------


@attrs.frozen
class Case:
    """The figures of a case: median nanoseconds for each event, and ratios of these."""

    case: str
    cgrx_ns: float
    reactivex_ns: float
    hand_ns: float
    times_reactivex: float
    """How many times as fast as reactivex: the median of the rounds' ratios."""
    times_hand: float
    """How many times the time of the hand loop, likewise."""

    def __str__(self) -> str:
        return (
            f"{self.case:24}{self.cgrx_ns:9.0f}{self.reactivex_ns:12.0f}{self.hand_ns:9.0f}"
            f"{self.times_reactivex:13.1f}x{self.times_hand:10.2f}x"
        )


def measure(name: str, rivals: tuple[Callable[[], list[Any]], ...], events: int, rounds: int) -> Case:
    """The rivals in turn."""
    spent: list[list[float]] = [[] for _ in rivals]
    for _ in range(rounds):
        for index, rival in enumerate(rivals):
            gc.collect()
            started = time.process_time()
            rival()
            spent[index].append(time.process_time() - started)
    ours, by_rx, by_hand = spent
    return Case(
        name,
        cgrx_ns=statistics.median(ours) / events * 1e9,
        reactivex_ns=statistics.median(by_rx) / events * 1e9,
        hand_ns=statistics.median(by_hand) / events * 1e9,
        times_reactivex=statistics.median(theirs / our for our, theirs in zip(ours, by_rx, strict=True)),
        times_hand=statistics.median(our / theirs for our, theirs in zip(ours, by_hand, strict=True)),
    )


def check_bars(rows: list[Bar], by_hand: list[Any], by_rx: list[Any]) -> None:
    """All three agree on the windows that all three have closed."""
    values = [row.values[:13] for row in rows if row.final]
    assert values == by_hand, "the hand loop differs"
    # In reactivex a key closes its windows by its own events, so the last ones may be missing, and the order differs.
    assert set(by_rx) <= set(values), "reactivex differs"
    assert len(by_rx) > 0.9 * len(values), (len(by_rx), len(values))


def cases(trades: list[Trade], rounds: int) -> Iterator[Case]:
    """Filters and bars, in batches of 100 and of 1."""
    filters: Stage[Any, Any] = pipeline(side("buy"), min_volume(MIN_VOLUME))
    bars = tumbling("1s", Bar, by=("exchange", "symbol"))
    for size in (100, 1):
        signals = batches(trades, size)
        kept = by_stages(filters, signals)
        assert kept == by_reactivex(reactivex_filters(), trades) == hand_filters(signals), "filters differ"
        check_bars(by_stages(bars, signals), hand_bars(signals), by_reactivex(reactivex_bars(), trades))
        filtering = (
            partial(by_stages, filters, signals),
            partial(by_reactivex, reactivex_filters(), trades),
            partial(hand_filters, signals),
        )
        yield measure(f"filters, batches of {size}", filtering, len(trades), rounds)
        windowing = (
            partial(by_stages, bars, signals),
            partial(by_reactivex, reactivex_bars(), trades),
            partial(hand_bars, signals),
        )
        yield measure(f"bars, batches of {size}", windowing, len(trades), rounds)


def main() -> None:
    """Measure, print a table, write the figures."""
    parser = argparse.ArgumentParser(description="fused stages against reactivex and against loops written by hand")
    parser.add_argument("--quick", action="store_true", help="fewer events and rounds: it runs, the figures are rough")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", type=Path, help="write the figures here")
    options = parser.parse_args()

    trades, origin = load(8000 if options.quick else None)
    rounds = 2 if options.quick else options.rounds
    print(f"{len(trades):,} trades ({origin}); nanoseconds for each event; medians of {rounds} rounds")
    print(f"{'':24}{'cgrx':>9}{'reactivex':>12}{'by hand':>9}{'x reactivex':>14}{'x by hand':>11}")
    found: list[Case] = []
    for case in cases(trades, rounds):
        found.append(case)
        print(case, flush=True)
    if options.json is not None:
        figures = [attrs.asdict(case) for case in found]
        options.json.write_text(
            json.dumps({"events": len(trades), "origin": origin, "cases": figures}, indent=2) + "\n"
        )


if __name__ == "__main__":
    main()
