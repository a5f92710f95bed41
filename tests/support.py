"""What the tests share: running trio with an absolute limit, with and without a mock clock."""

import math
from collections.abc import Awaitable, Callable
from typing import TypeVar, TypeVarTuple

import trio
from hypothesis import settings
from trio.testing import MockClock

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

LIMIT_S = 30.0
"""No test over real sockets may take longer."""

THOROUGH = 100
"""Examples that CI draws of a property that does not say how many."""

VIRTUAL_LIMIT_S = 30 * 86_400.0
"""No test on the mock clock may take longer, so that a deadlock fails instead of hanging."""


def examples(thorough: int) -> int:
    """How many examples of a property to draw, where CI draws `thorough`: a quarter of them, and five at least."""
    return thorough if settings().max_examples >= THOROUGH else max(5, thorough // 4)


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
    """Run `main` over loopback sockets on a clock that goes `rate` times as fast as the real one."""
    return trio.run(_limited, LIMIT_S * rate, main, *args, clock=MockClock(rate=rate))


def close(mine: float | None, other: float | None, *, rel: float, abs_: float) -> bool:
    """As `pytest.approx`, which takes fifty times as long, for the oracles that compare by the hundred thousand."""
    if mine is None or other is None:
        return mine is other
    return math.isclose(mine, other, rel_tol=rel, abs_tol=abs_)
