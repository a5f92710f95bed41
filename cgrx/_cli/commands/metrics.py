"""The counters of a command for machines: what `--metrics-port` asks for, served as long as the command runs."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TypeAlias

import attrs

from cgrx import metrics
from cgrx._cli.terminal.exits import CommandError, Exit
from cgrx._cli.terminal.streams import Terminal

Count: TypeAlias = Callable[[Callable[[], metrics.Collector]], None]
"""Takes a function that makes the collector to be shown from now on; it is called where there is a server."""


@attrs.frozen
class MetricsAt:
    """Where to listen."""

    host: str
    port: int


@asynccontextmanager
async def serving(at: MetricsAt | None, terminal: Terminal) -> AsyncGenerator[Count, None]:
    """Serve while the body runs, from before there is a feed; do nothing where `at` is None.

    Raises:
        CommandError: nobody can listen there, or the extra is not installed.
    """
    if at is None:
        yield lambda _: None
        return
    async with AsyncExitStack() as stack:
        try:
            server = await stack.enter_async_context(metrics.serve(port=at.port, host=at.host))
        except ImportError as error:
            raise CommandError(Exit.NO_EXTRA, str(error)) from error
        except OSError as error:
            where = f"{at.host} port {at.port}"
            raise CommandError(Exit.USAGE, f"cannot serve metrics on {where}: {error.strerror or error}") from error
        terminal.say(f"metrics at {server.url}/metrics")
        yield lambda collector: server.watch(collector())
