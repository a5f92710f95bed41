"""Periodic actions: the state that they carry, their grid of due times, and their end."""

from datetime import timedelta

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from cgrx._trio.scheduler import TrioScheduler
from tests.on_trio.scheduling import Log
from tests.support import run_mock


@pytest.mark.parametrize("period", [0.05, timedelta(milliseconds=50)])
def test_a_periodic_action_carries_its_state(period: float | timedelta) -> None:
    async def main() -> None:
        async with TrioScheduler() as scheduler:
            log = Log()

            def count_down(left: int | None) -> int | None:
                log.add(left)
                return left - 1 if left else None

            series = scheduler.schedule_periodic(period, count_down, 2)
            await trio.sleep(0.22)
            series.dispose()
            await trio.sleep(1)
            assert log.entries == [(50, 2), (100, 1), (150, 0), (200, None)]
            assert scheduler.stats.pending == 0

    run_mock(main)


def test_a_period_does_not_drift() -> None:
    """Ten thousand times 0.1 s are 1,000 s, to the microsecond."""

    async def main() -> None:
        async with TrioScheduler() as scheduler:
            log = Log()
            scheduler.schedule_periodic(0.1, lambda _: log.add(None))
            await trio.sleep(1000.05)
            assert [ms for ms, _ in log.entries] == [100.0 * i for i in range(1, 10_001)]

    run_mock(main)


def test_a_slow_action_delays_the_next_run_without_a_burst() -> None:
    """Late by less than a period it keeps to the grid, by more it runs at once and counts from there."""

    async def main() -> None:
        clock = trio.lowlevel.current_clock()
        assert isinstance(clock, MockClock)
        durations_ms = iter([30, 0, 250, 0, 0])
        async with TrioScheduler() as scheduler:
            log = Log()

            def work(_: object) -> None:
                log.add("begin")
                clock.jump(next(durations_ms) / 1e3)

            series = scheduler.schedule_periodic(0.1, work)
            await trio.sleep(0.7)
            series.dispose()
            assert [ms for ms, _ in log.entries] == [100, 200, 300, 550, 650]

    run_mock(main)


@pytest.mark.parametrize("period", [0, -1])
def test_without_a_period_it_runs_every_round(period: float) -> None:
    async def main() -> None:
        async with TrioScheduler() as scheduler:
            log = Log()

            def work(number: int | None) -> int:
                assert number is not None
                log.add(number)
                if number == 4:
                    series.dispose()
                return number + 1

            series = scheduler.schedule_periodic(period, work, 0)
            assert log.entries == []
            await wait_all_tasks_blocked()
            assert log.entries == [(0, number) for number in range(5)]

    run_mock(main)


def test_a_periodic_action_that_raises_ends_its_series() -> None:
    async def main() -> None:
        errors: list[Exception] = []
        async with TrioScheduler(on_error=errors.append) as scheduler:
            log = Log()

            def work(number: int | None) -> int:
                assert number is not None
                log.add(number)
                return 1 // (1 - number)

            scheduler.schedule_periodic(1, work, 0)
            await trio.sleep(10)
            assert log.entries == [(1000, 0), (2000, 1)]
            assert [type(error) for error in errors] == [ZeroDivisionError]
            assert scheduler.stats.pending == 0

    run_mock(main)
