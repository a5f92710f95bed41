"""What the tests of ordered merges share: hot inputs, what comes out written short, and a plain reference."""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import attrs

import cgrx
from cgrx import Alive, Batch, Dropped, FuturesTrades, Gap, Signal, Trade, Watermark
from cgrx.testing import trade
from tests.streams.streaming import Hot


@cache
def channel_of(exchange: str) -> FuturesTrades:
    """The same object each time, as a feed gives."""
    return FuturesTrades(exchange, "BTCUSDT", 0)


def at(exchange: str, *times_ms: int, received: int | None = None) -> Batch[Trade]:
    """Trades of an exchange at these times, in its own channel, received with the latest unless said otherwise."""
    trades = tuple(trade(time=time_ms / 1000, exchange=exchange) for time_ms in times_ms)
    return Batch(channel_of(exchange), max(times_ms, default=0) if received is None else received, trades)


def short(signals: Iterable[Signal[Any]]) -> list[str]:
    """Signals as texts: `A100` a trade, `^` alive, `%` watermark, `[A]` a gap, `~` a drop."""
    told: list[str] = []
    for signal in signals:
        match signal:
            case Batch(events=events):
                told += [f"{event.exchange}{event.time_ms}" for event in events]
            case Alive(at_ms=at_ms):
                told.append(f"^{at_ms}")
            case Watermark(time_ms=time_ms):
                told.append(f"%{time_ms}")
            case Gap(channel=FuturesTrades(exchange=exchange)):
                told.append(f"[{exchange}]")
            case Gap():
                told.append("[]")
            case Dropped(count=count):
                told.append("~" * count)
    return told


class Merge:
    """An ordered merge of hot inputs, and what its one subscriber hears."""

    def __init__(self, inputs: int = 2, **options: Any) -> None:
        self.inputs: tuple[Hot[Trade], ...] = tuple(Hot() for _ in range(inputs))
        self.stream = cgrx.merge_exchanges(*(each.stream for each in self.inputs), **options)
        self.signals: list[Signal[Trade]] = []
        self.end: object = None
        self.subscription = self.stream.subscribe_signals(self)
        for each in self.inputs:
            each.say(Batch(None, 0, ()))  # each has been heard of, so none is told to be missing

    def on_signal(self, signal: Signal[Trade]) -> None:
        assert self.end is None
        self.signals.append(signal)

    def on_error(self, error: Exception) -> None:
        assert self.end is None
        self.end = error

    def on_completed(self) -> None:
        assert self.end is None
        self.end = "completed"

    def say(self, index: int, *signals: Signal[Trade]) -> list[str]:
        """Let an input say something; what comes out of that."""
        before = len(self.signals)
        self.inputs[index].say(*signals)
        return short(self.signals[before:])

    def say_all(self, signal: Signal[Trade]) -> list[str]:
        """Let every input say the same, as one connection does with a proof."""
        before = len(self.signals)
        for each in self.inputs:
            each.say(signal)
        return short(self.signals[before:])

    def end_input(self, index: int, error: Exception | None = None) -> list[str]:
        before = len(self.signals)
        if error is None:
            self.inputs[index].complete()
        else:
            self.inputs[index].fail(error)
        return short(self.signals[before:])

    @property
    def events(self) -> list[Trade]:
        return [event for signal in self.signals if isinstance(signal, Batch) for event in signal.events]


@attrs.define
class _Held:
    event: Trade
    arrived_ms: int


class Reference:
    """The order as its definition says it, for inputs that carry batches alone. Every event costs a look at all."""

    def __init__(self, inputs: int, max_delay_ms: float) -> None:
        self._max_delay_ms = max_delay_ms
        self._seen: list[dict[str, int]] = [{} for _ in range(inputs)]
        self._held: list[_Held] = []
        self._now_ms = -1
        self._order_ms = -1
        self.out: list[Trade] = []
        self.late = 0

    def take(self, index: int, batch: Batch[Trade]) -> None:
        self._now_ms = max(self._now_ms, batch.received_ms)
        self._release()
        for event in batch.events:
            times = self._seen[index]
            times[event.exchange] = max(times.get(event.exchange, -1), event.time_ms)
            if event.time_ms < self._order_ms:
                self.late += 1
                self.out.append(event)
            else:
                self._held.append(_Held(event, self._now_ms))
            self._release()

    def finish(self) -> Sequence[Trade]:
        self._max_delay_ms = -1
        self._release()
        return self.out

    def _release(self) -> None:
        come_to = min(min(times.values(), default=-1) for times in self._seen)
        overdue = [each.event.time_ms for each in self._held if self._now_ms - each.arrived_ms >= self._max_delay_ms]
        self._order_ms = max(self._order_ms, come_to, *overdue)
        ready = [each.event for each in self._held if each.event.time_ms <= self._order_ms]
        self._held = [each for each in self._held if each.event.time_ms > self._order_ms]
        self.out += sorted(ready, key=lambda event: event.time_ms)
