"""`--engine spark`: the rows of a window, computed on Spark, to standard output as lines."""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import attrs
import trio

from cgrx import Channel, EventStream, Feed, FuturesTrades, Recording, merge, on_drain
from cgrx import operators as ops
from cgrx._cli.terminal.command import run_command
from cgrx._cli.terminal.exits import CommandError, Exit
from cgrx._cli.terminal.streams import Terminal
from cgrx._cli.view.row_text import row_formats
from cgrx._cli.view.viewer import Show
from cgrx.engines import spark

_LOOK_S = 0.5
"""How often a run behind a log looks whether it is to end."""


@attrs.frozen
class Behind:
    """A log to read, and where the state is kept."""

    log: str
    checkpoint: Path


@attrs.frozen(kw_only=True)
class OnSpark:
    """What to compute, and from where."""

    source: Behind | spark.Recordings
    channels: Sequence[Channel]
    filters: tuple[ops.Stage[Any, Any], ...] = ()


@attrs.frozen
class Windowed:
    """The pipeline of some channels: the filters of each, and the window behind them."""

    filters: tuple[ops.Stage[Any, Any], ...]
    window: tuple[ops.Stage[Any, Any], ...]

    def __call__(self, feed: Feed, *channels: Channel) -> EventStream[Any]:
        streams: list[EventStream[Any]] = [feed.channel(channel).pipe(*self.filters) for channel in channels]
        found: EventStream[Any] = merge(*streams).pipe(*self.window)
        return found


def recorded_channels(folders: Sequence[Path], chosen: Sequence[Channel]) -> Sequence[Channel]:
    """The channels that are chosen, or those of all trades that are recorded.

    Raises:
        CommandError: there are none.
    """
    recorded = (channel for folder in folders for channel in Recording(folder).channels)
    held = chosen or [channel for channel in recorded if isinstance(channel, FuturesTrades)]
    if not held:
        raise CommandError(Exit.FAILED, "no trades are recorded there")
    return tuple(dict.fromkeys(held))


async def rows_on_spark(request: OnSpark, show: Show, terminal: Terminal) -> int:
    """Run the command, and return its exit code."""
    window = show.window
    if window is None or window.join is not None or window.running or show.deliveries.targets:
        raise CommandError(
            Exit.USAGE,
            "--engine spark writes the final rows of --window as lines: give it, without --join, --running and --to",
        )
    build = Windowed(request.filters, (window.stage(updates=False), *window.leaders()))
    # A group of its own has the gaps of its instrument alone; one stream of all has those of all.
    is_of_one = {"exchange", "symbol"} <= set(window.row.key_fields) and window.top is None
    lines = row_formats(window.shown, escape_formulas=show.escape_formulas)[show.format]

    def take(rows: list[Any]) -> None:
        trio.from_thread.run(terminal.output.write, lines.lines(rows))

    arguments: dict[str, Any] = {
        "channels": list(request.channels) if is_of_one else [tuple(request.channels)],
        "sink": spark.Rows(take),
        "source": request.source,
    }
    stopping = threading.Event()

    def compute() -> None:
        """In a thread, since Spark blocks."""
        if isinstance(request.source, spark.Recordings):
            spark.run(build, **arguments)
            return
        with spark.start(build, checkpoint=request.source.checkpoint, **arguments) as query:
            while not (stopping.is_set() or query.wait(_LOOK_S)):
                """It runs."""

    async def work() -> None:
        try:
            if isinstance(request.source, Behind):
                arguments["source"] = spark.Kafka(request.source.log)
            if show.explains:
                await terminal.output.write(f"{spark.explain(build, **arguments)}\n".encode())
                return
            await terminal.output.write(lines.header.encode())
            with on_drain(stopping.set):
                await trio.to_thread.run_sync(compute, abandon_on_cancel=True)
        except ImportError as error:
            raise CommandError(Exit.NO_EXTRA, str(error)) from error
        except (ValueError, TypeError) as error:
            raise CommandError(Exit.USAGE, str(error)) from error

    async def conclude(exit_code: int) -> int:
        return exit_code

    return await run_command(work, terminal, conclude=conclude)
