"""Something beside a command's own work: a task, and the wait for a signal that ends it."""

import signal
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import attrs
import trio

# SIGHUP: the terminal has gone. Windows knows none.
SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


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


@attrs.define
class Interruption:
    """Whether a signal has ended the body of `interruptible`."""

    signal: int | None = None

    @property
    def exit_code(self) -> int:
        """128 and the signal's number, as shells count; 0 where there was none."""
        return 0 if self.signal is None else 128 + self.signal


@asynccontextmanager
async def interruptible(on_signal: Callable[[], None]) -> AsyncGenerator[Interruption, None]:
    """Let Ctrl-C, SIGTERM and SIGHUP cancel the body; the code behind it then runs as usual.

    `on_signal` is called before each cancellation. Later signals change nothing: what follows takes a bounded time.
    """
    interruption = Interruption()
    with trio.open_signal_receiver(*SIGNALS) as arrivals, trio.CancelScope() as scope:

        async def listen() -> None:
            async for number in arrivals:
                interruption.signal = interruption.signal or number
                on_signal()
                scope.cancel()

        async with beside(listen):
            yield interruption
