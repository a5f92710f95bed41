"""What feeds have in common whose signals were written down before: a recording's, and a log's.

    first waited on ──► play: time goes on to the next signal, timed operators run, the signal is delivered

Their time is that of the receipt, on a clock that goes on with what is delivered.
"""

from abc import abstractmethod
from collections.abc import Callable
from types import MappingProxyType
from typing import Final, TypeVar

import attrs
import trio
from reactivex import abc

from cgrx._feed.engine import FeedEngine, OnSubscriberError
from cgrx._model.channels import Channel
from cgrx._model.events import Event
from cgrx._model.stats import FeedStats
from cgrx._replay.clock import ReplayClock, ReplayScheduler
from cgrx._streams.observers import SignalObserver

E = TypeVar("E", bound=Event)

TURN: Final = 256
"""How many events are delivered before other tasks get their turn; a mark counts as one."""


class PlayedEngine(FeedEngine):
    """The engine of such a feed. State: its clock, and the channels that have said something."""

    def __init__(self, clock: ReplayClock, on_subscriber_error: OnSubscriberError, *, waits: bool) -> None:
        super().__init__(on_subscriber_error, waits=waits)
        self._begun: set[Channel] = set()
        self._started = trio.Event()
        self._playing = trio.CancelScope()
        self._stopping = False
        self.clock = clock
        self.scheduler = self._time = ReplayScheduler(clock, self._turn, self.subscriber_raised)

    # For subclasses to say

    @abstractmethod
    async def _play(self) -> None:
        """Deliver what there is, until `_stopping`."""

    @abstractmethod
    async def _turn(self) -> None:
        """Let other tasks run, and wait while a consumer holds the feed up."""

    # What a kind of feed adds

    def now_ms(self) -> int:
        """Its time, milliseconds since the epoch."""
        return self.clock.now_us() // 1000

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

    def _subscribe(self, channel: Channel, observer: SignalObserver[E]) -> abc.DisposableBase:
        subscription = self.hub.subscribe(channel, observer)
        if channel in self._begun:
            self.hub.proven((channel,), self.now_ms())
        return subscription

    def _on_pressure(self, held: bool) -> None:
        """Nothing to do: what is not read waits where it was written down."""

    def _stop(self) -> None:
        self._stopping = True
        self._started.set()
        self._playing.cancel()

    async def _work(self) -> None:
        await self._started.wait()
        with self._playing:
            await trio.lowlevel.checkpoint()
            self.clock.run()
            await self._play()
        self._time.free()

    def _counted(self, *, connections: int, attempts: int, malformed: int, notices: int) -> FeedStats:
        """Its counters; those of a socket are not known."""
        channels = {channel: attrs.evolve(each, proven=None) for channel, each in self.hub.stats().items()}
        forgotten = {kind: attrs.evolve(each, proven=None) for kind, each in self.hub.forgotten.items()}
        return FeedStats(
            at_ms=self._last_ms,
            state=self.state,
            connections=connections,
            attempts=attempts,
            messages=None,
            received_bytes=None,
            events=sum(each.events for each in channels.values()),
            unclaimed=None,
            malformed=malformed,
            notices=notices,
            pings=None,
            pongs=None,
            round_trip_ms=None,
            subscribers=sum(each.subscribers for each in channels.values()),
            channels=MappingProxyType(channels),
            forgotten=MappingProxyType(forgotten),
            proven_ms=None,
            lag_ms=None,
            clock_skew_ms=None,
        )
