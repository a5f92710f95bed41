"""`cgrx record`: channels of the feed, or of another server, into a folder."""

import math
from pathlib import Path

import attrs
import trio

from cgrx import Channel, Feed, Recorder, on_drain, record
from cgrx._cli.commands.metrics import MetricsAt, serving
from cgrx._cli.commands.watch import connected
from cgrx._cli.terminal.command import run_command
from cgrx._cli.terminal.exits import CommandError, Exit
from cgrx._cli.terminal.reports import reporting
from cgrx._cli.terminal.streams import Terminal
from cgrx._cli.terminal.text import counted
from cgrx.metrics import Collector


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

    def summary(self, recorder: Recorder) -> str:
        stats = recorder.stats
        seconds = min(self.ended, trio.current_time()) - self.began
        return ", ".join(
            [
                f"{counted(stats.recorded, 'event')} in {seconds:.1f} s",
                *([f"{counted(stats.lost, 'event')} lost"] if stats.lost else []),
                f"{recorder.folder} has {counted(stats.parts, 'part')} of {counted(stats.bytes, 'byte')}",
            ]
        )


async def record_feed(request: Record, terminal: Terminal, metrics: MetricsAt | None = None) -> int:
    """Run the command, and return its exit code."""
    run = _Run()

    async def work() -> None:
        try:
            with reporting(terminal.say):
                async with (
                    serving(metrics, terminal) as count,
                    connected(request.url, request.connect_timeout_s, request.proxy) as feed,
                ):
                    count(lambda: Collector(feed, recorders=run.recorders))
                    await _record(request, feed, run, terminal)
        except (OSError, ImportError) as error:
            raise CommandError(Exit.FAILED, f"cannot record: {error}") from error

    async def conclude(exit_code: int) -> int:
        if run.recorder is None:
            return exit_code
        terminal.say(run.summary(run.recorder))
        return exit_code if run.recorder.error is None else Exit.FAILED

    return await run_command(work, terminal, conclude=conclude)


async def _record(request: Record, feed: Feed, run: _Run, terminal: Terminal) -> None:
    """Record until the time is over, the feed ends, or the recorder fails."""
    async with record(feed, request.folder, channels=request.channels, flush_every=request.flush_every_s) as recorder:
        run.recorder, run.began = recorder, trio.current_time()
        run.recorders["output"] = recorder
        terminal.say(f"recording {', '.join(each.name for each in request.channels)} to {request.folder}")
        try:
            with trio.move_on_after(request.seconds) as recording, on_drain(recording.cancel):
                await recorder.failed()
                raise CommandError(Exit.FAILED, "nothing can be recorded any more; what was written before is there")
            await feed.aclose()
        finally:
            run.ended = trio.current_time()
