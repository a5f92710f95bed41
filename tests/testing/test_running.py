"""`cgrx.testing.run`: a clock that jumps over every wait."""

import math
import threading

import pytest
import trio
import trio.testing

from cgrx._testing import running
from cgrx.testing import run


def test_it_begins_at_0_jumps_and_returns_what_the_function_returns() -> None:
    async def main(seconds: float, *, since: float = 0.0) -> float:
        assert trio.current_time() == since
        await trio.sleep(seconds)
        return trio.current_time()

    assert run(main, 3_600.0) == 3_600.0
    assert run(main, 1e7, limit=math.inf) == 1e7


def test_what_waits_for_what_never_comes_fails() -> None:
    """After the limit of that clock, at once by ours."""
    times: list[float] = []

    async def main() -> None:
        try:
            await trio.sleep_forever()
        finally:
            times.append(trio.current_time())

    for limit in ({}, {"limit": "5s"}):
        with pytest.raises(trio.TooSlowError):
            run(main, **limit)
    assert times == [86_400.0, 5.0]


def test_what_the_function_raises_is_raised_plain() -> None:
    async def main() -> None:
        raise LookupError("here")

    with pytest.raises(LookupError, match="here"):
        run(main)


def test_the_clock_stands_still_while_a_thread_works() -> None:
    """A sink that writes in one loses nothing, and a minute goes by at once when it is done."""

    async def main() -> tuple[float, float]:
        ready = threading.Event()
        trio.lowlevel.spawn_system_task(opened_later, ready)
        await trio.to_thread.run_sync(ready.wait, 5.0)
        return trio.current_time(), await slept(60.0)

    assert run(main) == (0.0, 60.0)


async def opened_later(ready: threading.Event) -> None:
    """After ten glances of the clock at whether the thread still works."""
    for _ in range(10):
        await trio.testing.wait_all_tasks_blocked(running.GLANCE_S / 2)
    ready.set()


async def slept(seconds: float) -> float:
    await trio.sleep(seconds)
    return trio.current_time()


def test_a_thread_that_waits_for_the_clock_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "PATIENCE_S", 0.01)

    async def main() -> float:
        return await trio.to_thread.run_sync(trio.from_thread.run, slept, 60.0)

    assert run(main) == 60.0


def test_without_a_deadline_what_is_outside_is_waited_for() -> None:
    async def main() -> float:
        ready = threading.Event()
        trio.lowlevel.spawn_system_task(opened_later, ready)
        await trio.to_thread.run_sync(ready.wait, 5.0, limiter=trio.CapacityLimiter(1))
        return trio.current_time()

    assert run(main, limit=math.inf) == 0.0


def test_a_limit_that_is_no_duration_is_refused() -> None:
    with pytest.raises(ValueError, match="limit="):
        run(trio.sleep_forever, limit="soon")
