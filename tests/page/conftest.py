"""One browser for all tests of a worker, and the recording that most of them look at."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

import cgrx
from cgrx._recording.writer import write_recording
from tests.board.boards import BTC, CHANNELS, ETH, OKX, begun, market, said
from tests.page.browsing import Running, chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser

TRADES = [(each.exchange, each.symbol, each.min_volume) for each in (BTC, ETH, OKX)]

EVENTS = 6_000


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    """A real Chromium, for one module: as long as it is open, a loop of asyncio passes for running in this thread."""
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A recording of a market that is made up, of some minutes."""
    path = tmp_path_factory.mktemp("board") / "recording"
    write_recording(path, [*begun(*CHANNELS), *said(market(EVENTS))])
    return str(path)


@pytest.fixture(scope="module")
def replayed(folder: str) -> Iterator[Running[cgrx.Board]]:
    """A board on all of that recording, which is at its end when it is looked at."""
    with Running(lambda: cgrx.board(folder, trades=TRADES, speed=float("inf"), large_trade=0)) as running:
        yield running
