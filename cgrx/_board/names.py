"""A stage that keeps made-up names from filling the memory of a board: behind it there is a bounded number of them."""

from collections.abc import Iterable
from typing import Any

import attrs
import msgspec

from cgrx._board.bounds import ASSETS, EXCHANGES, OTHERS, TEXT, short
from cgrx._model.events import Liquidation
from cgrx._model.signals import Batch, Signal
from cgrx._streams.running import Running
from cgrx._streams.stream import EventTypes, Stage, require_types


@attrs.frozen
class Bounded(Stage[Liquidation, Liquidation]):
    """Passes liquidations; long names are cut, and assets and exchanges beyond the bounds become `OTHERS`."""

    def event_types(self, incoming: EventTypes) -> EventTypes:
        return require_types(self, Liquidation, incoming)

    def start(self) -> Running[Any, Any]:
        return _Bounding()


class _Bounding(Running[Liquidation, Liquidation]):
    """State: the names that have come."""

    def __init__(self) -> None:
        self._assets: set[str] = set()
        self._exchanges: set[str] = set()

    def on_signal(self, signal: Signal[Liquidation]) -> Iterable[Signal[Liquidation]]:
        if isinstance(signal, Batch):
            assets, exchanges = self._assets, self._exchanges
            for event in signal.events:
                if event.base_asset not in assets or event.exchange not in exchanges or len(event.symbol) > TEXT:
                    return (Batch(signal.channel, signal.received_ms, tuple(map(self._bounded, signal.events))),)
        return (signal,)

    def _bounded(self, event: Liquidation) -> Liquidation:
        asset = _known(event.base_asset, self._assets, ASSETS)
        exchange = _known(event.exchange, self._exchanges, EXCHANGES)
        symbol = short(event.symbol)
        if (asset, exchange, symbol) == (event.base_asset, event.exchange, event.symbol):
            return event
        return msgspec.structs.replace(event, base_asset=asset, exchange=exchange, symbol=symbol)


def _known(name: str, known: set[str], most: int) -> str:
    cut = short(name)
    if cut not in known:
        if len(known) >= most:
            return OTHERS
        known.add(cut)
    return cut
