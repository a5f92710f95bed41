"""Lines at the bottom of standard error that are drawn anew, while the messages of a command go above them."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import attrs
from rich.console import Console, RenderableType
from rich.text import Text

from cgrx._cli.terminal.redrawing import redrawn


@attrs.define(eq=False)
class Status:
    """What is drawn there, and whether it is."""

    console: Console
    drawn: bool = False

    def over(self, write: Callable[[str], object]) -> Callable[[str], object]:
        """A function that writes lines as `write` does; while something is drawn, above it."""

        def say(line: str) -> None:
            if self.drawn:
                self.console.print(Text(line.rstrip("\n")), soft_wrap=True)
            else:
                write(line)

        return say

    @asynccontextmanager
    async def showing(self, draw: Callable[[int], RenderableType]) -> AsyncGenerator[None, None]:
        """Draw while the body runs, and then wipe it away; `draw(width)` gives the lines of the moment."""
        try:
            async with redrawn(self.console, lambda: draw(self.console.width)):
                self.drawn = True
                yield
        finally:
            self.drawn = False
