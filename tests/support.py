"""What the tests share: running trio with an absolute limit, with and without a mock clock."""

import math
from collections.abc import Awaitable, Callable
from typing import TypeVar, TypeVarTuple

import trio
import trio.testing
from hypothesis import settings
from trio.testing import MockClock

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

LIMIT_S = 30.0
"""No test over real sockets may take longer."""

TICK_S = 0.001
"""How long all tasks must have waited, by the real clock, for that of `run_fast` to go on."""

THOROUGH = 100
"""Examples that CI draws of a property that does not say how many."""

VIRTUAL_LIMIT_S = 30 * 86_400.0
"""No test on the mock clock may take longer, so that a deadlock fails instead of hanging."""


def examples(thorough: int) -> int:
    """How many examples of a property to draw, where CI draws `thorough`: an eighth of them, and five at least."""
    return thorough if settings().max_examples >= THOROUGH else max(5, thorough // 8)


async def _limited(seconds: float, main: Callable[[*Ts], Awaitable[T]], *args: *Ts) -> T:
    with trio.fail_after(seconds):
        return await main(*args)


def run(main: Callable[[*Ts], Awaitable[T]], *args: *Ts) -> T:
    """Run `main` on the real clock, for loopback sockets; it fails after `LIMIT_S` seconds."""
    return trio.run(_limited, LIMIT_S, main, *args)


def run_mock(main: Callable[[*Ts], Awaitable[T]], *args: *Ts) -> T:
    """Run `main` on an autojumping clock: in-memory streams only, for autojump jumps past real sockets."""
    return trio.run(_limited, VIRTUAL_LIMIT_S, main, *args, clock=MockClock(autojump_threshold=0))


def run_fast(rate: float, main: Callable[[*Ts], Awaitable[T]], *args: *Ts) -> T:
    """Run `main` over loopback sockets on a clock that goes `rate` times as fast as the real one while all tasks wait.

    While one of them can go on, time stands still: on a busy machine a test takes longer, and nothing in it times out.
    """

    async def limited() -> T:
        trio.lowlevel.spawn_system_task(_tick, clock, rate * TICK_S)
        return await _limited(LIMIT_S * rate, main, *args)

    clock = MockClock()
    return trio.run(limited, clock=clock)


async def _tick(clock: MockClock, virtual_s: float) -> None:
    while True:
        await trio.testing.wait_all_tasks_blocked(TICK_S)  # its seconds are real ones
        clock.jump(virtual_s)


def close(mine: float | None, other: float | None, *, rel: float, abs_: float) -> bool:
    """As `pytest.approx`, which takes fifty times as long, for the oracles that compare by the hundred thousand."""
    if mine is None or other is None:
        return mine is other
    return math.isclose(mine, other, rel_tol=rel, abs_tol=abs_)
