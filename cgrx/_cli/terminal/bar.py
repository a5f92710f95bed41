"""A progress bar on standard error, for a terminal that shows nothing else at that moment."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import attrs
import trio
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.text import Text

from cgrx._cli.terminal.screen import REFRESH_S
from cgrx._cli.terminal.tasks import beside


@attrs.frozen
class Done:
    """How far a replay or an import has come."""

    fraction: float
    """0 to 1."""
    events: int
    where: str
    """The moment of the recording that it has reached, as text; empty where there is none."""


@attrs.define(eq=False)
class Bar:
    """The bar, and whether it is drawn."""

    console: Console
    drawn: bool = False

    def over(self, write: Callable[[str], object]) -> Callable[[str], object]:
        """A function that writes lines as `write` does; while the bar is drawn, above the bar."""

        def say(line: str) -> None:
            if self.drawn:
                self.console.print(Text(line.rstrip("\n")), soft_wrap=True)
            else:
                write(line)

        return say

    @asynccontextmanager
    async def showing(self, done: Callable[[], Done]) -> AsyncGenerator[None, None]:
        """Draw it while the body runs, and then wipe it away."""
        progress = Progress(
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[where]}"),
            TextColumn("{task.fields[rate]:,.0f} events/s"),
            TimeRemainingColumn(),
            console=self.console,
            auto_refresh=False,  # rich would refresh in a thread: a task of ours does
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
            get_time=trio.current_time,
        )
        task = progress.add_task("", total=1.0, where="", rate=0.0)
        began = trio.current_time()

        def update() -> None:
            now = done()
            seconds = trio.current_time() - began
            rate = now.events / seconds if seconds > 0 else 0.0
            progress.update(task, completed=now.fraction, where=now.where, rate=rate)
            progress.refresh()

        async def refresh() -> None:
            while True:
                update()
                await trio.sleep(REFRESH_S)

        with progress:
            self.drawn = True
            try:
                async with beside(refresh):
                    yield
            finally:
                self.drawn = False
                update()
