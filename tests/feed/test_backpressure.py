"""Consumers that hold the reading of a socket up."""

import math

import trio
from trio.testing import wait_all_tasks_blocked

from cgrx._feed.backpressure import Pressure
from tests.support import run_mock


def test_it_is_held_while_anyone_holds() -> None:
    """Holds are counted, and only the first and the last are told."""
    changes: list[bool] = []

    async def main() -> None:
        pressure = Pressure(changes.append)
        pressure.hold()
        pressure.hold()
        pressure.release()
        assert (pressure.held, changes) == (True, [True])
        pressure.release()
        assert (pressure.held, changes) == (False, [True, False])

    run_mock(main)


def test_who_waits_goes_on_when_the_last_one_releases() -> None:
    """Also where somebody holds again before the waiting task has run."""
    woken: list[float] = []

    async def wait(pressure: Pressure) -> None:
        await pressure.wait_released()
        woken.append(trio.current_time())

    async def main() -> None:
        pressure = Pressure(lambda held: None)
        async with trio.open_nursery() as nursery:
            pressure.hold()
            nursery.start_soon(wait, pressure)
            await trio.sleep(1)
            pressure.release()
            pressure.hold()
            await wait_all_tasks_blocked()
            assert woken == []
            await trio.sleep(1)
            pressure.release()
        assert woken == [2]

    run_mock(main)


def test_without_a_hold_nobody_waits() -> None:
    """Not even for a checkpoint: the reader asks after every message."""

    async def main() -> None:
        waiting = Pressure(lambda held: None).wait_released()
        try:
            waiting.send(None)
        except StopIteration:
            return
        raise AssertionError("it waited")

    run_mock(main)


def test_it_knows_since_when_it_is_held() -> None:
    """The beginning of the present hold, or of the latest."""

    async def main() -> None:
        pressure = Pressure(lambda held: None)
        assert pressure.held_since == -math.inf
        await trio.sleep(3)
        pressure.hold()
        await trio.sleep(3)
        pressure.hold()
        pressure.release()
        pressure.release()
        assert pressure.held_since == 3

    run_mock(main)
