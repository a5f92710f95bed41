"""What the tests of the board share: recordings in memory, and a page that keeps what it is told."""

import math
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from functools import cache
from itertools import islice
from typing import Any

import msgspec
import trio

import cgrx
from cgrx import Alive, Batch, Event, Gap, Liquidation
from cgrx._board.messages import Snapshot, Update
from cgrx._board.options import board_options
from cgrx._board.views import Views
from cgrx._board.watching import Source, watching
from cgrx._recording.entry import Recorded
from cgrx.testing import Generator
from tests.feed.feeding import START_MS
from tests.replay.replaying import L, Log
from tests.support import run_mock

BTC = cgrx.FuturesTrades("Binance", "BTCUSDT", 0)
ETH = cgrx.FuturesTrades("Binance", "ETHUSDT", 0)
OKX = cgrx.FuturesTrades("OKX", "BTC-USDT-SWAP", 0)
CHANNELS: tuple[cgrx.Channel, ...] = (L, BTC, ETH, OKX)

LAG_MS = 40


def channel_of(event: Event) -> cgrx.Channel | None:
    """The channel of a recording that holds the event; None: none does."""
    if isinstance(event, Liquidation):
        return L
    found = cgrx.FuturesTrades(event.exchange, event.symbol, 0)
    return found if found in CHANNELS else None


def begun(*channels: cgrx.Channel, at_ms: int = START_MS) -> list[Recorded]:
    """Subscriptions that begin."""
    return [Recorded(channel, Gap(channel, 0, at_ms, "subscribed")) for channel in channels]


def proofs(at_ms: int, *channels: cgrx.Channel) -> list[Recorded]:
    """The connection is alive."""
    return [Recorded(channel, Alive("feed", at_ms)) for channel in channels]


def said(events: Iterable[Event], lag_ms: int = LAG_MS) -> list[Recorded]:
    """A frame for each event of the channels, and a proof for all channels a second."""
    entries: list[Recorded] = []
    proven_ms = 0
    for event in events:
        channel, at_ms = channel_of(event), event.time_ms + lag_ms
        if channel is None:
            continue
        entries.append(Recorded(channel, Batch(channel, at_ms, (event,))))
        if at_ms >= proven_ms + 1000:
            proven_ms = at_ms
            entries += proofs(at_ms, *CHANNELS)
    return entries


@cache
def market(count: int, rate: float = 20.0, seed: int = 1) -> tuple[Event, ...]:
    """Liquidations and trades of a market that is made up."""
    made = Generator(seed=seed, rate=rate, start_ms=START_MS, liquidation_share=0.4, assets=("BTC", "ETH", "SOL"))
    return tuple(event for event in islice(made, count) if channel_of(event) is not None)


@cache
def recorded(count: int, rate: float = 20.0, seed: int = 1) -> Log:
    """The recording of it."""
    return Log([*begun(*CHANNELS), *said(market(count, rate, seed))])


@asynccontextmanager
async def board(source: Source, **options: Any) -> AsyncGenerator[Views, None]:
    """The views of a board."""
    async with watching(source, board_options(**options)) as views:
        yield views


def played(log: Log, asset: str | None = None, **options: Any) -> Snapshot:
    """What is shown when all of it has been played."""
    found: list[Snapshot] = []

    async def main() -> None:
        async with board(log, speed=math.inf, **options) as views:
            await trio.sleep(1000)
            found.append(views.snapshot(asset))

    run_mock(main)
    return found[0]


class Page:
    """What a page shows: a snapshot, and the updates behind it."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.shown = snapshot
        self.skipped = 0

    def update(self, update: Update) -> None:
        """Take an update in."""
        shown = self.shown
        windows = {each.start: each for each in (*shown.windows, *update.windows)}
        cascades = {each.id: each for each in (*shown.cascades, *update.cascades)}
        tape = {each.id: each for each in (*shown.tape, *update.tape)}
        alerts = {each.id: each for each in (*shown.alerts, *update.alerts)}
        self.skipped += update.skipped
        whole: dict[str, Any] = {
            name: getattr(update, name)
            for name in ("at", "totals", "exchanges", "leaders", "assets", "connection", "replay")
        }
        whole["windows"] = [windows[start] for start in sorted(windows)]
        whole["cascades"] = [cascades[number] for number in sorted(cascades) if not cascades[number].withdrawn]
        whole["tape"] = [tape[number] for number in sorted(tape)]
        whole["alerts"] = [alerts[number] for number in sorted(alerts)]
        self.shown = msgspec.structs.replace(shown, **whole)
