"""`cgrx import`: files that others wrote become a recording."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Literal

import attrs
import trio

from cgrx import Imported, import_csv, import_jsonl, on_drain
from cgrx._cli.terminal.bar import Done, bar
from cgrx._cli.terminal.command import run_command
from cgrx._cli.terminal.exits import CommandError, Exit
from cgrx._cli.terminal.status import Status
from cgrx._cli.terminal.streams import Terminal
from cgrx._cli.terminal.text import counted

_SHOWN = 5
"""How many rejected rows get a line each; all of them are in the file of rejects."""


class _InterruptedError(Exception):
    """Raised where the import reports its progress, once a signal has come; it ends the import there."""


@attrs.frozen(kw_only=True)
class Import:
    """What to import, and how."""

    files: Sequence[Path]
    to: Path
    events: Literal["liquidations", "trades"]
    is_csv: bool
    columns: Mapping[str, str]
    constants: Mapping[str, str]
    received: str | None
    min_volume: float
    gapless: bool
    rejects: Path | None


@attrs.define
class _Run:
    """An import under way; its thread writes, the event loop reads."""

    events: int = 0
    stop: bool = False
    """A signal has come."""
    stopped: bool = False
    """The import has ended because of it."""

    def progress(self, imported: Imported) -> None:
        self.events = imported.events
        if self.stop:
            raise _InterruptedError


async def import_files(request: Import, terminal: Terminal) -> int:
    """Run the command, and return its exit code."""
    run = _Run()

    def stop() -> None:
        run.stop = True

    async def work() -> None:
        drawn = bar(lambda: Done(0.0, run.events, ""))
        async with nullcontext() if terminal.bar is None else Status(terminal.bar).showing(drawn):
            try:
                with on_drain(stop):  # ends the thread in order, so that the files are whole
                    imported = await trio.to_thread.run_sync(_import, request, run.progress)
                for line in _words(request, imported):
                    terminal.say(line)
            except _InterruptedError:
                run.stopped = True
            except (ValueError, ImportError) as error:
                raise CommandError(Exit.USAGE, str(error)) from error
            except OSError as error:
                raise CommandError(Exit.FAILED, str(error)) from error

    async def conclude(exit_code: int) -> int:
        if run.stopped:
            terminal.say(f"interrupted: {request.to} holds a part of the files")
        return exit_code

    return await run_command(work, terminal, conclude=conclude)


def _import(request: Import, progress: Callable[[Imported], None]) -> Imported:
    if request.is_csv:
        read: Callable[..., Imported] = partial(import_csv, columns=request.columns, constants=request.constants)
    elif request.columns or request.constants:
        raise ValueError("--columns and --constants are for --csv: the keys of JSON are the fields' own")
    else:
        read = import_jsonl
    return read(
        request.files,
        request.to,
        events=request.events,
        received=request.received,
        min_volume=request.min_volume,
        gapless=request.gapless,
        rejects=request.rejects,
        progress=progress,
    )


def _words(request: Import, imported: Imported) -> list[str]:
    lines = [
        f"rejected {reject.file}, line {reject.line}, at {reject.path}: {reject.reason}"
        for reject in imported.rejects[:_SHOWN]
    ]
    if imported.rejected > len(lines):
        lines.append(f"rejected {counted(imported.rejected - len(lines), 'more row')}")
    if imported.rejects_file is not None:
        lines.append(f"all rejected rows are in {imported.rejects_file}")
    lines.append(
        f"{counted(imported.events, 'event')} of {counted(len(imported.channels), 'channel')} in {request.to},"
        f" {counted(imported.rejected, 'row')} rejected"
    )
    return lines
