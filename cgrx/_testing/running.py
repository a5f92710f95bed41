"""Run a whole program on a clock that jumps over every wait."""

from collections.abc import Awaitable, Callable
from typing import TypeVar, TypeVarTuple

import trio
from trio.testing import MockClock

from cgrx._model.times import Duration, to_seconds

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


def run(main: Callable[[*Ts], Awaitable[T]], *args: *Ts, limit: Duration = "1d") -> T:
    """Run an async function on trio, on a clock that jumps over every wait: `run(main)`.

    The clock begins at 0 and jumps when all tasks wait, so that an hour of reconnects and windows is over at once, and
    a program on a `Simulator` in memory prints the same in each run. What waits for a real socket or for a thread is
    jumped past: `cgrx.run` is for those.

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
    return trio.run(_limited, to_seconds(limit, "limit"), main, *args, clock=MockClock(autojump_threshold=0))


async def _limited(limit_s: float, main: Callable[[*Ts], Awaitable[T]], *args: *Ts) -> T:
    with trio.fail_after(limit_s):
        return await main(*args)
