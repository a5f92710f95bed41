"""A hub with what belongs to it, and observers that act, for the tests of the hub."""

from collections.abc import Callable
from typing import Any

import attrs

from cgrx._feed.subscriptions import Hub
from cgrx._model.channels import Channel, FuturesTrades, LiquidationOrders
from cgrx._model.events import Liquidation, LiquidationSide
from cgrx._model.signals import Batch, Signal
from tests.feed.feeding import Record

L = LiquidationOrders()
T = FuturesTrades("Binance", "BTCUSDT", 0)


def event(number: int) -> Liquidation:
    return Liquidation("BTC", "Binance", "BTCUSDT", LiquidationSide.LONG, 1.0, 1.0, number)


class House:
    """A hub with a clock that stands at `now_ms`, and what it told its owner."""

    def __init__(self) -> None:
        self.now_ms = 1_000
        self.changes: list[tuple[Channel, ...]] = []
        self.raised: list[Exception] = []
        self.hub = Hub("feed", lambda: self.now_ms, self._on_change, self.raised.append)

    def _on_change(self, _: Channel) -> None:
        self.changes.append(self.hub.desired)

    def join(self, channel: Channel = L) -> Record:
        observer = Record()
        self.hub.subscribe(channel, observer)
        return observer


@attrs.define
class Doing(Record):
    """A record that does something at each batch, or raises."""

    do: Callable[[Batch[Any]], object]

    def __attrs_pre_init__(self) -> None:
        super().__init__()

    def on_signal(self, signal: Signal[Any]) -> None:
        super().on_signal(signal)
        if isinstance(signal, Batch):
            self.do(signal)


def fail(_: object) -> None:
    raise LookupError("theirs")
