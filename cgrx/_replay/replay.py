"""`replay()`: a feed that comes from recordings, with the same streams and marks, on the recorded times of receipt.

    first waited on ──► play: time goes on to the next entry, timed operators run, the entry is delivered ──► completed

Several entries are delivered without a checkpoint, then other tasks get a turn. While a consumer blocks, nothing is
delivered and time stands.
"""

import math
from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager
from types import MappingProxyType
from typing import Any, TypeVar

import attrs
import trio
from reactivex import abc
from reactivex.disposable import CompositeDisposable

from cgrx._feed.engine import FeedEngine, OnSubscriberError, require_policy
from cgrx._feed.face import FeedFace
from cgrx._model.channels import Channel
from cgrx._model.events import Event
from cgrx._model.signals import Alive, Batch, Dropped, Gap, Watermark
from cgrx._model.stats import FeedStats
from cgrx._model.status import (
    ClockSkewed,
    Connected,
    Connecting,
    Disconnected,
    MalformedInput,
    NoticeReceived,
    Silent,
    State,
)
from cgrx._model.times import Moment
from cgrx._replay.clock import ReplayClock, ReplayScheduler
from cgrx._replay.cursors import Passed, Said
from cgrx._replay.joint import Joint
from cgrx._replay.playlist import Playlist, Recordings
from cgrx._replay.seams import REPLAYED_FROM_HERE
from cgrx._streams.conditions import leading_conditions
from cgrx._streams.observers import SignalObserver, stages_of
from cgrx._streams.stream import EventStream
from cgrx._trio.entering import ToEnter
from cgrx._trio.require import require_trio

E = TypeVar("E", bound=Event)

_TURN = 256
"""How many events are delivered before other tasks get their turn; a mark counts as one."""


@attrs.frozen
class ReplayProgress:
    """How far a replay has come. Times are milliseconds since the epoch."""

    start_ms: int
    """Where it begins."""
    end_ms: int
    """Where it ends."""
    now_ms: int
    """Where it is."""
    events: int
    """Events passed so far, those that no subscriber wanted included."""

    @property
    def fraction(self) -> float:
        """The part of the time that has been replayed, 0 to 1."""
        whole = self.end_ms - self.start_ms
        return min(1.0, (self.now_ms - self.start_ms) / whole) if whole > 0 else 0.0


@attrs.define
class _Tally:
    """Counts the recorded statuses; see `FeedStats`."""

    connections: int = 0
    attempts: int = 0
    malformed: int = 0
    notices: int = 0


class _ReplayEngine(FeedEngine):
    """The engine of a replay. `replay` makes it and runs it."""

    def __init__(
        self,
        joint: Joint,
        speed: float,
        on_subscriber_error: OnSubscriberError,
    ) -> None:
        super().__init__(on_subscriber_error, waits=speed == math.inf)
        self._joint = joint
        self._playlist = joint.playlist
        self._wanted = joint.wanted
        self._tally = _Tally()
        self._events = 0
        self._begun: set[Channel] = set()
        self._started = trio.Event()
        self._playing = trio.CancelScope()
        self._stopping = False
        self._clock = ReplayClock(joint.playlist.start_ms * 1000, speed)
        self.scheduler = self._time = ReplayScheduler(self._clock, self._turn, self.subscriber_raised)
        joint.wanted.on_change = self._time.interrupt

    # For the face

    @property
    def channels(self) -> tuple[Channel, ...]:
        """See `Replay.channels`."""
        return self._playlist.channels

    @property
    def progress(self) -> ReplayProgress:
        """See `Replay.progress`."""
        return ReplayProgress(self._playlist.start_ms, self._playlist.end_ms, self.now_ms(), self._events)

    @property
    def stats(self) -> FeedStats:
        """See `Feed.stats`."""
        channels = {channel: attrs.evolve(each, proven=None) for channel, each in self.hub.stats().items()}
        forgotten = {kind: attrs.evolve(each, proven=None) for kind, each in self.hub.forgotten.items()}
        return FeedStats(
            at_ms=self._last_ms,
            state=self.state,
            messages=None,
            received_bytes=None,
            events=sum(each.events for each in channels.values()),
            unclaimed=None,
            pings=None,
            pongs=None,
            round_trip_ms=None,
            subscribers=sum(each.subscribers for each in channels.values()),
            channels=MappingProxyType(channels),
            forgotten=MappingProxyType(forgotten),
            proven_ms=None,
            lag_ms=None,
            clock_skew_ms=None,
            **attrs.asdict(self._tally),
        )

    def stream(self, channel: Channel, event_type: type[E]) -> EventStream[E]:
        """See `FeedEngine.stream`; only what is replayed has one."""
        return super().stream(self._playlist.held(channel), event_type)

    def _subscribe(self, channel: Channel, observer: SignalObserver[E]) -> abc.DisposableBase:
        wanted = self._wanted.add(channel, leading_conditions(stages_of(observer)))
        subscription = self.hub.subscribe(channel, observer)
        if channel in self._begun:
            self.hub.proven((channel,), self.now_ms())
        return CompositeDisposable(subscription, wanted)

    # What a kind of feed adds

    def now_ms(self) -> int:
        """Its wall time, milliseconds since the epoch."""
        return self._clock.now_us() // 1000

    def begin(self) -> None:
        """Start to play."""
        super().begin()
        self._started.set()

    def after(self, delay_s: float, action: Callable[[], None]) -> abc.DisposableBase:
        """See `Runtime`: a task on trio's clock."""

        async def wait() -> None:
            await trio.sleep(delay_s)
            action()

        return self.scheduler.start_soon(wait)

    def _state(self) -> State:
        return State.CONNECTED if self._started.is_set() else State.CONNECTING

    def _on_desired_change(self, channel: Channel) -> None:
        """No server has to be asked."""

    def _on_pressure(self, held: bool) -> None:
        """Nothing to do: there is no socket that stays unread while the replay waits."""

    async def _ready(self) -> None:
        """A replay is ready at once."""

    def _stop(self) -> None:
        self._stopping = True
        self._started.set()
        self._playing.cancel()

    # How it plays

    async def _work(self) -> None:
        await self._started.wait()
        with self._playing:
            await trio.lowlevel.checkpoint()
            self._clock.run()
            await self._play()
        self._time.free()

    async def _play(self) -> None:
        for channel in self._playlist.running_at_start:
            self._deliver_signal(channel, Gap(channel, 0, self._playlist.start_ms, REPLAYED_FROM_HERE))
        weight = 0
        while (said := self._joint.peek(self._clock.at_us // 1000)) is not None:
            at_us, version = said.time_ms * 1000, self._wanted.version
            if self._time.is_due(at_us):
                self._clock.stand(at_us)
            else:
                await self._time.advance_to(at_us)
                weight = 0
                if self._wanted.version != version:
                    continue
            weight += self._deliver(self._joint.take(said))
            if weight >= _TURN or self.pressure.held or self._stopping:
                weight = 0
                await self._turn()

    async def _turn(self) -> None:
        """Let other tasks run, and wait while a consumer holds the feed up. That pause does not count as time."""
        await trio.lowlevel.checkpoint()
        if self.pressure.held:
            since = trio.current_time()
            await self.pressure.wait_released()
            self._clock.delay(trio.current_time() - since)

    def _deliver(self, said: Said) -> int:
        """Deliver an entry; how many events that is, a mark counting as one."""
        channel, what = said.channel, said.said
        if isinstance(what, Batch):
            count = len(what.events)
            self._events += count
            self._deliver_signal(channel, what)
            return count
        match what:
            case Alive() | Gap() | Dropped() | Watermark():
                self._deliver_signal(channel, what)
            case Passed(events=passed):
                for each, (count, received_ms) in passed.items():
                    self._events += count
                    self.hub.passed(each, count, received_ms)
            case _:
                self._report_status(what)
        return 1

    def _deliver_signal(self, channel: Channel | None, signal: Any) -> None:
        assert channel is not None  # signals come on streams
        self._begun.add(channel)
        self.hub.relay(channel, signal)

    def _report_status(self, status: object) -> None:
        """Report what the connection was like, but not how the recorded feed ended nor whose code failed on it."""
        match status:
            case Connecting():
                self._tally.attempts += 1
            case Connected():
                self._tally.connections += 1
            case MalformedInput():
                self._tally.malformed += 1
            case NoticeReceived():
                self._tally.notices += 1
            case Disconnected() | Silent() | ClockSkewed():
                pass
            case _:
                return
        self.report(status)


class Replay(FeedFace):
    """A feed that comes from recordings. `replay` makes it and runs it."""

    def __init__(self, engine: _ReplayEngine) -> None:
        super().__init__(engine)
        self._replaying = engine

    @property
    def channels(self) -> tuple[Channel, ...]:
        """The channels that it replays, in the order of their names."""
        return self._replaying.channels

    @property
    def progress(self) -> ReplayProgress:
        """How far it has come. A snapshot."""
        return self._replaying.progress


def replay(
    recordings: Recordings,
    *,
    speed: float = math.inf,
    start: Moment | None = None,
    end: Moment | None = None,
    channels: Iterable[Channel | str] | None = None,
    on_subscriber_error: OnSubscriberError = "raise",
) -> AbstractAsyncContextManager[Replay]:
    """A feed that comes from recordings: `async with cgrx.replay("recording") as feed: ...`.

    It has the streams of the live feed, so a pipeline written for one runs on the other: with the same rows and marks,
    where it is subscribed before the first recorded signal. It starts when a task first waits for it: `feed.run()`,
    or the first iteration of a `cgrx.stream`. At the end of the recordings its streams complete and `run()` returns.

    Its time is the recorded time of receipt: for the marks, for `feed.scheduler` and so for every timed reactivex
    operator, which give the same results at any speed. What is due at a moment runs before what was received at it.

    A stream that is subscribed to later begins with a `Gap` from 0, as on a live feed. Several recordings are replayed
    in one order, by time of receipt; what was received in the same millisecond comes in the order of the arguments. A
    channel may be in several of them, one after the other: what may be missing in between is a `Gap`.

    Args:
        recordings: the folder of a recording, an opened `Recording`, or several.
        speed: 1 keeps the recorded spacing on trio's clock, 10 is ten times as fast; `math.inf`, the default, as fast
            as the pipeline. While a consumer blocks, the time stands. At infinite speed `cgrx.stream` with the policy
            `"error"` blocks too.
        start: leave out what was received before: an aware `datetime`, milliseconds since the epoch, or ISO 8601.
            Channels that were heard before begin with a `Gap` up to then.
        end: leave out what was received then or later, in the same forms.
        channels: the ones to replay, as values or wire names; all by default.
        on_subscriber_error: as of `connect`.

    Returns:
        A context manager that gives the feed. Leaving it early completes every stream, as on a live feed.

    Raises:
        ValueError: no recording, an argument that cannot be used, a channel that is in none of them (also from
            `feed.liquidations()` and `feed.futures_trades()`), or in two of them at the same time.
        TypeError: an argument of another type.
        RecordingError: a recording cannot be read; from `run()` and through `on_error` where it turns out later.
        NotInTrioError: called outside trio.
    """
    require_trio("replay()")
    require_policy(on_subscriber_error)
    if isinstance(speed, bool) or not isinstance(speed, int | float):
        raise TypeError(f"speed={speed!r} takes a number above 0, math.inf for as fast as the pipeline")
    if not speed > 0:
        raise ValueError(f"speed={speed!r} takes a number above 0, math.inf for as fast as the pipeline")
    joint = Joint(Playlist.of(recordings, channels, start, end))
    engine = _ReplayEngine(joint, float(speed), on_subscriber_error)
    return ToEnter(engine.open(Replay(engine)), "cgrx.replay()", "feed")
