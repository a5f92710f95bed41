"""`cgrx board`: a live page of the feed, of another server, or of recordings, until Ctrl-C or for some seconds."""

import math
import webbrowser
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TypeAlias

import attrs
import trio

from cgrx import Board, Feed, on_drain
from cgrx._cli.commands.metrics import MetricsAt, serving
from cgrx._cli.commands.watch import connected
from cgrx._cli.terminal.command import run_command
from cgrx._cli.terminal.exits import CommandError, Exit
from cgrx._cli.terminal.reports import reporting
from cgrx._cli.terminal.streams import Terminal
from cgrx._cli.terminal.tasks import beside
from cgrx.metrics import Collector

Source: TypeAlias = Feed | Sequence[Path]
"""A live feed, or the folders of recordings."""


@attrs.frozen(kw_only=True)
class Page:
    """The page to serve."""

    board: Callable[[Source], AbstractAsyncContextManager[Board]]
    """`cgrx.board`, with all that it is told but the source."""
    where: str
    """The address and the port, for people."""
    opens: bool = False
    """Open it in a browser."""


@attrs.frozen(kw_only=True)
class Boarded:
    """What to show on a page."""

    page: Page
    source: Callable[[], AbstractAsyncContextManager[Feed]] | Sequence[Path]
    """What opens the feed, or the folders of recordings."""
    seconds: float = math.inf
    """How long, from the first connection on."""


def feed_of(url: str, connect_timeout_s: float, proxy: str | None) -> Callable[[], AbstractAsyncContextManager[Feed]]:
    """What opens the feed of a server."""
    return partial(connected, url, connect_timeout_s, proxy)


async def show_board(request: Boarded, terminal: Terminal, metrics: MetricsAt | None = None) -> int:
    """Run the command, and return its exit code."""

    async def work() -> None:
        _checked(request.page, ())  # before anything is opened
        with reporting(terminal.say):
            async with AsyncExitStack() as stack:
                if callable(request.source):
                    count = await stack.enter_async_context(serving(metrics, terminal))
                    feed = await stack.enter_async_context(request.source())
                    count(lambda: Collector(feed))
                    await _show(request, feed, feed.run, terminal)
                else:
                    await _show(request, request.source, trio.sleep_forever, terminal)

    async def conclude(exit_code: int) -> int:
        return exit_code

    return await run_command(work, terminal, conclude=conclude)


async def _show(request: Boarded, source: Source, last: Callable[[], Awaitable[None]], terminal: Terminal) -> None:
    with trio.move_on_after(request.seconds) as showing, on_drain(showing.cancel):
        async with on_page(request.page, source, terminal.say):
            await last()


@asynccontextmanager
async def on_page(page: Page | None, source: Source, say: Callable[[str], object]) -> AsyncGenerator[None]:
    """Show a source on a page while the body runs, and say where; do nothing where `page` is None.

    Raises:
        CommandError: nobody can listen there, or the extra is not installed.
    """
    if page is None:
        yield
        return
    async with AsyncExitStack() as stack:
        try:
            board = await stack.enter_async_context(_checked(page, source))
        except OSError as error:
            why = error.strerror or str(error)
            raise CommandError(
                Exit.USAGE, f"cannot listen on {page.where}: {why}; --port 0 takes a free port"
            ) from error
        say(f"board at {board.url}")
        if page.opens:
            await stack.enter_async_context(beside(partial(_open, board.url, say)))
        yield


def _checked(page: Page, source: Source) -> AbstractAsyncContextManager[Board]:
    """The board, not listening yet."""
    try:
        return page.board(source)
    except ImportError as error:
        raise CommandError(Exit.NO_EXTRA, str(error)) from error
    except (TypeError, ValueError) as error:
        raise CommandError(Exit.USAGE, str(error)) from error


async def _open(url: str, say: Callable[[str], object]) -> None:
    # A text browser fills the terminal until it is left: it is not waited for.
    if not await trio.to_thread.run_sync(webbrowser.open, url, abandon_on_cancel=True):
        say("no browser could be opened: open the address yourself")
