"""`cgrx replay`: recordings, to standard output, as `cgrx watch` shows the feed."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from pathlib import Path

import attrs

from cgrx import Replay, replay
from cgrx._cli.commands.choice import Choice, flow_of
from cgrx._cli.commands.metrics import MetricsAt, serving
from cgrx._cli.terminal.bar import Done, bar
from cgrx._cli.terminal.command import print_text, run_command
from cgrx._cli.terminal.exits import CommandError, Exit
from cgrx._cli.terminal.reports import reporting
from cgrx._cli.terminal.status import Status
from cgrx._cli.terminal.streams import Terminal
from cgrx._cli.terminal.text import date, second
from cgrx._cli.view.viewer import Show, Viewer
from cgrx.metrics import Collector


@attrs.frozen(kw_only=True)
class Replayed:
    """What to replay, and how."""

    folders: Sequence[Path]
    choice: Choice[Replay]
    speed: float
    start: str | None
    """ISO 8601; None from the beginning."""
    end: str | None
    """ISO 8601; None to the end."""
    trades: Choice[Replay] | None = None
    """Those whose flow is joined."""


async def replay_files(request: Replayed, show: Show, terminal: Terminal, metrics: MetricsAt | None = None) -> int:
    """Run the command, and return its exit code."""
    if show.explains:
        return await print_text(Viewer(show, terminal).explanation(request.choice.filters), terminal)
    status = None if terminal.bar is None else Status(terminal.bar)
    viewer = Viewer(
        show, terminal if status is None else attrs.evolve(terminal, write_error=status.over(terminal.write_error))
    )

    async def work() -> None:
        with reporting(viewer.say):
            async with serving(metrics, terminal) as count, _opened(request) as feed:
                count(lambda: Collector(feed, streams=viewer.queues, pipelines=viewer.pipelines, sinks=viewer.sinks))
                chosen = request.choice.of(feed), flow_of(request.trades, feed)
                async with nullcontext() if status is None else status.showing(bar(lambda: _done(feed))):
                    await viewer.run(feed, lambda _: chosen, lambda: _where(feed))

    return await run_command(work, terminal, conclude=viewer.conclude)


def _opened(request: Replayed) -> AbstractAsyncContextManager[Replay]:
    try:
        return replay(request.folders, speed=request.speed, start=request.start, end=request.end)
    except ValueError as error:
        raise CommandError(Exit.USAGE, str(error)) from error


def _done(feed: Replay) -> Done:
    progress = feed.progress
    return Done(progress.fraction, progress.events, _moment(progress.now_ms))


def _where(feed: Replay) -> str:
    progress = feed.progress
    return f"{progress.fraction:.0%} at {_moment(progress.now_ms)} of {_moment(progress.end_ms)}"


def _moment(time_ms: int) -> str:
    return f"{date(time_ms)} {second(time_ms)}"
