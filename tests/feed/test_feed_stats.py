"""The counters of channels that lose their last subscriber, and get one again or do not."""

import msgspec
import trio

import cgrx
from cgrx._simulator.faults import Drop
from cgrx._simulator.simulator import Simulator
from tests.feed.feeding import INF, feed_on, in_memory, ms_after, record
from tests.simulator.simulating import liquidation
from tests.support import run_mock

L = cgrx.LiquidationOrders()


def test_the_counters_of_a_channel_go_on() -> None:
    """Its last subscriber leaves and another one comes, as with `timeout` and `retry`; silence is told anew."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            for number in range(1, 4):
                seen: list[cgrx.Liquidation] = []
                subscription = feed.liquidations().subscribe(seen.append)
                await trio.sleep(1)
                await simulator.send(liquidation(number))
                await trio.sleep(1)
                assert seen == [liquidation(number)]
                subscription.dispose()
                await trio.sleep(1)
                stats = feed.stats.channels[cgrx.LiquidationOrders()]
                assert (stats.subscribers, stats.proven, stats.events) == (0, False, number)
                assert stats.last_event_ms == liquidation(number).time_ms

    run_mock(main)


def test_the_counters_of_channels_that_were_left_are_bounded() -> None:
    """A program that goes through many channels in its time keeps those of the last."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            for number in range(10_010):
                feed.futures_trades("Binance", f"X{number}", min_volume=0).subscribe(print).dispose()
            channels = feed.stats.channels
            assert len(channels) == 10_000
            assert cgrx.FuturesTrades("Binance", "X9", 0) not in channels
            assert cgrx.FuturesTrades("Binance", "X10", 0) in channels
            assert feed.stats.forgotten["futures_trades"].subscribers == 0

    run_mock(main)


def test_what_is_known_of_time() -> None:
    """When it was read, the latest proof, how late events are received, and how wrong the system's clock is."""

    async def main() -> None:
        off_s = 0.0
        async with Simulator(listen=False) as simulator:
            wall_clock = in_memory(simulator)["wall_clock"]
            async with feed_on(simulator, wall_clock=lambda: wall_clock() + off_s) as feed:
                assert (feed.stats.at_ms, feed.stats.proven_ms, feed.stats.lag_ms) == (feed.now_ms, None, None)
                record(feed.liquidations())
                await trio.sleep(1)
                assert feed.stats.proven_ms == ms_after(0)
                for lag_ms in (300, 9_000, 310):
                    event = msgspec.structs.replace(liquidation(1), time_ms=feed.now_ms - lag_ms)
                    await simulator.send(event)
                    await trio.sleep(2)
                off_s = -1.5
                stats = feed.stats
                assert (stats.at_ms, stats.proven_ms) == (ms_after(7), ms_after(5))
                assert (stats.lag_ms, stats.channels[L].lag_ms, stats.clock_skew_ms) == (310, 310, -1_500)
                await trio.sleep(14)
                await feed.aclose()
                await trio.sleep(9)
                assert (feed.stats.at_ms, feed.stats.proven_ms) == (ms_after(21), ms_after(20))
                assert feed.stats.clock_skew_ms is None

    run_mock(main)


def test_stats_can_be_read_when_trio_has_ended() -> None:
    """As a thread that serves metrics may still do."""
    feeds: list[cgrx.Feed] = []

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            feeds.append(feed)
            await trio.sleep(3)

    run_mock(main)
    assert (feeds[0].stats.state, feeds[0].stats.at_ms) == (cgrx.State.CLOSED, ms_after(3))


def test_an_interruption_is_counted_in_milliseconds() -> None:
    """From the last proof before it to the first one behind it, by channel and by kind of channel."""

    async def main() -> None:
        async with Simulator(listen=False, faults=[Drop(after=5)]) as simulator, feed_on(simulator) as feed:
            observer = record(feed.liquidations())
            await trio.sleep(5.25)
            assert (feed.stats.channels[L].gaps, feed.stats.channels[L].gap_ms) == (1, 5_250)
            await trio.sleep(4.75)
            assert observer.gaps == [(-INF, 0.0), (0.0, 5.5)]
            assert (feed.stats.channels[L].gap_ms, feed.stats.kinds["liquidation_orders"].gap_ms) == (5_500, 5_500)
            assert (feed.stats.connections, feed.stats.reconnects) == (2, 1)

    run_mock(main)
