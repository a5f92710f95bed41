"""What the tests of windows share: events, signals, and running a stage on them."""

from collections.abc import Iterable, Sequence
from typing import Any

import attrs
from reactivex import abc
from reactivex.disposable import Disposable

from cgrx import operators as ops
from cgrx._model.channels import FuturesTrades, LiquidationOrders
from cgrx._model.events import Trade, TradeSide
from cgrx._model.signals import Alive, Batch, Gap, Signal
from cgrx._streams.observers import SignalObserver
from cgrx._streams.stream import EventStream, Stage
from cgrx.operators import agg

CHANNEL = LiquidationOrders()
OTHER = FuturesTrades("B", "Y", 0)
BEGUN = Gap(CHANNEL, 0, 0, "subscribed")
"""The beginning of a subscription that missed nothing."""


class Tally(ops.Row):
    """A row that shows all of its events, in numbers that a test can read."""

    n = agg.count()
    usd = agg.volume()
    open = agg.open()
    close = agg.close()
    high = agg.high()
    low = agg.low()


def trade(time_ms: int, exchange: str = "A", symbol: str = "X", price: float = 1.0, usd: float = 1.0) -> Trade:
    return Trade("BTC", exchange, symbol, TradeSide.BUY, price, usd, time_ms)


def at(received_ms: int, *times_ms: int, exchange: str = "A", symbol: str = "X") -> Batch[Trade]:
    """A batch of events with these times."""
    return Batch(CHANNEL, received_ms, tuple(trade(time_ms, exchange, symbol) for time_ms in times_ms))


def on_time(*times_ms: int, exchange: str = "A", symbol: str = "X") -> Batch[Trade]:
    """A batch that was received at the time of its latest event."""
    return at(max(times_ms), *times_ms, exchange=exchange, symbol=symbol)


def alive(at_ms: int, origin: str = "o") -> Alive:
    return Alive(origin, at_ms)


@attrs.define
class Heard:
    """What came out: signals, then how it ended."""

    signals: list[Signal[Any]] = attrs.field(factory=list[Signal[Any]])
    error: Exception | None = None
    completed: bool = False

    def on_signal(self, signal: Signal[Any]) -> None:
        self.signals.append(signal)

    def on_error(self, error: Exception) -> None:
        self.error = error

    def on_completed(self) -> None:
        self.completed = True

    @property
    def rows(self) -> list[Any]:
        return [row for signal in self.signals if isinstance(signal, Batch) for row in signal.events]


def stream(signals: Iterable[Signal[Any]], *, ends: Exception | bool) -> EventStream[Any]:
    """A stream that gives these signals when subscribed to, then completes, fails, or says no more."""

    def connect(observer: SignalObserver[Any], scheduler: abc.SchedulerBase | None) -> abc.DisposableBase:
        for signal in signals:
            observer.on_signal(signal)
        if isinstance(ends, Exception):
            observer.on_error(ends)
        elif ends:
            observer.on_completed()
        return Disposable()

    return EventStream(connect)


class Pushed:
    """A stream whose signals a test pushes."""

    def __init__(self) -> None:
        self._observers: list[SignalObserver[Any]] = []
        self.stream: EventStream[Any] = EventStream(self._connect)

    def _connect(self, observer: SignalObserver[Any], scheduler: abc.SchedulerBase | None) -> abc.DisposableBase:
        self._observers.append(observer)
        return Disposable()

    def push(self, *signals: Signal[Any]) -> None:
        for signal in signals:
            for observer in self._observers:
                observer.on_signal(signal)


def hear(stage: Stage[Any, Any], *signals: Signal[Any], ends: Exception | bool = True) -> Heard:
    """Everything that comes out of a stage."""
    heard = Heard()
    stream(signals, ends=ends).through(stage).subscribe_signals(heard)
    return heard


def rows(stage: Stage[Any, Any], *signals: Signal[Any], ends: Exception | bool = False) -> list[Any]:
    """The rows that come out of a stage; unless told otherwise the stream does not end."""
    heard = hear(stage, *signals, ends=ends)
    if heard.error is not None and heard.error is not ends:
        raise heard.error
    return heard.rows


def one_by_one(signals: Sequence[Signal[Any]]) -> list[Signal[Any]]:
    """The same signals in batches of one."""
    return [
        part
        for signal in signals
        for part in (
            [Batch(signal.channel, signal.received_ms, (event,)) for event in signal.events]
            if isinstance(signal, Batch)
            else [signal]
        )
    ]


def spans(found: Iterable[ops.Row]) -> list[tuple[int, int]]:
    return [(row.start_ms, row.end_ms) for row in found]
