"""A simulator hands out the events of its source: when they begin, when each is due, what comes at the end."""

import math
from collections.abc import Iterator

import pytest
import trio

from cgrx._model.events import Event
from cgrx._simulator.market import Generator
from cgrx._simulator.simulator import Simulator
from tests.simulator.simulating import LIQUIDATIONS, MEMORY, TRADES, Way, both_ways, liquidation, trade
from tests.support import run_mock


@both_ways
def test_events_begin_with_the_first_subscriber(way: Way) -> None:
    """So that it misses none; after the last it stays connected."""

    async def main() -> None:
        events = [liquidation(number) for number in range(5)]
        async with Simulator(events, listen=way.listen, speed=math.inf) as simulator:
            client = await way.connect(simulator, LIQUIDATIONS)
            assert await client.events(5) == events
            await simulator.wait_finished()
            assert simulator.stats.finished
            await client.silence()
            await client.stream.aclose()

    way.run(main)


def test_events_may_wait_for_more_subscriptions_or_none() -> None:
    """`start` is a number of subscriptions, or "now"."""

    async def main() -> None:
        async with Simulator([liquidation(1)], listen=False, start=2) as simulator:
            first = await MEMORY.connect(simulator, LIQUIDATIONS)
            await first.silence()
            second = await MEMORY.connect(simulator, LIQUIDATIONS)
            assert await first.events(1) == await second.events(1)
        async with Simulator([liquidation(1)], listen=False, start="now") as simulator:
            await simulator.wait_finished()
            assert simulator.stats.events_unheard == 1

    run_mock(main)


def test_the_end_may_close_the_connections() -> None:
    """With 1000, behind the last event."""

    async def main() -> None:
        async with Simulator([liquidation(1)], listen=False, end="close") as simulator:
            client = await MEMORY.connect(simulator, LIQUIDATIONS)
            assert await client.events(1) == [liquidation(1)]
            assert (await client.frame()).close_code == 1000
            await client.answer_close()

    run_mock(main)


def test_events_due_together_may_share_frames() -> None:
    """At most `frame_events` in one, each channel in its own."""

    async def main() -> None:
        events: list[Event] = [liquidation(1) for _ in range(5)] + [trade(1, 20_000.0), trade(1, 5.0)]
        async with Simulator(events, listen=False, frame_events=2, start=2) as simulator:
            client = await MEMORY.connect(simulator)
            await client.command("subscribe", LIQUIDATIONS, TRADES)
            sizes = [len((await client.frame()).events) for _ in range(4)]
            assert sizes == [2, 2, 1, 1]
            await simulator.wait_finished()
            assert simulator.stats.frames == 4

    run_mock(main)


def test_a_generators_events_happen_now() -> None:
    """Event times are those of the wall clock at the start plus trio's clock; the pace is its rate's."""

    async def main() -> None:
        market = Generator(rate=10, liquidation_share=1.0)
        async with Simulator(market, listen=False, wall_clock=lambda: 1_700_000_000.0) as simulator:
            client = await MEMORY.connect(simulator, LIQUIDATIONS)
            start = trio.current_time()
            first = (await client.frame()).events[0]
            offset_ms = first.time_ms - (trio.current_time() - start) * 1e3
            for _ in range(200):
                (event,) = (await client.frame()).events
                assert event.time_ms - offset_ms == pytest.approx((trio.current_time() - start) * 1e3, abs=2.5)
            assert 1_700_000_000_000 <= first.time_ms < 1_700_000_020_000
            assert trio.current_time() - start == pytest.approx(20.0, rel=0.9)

    run_mock(main)


def test_recorded_events_may_happen_now() -> None:
    """Spaced as recorded, or faster; stamped with the time at which each is due."""

    async def main() -> None:
        events = [liquidation(0), liquidation(30)]
        hurried = Simulator(events, listen=False, times="now", speed=10, wall_clock=lambda: 1_700_000_000.0)
        async with hurried as simulator:
            client = await MEMORY.connect(simulator, LIQUIDATIONS)
            first, second = await client.events(2)
            assert second.time_ms - first.time_ms == pytest.approx(3_000, abs=2)
            assert 1_700_000_000_000 <= first.time_ms < 1_700_000_020_000

    run_mock(main)


def test_a_source_that_fails_ends_the_simulator() -> None:
    """With its own exception, not in a group."""

    def failing() -> Iterator[Event]:
        yield liquidation(1)
        raise ValueError("no such line")

    async def main() -> None:
        with pytest.raises(ValueError, match="no such line"):
            async with Simulator(failing(), listen=False, start="now"):
                await trio.sleep_forever()

    run_mock(main)
