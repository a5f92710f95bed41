"""Compares the feed's clock with two witnesses: the system's clock, and the times of the events.

    system   looked at with every ping: its owner may have set it, or the machine was suspended
    events   looked at with every proof of life, robustly: see `cgrx._streams.offset`

It only reports what differs, and moves no clock.
"""

from collections.abc import Callable
from typing import Literal

from cgrx._feed.subscriptions import Hub
from cgrx._model.status import ClockSkewed, Status
from cgrx._model.times import NEVER
from cgrx._streams.offset import Offset
from cgrx._trio.clock import WallClock

_TOLERATED_MS: dict[Literal["system", "events"], int] = {"system": 1000, "events": 2000}
"""A difference of more than this is reported; one of at most half of it is over."""

_CHANGE_MS = 1000
"""A reported difference is reported again when it has changed by more than this."""

_AGAIN_MS: dict[Literal["system", "events"], int] = {"system": 0, "events": 60_000}
"""And no earlier than so long after: where the clocks of two exchanges differ, now one tells and now the other."""


class Skew:
    """The differences of one feed, over all its connections."""

    def __init__(self, clock: WallClock, hub: Hub, report: Callable[[Status], None]) -> None:
        self._clock = clock
        self._hub = hub
        self._report = report
        self._told_ms: dict[Literal["system", "events"], int] = {"system": 0, "events": 0}
        self._told_at_ms: dict[Literal["system", "events"], int] = {"system": NEVER, "events": NEVER}
        self._offset = Offset(_TOLERATED_MS["events"])
        self._sampled: tuple[int, int] | None = None

    @property
    def lag_ms(self) -> int | None:
        """See `FeedStats`."""
        return -self._offset.ms if self._offset.known else None

    def on_ping(self) -> None:
        """Compare the system's clock."""
        self._compare("system", self._clock.skew_ms())

    def on_proof(self) -> None:
        """Compare the time of the last event with that of its receipt."""
        last = self._hub.last_event
        if last is None or last == self._sampled:
            return
        self._sampled = last
        received_ms, time_ms = last
        self._offset.latest_ms = time_ms - received_ms
        self._offset.on_proof()
        if self._offset.known:
            self._compare("events", self._offset.ms)

    def _compare(self, witness: Literal["system", "events"], difference_ms: int) -> None:
        told_ms, now_ms = self._told_ms[witness], self._clock.now_ms()
        if now_ms - self._told_at_ms[witness] < _AGAIN_MS[witness]:
            return
        if abs(difference_ms) <= _TOLERATED_MS[witness] // 2:
            difference_ms = 0
        elif abs(difference_ms) <= _TOLERATED_MS[witness] and not told_ms:
            return
        if (told_ms and not difference_ms) or abs(difference_ms - told_ms) > _CHANGE_MS:
            self._told_ms[witness], self._told_at_ms[witness] = difference_ms, now_ms
            self._report(ClockSkewed(now_ms, difference_ms, witness))
