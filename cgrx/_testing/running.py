"""Run a whole program on a clock that jumps over every wait."""

import math
from collections.abc import Awaitable, Callable
from typing import TypeVar, TypeVarTuple

import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from cgrx._model.times import Duration, to_seconds

PATIENCE_S = 10.0
"""How long a thread may hold the clock up, in real seconds: it may be one that waits for the clock itself."""
GLANCE_S = 0.001
"""How often to see whether it still does."""

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


def run(main: Callable[[*Ts], Awaitable[T]], *args: *Ts, limit: Duration = "1d") -> T:
    """Run an async function on trio, on a clock that jumps over every wait: `run(main)`.

    The clock begins at 0 and jumps when all tasks wait, so that an hour of reconnects and windows is over at once, and
    a program on a `Simulator` in memory prints the same in each run. While a thread works for a task, such as that of
    a recorder or of a database, the clock stands still, for 10 real seconds at most. What waits for a real socket is
    jumped past: `cgrx.run` is for that.

    Args:
        main: the async function.
        *args: what it is called with.
        limit: how long it may take on that clock, so that a test which waits for what never comes fails instead of
            hanging; a day by default, `math.inf` for no limit.

    Returns:
        What `main` returns.

    Raises:
        trio.TooSlowError: `limit` has passed.
        Exception: whatever `main` raises.
        ValueError, TypeError: `limit` is no duration.

    Examples:
        >>> import trio
        >>> from cgrx.testing import run
        >>> async def nap() -> float:
        ...     await trio.sleep(3_600)
        ...     return trio.current_time()
        >>> run(nap)
        3600.0

        A feed that loses its connection:

        >>> from cgrx.testing import Drop, Simulator
        >>> market = [liquidation("long", 1_000.0, time=n) for n in range(30)]
        >>> lost = Drop(after="12.5s")
        >>> async def main() -> None:
        ...     async with (
        ...         Simulator(market, faults=[lost], listen=False) as server,
        ...         cgrx.connect(**server.in_memory()) as feed,
        ...         cgrx.stream(feed.liquidations().pipe(ops.tumbling("10s"))) as rows,
        ...     ):
        ...         for _ in range(2):
        ...             row = await anext(rows)
        ...             print(row.start_ms, row.count, row.gap_ms, row.complete)
        >>> run(main)
        0 10 2000 False
        10000 10 4922 False
    """
    # By the threshold a simulator sees that the clock jumps. trio itself never does: `_jump` is always there before.
    clock = MockClock(autojump_threshold=PATIENCE_S)
    return trio.run(_limited, clock, to_seconds(limit, "limit"), main, *args, clock=clock)


async def _limited(clock: MockClock, limit_s: float, main: Callable[[*Ts], Awaitable[T]], *args: *Ts) -> T:
    trio.lowlevel.spawn_system_task(_jump, clock)
    with trio.fail_after(limit_s):
        return await main(*args)


async def _jump(clock: MockClock) -> None:
    """Jump to the next deadline whenever all tasks wait, and no thread works for one of them.

    trio's own way of jumping knows of no threads: a task that waits for one seems to wait for nothing.
    """
    threads = trio.to_thread.current_default_thread_limiter()
    while True:
        await wait_all_tasks_blocked()
        waited_s = 0.0
        while threads.borrowed_tokens and waited_s < PATIENCE_S:
            await wait_all_tasks_blocked(GLANCE_S)  # its seconds are real ones
            waited_s += GLANCE_S
        until_s = trio.lowlevel.current_statistics().seconds_to_next_deadline
        if until_s < math.inf:
            clock.jump(max(0.0, until_s))
        else:  # only what is outside can go on
            await wait_all_tasks_blocked(GLANCE_S)
