"""Terminals that remember, for tests of the command line."""

import io
from collections.abc import Awaitable, Callable

import attrs
import trio
from rich.console import Console

from cgrx._cli.terminal.command import run_to_exit
from cgrx._cli.terminal.output import Output
from cgrx._cli.terminal.streams import Terminal
from tests.support import LIMIT_S


def exit_code_of(command: Callable[[], Awaitable[int]]) -> int:
    """Run a command as the program does, with the signals that come to this process; it fails after `LIMIT_S` s."""

    async def limited() -> int:
        with trio.fail_after(LIMIT_S):
            return await command()

    return run_to_exit(limited)


@attrs.define
class Heard:
    """A terminal and what reached it."""

    data: bytearray = attrs.field(factory=bytearray)
    """What was written to standard output."""
    said: list[str] = attrs.field(factory=list[str])
    """The lines on standard error."""
    drawn: io.StringIO = attrs.field(factory=io.StringIO)
    """What was drawn, escape sequences included."""
    on_data: Callable[[bytes], int | None] | None = None
    """Writes in place of remembering."""
    _more_said: trio.Event = attrs.field(factory=trio.Event)

    def terminal(self, *, live: bool = False, shared: bool = True, width: int = 100, height: int = 30) -> Terminal:
        console = Console(file=self.drawn, force_terminal=True, width=width, height=height, color_system="standard")
        return Terminal(Output(self._write), self._say, console, is_live=live, is_shared=shared)

    def of_process(self, *_: object) -> Terminal:
        """In place of `Terminal.of_process`, whatever it is given."""
        return self.terminal()

    @property
    def text(self) -> str:
        return self.data.decode()

    @property
    def lines(self) -> list[str]:
        return self.text.splitlines()

    @property
    def last_words(self) -> str:
        return self.said[-1].removeprefix("cgrx: ").rstrip("\n")

    def has_said(self, text: str) -> bool:
        return any(text in line for line in self.said)

    async def wait_said(self, text: str) -> None:
        """Wait until a line with this text has been said."""
        while not self.has_said(text):
            await self._more_said.wait()

    def _say(self, line: str) -> None:
        self.said.append(line)
        self._more_said.set()
        self._more_said = trio.Event()

    def _write(self, data: bytes) -> int | None:
        if self.on_data is not None:
            return self.on_data(data)
        self.data += data
        return len(data)
