"""`cgrx import`: files that others wrote become a recording."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path

import attrs
import trio

from cgrx._cli.terminal.bar import Bar, Done
from cgrx._cli.terminal.exits import CommandError, Exit, explain
from cgrx._cli.terminal.streams import Terminal
from cgrx._cli.terminal.tasks import interruptible
from cgrx._cli.terminal.text import counted
from cgrx._importing.files import Imported, Kind, import_csv, import_jsonl
from cgrx._model.errors import CgrxError

_SHOWN = 5
"""So many rejected rows are said, the rest is in the file."""


class _InterruptedError(Exception):
    """The user has had enough: raised where the import looks up."""


@attrs.frozen(kw_only=True)
class Import:
    """What to import, and how."""

    files: Sequence[Path]
    to: Path
    events: Kind
    is_csv: bool
    columns: Mapping[str, str]
    constants: Mapping[str, str]
    received: str | None
    min_volume: float
    gapless: bool
    rejects: Path | None


def pairs(option: str, texts: Sequence[str]) -> dict[str, str]:
    """What `field=value,field=value` says."""
    found: dict[str, str] = {}
    for text in (each for given in texts for each in given.split(",")):
        field, equals, value = text.partition("=")
        if not equals or not field.strip() or not value.strip():
            raise CommandError(Exit.USAGE, f"{option} {text!r} cannot be read: give FIELD=VALUE, such as price=px")
        found[field.strip()] = value.strip()
    return found


async def import_files(request: Import, terminal: Terminal) -> int:
    """Run it; the exit code."""
    done = Done(0.0, 0, "")
    stopped = False

    def note(imported: Imported) -> None:
        nonlocal done
        done = attrs.evolve(done, events=imported.events)
        if stopped:
            raise _InterruptedError

    def stop() -> None:
        nonlocal stopped
        stopped = True

    exit_code, last_words = Exit.DONE, ""
    bar = nullcontext() if terminal.bar is None else Bar(terminal.bar).showing(lambda: done)
    async with interruptible(stop) as interruption, bar:
        try:
            imported = await trio.to_thread.run_sync(_import, request, note)  # ended by `stop`, with whole files
            for line in _words(request, imported):
                terminal.say(line)
        except _InterruptedError:
            last_words = f"interrupted: {request.to} holds a part of the files"
        except CgrxError as error:
            exit_code, last_words = explain(error)
        except (ValueError, ImportError) as error:
            exit_code, last_words = Exit.USAGE, str(error)
        except OSError as error:
            exit_code, last_words = Exit.FAILED, str(error)
    if last_words:
        terminal.say(last_words)
    return interruption.exit_code or exit_code


def _import(request: Import, progress: Callable[[Imported], None]) -> Imported:
    if request.is_csv:
        return import_csv(
            request.files,
            request.to,
            events=request.events,
            columns=request.columns,
            constants=request.constants,
            received=request.received,
            min_volume=request.min_volume,
            gapless=request.gapless,
            rejects=request.rejects,
            progress=progress,
        )
    if request.columns or request.constants:
        raise ValueError("--columns and --constants are for --csv: the keys of JSON are the fields' own")
    return import_jsonl(
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
