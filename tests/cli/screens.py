"""A process on a pseudo-terminal, and what stands on its screen: the sequences that the live table writes, no more."""

import os
import re
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from typing import Any

from cgrx import API_KEY_VARIABLE
from tests.support import LIMIT_S

COMMAND = (sys.executable, "-m", "cgrx")
ENVIRONMENT = {
    name: value for name, value in os.environ.items() if name not in (API_KEY_VARIABLE, "COLUMNS", "LINES")
} | {"TERM": "xterm-256color"}

_TOKEN = re.compile(r"\x1b\[([?\d;]*)([A-Za-z])|(\r)|(\n)|([^\x1b\r\n]+)")


class Picture:
    """A grid of characters, with a cursor that waits at the end of a full line as that of a real terminal does."""

    def __init__(self, columns: int, rows: int) -> None:
        self.columns, self.rows = columns, rows
        self.modes: set[str] = {"25"}
        """Those that are on: 1049 is the alternate screen, 25 the cursor."""
        self._lines = [[" "] * columns for _ in range(rows)]
        self._x = self._y = 0

    @property
    def lines(self) -> list[str]:
        return ["".join(line).rstrip() for line in self._lines]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    @property
    def is_whole(self) -> bool:
        """Whether no picture of the live table has come in part: its last line has no end."""
        return "1049" not in self.modes or (self._x, self._y) == (self.columns, self.rows - 1)

    def feed(self, text: str) -> None:
        for found in _TOKEN.finditer(text):
            argument, command, to_start, to_next, plain = found.groups()
            if command in ("h", "l"):
                (self.modes.add if command == "h" else self.modes.discard)(argument.removeprefix("?"))
            elif command == "H":
                self._x = self._y = 0
            elif command in ("J", "K"):
                for line in self._lines if command == "J" else [self._lines[self._y]]:
                    line[:] = [" "] * self.columns
            elif to_start:
                self._x = 0
            elif to_next:
                self._down()
            elif plain:
                self._write(plain)

    def _write(self, text: str) -> None:
        for character in text:
            if self._x == self.columns:
                self._x = 0
                self._down()
            self._lines[self._y][self._x] = character
            self._x += 1

    def _down(self) -> None:
        if self._y == self.rows - 1:
            self._lines = [*self._lines[1:], [" "] * self.columns]
        else:
            self._y += 1


class OnScreen:
    """A command on a pseudo-terminal of its own, the leader of a session as a shell is. See `on_screen`."""

    def __init__(
        self, arguments: tuple[str, ...], columns: int, rows: int, script: str, environment: dict[str, str]
    ) -> None:
        self._ours, self.theirs = os.openpty()
        self._waiting = b""
        self.text = ""
        """All that was written."""
        self.picture = Picture(columns, rows)
        self.resize(columns, rows)
        self.before = termios.tcgetattr(self.theirs)
        # The session takes the first terminal that it opens for its own: then Ctrl-C and Ctrl-Z are signals.
        self.process = subprocess.Popen(
            ("sh", "-c", f'exec <"$0" >"$0" 2>&1; {script}', os.ttyname(self.theirs), *COMMAND, *arguments),
            stdin=subprocess.DEVNULL,
            env=ENVIRONMENT | environment,
            start_new_session=True,
        )

    def resize(self, columns: int, rows: int) -> None:
        """Another size; what stood there is gone."""
        termios.tcsetwinsize(self.theirs, (rows, columns))
        modes = self.picture.modes
        self.picture = Picture(columns, rows)
        self.picture.modes = modes

    def type(self, keys: str) -> None:
        os.write(self._ours, keys.encode())

    def wait(self, holds: Callable[[Picture], Any]) -> Picture:
        """Read until the picture is as it should be."""
        limit = time.monotonic() + LIMIT_S
        while not (self.picture.is_whole and holds(self.picture)):
            assert time.monotonic() < limit, f"after {LIMIT_S:g} s there is:\n{self.picture.text}"
            self._read(0.05)
        return self.picture

    def wait_text(self, text: str) -> Picture:
        return self.wait(lambda picture: text in picture.text)

    def end(self, number: signal.Signals | None = None) -> int:
        """Send a signal, if any, and wait for the end: the exit code. The terminal has to be as it was before."""
        if number is not None:
            self.process.send_signal(number)
        limit = time.monotonic() + LIMIT_S
        while self.process.poll() is None:
            assert time.monotonic() < limit
            self._read(0.05)
        while self._read(0.0):
            pass
        self.require_as_before()
        return self.process.returncode

    def require_as_before(self) -> None:
        """The terminal is as a shell left it: keys, screen and cursor."""
        assert termios.tcgetattr(self.theirs) == self.before
        assert "1049" not in self.picture.modes
        assert "25" in self.picture.modes

    def close(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(LIMIT_S)
        os.close(self._ours)
        os.close(self.theirs)

    def _read(self, timeout_s: float) -> bool:
        if not select.select([self._ours], [], [], timeout_s)[0]:
            return False
        data = self._waiting + os.read(self._ours, 1 << 20)
        whole = data[: len(data) - _cut_off(data)]
        self._waiting = data[len(whole) :]
        self.text += whole.decode()
        self.picture.feed(whole.decode())
        return True


def _cut_off(data: bytes) -> int:
    """How many bytes at the end are of a character or of a sequence that is not whole yet."""
    escape = data.rfind(b"\x1b")
    if escape >= 0 and re.fullmatch(rb"\x1b(\[[?\d;]*)?", data[escape:]):
        return len(data) - escape
    for count in range(1, min(4, len(data)) + 1):
        byte = data[-count]
        if byte >= 0xC0:
            return count if count < (2 if byte < 0xE0 else 3 if byte < 0xF0 else 4) else 0
        if byte < 0x80:
            return 0
    return 0


@contextmanager
def on_screen(
    *arguments: str, columns: int = 100, rows: int = 30, script: str = 'exec "$@"', **environment: str
) -> Generator[OnScreen]:
    """A command on a pseudo-terminal while the body runs; `script` is for a shell that starts it."""
    screen = OnScreen(arguments, columns, rows, script, environment)
    try:
        yield screen
    finally:
        screen.close()
