"""How every command runs: its work until done, failed or interrupted, then the last lines and the exit code."""

from collections.abc import Awaitable, Callable

from cgrx import CgrxError
from cgrx._cli.terminal.exits import Exit, explain
from cgrx._cli.terminal.output import ReaderGoneError
from cgrx._cli.terminal.streams import Terminal
from cgrx._cli.terminal.tasks import interruptible


def _nothing() -> None:
    pass


async def run_command(
    work: Callable[[], Awaitable[None]],
    terminal: Terminal,
    *,
    conclude: Callable[[int], Awaitable[int]],
    on_signal: Callable[[], None] = _nothing,
) -> int:
    """Run a command's work, and return the exit code. Ctrl-C, SIGTERM and SIGHUP cancel the work.

    A `CgrxError` ends the command: its text becomes the last line. Where the reader of standard output has gone, the
    command ends with 0, without `conclude` and without a line.

    Args:
        work: what the command does.
        terminal: where the last line goes.
        conclude: called after the work, whether it was done, failed with a `CgrxError` or was interrupted: takes the
            exit code so far, writes a summary, and returns the exit code. That of a signal takes precedence.
        on_signal: called before a signal cancels the work.
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


async def print_text(text: str, terminal: Terminal) -> int:
    """Write a text to standard output as all that a command does, and return the exit code."""

    async def conclude(exit_code: int) -> int:
        return exit_code

    return await run_command(lambda: terminal.output.write(f"{text}\n".encode()), terminal, conclude=conclude)
