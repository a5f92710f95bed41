"""`cgrx record`: channels of the feed, or of another server, into a folder."""

import math
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import attrs
import trio
from rich.console import RenderableType

from cgrx import Channel, Feed, Recorder, on_drain, record
from cgrx._cli.commands.metrics import MetricsAt, serving
from cgrx._cli.commands.watch import connected
from cgrx._cli.terminal.command import run_command
from cgrx._cli.terminal.exits import CommandError, Exit
from cgrx._cli.terminal.reports import reporting
from cgrx._cli.terminal.status import Status
from cgrx._cli.terminal.streams import Terminal
from cgrx._cli.terminal.tasks import beside
from cgrx._cli.terminal.text import counted
from cgrx._cli.view.recording import Recorded, picture
from cgrx._cli.view.tally import Tally
from cgrx.metrics import Collector

_STATUS_EVERY_S = 60.0
"""Where no terminal shows what is recorded. It may be for days: more lines would fill a log."""


@attrs.frozen(kw_only=True)
class Record:
    """What to record, and where."""

    url: str
    channels: tuple[Channel, ...]
    folder: Path
    seconds: float = math.inf
    """How long, from the first connection on."""
    flush_every_s: float = 1.0
    connect_timeout_s: float = 30.0
    proxy: str | None = None


@attrs.define
class _Run:
    recorder: Recorder | None = None
    recorders: dict[str, Recorder] = attrs.field(factory=dict[str, Recorder])
    """The same for the metrics."""
    began: float = 0.0
    ended: float = math.inf

    @property
    def seconds(self) -> float:
        """How long the recording has lasted so far, or lasted in all."""
        return min(self.ended, trio.current_time()) - self.began

    def summary(self, recorder: Recorder) -> str:
        stats, seconds = recorder.stats, self.seconds
        return ", ".join(
            [
                f"{counted(stats.recorded, 'event')} in {seconds:.1f} s"
                + (f" ({stats.recorded / seconds:,.1f}/s)" if seconds else ""),
                *([f"{counted(stats.lost, 'event')} lost"] if stats.lost else []),
                f"{recorder.folder} has {counted(stats.parts, 'part')} of {counted(stats.bytes, 'byte')}",
            ]
        )


async def record_feed(request: Record, terminal: Terminal, metrics: MetricsAt | None = None) -> int:
    """Run the command, and return its exit code."""
    run = _Run()
    status = None if terminal.status is None else Status(terminal.status)
    if status is not None:
        terminal = attrs.evolve(terminal, write_error=status.over(terminal.write_error))

    async def work() -> None:
        try:
            with reporting(terminal.say):
                async with (
                    serving(metrics, terminal) as count,
                    connected(request.url, request.connect_timeout_s, request.proxy) as feed,
                ):
                    count(lambda: Collector(feed, recorders=run.recorders))
                    await _record(request, feed, run, terminal, status)
        except ImportError as error:
            raise CommandError(Exit.NO_EXTRA, str(error)) from error
        except OSError as error:
            raise CommandError(Exit.FAILED, f"cannot record: {error}") from error

    async def conclude(exit_code: int) -> int:
        if run.recorder is None:
            return exit_code
        terminal.say(run.summary(run.recorder))
        return exit_code if run.recorder.error is None else Exit.FAILED

    return await run_command(work, terminal, conclude=conclude)


async def _record(request: Record, feed: Feed, run: _Run, terminal: Terminal, status: Status | None) -> None:
    """Record until the time is over, the feed ends, or the recorder fails."""
    async with record(feed, request.folder, channels=request.channels, flush_every=request.flush_every_s) as recorder:
        run.recorder, run.began = recorder, trio.current_time()
        run.recorders["output"] = recorder
        terminal.say(f"recording {', '.join(each.name for each in request.channels)} to {request.folder}")
        try:
            async with _telling(request, feed, run, recorder, terminal, status):
                with trio.move_on_after(request.seconds) as recording, on_drain(recording.cancel):
                    await recorder.failed()
                    raise CommandError(
                        Exit.FAILED, "nothing can be recorded any more; what was written before is there"
                    )
                await feed.aclose()
        finally:
            run.ended = trio.current_time()


def _telling(
    request: Record, feed: Feed, run: _Run, recorder: Recorder, terminal: Terminal, status: Status | None
) -> AbstractAsyncContextManager[None]:
    """Tell while the body runs what has been recorded: drawn on a terminal, in a line a minute elsewhere."""
    if status is None:
        return beside(lambda: _say_status(run, recorder, terminal))
    tally = Tally()

    def draw(width: int) -> RenderableType:
        tally.events = recorder.stats.events
        return picture(
            Recorded(
                stats=recorder.stats,
                feed=feed.stats,
                rate=tally.rate(trio.current_time()),
                elapsed_s=run.seconds,
                seconds=request.seconds,
            ),
            width,
        )

    return status.showing(draw)


async def _say_status(run: _Run, recorder: Recorder, terminal: Terminal) -> None:
    while True:
        await trio.sleep(_STATUS_EVERY_S)
        terminal.say(run.summary(recorder))
