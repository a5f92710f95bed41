"""What drives a live feed: one supervised connection, its subscriptions and its scheduler, put together."""

import random
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import MappingProxyType

import attrs
import trio
from reactivex import abc

from cgrx._feed.engine import FeedEngine, OnSubscriberError
from cgrx._feed.log import redacted
from cgrx._feed.session import Session, Tally
from cgrx._feed.skew import Skew
from cgrx._feed.supervisor import Open, Supervisor
from cgrx._model.channels import Channel
from cgrx._model.errors import ConnectError
from cgrx._model.limits import Limits
from cgrx._model.spelling import doubts
from cgrx._model.stats import FeedStats
from cgrx._model.status import Misspelt, State
from cgrx._trio.clock import WallClock
from cgrx._trio.scheduler import TrioScheduler
from cgrx._wire.address import Address

_ASKED = 1000
"""How many misspelt names a feed reports at the most."""


class LiveEngine(FeedEngine):
    """The engine of one supervised connection. `connect` makes it and runs it."""

    def __init__(
        self,
        address: Address,
        open_connection: Open,
        limits: Limits,
        on_subscriber_error: OnSubscriberError,
        wall_clock: Callable[[], float],
        rng: random.Random,
        connect_timeout_s: float,
    ) -> None:
        super().__init__(on_subscriber_error)
        self._redact = address.redact
        self._connect_timeout_s = connect_timeout_s
        self._clock = WallClock(wall_clock)
        self._tally = Tally()
        self._asked: set[str] = set()
        """Names that were reported as misspelt."""
        skew = self._skew = Skew(self._clock, self.hub, self.report)
        self.scheduler = TrioScheduler(clock=self._clock, on_error=self.subscriber_raised)
        self._supervisor = Supervisor(
            open_connection=open_connection,
            start_session=lambda transport: Session(
                transport, self.hub, self._clock, limits, self._tally, self.pressure, self.report, address.secret, skew
            ),
            drain=self._end,
            report=self.report,
            hub=self.hub,
            clock=self._clock,
            limits=limits,
            rng=rng,
        )

    def now_ms(self) -> int:
        """Its wall time, milliseconds since the epoch."""
        return self._clock.now_ms()

    def after(self, delay_s: float, action: Callable[[], None]) -> abc.DisposableBase:
        """See `Runtime`: its time is trio's."""

        def act(*_: object) -> None:
            action()

        return self.scheduler.schedule_relative(delay_s, act)

    @property
    def stats(self) -> FeedStats:
        """See `Feed.stats`."""
        channels = self.hub.stats()
        return FeedStats(
            at_ms=self._last_ms,
            state=self.state,
            connections=self._supervisor.connections,
            attempts=self._supervisor.attempts,
            subscribers=sum(each.subscribers for each in channels.values()),
            channels=MappingProxyType(channels),
            forgotten=MappingProxyType(dict(self.hub.forgotten)),
            lag_ms=self._skew.lag_ms,
            clock_skew_ms=None if self._ended.is_set() else self._clock.skew_ms(),
            **attrs.asdict(self._tally),
        )

    def _state(self) -> State:
        return self._supervisor.state

    def _on_pressure(self, held: bool) -> None:
        if not held and self._supervisor.session is not None:
            self._supervisor.session.resumed(self.pressure.held_since)
        super()._on_pressure(held)

    def _on_desired_change(self, channel: Channel) -> None:
        if self._supervisor.session is not None:
            self._supervisor.session.desired_changed(channel)
        if self.hub.is_desired(channel):
            self._ask_about(channel)

    def _ask_about(self, channel: Channel) -> None:
        """Report what in the name of a channel is probably misspelt, each name once."""
        for doubt in doubts(channel):
            if doubt.name not in self._asked and len(self._asked) < _ASKED:
                self._asked.add(doubt.name)
                self.report(Misspelt(self.now_ms(), channel, doubt.name, doubt.nearest))

    def _around(self) -> AbstractContextManager[None]:
        return redacted(self._redact)

    async def _ready(self) -> None:
        """Wait for the first handshake."""
        with trio.move_on_after(self._connect_timeout_s):
            await self._supervisor.first_handshake.wait()
        if not self._supervisor.first_handshake.is_set():
            last = self._supervisor.last_error
            raise ConnectError(self._connect_timeout_s, self._supervisor.attempts, last) from last

    async def _work(self) -> None:
        await self._supervisor.run()

    def _stop(self) -> None:
        self._supervisor.stop()
