"""What the tests of recorders share: files written without a thread, and what is in them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
import trio

from cgrx import Batch, Channel, FuturesTrades, Recording

T = TypeVar("T")

L = "liquidationOrders"
TRADES = FuturesTrades("Binance", "BTCUSDT", 10_000)


@pytest.fixture
def inline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are written in trio's own thread: a mock clock would jump past the work of another."""

    async def run_sync(function: Callable[..., T], *args: Any) -> T:
        await trio.lowlevel.checkpoint()
        return function(*args)

    monkeypatch.setattr(trio.to_thread, "run_sync", run_sync)


def events_in(folder: Path) -> list[Any]:
    batches = [entry.said for entry in Recording(folder).entries() if isinstance(entry.said, Batch)]
    return [event for batch in batches for event in batch.events]


def said(folder: Path, channel: Channel | None) -> list[Any]:
    return [entry.said for entry in Recording(folder).entries() if entry.channel == channel]
