"""A feed belongs to one thread, and starts no other."""

import asyncio  # noqa: TID251 - what a user may run beside trio
import threading
from collections.abc import Callable
from typing import Any

import pytest
import trio

import cgrx
from cgrx import operators as ops
from cgrx._simulator.simulator import Simulator
from cgrx._trio.threads import ask
from tests.feed.feeding import KEY, feed_on, record
from tests.simulator.simulating import liquidation, trade
from tests.support import run, run_mock


def raised_in_thread(call: Callable[[], object]) -> BaseException | None:
    """What it raises when called in another thread, while this one stands still."""
    errors: list[BaseException | None] = []

    def target() -> None:
        try:
            call()
        except BaseException as error:  # noqa: BLE001 - looked at by the test
            errors.append(error)
        else:
            errors.append(None)

    thread = threading.Thread(target=target)
    thread.start()
    thread.join(10)
    return errors[0]


USES: dict[str, Callable[[cgrx.Feed], object]] = {
    "liquidations": lambda feed: feed.liquidations(),
    "futures_trades": lambda feed: feed.futures_trades("Binance", "BTCUSDT", min_volume=0),
    "channel": lambda feed: feed.channel("liquidationOrders"),
    "now_ms": lambda feed: feed.now_ms,
    "report": lambda feed: feed.report(cgrx.Resumed(0)),
    "status": lambda feed: feed.status,
    "state": lambda feed: feed.state,
    "run": lambda feed: trio.run(feed.run),
    "aclose": lambda feed: trio.run(feed.aclose),
}


@pytest.mark.parametrize("use", USES)
def test_used_from_another_thread_a_feed_raises(use: str) -> None:
    """Typed, with what to do instead; nothing has happened to it."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            error = raised_in_thread(lambda: USES[use](feed))
            assert isinstance(error, cgrx.ThreadError)
            assert "trio.from_thread.run_sync" in str(error)
            assert feed.state is cgrx.State.CONNECTED

    run_mock(main)


@pytest.mark.parametrize("what", ["stream", "stages", "status", "signals", "disposable"])
def test_used_from_another_thread_a_stream_raises(what: str) -> None:
    """Subscribing to it, and disposing."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            stream, status = feed.liquidations(), feed.status
            subscription = stream.subscribe(print)
            calls: dict[str, Callable[[], object]] = {
                "stream": lambda: stream.subscribe(print),
                "stages": lambda: stream.pipe(ops.side("long")).subscribe(print),
                "status": lambda: status.subscribe(print),
                "signals": lambda: stream.signals().subscribe(print),
                "disposable": subscription.dispose,
            }
            assert isinstance(raised_in_thread(calls[what]), cgrx.ThreadError)
            assert feed.stats.subscribers == 1

    run_mock(main)


def test_through_trio_another_thread_can_use_it() -> None:
    """As the error says."""

    async def main() -> None:
        async with Simulator() as simulator, cgrx.connect(url=simulator.url, api_key=KEY) as feed:
            got: list[Any] = []
            done = trio.Event()

            def take(event: Any) -> None:
                got.append(event)
                done.set()

            def worker() -> None:
                trio.from_thread.run_sync(feed.liquidations().subscribe, take)

            with pytest.raises(cgrx.ThreadError):
                await trio.to_thread.run_sync(worker)
            await trio.to_thread.run_sync(trio.from_thread.run_sync, lambda: feed.liquidations().subscribe(take))
            await simulator.wait_subscribed("liquidationOrders")
            await simulator.send(liquidation(1))
            await done.wait()
            assert got == [liquidation(1)]

    run(main)


def test_two_feeds_run_in_two_threads() -> None:
    """Each in a trio run of its own."""
    results: list[int] = []

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            feed.liquidations().subscribe(lambda event: results.append(event.time_ms))
            await trio.sleep(1)
            await simulator.send(liquidation(7))
            await trio.sleep(1)

    threads = [threading.Thread(target=run_mock, args=(main,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert results == [7_000, 7_000]


def test_under_asyncio_in_another_thread_trio_s_feed_is_told_apart() -> None:
    """A web framework's thread has a loop, but not this one."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:

            async def handler() -> None:
                feed.liquidations().subscribe(print)

            assert isinstance(raised_in_thread(lambda: asyncio.run(handler())), cgrx.ThreadError)

    run_mock(main)


def test_the_counters_are_read_in_any_thread() -> None:
    """As one that serves metrics does: while the feed is busy, every snapshot adds up, and none goes back."""

    async def main() -> None:
        async with Simulator() as simulator, cgrx.connect(url=simulator.url, api_key=KEY) as feed:
            done, arrived = threading.Event(), trio.Event()
            seen: list[cgrx.FeedStats] = []

            def watch() -> None:
                while not done.is_set():
                    seen.append(feed.stats)

            feed.liquidations().subscribe(print)

            def arrive(event: cgrx.Trade) -> None:
                if event == trade(200):
                    arrived.set()

            feed.futures_trades("Binance", "BTCUSDT", min_volume=0).subscribe(arrive)
            await simulator.wait_subscribed("liquidationOrders")
            await simulator.wait_subscribed("futures_trades@Binance_BTCUSDT@0")
            async with trio.open_nursery() as nursery:
                nursery.start_soon(trio.to_thread.run_sync, watch)
                for number in range(1, 201):
                    await simulator.send([liquidation(number)] * 3)
                    await simulator.send([trade(number)] * 2)
                await arrived.wait()
                done.set()
            assert len(seen) > 10
            assert all(sum(each.events for each in stats.channels.values()) == stats.events for stats in seen)
            assert [stats.events for stats in seen] == sorted(stats.events for stats in seen)

    run(main)


def test_the_counters_are_read_after_the_end() -> None:
    """The loop is gone, and with it all that could change them."""
    feeds: list[cgrx.Feed] = []

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            record(feed.liquidations())
            await trio.sleep(1)
            await simulator.send(liquidation(1))
            await trio.sleep(1)
            feeds.append(feed)

    run_mock(main)
    assert (feeds[0].stats.events, feeds[0].stats.state) == (1, cgrx.State.CLOSED)


def test_a_loop_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """A callback blocks it: whoever asks in another thread learns that instead of waiting for ever."""
    monkeypatch.setattr("cgrx._trio.threads.ANSWER_S", 0.01)

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            error = raised_in_thread(lambda: feed.stats)  # which waits for the thread, and so blocks the loop
            assert isinstance(error, TimeoutError)
            assert str(error).startswith("feed.stats: no answer within 0.01 s")

    run_mock(main)


def test_an_error_of_the_answer_is_raised_where_it_was_asked() -> None:
    def fail() -> None:
        raise LookupError("none")

    async def main() -> None:
        token = trio.lowlevel.current_trio_token()
        with pytest.raises(LookupError, match="none"):
            await trio.to_thread.run_sync(ask, token, fail, "it")

    run(main)
