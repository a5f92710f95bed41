"""Wall time that moves with trio's clock."""

import time

import pytest
import trio

from cgrx._trio.clock import WallClock, system_time
from tests.support import run_mock


def test_it_is_the_wall_clock_at_the_start_plus_trio_s_time() -> None:
    """A MockClock drives it; a step of the system's clock does not reach it."""
    wall = [1_000.0]

    async def main() -> None:
        await trio.sleep(5)
        clock = WallClock(lambda: wall[0])
        wall[0] = 500.0
        await trio.sleep(2.5)
        assert clock.now_s() == pytest.approx(1_002.5)
        assert clock.now_ms() == 1_002_500
        assert clock.at_ms(trio.current_time() - 1) == 1_001_500

    run_mock(main)


def test_after_a_laptop_s_sleep_it_catches_up() -> None:
    """trio's clock stands while the machine sleeps: the system's is then ahead, and counts."""
    wall = [1_000.0]

    async def main() -> None:
        clock = WallClock(lambda: wall[0])
        await trio.sleep(10)
        wall[0] = 1_000.0 + 10 + 3_600
        clock.catch_up()
        assert clock.now_ms() == 4_610_000
        await trio.sleep(1)
        assert clock.now_ms() == 4_611_000

    run_mock(main)


@pytest.mark.parametrize("ahead_s", [-3_600.0, -0.5, 0.0, 1.0])
def test_it_never_goes_back_nor_follows_small_steps(ahead_s: float) -> None:
    """Only a system clock more than a second ahead is believed to tell of a sleep."""
    wall = [1_000.0]

    async def main() -> None:
        clock = WallClock(lambda: wall[0])
        wall[0] += ahead_s
        clock.catch_up()
        assert clock.now_ms() == 1_000_000

    run_mock(main)


def test_by_default_it_reads_the_system_s_clock() -> None:
    """Seconds since the epoch."""

    async def main() -> None:
        before = time.time()  # noqa: TID251 - what it is compared with
        clock = WallClock()
        assert before - 0.01 <= clock.now_s() <= system_time() + 0.01

    run_mock(main)
