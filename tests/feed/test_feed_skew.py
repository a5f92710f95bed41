"""`ClockSkewed`: a clock that differs from the feed's is reported, and again when that changes or is over."""

import itertools

import pytest
import trio

import cgrx
from cgrx._simulator.simulator import Simulator
from tests.feed.feeding import START_MS, WALL_S, Statuses, feed_on, record
from tests.support import run_mock


def told(statuses: Statuses) -> list[tuple[float, int, str]]:
    """When, how much, by whom."""
    return [
        (time, each.difference_ms, each.witness)
        for time, each in zip(statuses.times(cgrx.ClockSkewed), statuses.of(cgrx.ClockSkewed), strict=True)
    ]


def event(time_ms: int) -> cgrx.Liquidation:
    return cgrx.Liquidation("BTC", "Binance", "BTCUSDT", cgrx.LiquidationSide.LONG, 60_000.0, 1_000.0, time_ms)


@pytest.mark.parametrize("step_s", [-7_200, -5, 5, 7_200])
def test_a_step_of_the_system_s_clock_is_told_at_the_next_ping(step_s: int) -> None:
    """Once, again when it changes by more than a second, and when it is over."""

    async def main() -> None:
        steps_s = 0.0
        async with (
            Simulator(listen=False) as simulator,
            feed_on(simulator, wall_clock=lambda: WALL_S + trio.current_time() + steps_s) as feed,
        ):
            statuses = Statuses(feed)
            await trio.sleep(30)
            assert told(statuses) == []
            steps_s = step_s
            await trio.sleep(60)
            assert told(statuses) == [(40, step_s * 1000, "system")]
            steps_s = step_s + 0.9
            await trio.sleep(20)
            steps_s = step_s + 1.5
            await trio.sleep(20)
            steps_s = 0.4
            await trio.sleep(40)
            assert told(statuses)[1:] == [(120, step_s * 1000 + 1500, "system"), (140, 0, "system")]
            assert feed.stats.connections == 1

    run_mock(main)


def test_a_second_is_tolerated() -> None:
    """Clocks are set by small steps all the time."""

    async def main() -> None:
        async with (
            Simulator(listen=False) as simulator,
            feed_on(simulator, wall_clock=lambda: WALL_S + trio.current_time() * 1.01) as feed,
        ):
            statuses = Statuses(feed)
            await trio.sleep(119)
            assert told(statuses) == []
            await trio.sleep(2)
            assert told(statuses) == [(120, 1200, "system")]

    run_mock(main)


@pytest.mark.parametrize("ahead_ms", [-7_200_000, -5_000, 5_000, 7_200_000])
def test_event_times_that_differ_from_receive_times_are_told(ahead_ms: int) -> None:
    """Once there are three samples; one wrong event tells nothing; over when the median agrees."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            statuses = Statuses(feed)
            record(feed.liquidations())

            async def send(count: int, ahead_ms: int) -> None:
                for _ in range(count):
                    await trio.sleep(1)
                    await simulator.send(event(START_MS + round(trio.current_time() * 1000) + ahead_ms))

            await send(5, 0)
            await send(1, 3_000_000)
            await send(5, 0)
            assert told(statuses) == []
            await send(9, ahead_ms)
            assert [each[1:] for each in told(statuses)] == [(ahead_ms, "events")]
            await trio.sleep(100)
            await send(9, 0)
            assert [each[1:] for each in told(statuses)] == [(ahead_ms, "events"), (0, "events")]

    run_mock(main)


def test_two_exchanges_that_differ_are_no_flood() -> None:
    """Now the median is that of the one, and now that of the other: it is told once a minute at most."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            statuses = Statuses(feed)
            record(feed.liquidations())
            for second in range(600):
                await trio.sleep(1)
                ahead_ms = 5_000 if second % 20 < 10 else 0
                await simulator.send(event(START_MS + round(trio.current_time() * 1000) + ahead_ms))
            times = statuses.times(cgrx.ClockSkewed)
            assert 2 <= len(times) <= 10
            assert all(later - earlier >= 60 for earlier, later in itertools.pairwise(times))

    run_mock(main)
