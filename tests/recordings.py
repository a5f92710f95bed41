"""The real recordings that lie beside this repository, for the tests that use them."""

import gzip
import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from cgrx._model.channels import Channel, FuturesTrades, LiquidationOrders
from cgrx._model.events import Event, Liquidation
from cgrx._wire.codec import decode
from cgrx._wire.messages import Frame

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "data"

REQUIRED = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="the recordings are not part of the repository and not beside it, in ../shared/data"
)
"""Marks the tests that need the recordings."""


class Recording(NamedTuple):
    """One file: its name, the channel that its events would come from, how many there are."""

    file: str
    channel: str
    events: int

    def lines(self) -> Iterator[dict[str, Any]]:
        """Its events in CoinGlass shape, with keys of the recorder's own (`src`, `recv`, `id`)."""
        with gzip.open(FOLDER / self.file, "rt", encoding="utf-8") as file:
            yield from map(json.loads, file)

    def frames(self, events_each: int = 1) -> Iterator[bytes]:
        """The lines as they stand, put into frames of so many events."""
        with gzip.open(FOLDER / self.file, "rb") as file:
            lines = [line.strip() for line in file]
        for start in range(0, len(lines), events_each):
            data = b",".join(lines[start : start + events_each])
            yield b'{"channel":"' + self.channel.encode() + b'","data":[' + data + b"]}"


LIQUIDATIONS = Recording("liquidations.jsonl.gz", "liquidationOrders", 896)
TRADES = Recording("futures_trades.jsonl.gz", "futures_trades@Binance_BTCUSDT@0", 44_219)
RECORDINGS = (LIQUIDATIONS, TRADES)

AS_FAR_AS = pytest.mark.parametrize(
    "count", [1000, pytest.param(100_000, marks=pytest.mark.soak)], ids=["the beginning", "all of it"]
)
"""Marks the tests that read so many events of a recording; all of them take seconds."""


def decoded(recording: Recording, count: int | None = None) -> list[Event]:
    """The events of a file, or the first of them, by the codec alone, line by line."""
    events: list[Event] = []
    for payload in islice(recording.frames(), count):
        frame = decode(payload)
        assert isinstance(frame, Frame)
        assert frame.malformed == ()
        events += frame.events
    return events


def channel_of(event: Event) -> Channel:
    """The channel that gives all events like this one."""
    if isinstance(event, Liquidation):
        return LiquidationOrders()
    return FuturesTrades(event.exchange, event.symbol, 0)
