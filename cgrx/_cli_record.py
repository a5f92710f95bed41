"""`cgrx record`: channels of the feed, or of another server, into a folder."""

import math
from pathlib import Path

import attrs
import trio

from cgrx._channels import Channel
from cgrx._cli_exits import CommandError, Exit, explain
from cgrx._cli_reports import reporting
from cgrx._cli_tasks import interruptible
from cgrx._cli_terminal import Terminal
from cgrx._cli_text import counted
from cgrx._cli_watch import connected
from cgrx._errors import CgrxError
from cgrx._feed import Feed
from cgrx._recorder import Recorder, record


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
