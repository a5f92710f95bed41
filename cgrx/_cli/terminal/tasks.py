"""Something beside a command's own work."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import trio


@asynccontextmanager
async def beside(task: Callable[[], Awaitable[None]]) -> AsyncGenerator[None, None]:
    """Run `task` while the body runs, and cancel it at the end of the body.

    Where one of the two raises, the other is cancelled, and the exception is raised as it is, not in a group.
    """
    failures: list[Exception] = []
    async with trio.open_nursery() as nursery:

        async def run() -> None:
            try:
                await task()
            except Exception as error:  # noqa: BLE001 - raised below, outside the nursery, which would wrap it
                failures.append(error)
                nursery.cancel_scope.cancel()

        nursery.start_soon(run)
        try:
            yield
        except Exception as error:  # noqa: BLE001
            failures.append(error)
        nursery.cancel_scope.cancel()
    if failures:
        raise failures[0]
