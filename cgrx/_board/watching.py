"""Watching a source: a feed that somebody else opened and runs, live or a replay, or recordings that a board plays."""

import os
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from typing import TypeAlias, cast

import attrs

from cgrx._board.connection import CLOSED, OVER
from cgrx._board.memory import Memory
from cgrx._board.messages import Play, Replayed
from cgrx._board.options import NO_ALERTS, TRADES, BoardOptions
from cgrx._board.pipelines import recorded_trades, subscribe
from cgrx._board.playing import Player
from cgrx._board.views import Scene, Views, replayed
from cgrx._feed.face import Feed
from cgrx._model.channels import FuturesTrades
from cgrx._replay.playlist import Recordings, is_log
from cgrx._replay.replay import Replay, replay
from cgrx._trio.scheduler import TrioScheduler

Source: TypeAlias = Feed | Recordings
"""A live feed, a replay, or one or more recordings, as of `cgrx.replay`."""


class Watcher(Views):
    """What is shown of a feed that somebody else opened and runs."""

    def __init__(self, feed: Feed, options: BoardOptions) -> None:
        of_replay = isinstance(feed, Replay)
        super().__init__(options, "replay" if of_replay else "demo" if options.demo else "live")
        channels = options.trades
        if channels is None:
            channels = recorded_trades(feed) if isinstance(feed, Replay) else tuple(FuturesTrades(*i) for i in TRADES)
        self._channels = channels
        end = OVER if of_replay else CLOSED
        self._shown = Scene(feed, Memory(options, channels, feed.now_ms, end=end))

    @property
    def replayed(self) -> Replayed | None:
        feed = self._shown.feed
        if not isinstance(feed, Replay):
            return None
        progress = feed.progress
        return replayed(feed, progress.start_ms, progress.end_ms, feed.speed, paused=feed.paused)

    async def play(self, play: Play) -> None:
        feed = self._shown.feed
        if not isinstance(feed, Replay):
            raise ValueError("this board shows a live feed, which cannot be paused: only a recording can")
        if play.time is not None:
            raise ValueError("this board was given a replay that is open: only one that plays a recording itself jumps")
        if play.speed is not None:
            feed.speed = play.speed
        if play.paused is not None:
            (feed.pause if play.paused else feed.resume)()

    @asynccontextmanager
    async def watch(self) -> AsyncGenerator[None, None]:
        """Keep up to date as long as the `async with` lasts."""
        feed, options = self._shown.feed, self._options
        if options.history is not None:
            self._shown = Scene(feed, await self._remembered(feed, options.history))
        pipelines = subscribe(feed, self._shown.memory, options, self._channels)
        try:
            yield
        finally:
            pipelines.dispose()

    async def _remembered(self, feed: Feed, history: Recordings) -> Memory:
        """What the end of a recording holds."""
        since_ms = feed.now_ms - self._options.keep_ms
        async with replay(history, start=since_ms) as recorded:
            memory = Memory(self._options, self._channels, recorded.now_ms)
            held = [channel for channel in self._channels if channel in recorded.channels]
            pipelines = subscribe(recorded, memory, attrs.evolve(self._options, alerts=NO_ALERTS), held)
            try:
                await recorded.run()
            finally:
                pipelines.dispose()
        memory.follow(feed.now_ms)
        return memory


@asynccontextmanager
async def watching(source: Source, options: BoardOptions) -> AsyncGenerator[Views, None]:
    """Watch a source, and keep what pages are shown, as long as the `async with` lasts.

    Raises:
        ValueError: what is to be shown does not fit the source.
        RecordingError: a recording cannot be opened, or not be read at its beginning.
    """
    if isinstance(source, str | os.PathLike | Iterable) or is_log(source):
        if options.history is not None:
            raise ValueError("history= is of a live feed: a recording has its own")
        player = Player(source, options)
        async with TrioScheduler() as tasks:
            tasks.start_soon(player.run)
            await player.started.wait()
            yield player
    else:
        watcher = Watcher(cast("Feed", source), options)
        async with watcher.watch():
            yield watcher
