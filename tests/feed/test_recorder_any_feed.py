"""A recorder takes anything that fulfils the public `Feed`: here a feed of the test's own, made of public names."""

from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio
from reactivex import Observable, abc
from reactivex.disposable import Disposable
from reactivex.subject import ReplaySubject

import cgrx
from cgrx._streams.observers import SignalObserver
from tests.feed.recorders import L, events_in, said
from tests.feed.recorders import inline as inline
from tests.simulator.simulating import liquidation
from tests.support import run_mock

pytestmark = pytest.mark.usefixtures("inline")

CHANNEL = cgrx.LiquidationOrders()


class OwnFeed:
    """Says what the test says, on the channel of liquidations alone."""

    def __init__(self, scheduler: cgrx.TrioScheduler) -> None:
        self.scheduler = scheduler
        self.now_ms = 1_700_000_000_000
        self.state = cgrx.State.CONNECTED
        self.status: Observable[cgrx.Status] = ReplaySubject(1)
        self.told: list[cgrx.Status] = []
        self.observers: list[SignalObserver[Any]] = []

    @property
    def stats(self) -> cgrx.FeedStats:
        raise NotImplementedError

    def channel(self, channel: cgrx.Channel | str, /) -> cgrx.EventStream[cgrx.Event]:
        assert channel == CHANNEL
        return self.liquidations()

    def liquidations(self) -> cgrx.EventStream[cgrx.Liquidation]:
        def connect(observer: SignalObserver[Any], _: abc.SchedulerBase | None) -> abc.DisposableBase:
            self.observers.append(observer)
            return Disposable(lambda: self.observers.remove(observer))

        return cgrx.EventStream(connect)

    def futures_trades(self, exchange: str, symbol: str, *, min_volume: float) -> cgrx.EventStream[cgrx.Trade]:
        raise NotImplementedError

    def futures_trades_across(
        self, instruments: Iterable[tuple[str, str]], *, min_volume: float, max_delay: Any = "2s"
    ) -> Any:
        raise NotImplementedError

    def report(self, status: cgrx.Status, /) -> None:
        self.told.append(status)

    async def run(self) -> None:
        raise NotImplementedError

    async def aclose(self) -> None:
        raise NotImplementedError

    def say(self, signal: cgrx.Signal[Any]) -> None:
        for observer in tuple(self.observers):
            observer.on_signal(signal)


@asynccontextmanager
async def own_feed() -> AsyncGenerator[OwnFeed, None]:
    async with cgrx.TrioScheduler() as scheduler:
        yield OwnFeed(scheduler)


def test_a_feed_of_ones_own_is_recorded(tmp_path: Path) -> None:
    """Its signals, in order; leaving lets go of its streams."""
    signals: list[cgrx.Signal[Any]] = [
        cgrx.Gap(CHANNEL, 0, 1_700_000_000_000, "subscribed"),
        cgrx.Batch(CHANNEL, 1_700_000_000_000, (liquidation(1), liquidation(2))),
        cgrx.Alive("own", 1_700_000_001_000),
    ]

    async def main() -> None:
        async with own_feed() as feed:
            async with cgrx.record(feed, tmp_path, channels=[L]) as recorder:
                for signal in signals:
                    feed.say(signal)
                await trio.sleep(2)
                assert recorder.stats.recorded == 2
            assert (feed.observers, feed.told) == ([], [])

    run_mock(main)
    assert said(tmp_path, CHANNEL) == signals


@pytest.mark.parametrize("error", [cgrx.PlanError(L, "no"), LookupError("theirs")], ids=["cgrx's", "another"])
def test_a_stream_that_fails_is_told_on_its_feed(tmp_path: Path, error: Exception) -> None:
    """An error of cgrx's is; any other is a subscriber's, which the feed has told already."""

    async def main() -> None:
        async with own_feed() as feed, cgrx.record(feed, tmp_path, channels=[L]):
            feed.say(cgrx.Batch(CHANNEL, feed.now_ms, (liquidation(1),)))
            feed.observers[0].on_error(error)
            assert feed.told == ([cgrx.StreamFailed(feed.now_ms, error)] if isinstance(error, cgrx.CgrxError) else [])

    run_mock(main)
    assert events_in(tmp_path) == [liquidation(1)]


def test_a_disk_that_fails_is_told_on_its_feed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("cgrx._recording.writer.RecordingWriter.write", full)

    async def main() -> None:
        async with own_feed() as feed, cgrx.record(feed, tmp_path, channels=[L]) as recorder:
            feed.say(cgrx.Batch(CHANNEL, feed.now_ms, (liquidation(1),)))
            await recorder.failed()
            (told,) = feed.told
            assert isinstance(told, cgrx.RecordingFailed)
            assert "No space left" in str(told.error)

    run_mock(main)
