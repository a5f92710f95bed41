"""`cgrx record`: channels of the feed, or of another server, into a folder."""

import math
from pathlib import Path

import attrs
import trio

from cgrx._cli.commands.watch import connected
from cgrx._cli.terminal.exits import CommandError, Exit, explain
from cgrx._cli.terminal.reports import reporting
from cgrx._cli.terminal.streams import Terminal
from cgrx._cli.terminal.tasks import interruptible
from cgrx._cli.terminal.text import counted
from cgrx._feed.feed import Feed
from cgrx._feed.recorder import Recorder, record
from cgrx._model.channels import Channel
from cgrx._model.errors import CgrxError


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


@attrs.define
class _Run:
    recorder: Recorder | None = None
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


async def record_feed(request: Record, terminal: Terminal) -> int:
    """Run it; the exit code."""
    run = _Run()
    exit_code, last_words = Exit.DONE, ""
    async with interruptible(lambda: None) as interruption:
        try:
            with reporting(terminal.say):
                async with connected(request.url, request.connect_timeout_s) as feed:
                    await _record(request, feed, run, terminal)
        except CgrxError as error:
            exit_code, last_words = explain(error)
        except (OSError, ImportError) as error:
            exit_code, last_words = Exit.FAILED, f"cannot record: {error}"
    if run.recorder is not None:
        terminal.say(run.summary(run.recorder))
        if run.recorder.error is not None:
            exit_code = Exit.FAILED
    if last_words:
        terminal.say(last_words)
    return interruption.exit_code or exit_code


async def _record(request: Record, feed: Feed, run: _Run, terminal: Terminal) -> None:
    """Until the time is over, the feed ends, or nothing can be recorded any more."""
    async with record(feed, request.folder, channels=request.channels, flush_every=request.flush_every_s) as recorder:
        run.recorder, run.began = recorder, trio.current_time()
        terminal.say(f"recording {', '.join(each.name for each in request.channels)} to {request.folder}")
        try:
            with trio.move_on_after(request.seconds):
                await recorder.failed()
                raise CommandError(Exit.FAILED, "nothing can be recorded any more; what was written before is there")
            await feed.aclose()
        finally:
            run.ended = trio.current_time()
