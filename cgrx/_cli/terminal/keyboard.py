"""Keys, read as they are pressed while the live table is drawn; the terminal is as it was before when that ends.

There is no thread: trio waits until something was typed. Ctrl-C and Ctrl-Z stay signals. Where standard input is no
terminal, where the command runs in the background, and on Windows there are no keys, and all else works.
"""

import codecs
import os
import re
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO

import attrs
import trio

if sys.platform != "win32":  # pragma: no branch - there are no keys on Windows
    import termios

_TOKEN = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|O.)|.", re.DOTALL)
"""A sequence that a key such as an arrow sends, or one character."""

_NAMES = {"\r": "enter", "\n": "enter", "\x1b": "escape", "\x7f": "backspace", "\x08": "backspace"}

_PAUSE_S = 0.2
"""Before another look at a terminal from which somebody else reads."""


def keys_of(text: str) -> Iterator[str]:
    """The keys that were pressed: characters, `enter`, `escape` and `backspace`; all others are left out."""
    for token in _TOKEN.finditer(text):
        name = _NAMES.get(token[0], token[0])
        if name.isprintable():
            yield name


@attrs.define(eq=False)
class Keyboard:
    """A terminal that keys are read from, by its file descriptor."""

    fd: int
    _before: Any = None
    """Its attributes before; None while it is as it was."""

    @classmethod
    def of(cls, stream: TextIO | None) -> "Keyboard | None":
        """The keyboard behind a stream, if it is a terminal."""
        if sys.platform == "win32" or stream is None or not stream.isatty():
            return None
        return cls(stream.fileno())

    def begin(self) -> None:
        """Have keys come at once and unseen. Nothing in the background: there the kernel would stop the process."""
        with suppress(termios.error, OSError):  # no terminal any more, or not that of this session
            if self._before is not None or os.tcgetpgrp(self.fd) != os.getpgrp():
                return
            before = termios.tcgetattr(self.fd)
            flags, control = before[3] & ~(termios.ICANON | termios.ECHO), list(before[6])
            control[termios.VMIN] = control[termios.VTIME] = 0  # a read never waits, whoever reads as well
            termios.tcsetattr(self.fd, termios.TCSANOW, [*before[:3], flags, *before[4:6], control])
            self._before = before

    def end(self) -> None:
        """Make it as it was."""
        before, self._before = self._before, None
        if before is not None:
            with suppress(termios.error):
                termios.tcsetattr(self.fd, termios.TCSANOW, before)

    @contextmanager
    def typing(self) -> Generator[None]:
        """Keys come in the body."""
        self.begin()
        try:
            yield
        finally:
            self.end()

    async def read(self, press: Callable[[str], object]) -> None:
        """Call `press` with each key, until the terminal is gone."""
        decode = codecs.getincrementaldecoder("utf-8")("ignore").decode
        while True:
            await trio.lowlevel.wait_readable(self.fd)
            if self._before is None:  # in the background: what is typed is for the shell
                await trio.sleep(_PAUSE_S)
                continue
            try:
                data = os.read(self.fd, 1_024)
            except OSError:
                return
            if not data:  # the shell has read it
                await trio.sleep(_PAUSE_S)
            for key in keys_of(decode(data)):
                press(key)
