"""A progress bar, for `Status` to draw."""

from collections.abc import Callable

import attrs
import trio
from rich.console import RenderableType
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn


@attrs.frozen
class Done:
    """How far a replay or an import has come."""

    fraction: float
    """0 to 1."""
    events: int
    where: str
    """The moment of the recording that it has reached, as text; empty where there is none."""


def bar(done: Callable[[], Done]) -> Callable[[int], RenderableType]:
    """The bar of the moment, with the rate since now; for any width."""
    progress = Progress(
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[where]}"),
        TextColumn("{task.fields[rate]:,.0f} events/s"),
        TimeRemainingColumn(),
        get_time=trio.current_time,
    )
    task = progress.add_task("", total=1.0, where="", rate=0.0)
    began = trio.current_time()

    def draw(_: int) -> RenderableType:
        now = done()
        seconds = trio.current_time() - began
        rate = now.events / seconds if seconds > 0 else 0.0
        progress.update(task, completed=now.fraction, where=now.where, rate=rate)
        return progress.get_renderable()

    return draw
