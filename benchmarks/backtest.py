"""How fast is a backtest: in columns against a replay event by event, and against the same query written by hand?

Trades are recorded as a feed delivers them, in batches of five with a proof of life each second; the same trades come
ten times, one run after the other, so that there are enough. Every rival reads that recording and ends with a table of
polars:

- filtered bars: `side("buy")`, `min_volume(1000)`, and bars of one second, by exchange and symbol
- bars: the same of all trades
- sliding: a minute every five seconds, `Flow` by symbol
- sessions: each ended by a second of silence, `Flow` by symbol
- bars of 24 channels: the same of trades that come from 24 symbols, a channel each, of a recording that `cgrx.compact`
  has rewritten
- fifty thresholds of cascades: `cascades` of the same trades as liquidations, with fifty values of `min_volume`
- fifty thresholds of bars: bars of one minute behind `min_volume`, with fifty values of it
- fifty thresholds of eight exchanges: the same of trades that come from eight exchanges, each idle after five seconds

cgrx runs the pipeline in columns; a pipeline that cannot run in columns is an error here. "Event by event" is the same
pipeline on a replay at infinite speed, and its whole table is compared with that of the columns. The query written by
hand (`rivals/queries.py`) is the limit: it checks neither for late events nor for gaps. The figure is wall-clock time,
because polars works in several threads; `cpu_ns` is the processor time of all of them.

The thresholds are a `sweep`: of cascades event by event, of bars in columns. The figure is per event of the recording.
Beside it stands a backtest with the lowest of them alone, the limit; fifty backtests one by one would take fifty times
as long, or less where few events pass the higher ones.
"""

import math
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import attrs
import trio
from msgspec.structs import replace

import cgrx
from benchmarks._harness import files
from benchmarks._harness.data import CHANNEL, any_trades, origin
from benchmarks._harness.scenario import AbsentError, Case, Contest, Results, Rival, Sample, Scenario, Timed
from benchmarks.rivals.by_cgrx import BY
from cgrx import operators as ops
from cgrx._recording.entry import Recorded
from cgrx.operators._rows.shown import QUALITY

if TYPE_CHECKING:
    import polars as pl

What: TypeAlias = Literal["filtered_bars", "bars", "sliding", "sessions"]
Swept: TypeAlias = Literal["cascades", "bars", "eight exchanges"]

FOLLOWED = cgrx.FuturesTrades("Binance", "BTCUSDT", 0)
assert FOLLOWED.name == CHANNEL
MANY = tuple(cgrx.FuturesTrades(FOLLOWED.exchange, f"M{number:02}USDT", 0) for number in range(24))
BATCH = 5
ALIVE_EVERY_MS = 1000
PAUSE_MS = 5000
"""Between one time that the trades are recorded and the next."""
SAMPLE_S = 0.5
BARS = ops.tumbling("1s", ops.Bar, by=BY)
STAGES: dict[What, Any] = {
    "filtered_bars": ops.pipeline(ops.side("buy"), ops.min_volume(1000), BARS),
    "bars": BARS,
    "sliding": ops.sliding("1m", "5s", by="symbol"),
    "sessions": ops.session("1s", by="symbol"),
}


@attrs.frozen
class Query:
    """What is asked of how many trades, so many times over."""

    what: What
    trades: int
    repeat: int

    @property
    def events(self) -> int:
        """All of them."""
        return self.trades * self.repeat

    def build(self, feed: cgrx.Feed) -> cgrx.EventStream[Any]:
        """The pipeline."""
        stream = feed.futures_trades(FOLLOWED.exchange, FOLLOWED.symbol, min_volume=0)
        return stream.through(STAGES[self.what])

    def recording(self, folder: Path) -> cgrx.Recording:
        """What was recorded."""
        return cgrx.Recording(files.made(folder / f"{self.trades} x {self.repeat}{self.kind}", self._record))

    @property
    def kind(self) -> str:
        """What distinguishes the recording from one of trades."""
        return ""

    def _record(self, to: Path) -> None:
        from cgrx._recording.writer import write_recording

        write_recording(to, self.said())

    def said(self) -> Iterator[Recorded]:
        """What a feed said."""
        trades = any_trades(self.trades)
        first_ms, last_ms = trades[0].time_ms, max(trade.time_ms for trade in trades)
        yield Recorded(FOLLOWED, cgrx.Gap(FOLLOWED, 0, first_ms, "subscribed"))
        alive_ms = 0
        for number in range(self.repeat):
            later_ms = number * (last_ms - first_ms + PAUSE_MS)
            for start in range(0, len(trades), BATCH):
                events = tuple(replace(each, time_ms=each.time_ms + later_ms) for each in trades[start : start + BATCH])
                now_ms = max(alive_ms, events[-1].time_ms + 50)
                yield Recorded(FOLLOWED, cgrx.Batch(FOLLOWED, now_ms, events))
                if now_ms >= alive_ms + ALIVE_EVERY_MS:
                    alive_ms = now_ms
                    yield Recorded(FOLLOWED, cgrx.Alive("feed", now_ms))


@attrs.frozen
class Thresholds:
    """Fifty thresholds on how many trades, so many times over."""

    swept: Swept
    query: Query

    @property
    def values(self) -> list[float]:
        """From a thousand dollars on, each a fifth above the one before."""
        return [1000 * 1.2**step for step in range(50)]

    def build(self, feed: cgrx.Feed, *, threshold: float) -> cgrx.EventStream[Any]:
        """The pipeline with one of them."""
        if self.swept == "cascades":
            return feed.liquidations().pipe(ops.cascades("1s", min_volume=threshold))
        trades = feed.futures_trades(FOLLOWED.exchange, FOLLOWED.symbol, min_volume=0)
        idle = "5s" if self.swept == "eight exchanges" else "2s"
        return trades.pipe(ops.min_volume(threshold), ops.tumbling("1m", ops.Bar, by=BY, idle=idle))


@attrs.frozen
class Apart(Query):
    """The same trades from eight exchanges."""

    @property
    def kind(self) -> str:
        """See `Query`."""
        return " of eight exchanges"

    def said(self) -> Iterator[Recorded]:
        """See `Query`."""
        for said in super().said():
            match said.said:
                case cgrx.Batch(received_ms=received_ms, events=events):
                    apart = tuple(
                        replace(each, exchange=f"Exchange {(each.time_ms // 7 + place) % 8}")
                        for place, each in enumerate(events)
                    )
                    yield Recorded(FOLLOWED, cgrx.Batch(FOLLOWED, received_ms, apart))
                case _:
                    yield said


@attrs.frozen
class Compacted(Query):
    """The same trades from many channels, each of which stands by itself in the recording."""

    @property
    def kind(self) -> str:
        """See `Query`."""
        return " compacted"

    def build(self, feed: cgrx.Feed) -> cgrx.EventStream[Any]:
        """See `Query`."""
        return cgrx.merge(*map(feed.channel, MANY)).through(STAGES[self.what])

    def _record(self, to: Path) -> None:
        super()._record(to)
        cgrx.compact(to)

    def said(self) -> Iterator[Recorded]:
        """See `Query`."""
        batches = 0
        for said in super().said():
            match said.said:
                case cgrx.Batch(received_ms=received_ms, events=events):
                    channel = MANY[batches % len(MANY)]
                    batches += 1
                    renamed = tuple(replace(each, symbol=channel.symbol) for each in events)
                    yield Recorded(channel, cgrx.Batch(channel, received_ms, renamed))
                case cgrx.Gap(start_ms=start_ms, end_ms=end_ms, reason=reason):
                    for channel in MANY:
                        yield Recorded(channel, cgrx.Gap(channel, start_ms, end_ms, reason))
                case other:
                    for channel in MANY:
                        yield Recorded(channel, other)


@attrs.frozen
class Liquidated(Query):
    """The same trades as liquidations."""

    @property
    def kind(self) -> str:
        """See `Query`."""
        return " liquidations"

    def said(self) -> Iterator[Recorded]:
        """See `Query`."""
        channel = cgrx.LiquidationOrders()
        for said in super().said():
            match said.said:
                case cgrx.Batch(received_ms=received_ms, events=events):
                    yield Recorded(channel, cgrx.Batch(channel, received_ms, tuple(map(_liquidation, events))))
                case cgrx.Gap(start_ms=start_ms, end_ms=end_ms, reason=reason):
                    yield Recorded(channel, cgrx.Gap(channel, start_ms, end_ms, reason))
                case other:
                    yield Recorded(channel, other)


def _liquidation(trade: cgrx.Trade) -> cgrx.Liquidation:
    side = cgrx.LiquidationSide.LONG if trade.side is cgrx.TradeSide.SELL else cgrx.LiquidationSide.SHORT
    return cgrx.Liquidation(
        trade.base_asset, trade.exchange, trade.symbol, side, trade.price, trade.volume_usd, trade.time_ms
    )


def swept(thresholds: Thresholds, recording: cgrx.Recording) -> Results:
    """How many rows each threshold gives."""
    found = cgrx.sweep(thresholds.build, recording, {"threshold": thresholds.values}).to_polars()
    assert found["error"].null_count() == len(found)
    return found.select("threshold", "rows").rows()


def one_of_them(thresholds: Thresholds, recording: cgrx.Recording) -> None:
    """The backtest with the lowest threshold."""
    _ = cgrx.backtest(partial(thresholds.build, threshold=thresholds.values[0]), recording).count


def in_columns(query: Query, recording: cgrx.Recording) -> "pl.DataFrame":
    """The backtest; it must have run in columns."""
    found = cgrx.backtest(query.build, recording)
    assert found.explain().reason is None, found.explain().reason
    return found.to_polars()


def by_events(query: Query, recording: cgrx.Recording) -> "pl.DataFrame":
    """The same pipeline on a replay at infinite speed."""
    rows: list[Any] = []

    async def run() -> None:
        async with cgrx.replay(recording, speed=math.inf) as feed:
            query.build(feed).subscribe(rows.append)
            await feed.run()

    trio.run(run)
    return cgrx.to_frame(rows)


def alone(query: Query, recording: cgrx.Recording) -> None:
    """One backtest in place of many: of thresholds alone."""


def by_hand(query: Query, recording: cgrx.Recording) -> "pl.DataFrame":
    """In polars."""
    from benchmarks.rivals import queries

    run: Callable[[cgrx.Recording], pl.DataFrame] = getattr(queries, query.what)
    return run(recording)


def _plain(recording: cgrx.Recording, frame: "pl.DataFrame") -> Results:
    """What all have to say of the rows that the end of the recording does not cut short."""
    import polars as pl

    place = [name for name in ("end_ms", "start_ms", "exchange", "symbol") if name in frame.columns]
    whole = frame.filter(pl.col("end_ms") < recording.end_ms - PAUSE_MS).sort(place)
    return whole.select(sorted(set(frame.columns) - set(QUALITY))).rows()


def _compared_in_whole(query: Query, recording: cgrx.Recording, frame: "pl.DataFrame") -> Results:
    from polars.testing import assert_frame_equal

    assert_frame_equal(in_columns(query, recording), frame, rel_tol=1e-9, abs_tol=1e-6)
    return _plain(recording, frame)


class Elapsed(Timed):
    """What counts is the clock on the wall, and of runs for half a second the median: one may meet another program."""

    def measure(self) -> Sample:
        """See `Contest`."""
        until_s = time.perf_counter() + SAMPLE_S
        samples = [super().measure()]
        while time.perf_counter() < until_s:
            samples.append(super().measure())
        wall_ns, cpu_ns = (median(each) for each in zip(*((s.also["wall_ns"], s.value) for s in samples), strict=True))
        return Sample(wall_ns, {"cpu_ns": cpu_ns})


def _prepare(run: Callable[[Query, cgrx.Recording], Any], asked: Query | Thresholds, folder: Path) -> Contest:
    if isinstance(asked, Thresholds):
        return _prepare_thresholds(run, asked, folder)
    if run is alone:
        raise AbsentError("there is one backtest anyway")
    recording = asked.recording(folder)
    shown = partial(_compared_in_whole, asked, recording) if run is by_events else partial(_plain, recording)
    return Elapsed(partial(run, asked, recording), asked.events, shown)


def _prepare_thresholds(run: object, asked: Thresholds, folder: Path) -> Contest:
    if run not in (in_columns, alone):
        raise AbsentError("it has no sweep")
    recording = asked.query.recording(folder)
    if run is in_columns:
        return Elapsed(partial(swept, asked, recording), asked.query.events, lambda found: found)
    return Elapsed(partial(one_of_them, asked, recording), asked.query.events, lambda _: None)


def _cases(quick: bool) -> list[Case[Query | Thresholds]]:
    trades, repeat = (2_000, 2) if quick else (44_000, 10)
    cases: list[Case[Query | Thresholds]] = [
        Case(f"{what.replace('_', ' ')}, {origin()} trades", Query(what, trades, repeat)) for what in STAGES
    ]
    cases.append(Case(f"bars of {len(MANY)} channels, {origin()} trades", Compacted("bars", trades, repeat)))
    # 300,000 events, as many as a sweep is made for.
    repeat = repeat if quick else 7
    swept = (
        Thresholds("cascades", Liquidated("bars", trades, repeat)),
        Thresholds("bars", Query("bars", trades, repeat)),
        Thresholds("eight exchanges", Apart("bars", trades, repeat)),
    )
    return cases + [Case(f"fifty thresholds of {asked.swept}, {origin()} trades", asked) for asked in swept]


SCENARIO = Scenario(
    name="backtest",
    question=(__doc__ or "").partition("\n")[0],
    unit="wall ns per event",
    cases=_cases,
    surroundings=files.folder,
    share=1.4,
    rivals=(
        Rival("cgrx", partial(_prepare, in_columns), "ours"),
        # Right beside ours: event by event takes so long that the machine may be another one behind it.
        Rival("polars by hand", partial(_prepare, by_hand), "limit"),
        Rival("cgrx, one threshold", partial(_prepare, alone), "limit"),
        Rival("cgrx, event by event", partial(_prepare, by_events)),
    ),
)
