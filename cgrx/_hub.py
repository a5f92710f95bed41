"""Channels and their subscribers: what is wanted, who gets what, and which gaps there are. No I/O.

    desired      the channels that have a subscriber, in the order they came; `on_change` is called when it changes
    in turn      a signal reaches everyone before the next one starts; what arises meanwhile waits
    gaps         a subscriber misses everything from `missing_since_ms` until its channel is proven to work, and then
                 gets one Gap; at the start that is 0, after a disconnection the last proof before it
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from functools import partial
from typing import Any

import attrs
from reactivex import abc
from reactivex.disposable import Disposable

from cgrx._channels import Channel
from cgrx._observers import SignalObserver
from cgrx._signals import Alive, Batch, Dropped, Gap, Signal
from cgrx._status import ChannelStats

Observer = SignalObserver[Any]


@attrs.define(eq=False)
class _Seat:
    """One subscriber of a channel."""

    observer: Observer
    missing_since_ms: int | None = 0
    """Since when it misses events; None while its channel works."""
    reason: str = "subscribed"
    taken: bool = True


@attrs.define(eq=False)
class _Line:
    """A channel that is wanted: its subscribers and its counters."""

    channel: Channel
    seats: tuple[_Seat, ...] = ()
    proven_ms: int | None = None
    """When it was proven to work on the present connection; None: not yet."""
    silence_reported: bool = False
    events: int = 0
    malformed: int = 0
    gaps: int = 0
    last_event_ms: int | None = None
    last_received_ms: int | None = None

    def stats(self) -> ChannelStats:
        return ChannelStats(
            subscribers=len(self.seats),
            proven=self.proven_ms is not None,
            events=self.events,
            malformed=self.malformed,
            gaps=self.gaps,
            last_event_ms=self.last_event_ms,
            last_received_ms=self.last_received_ms,
        )


class Hub:
    """The subscriptions of one feed. `origin` names the feed in `Alive`; `now_ms` reads its wall clock."""

    def __init__(
        self,
        origin: str,
        now_ms: Callable[[], int],
        on_change: Callable[[], None],
        on_raise: Callable[[Exception], None],
    ) -> None:
        self._origin = origin
        self._now_ms = now_ms
        self._on_change = on_change
        self._on_raise = on_raise
        self._lines: dict[Channel, _Line] = {}
        self._waiting: deque[Callable[[], None]] = deque()
        self._busy = False
        self._alive_ms = 0
        self._end: Callable[[Observer], None] | None = None
        self._last_stats: dict[Channel, ChannelStats] = {}

    # What is wanted

    @property
    def desired(self) -> tuple[Channel, ...]:
        """The channels that have subscribers, in the order in which they got their first."""
        return tuple(self._lines)

    def subscribe(self, channel: Channel, observer: Observer) -> abc.DisposableBase:
        """Add a subscriber; disposing stops its delivery at once."""
        if self._end is not None:
            self._end(observer)
            return Disposable()
        seat = _Seat(observer)
        self._in_turn(lambda: self._sit(channel, seat))

        def leave() -> None:
            seat.taken = False
            self._in_turn(lambda: self._leave(channel, seat))

        return Disposable(leave)

    def _sit(self, channel: Channel, seat: _Seat) -> None:
        if not seat.taken or self._end is not None:
            return  # disposed, or everything ended, in the turn in which it came
        line = self._lines.get(channel)
        if line is None:
            line = self._lines[channel] = _Line(channel)
            self._on_change()
        line.seats = (*line.seats, seat)
        if line.proven_ms is not None:
            self._recover(line, seat, self._now_ms())

    def _leave(self, channel: Channel, seat: _Seat) -> None:
        line = self._lines.get(channel)
        if line is None or seat not in line.seats:
            return
        line.seats = tuple(each for each in line.seats if each is not seat)
        if not line.seats:
            del self._lines[channel]
            self._on_change()

    # What arrives

    def batch(self, channel: Channel, received_ms: int, events: tuple[Any, ...]) -> bool:
        """Deliver events of a channel; False where nobody wants them."""
        line = self._lines.get(channel)
        if line is None:
            return False
        if events:
            line.events += len(events)
            line.last_event_ms = events[-1].time_ms
            line.last_received_ms = received_ms
            self._in_turn(lambda: self._send(line, Batch(channel, received_ms, events)))
        return True

    def malformed(self, channel: Channel, count: int) -> None:
        """Charge events that could not be read to the subscribers of their channel."""
        line = self._lines.get(channel)
        if line is not None:
            line.malformed += count
            self._in_turn(lambda: self._send(line, Dropped(channel, count, "malformed")))

    def alive(self, at_ms: int) -> None:
        """Everything up to `at_ms` has been said; older proof than was given already is none."""
        if at_ms > self._alive_ms:
            self._alive_ms = at_ms
            for line in tuple(self._lines.values()):
                if line.proven_ms is not None:
                    self._in_turn(partial(self._send, line, Alive(self._origin, at_ms)))

    def proven(self, channels: Iterable[Channel], at_ms: int) -> None:
        """These channels are known to work from `at_ms` on: whoever was missing events is told which."""
        for channel in channels:
            line = self._lines.get(channel)
            if line is not None and line.proven_ms is None:
                line.proven_ms = at_ms
                self._in_turn(partial(self._recover_all, line, at_ms))

    def unproven(self, channel: Channel) -> None:
        """The subscription of this channel has been taken back; it may be wanted again already."""
        line = self._lines.get(channel)
        if line is not None:
            line.proven_ms = None

    def disconnected(self, proven_until_ms: int, reason: str) -> None:
        """The connection is gone: every channel that worked misses events from the last proof on."""
        for line in self._lines.values():
            if line.proven_ms is not None:
                line.proven_ms = None
                line.gaps += 1
            for seat in line.seats:
                if seat.missing_since_ms is None:
                    seat.missing_since_ms, seat.reason = proven_until_ms, reason

    def newly_silent(self, at_ms: int, after_ms: int) -> Sequence[Channel]:
        """Channels without any event although proven alive for `after_ms`; each is named once."""
        silent = [
            line
            for line in self._lines.values()
            if not line.events
            and not line.silence_reported
            and line.proven_ms is not None
            and at_ms - line.proven_ms >= after_ms
        ]
        for line in silent:
            line.silence_reported = True
        return [line.channel for line in silent]

    # How it ends

    def end_channel(self, channel: Channel, error: Exception) -> None:
        """End the streams of one channel with an error; it can be subscribed to again."""
        line = self._lines.pop(channel, None)
        if line is not None:
            self._on_change()
            self._in_turn(lambda: self._each(line, lambda observer: observer.on_error(error)))

    def complete(self) -> None:
        """Complete every stream, behind a gap for those that miss something, and each that will be asked for."""
        now_ms = self._now_ms()

        def finish(line: _Line) -> None:
            self._recover_all(line, now_ms)
            self._each(line, lambda observer: observer.on_completed())

        self._finish(lambda observer: observer.on_completed(), finish)

    def fail(self, error: Exception) -> None:
        """End every stream with an error, and each that will be asked for."""

        def end(observer: Observer) -> None:
            observer.on_error(error)

        self._finish(end, lambda line: self._each(line, end))

    def dispose(self) -> None:
        """Let go of every subscriber at once, without a word."""
        for line in self._lines.values():
            for seat in line.seats:
                seat.taken = False
        self._finish(lambda observer: observer.on_completed(), lambda line: None)

    def _finish(self, end: Callable[[Observer], None], finish: Callable[[_Line], None]) -> None:
        if self._end is not None:
            return
        self._last_stats = self.stats()
        self._end = end
        lines, self._lines = self._lines, {}
        for line in lines.values():
            self._in_turn(partial(finish, line))

    # What is said of it

    def stats(self) -> dict[Channel, ChannelStats]:
        """By channel; after the end, as it was then."""
        if self._end is not None:
            return self._last_stats
        return {channel: line.stats() for channel, line in self._lines.items()}

    # How it is said

    def _in_turn(self, action: Callable[[], None]) -> None:
        self._waiting.append(action)
        if self._busy:
            return
        self._busy = True
        try:
            while self._waiting:
                self._waiting.popleft()()
        finally:
            self._busy = False

    def _recover_all(self, line: _Line, at_ms: int) -> None:
        for seat in line.seats:
            self._recover(line, seat, at_ms)

    def _recover(self, line: _Line, seat: _Seat, at_ms: int) -> None:
        if seat.missing_since_ms is not None:
            gap = Gap(line.channel, min(seat.missing_since_ms, at_ms), at_ms, seat.reason)
            seat.missing_since_ms = None
            self._notify(seat, lambda observer: observer.on_signal(gap))

    def _send(self, line: _Line, signal: Signal[Any]) -> None:
        self._each(line, lambda observer: observer.on_signal(signal))

    def _each(self, line: _Line, notify: Callable[[Observer], None]) -> None:
        for seat in line.seats:
            self._notify(seat, notify)

    def _notify(self, seat: _Seat, notify: Callable[[Observer], None]) -> None:
        if not seat.taken:
            return
        try:
            notify(seat.observer)
        except Exception as error:  # an observer of signals that raises although it must not: its siblings go on
            seat.taken = False
            self._on_raise(error)
