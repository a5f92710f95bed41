"""How every command runs: its work until done, failed or ended by a signal, then the last lines and the exit code."""

import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

from cgrx import CgrxError, run
from cgrx._cli.terminal.exits import Exit, explain
from cgrx._cli.terminal.output import ReaderGoneError
from cgrx._cli.terminal.streams import Terminal


def run_to_exit(command: Callable[[], Awaitable[int]]) -> int:
    """Run a command on trio, and return its exit code: 128 and the number of the signal, where one has ended it."""
    numbers: list[int] = []
    exit_code: int = Exit.DONE
    with suppress(KeyboardInterrupt, SystemExit):  # so `run` tells that a signal has
        exit_code = run(command, on_signal=numbers.append)
    return 128 + numbers[0] if numbers else exit_code


async def run_command(
    work: Callable[[], Awaitable[None]],
    terminal: Terminal,
    *,
    conclude: Callable[[int], Awaitable[int]],
) -> int:
    """Do a command's work, and return the exit code. A signal closes its feed, and the work ends in good order.

    A `CgrxError` ends the command: its text becomes the last line. Where the reader of standard output has gone, the
    command ends with 0, without `conclude` and without a line.

    Args:
        work: what the command does.
        terminal: where the last line goes.
        conclude: called after the work, whether it was done, failed with a `CgrxError` or was closed by a signal: takes
            the exit code so far, writes a summary, and returns the exit code. That of a signal takes precedence.
    """
    exit_code: int = Exit.DONE
    last_line = ""
    try:
        await work()
    except ReaderGoneError:
        return Exit.DONE
    except CgrxError as error:
        exit_code, last_line = explain(error)
    exit_code = await conclude(exit_code)
    if last_line:
        terminal.say(last_line, level=logging.ERROR)
    return exit_code


async def print_text(text: str, terminal: Terminal) -> int:
    """Write a text to standard output as all that a command does, and return the exit code."""

    async def conclude(exit_code: int) -> int:
        return exit_code

    return await run_command(lambda: terminal.output.write(f"{text}\n".encode()), terminal, conclude=conclude)
