"""The live table on a terminal: the alternate screen, drawn anew a few times a second, and restored at the end."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import trio
from rich.console import Console, RenderableType
from rich.live import Live

from cgrx._cli.terminal.exits import CommandError, Exit
from cgrx._cli.terminal.tasks import beside

REFRESH_S = 0.2


@asynccontextmanager
async def screen(console: Console, draw: Callable[[int, int], RenderableType]) -> AsyncGenerator[None, None]:
    """Draw while the body runs; `draw(width, height)` gives the picture of the moment.

    Raises:
        CommandError: the terminal is gone.
    """

    def renderable() -> RenderableType:
        return draw(console.width, console.height)

    # rich would refresh in a thread: a task of ours does, between events.
    live = Live(
        get_renderable=renderable,
        console=console,
        screen=True,
        auto_refresh=False,
        redirect_stdout=False,
        redirect_stderr=False,
    )

    async def refresh() -> None:
        while True:
            live.refresh()
            await trio.sleep(REFRESH_S)

    try:
        with live:
            async with beside(refresh):
                yield
    except OSError as error:
        raise CommandError(Exit.FAILED, f"cannot write to the terminal: {error.strerror}") from error
