"""`cgrx replay`: recordings, to standard output, as `cgrx watch` shows the feed."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from pathlib import Path
from typing import Any

import attrs

from cgrx._cli.terminal.bar import Bar, Done
from cgrx._cli.terminal.exits import CommandError, Exit, explain
from cgrx._cli.terminal.output import ReaderGoneError
from cgrx._cli.terminal.reports import reporting
from cgrx._cli.terminal.streams import Terminal
from cgrx._cli.terminal.tasks import interruptible
from cgrx._cli.terminal.text import date, second
from cgrx._cli.view.viewer import Show, Viewer
from cgrx._model.channels import FuturesTrades
from cgrx._model.errors import CgrxError
from cgrx._model.times import Moment
from cgrx._replay.replay import Replay, replay
from cgrx._streams.stream import EventStream, Stage, merge


@attrs.frozen(kw_only=True)
class Replayed:
    """What to replay, and how."""

    folders: Sequence[Path]
    choose: Callable[[Replay], Sequence[EventStream[Any]]]
    filters: tuple[Stage[Any, Any], ...]
    speed: float
    start: Moment | None
    end: Moment | None


def liquidations(feed: Replay) -> Sequence[EventStream[Any]]:
    """The liquidations."""
    return (feed.liquidations(),)


def trades(markets: Sequence[FuturesTrades]) -> Callable[[Replay], Sequence[EventStream[Any]]]:
    """Those of some instruments, in the order of receipt; of all that are recorded where none is named."""

    def choose(feed: Replay) -> Sequence[EventStream[Any]]:
        channels = markets or [channel for channel in feed.channels if isinstance(channel, FuturesTrades)]
        if not channels:
            held = ", ".join(channel.name for channel in feed.channels) or "nothing"
            raise ValueError(f"no trades are recorded there, but {held}")
        return [feed.futures_trades(each.exchange, each.symbol, min_volume=each.min_volume) for each in channels]

    return choose


async def replay_files(request: Replayed, show: Show, terminal: Terminal) -> int:
    """Run it; the exit code."""
    bar = None if terminal.bar is None else Bar(terminal.bar)
    viewer = Viewer(
        show, terminal if bar is None else attrs.evolve(terminal, write_error=bar.over(terminal.write_error))
    )
    exit_code, last_words = Exit.DONE, ""
    async with interruptible(viewer.hurry) as interruption:
        try:
            with reporting(viewer.say):
                async with _opened(request) as feed:
                    # Each filtered for itself: then the file is read through the filters.
                    events = merge(*(each.pipe(*request.filters) for each in _chosen(request, feed)))
                    async with nullcontext() if bar is None else bar.showing(lambda: _done(feed)):
                        await viewer.run(feed, events, lambda: _where(feed))
        except ReaderGoneError:
            return Exit.DONE
        except CgrxError as error:
            exit_code, last_words = explain(error)
    if viewer.feed is not None:
        terminal.say(viewer.summary())
    if last_words:
        terminal.say(last_words)
    return interruption.exit_code or exit_code


def _opened(request: Replayed) -> AbstractAsyncContextManager[Replay]:
    try:
        return replay(request.folders, speed=request.speed, start=request.start, end=request.end)
    except ValueError as error:
        raise CommandError(Exit.USAGE, str(error)) from error


def _chosen(request: Replayed, feed: Replay) -> Sequence[EventStream[Any]]:
    try:
        return request.choose(feed)
    except ValueError as error:
        raise CommandError(Exit.FAILED, str(error)) from error


def _done(feed: Replay) -> Done:
    progress = feed.progress
    return Done(progress.fraction, progress.events, _moment(progress.now_ms))


def _where(feed: Replay) -> str:
    progress = feed.progress
    return f"{progress.fraction:.0%} at {_moment(progress.now_ms)} of {_moment(progress.end_ms)}"


def _moment(time_ms: int) -> str:
    return f"{date(time_ms)} {second(time_ms)}"
