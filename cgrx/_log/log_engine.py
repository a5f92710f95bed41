"""What drives a feed from a log: reads as far as its consumers take, and tells its hub what the records say.

Nothing is read before a task waits for the feed, but the first records where they say at which time it begins.
"""

import math
from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import Final, TypeVar

import attrs
import trio

from cgrx._feed.engine import OnSubscriberError
from cgrx._log.continuity import Continuity
from cgrx._log.order import Order, Placed
from cgrx._log.reader import Reader, Start
from cgrx._model.channels import Channel
from cgrx._model.data_errors import RecordedError, RecordError
from cgrx._model.errors import CgrxError, ConnectError, UnreachableError
from cgrx._model.events import Event
from cgrx._model.limits import SINK_CLOSE_S
from cgrx._model.signals import Batch
from cgrx._model.stats import FeedStats
from cgrx._model.status import Connected, Connecting, Disconnected, MalformedInput, State
from cgrx._replay.clock import ReplayClock
from cgrx._replay.played import TURN, PlayedEngine
from cgrx._shards.record import End
from cgrx._trio.clock import WallClock

E = TypeVar("E", bound=Event)

_COMMIT_EVERY_S: Final = 1.0
_AGAIN_S: Final = 0.5
"""Between two attempts to connect."""
_EXCERPT: Final = 200


@attrs.frozen
class LogStats:
    """What a feed from a log has read.

    Examples:
        >>> read = cgrx.LogStats(records=1_200, repeated=3, missing=0, damaged=0)
        >>> "records are missing" if read.missing else "nothing is missing"
        'nothing is missing'
    """

    records: int
    """Records read, of the channels that somebody wanted."""
    repeated: int
    """Records skipped, because they had been read, or another session had followed theirs."""
    missing: int
    """Records that the log lacks, by the holes in their numbers. Each hole is a `Gap` of its channel."""
    damaged: int
    """Messages that are no records. Each is told as `MalformedInput`."""


class LogEngine(PlayedEngine):
    """The engine of a feed from a log. `consume` makes it and runs it."""

    def __init__(
        self,
        reader: Reader,
        start: Start,
        is_new: bool,
        connect_timeout_s: float,
        on_subscriber_error: OnSubscriberError,
        commits: bool,
    ) -> None:
        super().__init__(ReplayClock(0, math.inf), on_subscriber_error, waits=True)
        self._reader = reader
        self._start = start
        self._is_new = is_new
        self._connect_timeout_s = connect_timeout_s
        self._commits = commits
        self._wall = WallClock()
        self._order = Order((), 0, self.hub.is_desired, self._on_damage)
        self._continuity = Continuity()
        self._records = self._damaged = self._connections = self._attempts = 0
        self._trouble: CgrxError | None = None
        self._pending: Placed | None = None
        """What is being delivered."""
        self._over: set[Channel] = set()
        self._committed: dict[int, int] = {}
        self._commit_at = -math.inf

    # For the face

    @property
    def offsets(self) -> Mapping[int, int]:
        """See `LogFeed.offsets`."""
        offsets = self._order.offsets
        if self._pending is not None:
            offsets[self._pending.partition] = self._pending.offset
        return MappingProxyType(offsets)

    @property
    def read(self) -> LogStats:
        """See `LogFeed.read`."""
        return LogStats(self._records, self._continuity.repeated, self._continuity.missing, self._damaged)

    @property
    def stats(self) -> FeedStats:
        """See `Feed.stats`."""
        return self._counted(connections=self._connections, attempts=self._attempts, malformed=self._damaged, notices=0)

    # What a kind of feed adds

    def _state(self) -> State:
        return State.CONNECTED if self._trouble is None else State.RECONNECTING

    def _on_desired_change(self, channel: Channel) -> None:
        """Nobody has to be asked. What comes while nobody wants a channel is not read, and its numbers not seen."""
        if not self.hub.is_desired(channel):
            self._begun.discard(channel)
            self._continuity.forget(channel)

    async def _ready(self) -> None:
        """Connect, and find the time at which reading begins."""
        with trio.move_on_after(self._connect_timeout_s):
            while not self._connections:
                await self._connect()
        if not self._connections:
            last = self._trouble
            raise ConnectError(self._connect_timeout_s, self._attempts, last) from last
        begun_ms: int | None = None
        if not self._is_new:
            with trio.move_on_after(self._connect_timeout_s):
                while (begun_ms := self._order.first_ms()) is None and not self._order.at_end:
                    await self._read()
        self.clock.at_us = (begun_ms or self._wall.now_ms()) * 1000

    async def _connect(self) -> None:
        self._attempts += 1
        self.report(Connecting(self._wall.now_ms(), self._attempts))
        try:
            partitions = await trio.to_thread.run_sync(partial(self._reader.open, self._start), abandon_on_cancel=True)
        except UnreachableError as error:
            self._trouble = error
            self.report(Disconnected(self._wall.now_ms(), error, _AGAIN_S))
            await trio.sleep(_AGAIN_S)
            return
        self._trouble = None
        self._connections += 1
        start_ms = self._start if isinstance(self._start, int) else 0
        self._order = Order(partitions, start_ms, self._is_wanted, self._on_damage)
        self.report(Connected(self._wall.now_ms()))

    def _is_wanted(self, channel: Channel) -> bool:
        return self.hub.is_desired(channel) and channel not in self._over

    # How it reads

    async def _work(self) -> None:
        try:
            await super()._work()
        finally:
            with trio.CancelScope(shield=True), trio.move_on_after(SINK_CLOSE_S):
                if self._connections:
                    await self._commit()
                await trio.to_thread.run_sync(self._reader.close, abandon_on_cancel=True)

    async def _play(self) -> None:
        weight = 0
        while not self._is_over():
            placed = self._order.next(trio.current_time())
            if placed is None or trio.current_time() >= self._commit_at:
                await self._commit()
            if placed is None:
                await self._read()
                weight = 0
                continue
            self._pending = placed
            weight += await self._deliver(placed)
            self._pending = None
            if weight >= TURN or self.pressure.held or self._stopping:
                weight = 0
                await self._turn()

    def _is_over(self) -> bool:
        """Whether every channel that somebody wants has ended."""
        return bool(self._over) and self._over.issuperset(self.hub.desired)

    async def _turn(self) -> None:
        """Let other tasks run, and wait while a consumer holds the feed up."""
        await trio.lowlevel.checkpoint()
        await self.pressure.wait_released()

    async def _read(self) -> None:
        read = await trio.to_thread.run_sync(self._reader.read, self._order.full)
        self._order.put(read.messages, read.caught_up)
        before = self._trouble
        if read.messages or read.caught_up:
            self._trouble = None
            if before is not None:
                self._connections += 1
                self.report(Connected(self._wall.now_ms()))
        elif read.trouble is not None:
            self._trouble = read.trouble
            if before is None:
                self.report(Disconnected(self._wall.now_ms(), read.trouble, 0.0))

    async def _deliver(self, placed: Placed) -> int:
        """Deliver a record; how many events that is, a mark counting as one."""
        channel, record = placed.channel, placed.record
        if not self._is_wanted(channel):  # any more: it was read ahead
            return 0
        at_us = record.received_ms * 1000
        if self._time.is_due(at_us):
            self.clock.stand(at_us)
        else:
            await self._time.advance_to(at_us)
        self._records += 1
        for signal in self._continuity.take(channel, record):
            if isinstance(signal, End):
                self._over.add(channel)
                if signal.failure is not None:
                    self.hub.end_channel(channel, RecordedError(*signal.failure))
            else:
                self._begun.add(channel)
                self.hub.relay(channel, signal)
        return len(record.signal.events) if isinstance(record.signal, Batch) else 1

    def _on_damage(self, error: RecordError, value: bytes | None) -> None:
        self._damaged += 1
        excerpt = (value or b"")[:_EXCERPT].decode(errors="replace")
        self.report(MalformedInput(self.now_ms(), None, error.place or "", error.reason, excerpt))

    async def _commit(self) -> None:
        """Let the broker keep how far this has come, where a group asks for it."""
        self._commit_at = trio.current_time() + _COMMIT_EVERY_S
        offsets = dict(self.offsets)
        if self._commits and offsets != self._committed:
            kept = await trio.to_thread.run_sync(self._reader.commit, offsets, abandon_on_cancel=True)
            self._committed = offsets if kept else self._committed
