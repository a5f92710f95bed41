"""How fast is a backtest: in columns against a replay event by event, and against the same query written by hand?

    python -m benchmarks.backtest [--quick] [--repeat 20] [--rounds 3] [--json FILE]

The trades of `../shared/data/futures_trades.jsonl.gz`, or generated ones where that file is absent, are written to a
recording so many times one after the other, as a feed would have said them: in batches, with a proof of life each
second. Every rival reads that recording and ends with a table; the rows must be equal before anything is measured. Then
they take turns; elapsed time counts, since polars uses several threads, and of the rounds the median. Cases:

- filtered bars: `side("buy")`, `min_volume(1000)`, and bars of one second
- bars: the same of all trades
- sliding: a minute every five seconds, `Flow` by symbol
- sessions: that a silence of a second ends, `Flow` by symbol

The query by hand is what one would write who knows that the events are in order: it asks neither whether one comes too
late, nor what a row misses. So it reads two columns fewer.
"""

import argparse
import json
import math
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, cast

import attrs
import polars as pl
import polars.testing
import trio
from msgspec.structs import replace

import cgrx
from benchmarks.pipelines import load
from cgrx import operators as ops
from cgrx._recorded import Recorded
from cgrx._recording_writer import write_recording
from cgrx.operators._frames import to_frame

CHANNEL = cgrx.FuturesTrades("Binance", "BTCUSDT", 0)
MIN_VOLUME = 1000
BATCH = 5
BARS = ops.tumbling("1s", ops.Bar, by=("exchange", "symbol"))

_PRICE, _USD, _TIME = pl.col("price"), pl.col("volume_usd"), pl.col("time_ms")
_BOUGHT = pl.when(pl.col("side") == 2).then(_USD).otherwise(0.0)
FLOW = (
    pl.len().alias("count"),
    _USD.sum().alias("volume"),
    _BOUGHT.sum().alias("buy_volume"),
    (_USD - _BOUGHT).sum().alias("sell_volume"),
    (2 * _BOUGHT - _USD).sum().alias("delta"),
)


def said(repeat: int, count: int | None) -> Iterator[Recorded]:
    """What a feed would have said."""
    trades, _ = load(count)
    first_ms, last_ms = trades[0].time_ms, max(trade.time_ms for trade in trades)
    yield Recorded(CHANNEL, cgrx.Gap(CHANNEL, 0, first_ms, "subscribed"))
    alive_ms = 0
    for number in range(repeat):
        later_ms = number * (last_ms - first_ms + 5000)
        for start in range(0, len(trades), BATCH):
            events = tuple(replace(each, time_ms=each.time_ms + later_ms) for each in trades[start : start + BATCH])
            now_ms = max(alive_ms, events[-1].time_ms + 50)
            yield Recorded(CHANNEL, cgrx.Batch(CHANNEL, now_ms, events))
            if now_ms >= alive_ms + 1000:
                alive_ms = now_ms
                yield Recorded(CHANNEL, cgrx.Alive("feed", now_ms))


# --- rivals ---------------------------------------------------------------------------------------------------------


def stages(*members: ops.Stage[Any, Any]) -> Callable[[cgrx.Feed], cgrx.EventStream[Any]]:
    """A pipeline on the trades."""

    def build(feed: cgrx.Feed) -> cgrx.EventStream[Any]:
        trades = feed.futures_trades(CHANNEL.exchange, CHANNEL.symbol, min_volume=0)
        return trades.through(cast("ops.Stage[cgrx.Trade, Any]", ops.pipeline(*cast("Any", members))))

    return build


def in_columns(build: Any, recording: cgrx.Recording) -> pl.DataFrame:
    """The backtest; it must have run in columns."""
    found = cgrx.backtest(build, recording)
    assert found.explain().reason is None, found.explain().reason
    return found.to_polars()


def by_events(build: Any, recording: cgrx.Recording) -> pl.DataFrame:
    """The same pipeline on a replay at infinite speed."""
    rows: list[Any] = []

    async def run() -> None:
        async with cgrx.replay(recording, speed=math.inf) as feed:
            build(feed).subscribe(rows.append)
            await feed.run()

    trio.run(run)
    return to_frame(rows)


def bars_by_hand(recording: cgrx.Recording, *keep: pl.Expr) -> pl.DataFrame:
    """Bars of one second of the trades that pass."""
    ordered = _PRICE.sort_by("time_ms", "price")
    return (
        recording.to_polars()
        .filter(_PRICE.is_not_null(), *keep)
        .group_by((_TIME // 1000 * 1000).alias("start_ms"), "exchange", "symbol")
        .agg(
            ordered.first().alias("open"),
            _PRICE.max().alias("high"),
            _PRICE.min().alias("low"),
            ordered.last().alias("close"),
            (_USD.sum() / (_USD / _PRICE).sum()).alias("vwap"),
            _USD.sum().alias("volume"),
            pl.len().alias("count"),
            _BOUGHT.sum().alias("buy_volume"),
            (_USD - _BOUGHT).sum().alias("sell_volume"),
        )
        .sort("start_ms", "exchange", "symbol")
        .collect()
    )


def sliding_by_hand(recording: cgrx.Recording) -> pl.DataFrame:
    """A minute every five seconds: polars' own overlapping windows."""
    return (
        recording.to_polars()
        .filter(_PRICE.is_not_null())
        .sort("time_ms")
        .group_by_dynamic("time_ms", every="5000i", period="60000i", offset="-55000i", group_by="symbol")
        .agg(*FLOW)
        .sort("time_ms", "symbol")
        .collect()
        .rename({"time_ms": "start_ms"})
    )


def sessions_by_hand(recording: cgrx.Recording) -> pl.DataFrame:
    """Sessions that a silence of a second ends."""
    begins = ((_TIME.diff() > 1000) | (pl.col("symbol") != pl.col("symbol").shift())).fill_null(True)
    return (
        recording.to_polars()
        .filter(_PRICE.is_not_null())
        .sort("symbol", "time_ms")
        .group_by(begins.cum_sum().alias("session"), "symbol")
        .agg(_TIME.min().alias("start_ms"), (_TIME.max() + 1).alias("end_ms"), *FLOW)
        .sort("end_ms", "symbol", "start_ms")
        .collect()
    )


CASES: dict[str, tuple[Callable[[cgrx.Feed], Any], Callable[[cgrx.Recording], pl.DataFrame]]] = {
    "filtered bars": (
        stages(ops.side("buy"), ops.min_volume(MIN_VOLUME), BARS),
        lambda recording: bars_by_hand(recording, pl.col("side") == 2, _USD >= MIN_VOLUME),
    ),
    "bars": (stages(BARS), bars_by_hand),
    "sliding": (stages(ops.sliding("1m", "5s", by="symbol")), sliding_by_hand),
    "sessions": (stages(ops.session("1s", by="symbol")), sessions_by_hand),
}


# --- rounds ---------------------------------------------------------------------------------------------------------


@attrs.frozen
class Case:
    """The figures of a case: median nanoseconds for each event of the recording, and ratios of these."""

    case: str
    columns_ns: float
    events_ns: float
    hand_ns: float
    times_events: float
    """How many times as fast as the replay: the median of the rounds' ratios."""
    times_hand: float
    """How many times the time of the query by hand, likewise."""

    def __str__(self) -> str:
        return (
            f"{self.case:16}{self.columns_ns:9.0f}{self.events_ns:10.0f}{self.hand_ns:9.0f}"
            f"{self.times_events:12.1f}x{self.times_hand:10.2f}x"
        )


def check(columns: pl.DataFrame, events: pl.DataFrame, hand: pl.DataFrame) -> None:
    """All agree: the backtest on every column, the query by hand on the rows that are final."""
    polars.testing.assert_frame_equal(columns, events, rel_tol=1e-9, abs_tol=1e-6)
    shared = [name for name in hand.columns if name in columns.columns]
    place = ("start_ms", "symbol")
    final = hand.join(columns.select(place), on=place, how="semi", maintain_order="left")
    polars.testing.assert_frame_equal(
        final.select(shared), columns.select(shared), check_dtypes=False, rel_tol=1e-9, abs_tol=1e-6
    )


def measure(name: str, recording: cgrx.Recording, rounds: int) -> Case:
    """The rivals in turn."""
    build, by_hand = CASES[name]
    rivals = (partial(in_columns, build, recording), partial(by_events, build, recording), partial(by_hand, recording))
    check(*(rival() for rival in rivals))
    spent: list[list[float]] = [[] for _ in rivals]
    for _ in range(rounds):
        for index, rival in enumerate(rivals):
            started = time.perf_counter()
            rival()
            spent[index].append((time.perf_counter() - started) / recording.events * 1e9)
    columns, events, hand = spent
    return Case(
        name,
        columns_ns=statistics.median(columns),
        events_ns=statistics.median(events),
        hand_ns=statistics.median(hand),
        times_events=statistics.median(theirs / our for our, theirs in zip(columns, events, strict=True)),
        times_hand=statistics.median(our / theirs for our, theirs in zip(columns, hand, strict=True)),
    )


def main() -> None:
    """Measure, print a table, write the figures."""
    parser = argparse.ArgumentParser(description="a backtest in columns against a replay and a query by hand")
    parser.add_argument("--quick", action="store_true", help="fewer events and rounds: it runs, the figures are rough")
    parser.add_argument("--repeat", type=int, default=20, help="how many times the trades are recorded")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, help="write the figures here")
    options = parser.parse_args()

    repeat, rounds = (1, 1) if options.quick else (options.repeat, options.rounds)
    with tempfile.TemporaryDirectory() as folder:
        write_recording(Path(folder), said(repeat, 8000 if options.quick else None))
        recording = cgrx.Recording(folder)
        print(f"{recording.events:,} trades; nanoseconds for each; medians of {rounds} rounds")
        print(f"{'':16}{'columns':>9}{'events':>10}{'by hand':>9}{'x events':>13}{'x by hand':>11}")
        found: list[Case] = []
        for name in CASES:
            found.append(measure(name, recording, rounds))
            print(found[-1], flush=True)
    if options.json is not None:
        figures = [attrs.asdict(case) for case in found]
        options.json.write_text(json.dumps({"events": recording.events, "cases": figures}, indent=2) + "\n")


if __name__ == "__main__":
    main()
