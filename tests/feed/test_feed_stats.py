"""The counters of channels that lose their last subscriber, and get one again or do not."""

import trio

import cgrx
from cgrx._simulator.simulator import Simulator
from tests.feed.feeding import feed_on
from tests.simulator.simulating import liquidation
from tests.support import run_mock


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

    run_mock(main)
