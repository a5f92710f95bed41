"""`replay()`: a feed that comes from recordings, with the same streams and marks, on the recorded times of receipt.

    first waited on ──► play: time goes on to the next entry, timed operators run, the entry is delivered ──► completed

Several entries are delivered without a checkpoint, then other tasks get a turn. While a consumer blocks, nothing is
delivered and time stands.
"""

import math
from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeVar

import attrs
import trio
from reactivex import abc
from reactivex.disposable import CompositeDisposable

from cgrx._feed.engine import OnSubscriberError, require_policy
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
from cgrx._replay.clock import ReplayClock
from cgrx._replay.cursors import Passed, Said
from cgrx._replay.joint import Joint
from cgrx._replay.played import TURN, PlayedEngine
from cgrx._replay.playlist import Playlist, Recordings
from cgrx._replay.seams import REPLAYED_FROM_HERE
from cgrx._streams.conditions import leading_conditions
from cgrx._streams.observers import SignalObserver, stages_of
from cgrx._streams.stream import EventStream
from cgrx._trio.entering import ToEnter
from cgrx._trio.require import require_trio

E = TypeVar("E", bound=Event)


@attrs.frozen
class ReplayProgress:
    """How far a replay has come. Times are milliseconds since the epoch.

    Examples:
        >>> progress = cgrx.ReplayProgress(
        ...     start_ms=0, end_ms=60_000, now_ms=15_000, events=120
        ... )
        >>> f"{progress.fraction:.0%} of the recording"
        '25% of the recording'
    """

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


class _ReplayEngine(PlayedEngine):
    """The engine of a replay. `replay` makes it and runs it."""

    def __init__(
        self,
        joint: Joint,
        speed: float,
        on_subscriber_error: OnSubscriberError,
    ) -> None:
        clock = ReplayClock(joint.playlist.start_ms * 1000, speed)
        super().__init__(clock, on_subscriber_error, waits=speed == math.inf)
        self._joint = joint
        self._playlist = joint.playlist
        self._wanted = joint.wanted
        self._tally = _Tally()
        self._events = 0
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

    def set_speed(self, speed: float) -> None:
        """See `Replay.speed`."""
        self.waits = speed == math.inf
        self._time.set_speed(speed)

    def pause(self) -> None:
        """See `Replay.pause`."""
        self._time.pause()

    def resume(self) -> None:
        """See `Replay.resume`."""
        if self.clock.paused:
            self._time.resume()

    @property
    def stats(self) -> FeedStats:
        """See `Feed.stats`."""
        return self._counted(**attrs.asdict(self._tally))

    def stream(self, channel: Channel, event_type: type[E]) -> EventStream[E]:
        """See `FeedEngine.stream`; only what is replayed has one."""
        return super().stream(self._playlist.held(channel), event_type)

    def _subscribe(self, channel: Channel, observer: SignalObserver[E]) -> abc.DisposableBase:
        wanted = self._wanted.add(channel, leading_conditions(stages_of(observer)))
        return CompositeDisposable(super()._subscribe(channel, observer), wanted)

    # What a kind of feed adds

    def _state(self) -> State:
        return State.CONNECTED if self._started.is_set() else State.CONNECTING

    def _on_desired_change(self, channel: Channel) -> None:
        """No server has to be asked."""

    async def _ready(self) -> None:
        """A replay is ready at once."""

    # How it plays

    async def _play(self) -> None:
        for channel in self._playlist.running_at_start:
            self._deliver_signal(channel, Gap(channel, 0, self._playlist.start_ms, REPLAYED_FROM_HERE))
        weight = 0
        while (said := self._joint.peek(self.clock.at_us // 1000)) is not None:
            at_us, version = said.time_ms * 1000, self._wanted.version
            if self._time.is_due(at_us):
                self.clock.stand(at_us)
            else:
                await self._time.advance_to(at_us)
                weight = 0
                if self._wanted.version != version:
                    continue
            weight += self._deliver(self._joint.take(said))
            if weight >= TURN or self.pressure.held or self._stopping:
                weight = 0
                await self._turn()

    async def _turn(self) -> None:
        """Let other tasks run, and wait while a consumer holds the feed up. That pause does not count as time."""
        await trio.lowlevel.checkpoint()
        if self.pressure.held:
            since = trio.current_time()
            await self.pressure.wait_released()
            self.clock.stood(since)

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
        self.repeat(status)


class Replay(FeedFace):
    """A feed that comes from recordings. `replay` makes it and runs it.

    Examples:
        >>> import msgspec, pathlib
        >>> _ = pathlib.Path("day.jsonl").write_bytes(
        ...     msgspec.json.encode(liquidation("long", 5_000.0, time="1s"))
        ... )
        >>> _ = cgrx.import_jsonl("day.jsonl", "day", events="liquidations")
        >>> async with cgrx.replay("day") as feed:
        ...     feed.pause()
        ...     print(feed.paused, feed.channels)
        True (LiquidationOrders(),)
    """

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

    @property
    def speed(self) -> float:
        """How fast it goes, as `speed` of `replay`. May be set at any time: its time goes on at that speed from there.

        What comes out is the same however often it is set, as it is at any one speed. An iteration of `cgrx.stream`
        that was opened before keeps to what its overflow policy meant then.

        Raises:
            ValueError: it is set to something else than a number above 0.
            TypeError: it is set to something of another type.
        """
        return self._replaying.clock.speed

    @speed.setter
    def speed(self, speed: float) -> None:
        chosen = _speed(speed)
        self._replaying.in_thread(lambda: self._replaying.set_speed(chosen))

    @property
    def paused(self) -> bool:
        """Whether its time stands since `pause`."""
        return self._replaying.clock.paused

    def pause(self) -> None:
        """Let its time stand until `resume`: nothing is delivered, and no timed operator runs. Twice is as once.

        What is due at the very moment of the pause still runs. A pause may begin before the replay does. Leaving the
        `async with`, or `aclose`, ends a paused replay as any other.
        """
        self._replaying.in_thread(self._replaying.pause)

    def resume(self) -> None:
        """Let its time go on from where it stands, as if there had been no pause. Does nothing where there is none."""
        self._replaying.in_thread(self._replaying.resume)


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

    Examples:
        >>> import msgspec, pathlib
        >>> _ = pathlib.Path("day.jsonl").write_bytes(
        ...     msgspec.json.encode(liquidation("long", 5_000.0, time="1s"))
        ... )
        >>> _ = cgrx.import_jsonl("day.jsonl", "day", events="liquidations")
        >>> async with (
        ...     cgrx.replay("day", speed=10.0) as feed,
        ...     cgrx.stream(feed.liquidations()) as events,
        ... ):
        ...     print([each.volume_usd async for each in events])
        [5000.0]
    """
    require_trio("replay()")
    require_policy(on_subscriber_error)
    chosen_speed = _speed(speed)
    joint = Joint(Playlist.of(recordings, channels, start, end))
    engine = _ReplayEngine(joint, chosen_speed, on_subscriber_error)
    return ToEnter(engine.open(Replay(engine)), "cgrx.replay()", "feed")


def _speed(value: object) -> float:
    accepted = f"speed={value!r} takes a number above 0, math.inf for as fast as the pipeline"
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(accepted)
    if not value > 0:
        raise ValueError(accepted)
    return float(value)
