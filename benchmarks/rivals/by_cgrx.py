"""`pipelines` in cgrx: a stage on a stream into which batches are pushed, as a feed does."""

from collections.abc import Callable
from typing import Any

from reactivex.disposable import Disposable

import cgrx
from benchmarks._harness.data import EXCHANGES
from benchmarks.rivals.states import Counter
from benchmarks.rivals.tasks import (
    MAX_AGE_MS,
    MIN_VOLUME,
    Answer,
    Kind,
    Task,
    plain,
    plain_events,
    plain_pairs,
    plain_rows,
)
from cgrx import operators as ops
from cgrx._model.channels import LiquidationOrders
from cgrx._model.events import Trade
from cgrx._model.signals import Batch, Signal
from cgrx._streams.observers import SignalObserver
from cgrx._streams.stream import EventStream, Stage
from cgrx.operators import agg

CHANNEL = LiquidationOrders()
BY = ("exchange", "symbol")


class Source:
    """A stream into which a benchmark pushes signals."""

    def __init__(self) -> None:
        self.observer: SignalObserver[Trade] | None = None
        self.stream: EventStream[Trade] = EventStream(self._connect, event_types=frozenset({Trade}))

    def _connect(self, observer: SignalObserver[Trade], _: object = None) -> Any:
        self.observer = observer
        return Disposable()

    @property
    def pushed(self) -> SignalObserver[Trade]:
        """The observer that has subscribed: push signals into it."""
        assert self.observer is not None, "nobody has subscribed"
        return self.observer


class Collector:
    """Takes whole signals, as a stage, a bridge or a recorder behind the pipeline would."""

    def __init__(self) -> None:
        self.results: list[Any] = []

    def on_signal(self, signal: Signal[Any]) -> None:
        """Keep the results."""
        if isinstance(signal, Batch):
            self.results += signal.events

    def on_error(self, error: Exception) -> None:
        """Raise: no pipeline of a benchmark may fail."""
        raise error

    def on_completed(self) -> None:
        """Nothing to do."""


def batches(trades: list[Trade], size: int) -> list[Batch[Trade]]:
    """The trades in batches, received when the last of each happened."""
    chunks = [tuple(trades[at : at + size]) for at in range(0, len(trades), size)]
    return [Batch(CHANNEL, chunk[-1].time_ms, chunk) for chunk in chunks]


def through(stage: Stage[Any, Any], signals: list[Batch[Trade]]) -> list[Any]:
    """Run a stage on batches."""
    source, collector = Source(), Collector()
    source.stream.through(stage).subscribe_signals(collector)
    push = source.pushed.on_signal
    for signal in signals:
        push(signal)
    source.pushed.on_completed()
    return collector.results


def _filters(task: Task) -> Answer:
    stage, signals = ops.pipeline(ops.side("buy"), ops.min_volume(MIN_VOLUME)), batches(task.trades(), task.batch)
    return lambda: through(stage, signals), plain_events


def windows(stage: Stage[Any, Any], values: int) -> Callable[[Task], Answer]:
    """Rows count with their first values; those behind them tell their quality, which nobody else has."""

    def answer(task: Task) -> Answer:
        trades = task.trades()
        signals = batches(trades, task.batch)
        return lambda: through(stage, signals), lambda rows: plain_rows((row.values[:values] for row in rows), trades)

    return answer


MINUTES = ops.tumbling("1m", ops.Bar, by=BY)


class Hour(ops.Row):
    """An hour of minutes."""

    exchange: str
    symbol: str
    open = agg.first("open")
    high = agg.max("high")
    low = agg.min("low")
    close = agg.last("close")
    volume = agg.sum("volume")
    count = agg.sum("count")


def _hours(task: Task) -> Answer:
    stage, signals = ops.pipeline(MINUTES, ops.tumbling("1h", Hour)), batches(task.trades(), task.batch)
    return lambda: through(stage, signals), lambda rows: sorted(row.values[:10] for row in rows)


def _merge(task: Task) -> Answer:
    arrivals = [(source, Batch(CHANNEL, trades[-1].time_ms, tuple(trades))) for source, trades in task.arrivals()]

    def run() -> list[Trade]:
        sources, collector = [Source() for _ in EXCHANGES], Collector()
        cgrx.merge_exchanges(*(source.stream for source in sources)).subscribe_signals(collector)
        pushes = [source.pushed.on_signal for source in sources]
        for source, signal in arrivals:
            pushes[source](signal)
        for each in sources:
            each.pushed.on_completed()
        return collector.results

    return run, plain_events


def _join(task: Task) -> Answer:
    arrivals = [(source, Batch(CHANNEL, trades[-1].time_ms, tuple(trades))) for source, trades in task.arrivals()]

    def run() -> list[Any]:
        stream, other, collector = Source(), Source(), Collector()
        join = ops.latest_of(other.stream, by="base_asset", max_age=MAX_AGE_MS / 1000)
        stream.stream.pipe(join).subscribe_signals(collector)
        pushes = [stream.pushed.on_signal, *[other.pushed.on_signal] * (len(EXCHANGES) - 1)]
        for source, signal in arrivals:
            pushes[source](signal)
        other.pushed.on_completed()
        stream.pushed.on_completed()
        return collector.results

    return run, lambda results: plain_pairs((each.item, each.latest) for each in results)


def _fan_out(task: Task) -> Answer:
    signals = batches(task.trades(), task.batch)

    def run() -> list[int]:
        source, counters = Source(), [Counter() for _ in range(task.subscribers)]
        shared = source.stream.share()
        for counter in counters:
            shared.subscribe(counter.on_event)
        push = source.pushed.on_signal
        for signal in signals:
            push(signal)
        source.pushed.on_completed()
        return [counter.buys for counter in counters]

    return run, plain


ANSWERS: dict[Kind, Callable[[Task], Answer]] = {
    "filters": _filters,
    "bars": windows(ops.tumbling("1s", ops.Bar, by=BY), 13),
    "days": windows(ops.tumbling("1d", ops.Bar, by=BY, zone="Asia/Kolkata"), 13),
    "hours": _hours,
    "sliding": windows(ops.sliding("1m", "1s", by=BY, count=agg.count(), volume=agg.volume()), 6),
    "sessions": windows(ops.session("250ms", by=BY, count=agg.count(), volume=agg.volume()), 6),
    "merge": _merge,
    "join": _join,
    "fan-out": _fan_out,
}
