"""`cgrx.sync`: the names of `cgrx` for code without a loop, over real sockets, from this thread and others."""

import threading
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import reactivex as rx
import trio
import trio.lowlevel
from reactivex.subject import Subject

import cgrx
import cgrx.sync
from cgrx import operators as ops
from cgrx._trio.overflow import Overflow
from cgrx.testing import liquidation
from tests.hosts.sync_running import LIMIT_S, served
from tests.support import run_mock

POLICIES: list[Overflow] = ["error", "drop_oldest", "drop_newest", "latest"]


def test_events_come_one_by_one_and_are_accounted_for() -> None:
    with served() as server, cgrx.sync.connect(**server.access) as feed:
        with cgrx.sync.stream(feed.liquidations().pipe(ops.min_volume(2.0)), timeout=LIMIT_S) as received:
            server.send(1.0, 2.0, 3.0)
            assert [next(received).volume_usd, next(received).volume_usd] == [2.0, 3.0]
            assert received.stats == cgrx.StreamStats(received=2, delivered=2, dropped=0, queued=0)
        assert feed.stats.events == 3
        states = [feed.state]
        assert abs(feed.now_ms - time.time_ns() // 1_000_000) < 5_000
    states.append(feed.state)
    assert states == [cgrx.State.CONNECTED, cgrx.State.CLOSED]


def test_an_iteration_ends_with_the_feed_behind_what_is_queued() -> None:
    with (
        served() as server,
        cgrx.sync.connect(**server.access) as feed,
        cgrx.sync.stream(feed.channel("liquidationOrders"), timeout=LIMIT_S) as received,
    ):
        server.send(1.0, 2.0)
        first = next(received)
        feed.aclose()
        assert [first.volume_usd, *(event.volume_usd for event in received)] == [1.0, 2.0]
        assert list(received) == []


def test_batches_hold_what_is_queued() -> None:
    with cgrx.sync.stream(rx.of(1, 2, 3)) as received:
        assert list(received.batches()) == [[1, 2, 3]]


def test_waiting_has_its_time_out_and_may_go_on() -> None:
    subject: Subject[int] = Subject()
    with cgrx.sync.stream(subject, timeout="20ms") as received:
        with pytest.raises(TimeoutError, match=r"^no event within 0\.02 s$"):
            next(received)
        subject.on_next(7)
        assert next(received) == 7


def test_an_event_wakes_the_thread_that_waits() -> None:
    """And completion wakes all of them."""
    subject: Subject[int] = Subject()
    got: list[int] = []
    with cgrx.sync.stream(subject, timeout=LIMIT_S) as received:
        threads = [threading.Thread(target=lambda: got.extend(received)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for n in range(100):
            subject.on_next(n)
        subject.on_completed()
        for thread in threads:
            thread.join(20)
    assert sorted(got) == list(range(100))


@pytest.mark.parametrize("overflow", POLICIES)
def test_each_policy_has_the_accounts_that_it_has_on_trio(overflow: Overflow) -> None:
    def told(subject: Subject[cgrx.Liquidation], received: Any, take: Callable[[], Any]) -> list[object]:
        told: list[object] = []
        for n in range(5):
            subject.on_next(liquidation(volume_usd=n + 1.0, symbol=f"S{n % 3}"))
            told.append(received.stats)
            if n == 1:
                told.append(take())
        subject.on_completed()
        return told

    async def on_trio() -> list[object]:
        subject: Subject[cgrx.Liquidation] = Subject()
        async with cgrx.stream(subject, buffer=2, overflow=overflow) as received:
            seen = told(subject, received, received._inbox.take)
            try:
                async for each in received:
                    seen.append(each)
            except cgrx.BufferOverflowError as error:
                seen.append(str(error))
            return [*seen, received.stats]

    def without_a_loop() -> list[object]:
        subject: Subject[cgrx.Liquidation] = Subject()
        with cgrx.sync.stream(subject, buffer=2, overflow=overflow) as received:
            seen = told(subject, received, lambda: next(received))
            try:
                seen.extend(received)
            except cgrx.BufferOverflowError as error:
                seen.append(str(error))
            return [*seen, received.stats]

    assert without_a_loop() == run_mock(on_trio)


def test_a_blocking_stream_holds_the_feed_up() -> None:
    with (
        served() as server,
        cgrx.sync.connect(**server.access) as feed,
        cgrx.sync.stream(feed.liquidations(), buffer=2, overflow="block", timeout=LIMIT_S) as received,
    ):
        server.send(*map(float, range(1, 101)))
        assert [next(received).volume_usd for _ in range(100)] == list(range(1, 101))
        assert received.stats == cgrx.StreamStats(100, 100, 0, 0)


def test_subscribers_are_called_in_the_thread_of_trio() -> None:
    got: list[tuple[float, str]] = []
    with served() as server, cgrx.sync.connect(**server.access) as feed:
        arrived = threading.Event()

        def take(event: cgrx.Liquidation) -> None:
            got.append((event.volume_usd, threading.current_thread().name))
            arrived.set()

        subscription = feed.liquidations().subscribe(take)
        statuses: list[cgrx.Status] = []
        feed.status.subscribe(statuses.append)
        assert [type(status) for status in statuses] == [cgrx.Connected]
        server.send(5.0)
        assert arrived.wait(20)
        subscription.dispose()
        assert feed.stats.subscribers == 0
        feed.report(cgrx.Resumed(feed.now_ms))
        assert isinstance(statuses[-1], cgrx.Resumed)
    assert got == [(5.0, "cgrx")]


def test_the_streams_of_several_feeds_can_be_merged() -> None:
    with served() as server, cgrx.sync.connect(**server.access) as one, cgrx.sync.connect(**server.access) as other:
        both = cgrx.merge(one.liquidations(), other.liquidations())
        with cgrx.sync.stream(both, timeout=LIMIT_S) as received:
            server.send(5.0, feeds=2)
            assert [next(received).volume_usd for _ in range(2)] == [5.0, 5.0]


def test_feeds_across_instruments_and_of_one() -> None:
    with served() as server, cgrx.sync.connect(**server.access) as feed:
        assert isinstance(feed.futures_trades("Binance", "BTCUSDT", min_volume=0), cgrx.EventStream)
        across = feed.futures_trades_across([("Binance", "BTCUSDT"), ("OKX", "BTC-USDT-SWAP")], min_volume=0)
        assert isinstance(across, cgrx.OrderedStream)
        assert feed.scheduler.stats.pending >= 0


def test_a_recording_is_made_and_replayed(tmp_path: Path) -> None:
    """And a backtest needs nothing of all this."""
    with (
        served() as server,
        cgrx.sync.connect(**server.access) as feed,
        cgrx.sync.record(feed, tmp_path, channels=["liquidationOrders"]) as recorder,
    ):
        with cgrx.sync.stream(feed.liquidations(), timeout=LIMIT_S) as received:
            server.send(1.0, 2.0, 4.0)
            for _ in range(3):
                next(received)
        recorder.flush()
        assert (recorder.stats.events, recorder.error, recorder.folder) == (3, None, tmp_path)
        with pytest.raises(TimeoutError, match=r"recorder\.failed\(\) has not ended within 0\.01 s"):
            recorder.failed(timeout="10ms")
    with cgrx.sync.replay(tmp_path) as again:
        assert again.channels == (cgrx.LiquidationOrders(),)
        again.pause()
        again.speed = 1000.0
        assert (again.paused, again.speed) == (True, 1000.0)
        again.resume()
        with cgrx.sync.stream(again.liquidations().pipe(ops.tumbling("1s")), timeout=LIMIT_S) as rows:
            (row,) = rows
        again.run(timeout=LIMIT_S)
        assert again.progress.fraction == 1.0
    assert row.volume == 7.0
    found = cgrx.sync.backtest(lambda feed: feed.liquidations().pipe(ops.tumbling("1s")), tmp_path)
    assert list(found.rows) == [row]


def test_from_async_iterates_in_the_thread_of_trio() -> None:
    async def numbers() -> AsyncIterator[int]:
        for n in range(3):
            await trio.lowlevel.checkpoint()
            yield n

    with served() as server, cgrx.sync.connect(**server.access) as feed:
        got: list[int] = []
        done = threading.Event()
        source = cgrx.sync.from_async(numbers)
        source.subscribe(got.append, on_completed=done.set, scheduler=feed.scheduler)
        assert done.wait(20)
        assert got == [0, 1, 2]
