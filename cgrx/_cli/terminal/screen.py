"""The live table on a terminal: the alternate screen, drawn anew a few times a second, and restored at the end."""

import signal
import sys
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager, nullcontext

import trio
from rich.console import Console, RenderableType

from cgrx._cli.terminal.exits import CommandError, Exit
from cgrx._cli.terminal.keyboard import Keyboard
from cgrx._cli.terminal.redrawing import redrawn
from cgrx._cli.terminal.tasks import beside


@asynccontextmanager
async def screen(
    console: Console,
    draw: Callable[[int, int], RenderableType],
    keyboard: Keyboard | None = None,
    press: Callable[[str], object] = lambda _: None,
) -> AsyncGenerator[None, None]:
    """Draw while the body runs; `draw(width, height)` gives the picture of the moment.

    Each key goes to `press`, and the picture is drawn anew at once. Ctrl-Z gives the terminal back until the shell
    goes on with the command.

    Raises:
        CommandError: the terminal is gone.
    """

    def renderable() -> RenderableType:
        return draw(console.width, console.height)

    try:
        async with redrawn(console, renderable, screen=True) as live, AsyncExitStack() as stack:
            if keyboard is not None:

                def pressed(key: str) -> None:
                    press(key)
                    live.refresh()

                stack.enter_context(keyboard.typing())
                await stack.enter_async_context(beside(lambda: keyboard.read(pressed)))
                stopping = stack.enter_context(_stop_signals())
                await stack.enter_async_context(beside(lambda: _suspending(stopping, console, keyboard)))
            yield
    except OSError as error:
        raise CommandError(Exit.FAILED, f"cannot write to the terminal: {error.strerror}") from error


def _stop_signals() -> AbstractContextManager[AsyncIterator[int] | None]:
    """Ctrl-Z and its end; None where Ctrl-Z is ignored, as under a shell without job control."""
    if sys.platform == "win32" or signal.getsignal(signal.SIGTSTP) != signal.SIG_DFL:
        return nullcontext()
    return trio.open_signal_receiver(signal.SIGTSTP, signal.SIGCONT)


async def _suspending(signals: AsyncIterator[int] | None, console: Console, keyboard: Keyboard) -> None:
    """Leave the terminal before Ctrl-Z stops the process, and take it again when the process goes on."""
    if signals is None:
        return
    async for number in signals:
        if number == signal.SIGTSTP:
            keyboard.end()
            console.show_cursor()
            console.set_alt_screen(enable=False)
            _stop()
            console.set_alt_screen(enable=True)
            console.show_cursor(show=False)
        keyboard.begin()


def _stop() -> None:
    """Stop this process as Ctrl-Z does without us; return when it goes on."""
    ours = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
    signal.pthread_kill(threading.get_ident(), signal.SIGTSTP)
    signal.signal(signal.SIGTSTP, ours)
