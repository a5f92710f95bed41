"""What is drawn anew on a terminal a few times a second, while a command works."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import trio
from rich.console import Console, RenderableType
from rich.live import Live

from cgrx._cli.terminal.tasks import beside

REFRESH_S = 0.2


@asynccontextmanager
async def redrawn(
    console: Console, draw: Callable[[], RenderableType], *, screen: bool = False
) -> AsyncGenerator[Live, None]:
    """Draw while the body runs, and then wipe it away; `draw()` gives the picture of the moment.

    With `screen` the picture has the alternate screen for itself; else it stands below what was written before.
    """
    live = Live(
        get_renderable=draw,
        console=console,
        screen=screen,
        transient=True,
        auto_refresh=False,  # rich would refresh in a thread: a task of ours does, between events
        redirect_stdout=False,
        redirect_stderr=False,
    )

    async def refresh() -> None:
        while True:
            live.refresh()
            await trio.sleep(REFRESH_S)

    with live:
        async with beside(refresh):
            yield live
