"""The standard streams as a command sees them: data goes to standard output, messages to standard error."""

import logging
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Literal, TextIO, TypeAlias

import attrs
from rich.console import Console

from cgrx import JsonFormatter
from cgrx._cli.terminal.keyboard import Keyboard
from cgrx._cli.terminal.output import Output
from cgrx._cli.terminal.text import one_line

LogFormat: TypeAlias = Literal["text", "json"]
"""How messages are written to standard error."""


def _nowhere(_: bytes) -> int:
    raise BrokenPipeError


def text_line(text: str, _: logging.LogRecord | None = None, __: int = logging.INFO) -> str:
    """A message as a line of text."""
    return f"cgrx: {one_line(text)}\n"


def json_line(text: str, record: logging.LogRecord | None = None, level: int = logging.INFO) -> str:
    """A message as a line of JSON, with the fields of `cgrx.JsonFormatter`."""
    said = record or logging.LogRecord("cgrx", level, "", 0, text, None, None)
    return f"{_JSON.format(said)}\n"


_JSON = JsonFormatter()
_LINES: dict[LogFormat, Callable[[str, logging.LogRecord | None, int], str]] = {"text": text_line, "json": json_line}


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
    line: Callable[[str, logging.LogRecord | None, int], str] = text_line
    """Makes the line of a message: of its text, the log record that it tells, if any, and else its level."""
    bar: Console | None = None
    """Standard error, where it is a terminal that a progress bar can be drawn on: nothing else is shown there."""
    status: Console | None = None
    """Standard error, where it is a terminal that can be drawn on, for commands that write no data."""
    keyboard: Keyboard | None = None
    """Standard input, where it is a terminal."""

    def say(self, text: str, record: logging.LogRecord | None = None, *, level: int = logging.INFO) -> None:
        """Write the text as one escaped line to standard error; do nothing where standard error is gone.

        Args:
            text: the message.
            record: the log record that it tells, if it tells one: as JSON its fields are written, not the text.
            level: how grave it is where there is no record; only JSON shows it.
        """
        with suppress(OSError):
            self.write_error(self.line(text, record, level))

    @classmethod
    def of_process(cls, log_format: LogFormat = "text") -> "Terminal":
        """The standard streams of this process."""
        console = Console(highlight=False, markup=False, emoji=False)
        # Neither is there under pythonw, or where the shell closed it.
        out: TextIO | None = sys.stdout
        err: TextIO | None = sys.stderr
        status = _drawable(err)
        return cls(
            output=Output(_nowhere if out is None else _raw_write(out)),
            write_error=_unheard if err is None else _line_writer(err),
            console=console,
            is_live=out is not None and out.isatty() and not console.is_dumb_terminal,
            is_shared=err is not None and err.isatty(),
            line=_LINES[log_format],
            bar=None if out is not None and out.isatty() else status,
            status=status,
            keyboard=Keyboard.of(sys.stdin),
        )


def _drawable(err: TextIO | None) -> Console | None:
    if err is None or not err.isatty():
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
