"""The standard streams as a command sees them: data goes to standard output, messages to standard error."""

import sys
from collections.abc import Callable
from contextlib import suppress
from typing import TextIO

import attrs
from rich.console import Console

from cgrx._cli.terminal.output import Output
from cgrx._cli.terminal.text import one_line


def _nowhere(_: bytes) -> int:
    raise BrokenPipeError


@attrs.frozen
class Terminal:
    """Where a command writes its data and its messages."""

    output: Output
    """Standard output."""
    write_error: Callable[[str], object]
    """Writes to standard error."""
    console: Console
    """Standard output again, for the live table."""
    is_live: bool
    """Standard output is a terminal that can be drawn on."""
    is_shared: bool
    """Standard error is a terminal too: lines written to it while the table is drawn would spoil it."""
    bar: Console | None = None
    """Standard error, where it is a terminal that a progress bar can be drawn on: nothing else is shown there."""

    def say(self, text: str) -> None:
        """Write the text as one escaped line to standard error; do nothing where standard error is gone."""
        with suppress(OSError):
            self.write_error(f"cgrx: {one_line(text)}\n")

    @classmethod
    def of_process(cls) -> "Terminal":
        """The standard streams of this process."""
        console = Console(highlight=False, markup=False, emoji=False)
        # Neither is there under pythonw, or where the shell closed it.
        out: TextIO | None = sys.stdout
        err: TextIO | None = sys.stderr
        return cls(
            output=Output(_nowhere if out is None else _raw_write(out)),
            write_error=_unheard if err is None else _line_writer(err),
            console=console,
            is_live=out is not None and out.isatty() and not console.is_dumb_terminal,
            is_shared=err is not None and err.isatty(),
            bar=_bar(out, err),
        )


def _bar(out: TextIO | None, err: TextIO | None) -> Console | None:
    if err is None or not err.isatty() or (out is not None and out.isatty()):
        return None
    console = Console(file=err, highlight=False, markup=False, emoji=False)
    return None if console.is_dumb_terminal else console


def _raw_write(stream: TextIO) -> Callable[[bytes], int | None]:
    return getattr(stream.buffer, "raw", stream.buffer).write


def _line_writer(stream: TextIO) -> Callable[[str], object]:
    # Unbuffered: bytes that a broken pipe leaves in a buffer would raise again when the interpreter exits.
    write = _raw_write(stream)
    return lambda line: write(line.encode(stream.encoding, "backslashreplace"))


def _unheard(_: str) -> None:
    pass
