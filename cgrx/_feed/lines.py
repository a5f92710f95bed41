"""What the hub knows of a channel: its subscribers, what has been proven of it, and its counters."""

from collections.abc import Callable
from typing import Any

import attrs
from reactivex import abc

from cgrx._model.channels import Channel
from cgrx._model.stats import ChannelStats
from cgrx._streams.sharing import Seat as SharedSeat


@attrs.define(eq=False)
class Counts:
    """See `ChannelStats`. They go on where the last subscriber leaves and another one comes."""

    events: int = 0
    malformed: int = 0
    gaps: int = 0
    gap_ms: int = 0
    last_event_ms: int | None = None
    last_received_ms: int | None = None

    def stats(self, *, subscribers: int, proven: bool) -> ChannelStats:
        return ChannelStats(subscribers=subscribers, proven=proven, **attrs.asdict(self))


@attrs.define(eq=False)
class Seat(SharedSeat[Any]):
    """One subscriber of a channel."""

    channel: Channel = attrs.field(kw_only=True)
    missing_since_ms: int | None = 0
    """Since when it misses events; None while its channel works."""
    reason: str = "subscribed"
    """Why it misses them, for the gap."""


@attrs.define(eq=False)
class Leaving(abc.DisposableBase):
    """What ends a subscription. It needs no lock as reactivex's has: giving a seat up twice does no harm."""

    give_up: Callable[[Seat], None]
    seat: Seat

    def dispose(self) -> None:
        self.give_up(self.seat)


@attrs.define(eq=False)
class Line:
    """A desired channel: its subscribers, its proofs and its counters."""

    channel: Channel
    counts: Counts
    seats: tuple[Seat, ...] = ()
    wanted: bool = True
    """Whether it still is the line of its channel: not once the channel is desired no more, nor after the end."""
    proven_ms: int | None = None
    """When it was proven to work on the present connection; None: not yet."""
    missing_since_ms: int | None = None
    """Since when an interruption lasts; None where there is none."""
    proven_before_ms: int = 0
    """For how long it was proven alive on the connections before."""
    alive_ms: int = 0
    """The latest proof that was delivered to its subscribers."""
    doubtful: bool = False
    """Whether the clock has moved since its last event: by how much event times did, only its next event can tell."""
    heard: bool = False
    """Whether it has given an event since it got its first subscriber."""

    def is_silent(self, at_ms: int, after_ms: int) -> bool:
        """Whether it has given no event although it was proven alive for `after_ms` in all."""
        if self.proven_ms is None:
            return False
        return self.proven_before_ms + at_ms - self.proven_ms >= after_ms

    def interrupted(self, since_ms: int) -> None:
        """It misses events from this time on."""
        self.counts.gaps += 1
        self.missing_since_ms = since_ms

    def resumed(self, at_ms: int) -> None:
        """It misses events no more, or is wanted no more: the interruption, if there is one, is over."""
        self.counts.gap_ms += self._missing_ms(at_ms)
        self.missing_since_ms = None

    def _missing_ms(self, at_ms: int) -> int:
        return 0 if self.missing_since_ms is None else max(0, at_ms - self.missing_since_ms)

    def stats(self, at_ms: int) -> ChannelStats:
        stats = self.counts.stats(subscribers=len(self.seats), proven=self.proven_ms is not None)
        return attrs.evolve(stats, gap_ms=stats.gap_ms + self._missing_ms(at_ms))
