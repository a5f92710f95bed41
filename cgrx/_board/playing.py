"""Playing a recording, and jumping in it.

A jump opens the recording anew, as long before the time that is gone to as windows are kept, and plays it up to that
time as fast as the pipelines are. Until that time is reached, pages are shown what they were shown before; then all is
replaced at once. So there are two memories at the most, however often somebody jumps.

    play(time) ─► the leg that plays ends: its pipelines, then its replay ─► the next one reaches the time ─► shown
    play(time) while a leg is on its way: it ends, and the latest time is gone to
"""

import math
from datetime import UTC, datetime, timedelta

import attrs
import msgspec
import trio

from cgrx._board.memory import Memory
from cgrx._board.messages import Play, Replayed
from cgrx._board.options import BoardOptions
from cgrx._board.pipelines import recorded_trades, subscribe
from cgrx._board.views import Scene, Views, replayed
from cgrx._model.data_errors import RecordingError
from cgrx._replay.playlist import Playlist, Recordings
from cgrx._replay.replay import Replay, replay

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@attrs.define(eq=False)
class _Leg:
    """One way through the recording: from where it is opened to the end, or to the next jump."""

    start_ms: int | None
    """Where it is opened; None: at the start of the recording."""
    until_ms: int | None = None
    """Up to here it goes as fast as it can; None: it is shown from its beginning."""
    left: trio.Event = attrs.field(factory=trio.Event)
    """Set when a later leg takes its place."""
    arrived: trio.Event = attrs.field(factory=trio.Event)
    """Set when it is shown, or left."""

    def leave(self) -> None:
        """A later leg takes its place."""
        self.left.set()
        self.arrived.set()


class Player(Views):
    """A board's own replay of recordings. `run` plays it.

    Args:
        recordings: one or more, as of `cgrx.replay`.
        options: what is shown.
    """

    def __init__(self, recordings: Recordings, options: BoardOptions) -> None:
        super().__init__(options, "replay")
        self._recordings = recordings
        self._speed, self._paused = options.speed, False
        self._leg = _Leg(options.start_ms)
        self._replay: Replay
        self._range = (0, 0)
        self.started = trio.Event()
        """Set when there is something to show."""

    @property
    def replayed(self) -> Replayed:
        found = replayed(self._replay, *self._range, self._speed, paused=self._paused)
        if self._leg.until_ms is None or self._leg.arrived.is_set():
            return found
        return msgspec.structs.replace(found, now=self._leg.until_ms, over=False)

    async def play(self, play: Play) -> None:
        if play.speed is not None:
            if not play.speed > 0:
                raise ValueError(f"a recording is played at a speed above 0, not at {play.speed:g}")
            self._speed = play.speed
        if play.paused is not None:
            self._paused = play.paused
        if play.time is not None:
            await self._jump(play.time)
        elif self._leg.arrived.is_set():
            self._keep_pace()

    async def _jump(self, time_ms: int) -> None:
        start_ms, end_ms = self._range
        until_ms = min(max(time_ms, start_ms), end_ms)
        opened_ms = until_ms - self._options.keep_ms
        leg = _Leg(opened_ms if opened_ms > start_ms else None, until_ms)
        before, self._leg = self._leg, leg
        before.leave()
        await leg.arrived.wait()

    async def run(self) -> None:
        """Play, and jump, until cancelled."""
        try:
            while True:
                leg = self._leg
                try:
                    await self._play(leg)
                except RecordingError:
                    if not self.started.is_set():
                        raise
                    leg.arrived.set()  # the page says how far it came
                    await leg.left.wait()
        finally:
            self._leg.arrived.set()

    async def _play(self, leg: _Leg) -> None:
        """Play a leg until a later one takes its place."""
        whole = Playlist.of(self._recordings, None, None, None)
        self._range = whole.start_ms, whole.end_ms
        speed = self._speed if leg.until_ms is None else math.inf
        async with replay(self._recordings, speed=speed, start=leg.start_ms) as feed:
            numbers = self._shown.memory.numbers if self.started.is_set() else (1, 1, 1)
            channels = recorded_trades(feed) if self._options.trades is None else self._options.trades
            memory = Memory(self._options, channels, feed.now_ms, numbers)
            pipelines = subscribe(feed, memory, self._options, channels)

            def arrive(*_: object) -> None:
                if not leg.arrived.is_set():
                    self._show(feed, memory)
                    leg.arrived.set()

            async def go() -> None:
                await feed.run()
                arrive()  # where the time that is gone to is the end

            try:
                if leg.until_ms is None:
                    arrive()
                else:
                    feed.scheduler.schedule_absolute(_EPOCH + timedelta(milliseconds=leg.until_ms), arrive)
                feed.scheduler.start_soon(go)
                await leg.left.wait()
                self._shown = self._shown.standing
            finally:
                pipelines.dispose()

    def _show(self, feed: Replay, memory: Memory) -> None:
        """Show this from now on."""
        self._shown, self._replay = Scene(feed, memory), feed
        self.generation += self.started.is_set()
        self.started.set()
        self._keep_pace()

    def _keep_pace(self) -> None:
        """Let what is shown go on as is wished."""
        self._replay.speed = self._speed
        (self._replay.pause if self._paused else self._replay.resume)()
