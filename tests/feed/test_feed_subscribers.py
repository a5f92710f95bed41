"""What subscribers may do in their callbacks, and what consumers that wait do to the feed."""

from typing import Any

import trio
from reactivex.subject import Subject

import cgrx
from cgrx._simulator.simulator import Simulator
from tests.feed.feeding import Record, Statuses, feed_on, raises, record
from tests.simulator.simulating import liquidation, trade
from tests.support import run_mock

# What they may do


def test_a_subscriber_may_dispose_itself() -> None:
    """Delivery stops at once, within the frame; the last one out unsubscribes."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            got: list[Any] = []

            def take_one(event: Any) -> None:
                got.append(event)
                subscription.dispose()

            subscription = feed.liquidations().subscribe(take_one)
            await trio.sleep(1)
            await simulator.send([liquidation(1), liquidation(2)])
            await trio.sleep(1)
            assert got == [liquidation(1)]
            assert simulator.stats.subscriptions == {}

    run_mock(main)


def test_a_subscriber_may_subscribe_another() -> None:
    """To the same channel: it begins with the next frame; to a new one: it is asked for."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            same, new = Record(), Record()

            def subscribe(_: object) -> None:
                if not same.signals:
                    feed.liquidations().subscribe_signals(same)
                    feed.futures_trades("Binance", "BTCUSDT", min_volume=0).subscribe_signals(new)

            feed.liquidations().subscribe(subscribe)
            await trio.sleep(1)
            await simulator.send(liquidation(1))
            await trio.sleep(1)
            await simulator.send([liquidation(2), trade(3)])
            await trio.sleep(1)
            assert same.events == [liquidation(2)]
            assert new.events == [trade(3)]
            assert same.gaps == new.gaps == [(-float("inf"), 1)]

    run_mock(main)


def test_a_subscriber_may_push_into_a_subject_of_its_own_pipeline() -> None:
    """What arises in the middle of a signal waits until everyone has had it."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            subject: Subject[cgrx.Liquidation] = Subject()
            order: list[tuple[str, int]] = []

            def push(event: cgrx.Liquidation) -> None:
                order.append(("first", event.time_ms))
                if event.time_ms < 4_000:
                    subject.on_next(liquidation(event.time_ms // 1000 + 2))

            both = feed.liquidations().merge(subject).share()
            both.subscribe(push)
            both.subscribe(lambda event: order.append(("second", event.time_ms)))
            await trio.sleep(1)
            await simulator.send([liquidation(1), liquidation(2)])
            await trio.sleep(1)
            assert [time_ms for who, time_ms in order if who == "first"] == [1_000, 2_000, 3_000, 4_000, 5_000]
            assert [time_ms for who, time_ms in order if who == "second"] == [1_000, 2_000, 3_000, 4_000, 5_000]

    run_mock(main)


def test_a_subscriber_may_end_the_feed() -> None:
    """From a callback, through a task of its own; everyone gets the frame that was under way."""

    async def main() -> None:
        async with trio.open_nursery() as nursery, Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            feed.liquidations().subscribe(lambda _: nursery.start_soon(feed.aclose))
            other = record(feed.liquidations())
            await trio.sleep(1)
            await simulator.send([liquidation(1), liquidation(2)])
            await feed.run()
            assert other.events == [liquidation(1), liquidation(2)]
            assert other.end == "completed"

    run_mock(main)


# Consumers that wait


def test_a_blocking_consumer_holds_the_socket_up() -> None:
    """The status says so; nothing is lost, and the connection survives however long it takes."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            statuses = Statuses(feed)
            options: dict[str, Any] = {"buffer": 10, "overflow": "block", "block_timeout": float("inf")}
            async with cgrx.stream(feed.liquidations(), **options) as events:
                await trio.sleep(1)
                for number in range(100):
                    await simulator.send(liquidation(number))
                    await trio.sleep(0.1)
                await trio.sleep(600)
                assert feed.stats.events < 100
                got: list[Any] = []
                async for event in events:
                    got.append(event)
                    if len(got) == 100:
                        break
                await trio.sleep(100)
            assert got == [liquidation(number) for number in range(100)]
            assert feed.stats.connections == 1
            assert len(statuses.of(cgrx.Backpressured)) == len(statuses.of(cgrx.Resumed)) > 0
            assert simulator.stats.pings > 30, "the server still hears from its client"

    run_mock(main)


def test_a_dead_peer_is_found_after_a_hold() -> None:
    """The time held does not count, and no more than that."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            statuses = Statuses(feed)
            async with cgrx.stream(feed.liquidations(), buffer=1, overflow="block", block_timeout="1h") as events:
                await trio.sleep(1)
                await simulator.send(liquidation(1))
                await trio.sleep(1)
                simulator.drop_all()
                await trio.sleep(500)
                assert statuses.of(cgrx.Disconnected) == []
                assert await anext(events) == liquidation(1)
                await trio.sleep(1)
            assert statuses.times(cgrx.Disconnected) == [502]

    run_mock(main)


def test_other_consumers_do_not_hold_anything_up() -> None:
    """A full buffer is its owner's own affair."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            seen = record(feed.liquidations())
            async with cgrx.stream(feed.liquidations(), buffer=5) as events:
                await trio.sleep(1)
                for number in range(20):
                    await simulator.send(liquidation(number))
                await trio.sleep(1)
                got: list[Any] = []
                with raises(cgrx.BufferOverflowError):
                    while True:
                        got.append(await anext(events))
            assert len(got) == 5
            assert len(seen.events) == 20

    run_mock(main)
