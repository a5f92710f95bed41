"""Who takes what a replay says: slow ones, stalled ones, ones that raise or leave."""

import logging
from typing import Any

import pytest
import trio

import cgrx
from cgrx import operators as ops
from tests.feed.feeding import Record, Statuses, raises, record
from tests.replay.replaying import Log, at, gap, number, numbers, prices, same
from tests.streams.streaming import rx_any
from tests.support import run_mock

T = cgrx.FuturesTrades("Binance", "BTCUSDT", 0)


# Consumers


@pytest.mark.parametrize("overflow", ["block", "error"])
def test_a_slow_consumer_holds_a_replay_up(overflow: Any) -> None:
    """At infinite speed by the default policy too, also behind a reactivex operator: nothing overflows."""

    async def main() -> None:
        log = Log([gap(0), *(number(n / 100) for n in range(2000))])
        async with cgrx.replay(log) as feed:
            source = feed.liquidations()
            observable = source if overflow == "block" else source.pipe(rx_any.map(same))
            async with cgrx.stream(observable, buffer=10, overflow=overflow) as events:
                got: list[Any] = []
                async for event in events:
                    assert events.stats.queued <= 10
                    got.append(event)
                    if len(got) % 500 == 0:
                        await trio.sleep(20)
            assert len(got) == 2000
            assert events.stats.dropped == 0

    run_mock(main)


def test_a_consumer_that_stalls_is_ended_on_trio_s_time() -> None:
    """The time of the replay stands meanwhile; when the consumer is gone it goes on with the old spacing."""

    async def main() -> None:
        async with cgrx.replay(numbers(0, 1, 2, 3), speed=1) as feed:
            heard: list[float] = []
            began = trio.current_time()
            feed.liquidations().subscribe(lambda _: heard.append(trio.current_time() - began))
            async with cgrx.stream(feed.liquidations(), buffer=1, overflow="block", block_timeout=20) as events:
                async for _ in events:
                    await trio.sleep(2)
                    break
                await trio.sleep(1)
                assert feed.now_ms == at(1)
                with raises(cgrx.BackpressureError):
                    await trio.sleep(100)
                    async for _ in events:
                        pass
            await feed.run()
            assert heard == pytest.approx([0, 1, 22, 23])

    run_mock(main)


def test_at_a_finite_speed_a_buffer_overflows_as_on_a_live_feed() -> None:
    async def main() -> None:
        async with (
            cgrx.replay(numbers(*range(20)), speed=1) as feed,
            cgrx.stream(feed.liquidations(), buffer=5) as events,
        ):
            with raises(cgrx.BufferOverflowError):
                async for _ in events:
                    await trio.sleep(10)

    run_mock(main)


def test_other_tasks_get_their_turns_at_infinite_speed() -> None:
    async def main() -> None:
        turns = 0

        async def count() -> None:
            nonlocal turns
            while True:
                turns += 1
                await trio.lowlevel.checkpoint()

        log = Log([gap(0), *(number(n) for n in range(5000))])
        async with cgrx.replay(log) as feed, trio.open_nursery() as nursery:
            nursery.start_soon(count)
            await feed.run()
            nursery.cancel_scope.cancel()
        assert turns >= 5000 / 256

    run_mock(main)


def test_cancelling_ends_it_at_once_without_a_word() -> None:
    async def main() -> None:
        seen = Record()
        with trio.move_on_after(3.5):
            async with cgrx.replay(numbers(*range(100)), speed=1) as feed:
                feed.liquidations().subscribe_signals(seen)
                await feed.run()
        assert prices(seen.events) == [0, 1, 2, 3]
        assert seen.end is None

    run_mock(main)


def test_closing_and_leaving_early_complete_the_streams() -> None:
    """Before the start and in the middle."""

    async def main() -> None:
        for seconds in (0.0, 3.5):
            for closes in (True, False):
                async with cgrx.replay(numbers(*range(100)), speed=1) as feed:
                    rows = record(feed.liquidations().pipe(ops.tumbling("1h", ops.Flow)))
                    with trio.move_on_after(seconds):
                        if seconds:
                            await feed.run()
                    if closes:
                        await feed.aclose()
                        assert rows.end == "completed"
                        await feed.run()
                assert rows.end == "completed"
                assert sum(row.count for row in rows.events) == (4 if seconds else 0)

    run_mock(main)


def test_a_subscriber_that_raises_ends_it() -> None:
    """Or, isolated, only itself; the others miss nothing."""

    def fail(event: cgrx.Liquidation) -> None:
        if event.price == 2:
            raise LookupError("theirs")

    async def main() -> None:
        seen = Record()
        with raises(LookupError):
            async with cgrx.replay(numbers(0, 1, 2)) as feed:
                feed.liquidations().subscribe_signals(seen)
                feed.liquidations().subscribe(fail)
                await feed.run()
        assert prices(seen.events) == [0, 1]
        assert isinstance(seen.end, LookupError)
        async with cgrx.replay(numbers(0, 1, 2), on_subscriber_error="isolate") as feed:
            statuses = Statuses(feed)
            seen = record(feed.liquidations())
            feed.liquidations().subscribe(fail)
            await feed.run()
            assert len(statuses.of(cgrx.SubscriberFailed)) == 1
        assert prices(seen.events) == [0, 1, 2]

    run_mock(main)


def test_an_error_while_reading_ends_it() -> None:
    class Broken(Log):
        def entries(self, **options: Any) -> Any:
            yield from list(super().entries(**options))[:2]
            raise cgrx.CgrxError("a part cannot be read")

    async def main() -> None:
        seen = Record()
        with raises(cgrx.CgrxError, match="a part"):
            async with cgrx.replay(Broken(numbers(1, 2, 3).said)) as feed:
                feed.liquidations().subscribe_signals(seen)
                await feed.run()
        assert prices(seen.events) == [1]
        assert isinstance(seen.end, cgrx.CgrxError)

    run_mock(main)


def test_who_fails_on_a_replay_is_told_as_on_a_live_feed(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with cgrx.replay(Log([gap(0), number(1)]), on_subscriber_error="isolate") as feed:
            feed.liquidations().subscribe(lambda _: 1 / 0)
            await feed.run()

    run_mock(main)
    (line,) = caplog.records
    assert (line.levelno, line.__dict__["recorded"]) == (logging.ERROR, False)
