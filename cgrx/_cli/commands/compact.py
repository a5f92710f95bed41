"""`cgrx compact`: the finished parts of recordings, rewritten so that each channel stands together."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path

import attrs
import trio

from cgrx import Compacted, compact, on_drain
from cgrx._cli.terminal.bar import Done, bar
from cgrx._cli.terminal.command import run_command
from cgrx._cli.terminal.exits import CommandError, Exit
from cgrx._cli.terminal.status import Status
from cgrx._cli.terminal.streams import Terminal
from cgrx._cli.terminal.text import counted


class _InterruptedError(Exception):
    """Raised where the work tells its progress, once a signal has come; it ends there."""


@attrs.define
class Rows:
    """How far reading or writing rows has come; its thread writes, the event loop reads."""

    done: int = 0
    total: int = 0
    stop: bool = False
    """A signal has come."""

    def tell(self, done: int, total: int) -> None:
        """So many rows of so many are done."""
        self.done, self.total = done, total
        if self.stop:
            raise _InterruptedError

    def end(self) -> None:
        """Let the work end where it tells its progress next."""
        self.stop = True

    def shown(self) -> Done:
        """As a bar shows it."""
        return Done(self.done / self.total if self.total else 0.0, self.done, "")


async def compact_recordings(folders: Sequence[Path], to: Path | None, terminal: Terminal) -> int:
    """Run the command, and return its exit code."""

    def work(tell: Callable[[int, int], object]) -> list[str]:
        if to is not None:
            return [_words(compact(folders, to=to, progress=tell))]
        return [_words(compact(folder, progress=tell)) for folder in folders]

    async def run() -> None:
        for line in await in_thread(work, terminal, "interrupted: the recording is as it was"):
            terminal.say(line)

    async def conclude(exit_code: int) -> int:
        return exit_code

    return await run_command(run, terminal, conclude=conclude)


async def in_thread(
    work: Callable[[Callable[[int, int], object]], list[str]], terminal: Terminal, interrupted: str
) -> list[str]:
    """The lines that some work returns, which a thread does and a bar shows; `interrupted` where a signal has ended it.

    Raises:
        CommandError: it failed.
    """
    rows = Rows()
    async with nullcontext() if terminal.bar is None else Status(terminal.bar).showing(bar(rows.shown)):
        try:
            with on_drain(rows.end):  # ends the thread in order
                return await trio.to_thread.run_sync(work, rows.tell)
        except _InterruptedError:
            return [interrupted]
        except (ValueError, ImportError) as error:
            raise CommandError(Exit.USAGE, str(error)) from error
        except OSError as error:
            raise CommandError(Exit.FAILED, str(error)) from error


def _words(compacted: Compacted) -> str:
    if not compacted.parts:
        return f"{compacted.folder} is by channel already"
    return (
        f"{compacted.folder}: {counted(compacted.parts, 'part')} by channel,"
        f" {counted(compacted.rows, 'row')} of {counted(compacted.channels, 'channel')},"
        f" {compacted.bytes_before:,} bytes before, {compacted.bytes:,} now"
    )
