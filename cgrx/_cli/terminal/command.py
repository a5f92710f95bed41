"""How every command runs: its work until done, failed or interrupted, then the last lines and the exit code."""

from collections.abc import Awaitable, Callable

from cgrx import CgrxError
from cgrx._cli.terminal.exits import Exit, explain
from cgrx._cli.terminal.output import ReaderGoneError
from cgrx._cli.terminal.streams import Terminal
from cgrx._cli.terminal.tasks import interruptible


def _nothing() -> None:
    pass


async def _as_it_is(exit_code: int) -> int:
    return exit_code


async def run_command(
    work: Callable[[], Awaitable[None]],
    terminal: Terminal,
    *,
    on_signal: Callable[[], None] = _nothing,
    conclude: Callable[[int], Awaitable[int]] = _as_it_is,
) -> int:
    """Run a command's work; the exit code. Ctrl-C, SIGTERM and SIGHUP cancel the work.

    What a `CgrxError` says is the command's last line. Nothing is said where nobody reads standard output any more.

    Args:
        work: what the command does.
        terminal: where the last line goes.
        on_signal: called before a signal cancels the work.
        conclude: called after the work, however it ended: takes the exit code so far, says a summary, and gives the
            exit code. That of a signal takes precedence.
    """
    exit_code: int = Exit.DONE
    last_line = ""
    async with interruptible(on_signal) as interruption:
        try:
            await work()
        except ReaderGoneError:
            return Exit.DONE
        except CgrxError as error:
            exit_code, last_line = explain(error)
    exit_code = await conclude(exit_code)
    if last_line:
        terminal.say(last_line)
    return interruption.exit_code or exit_code
