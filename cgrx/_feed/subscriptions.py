"""The hub of a feed: the subscribers of each channel, the signals they get, and the gaps they are owed. No I/O.

    desired      the channels that have a subscriber, in the order of their first one; `on_change` is called when a
                 channel gets its first subscriber or loses its last
    in turn      a signal reaches every subscriber before the next one starts; what they cause meanwhile waits
    gaps         a subscriber misses events from `missing_since_ms` until its channel is proven to work, and then gets
                 one Gap; `missing_since_ms` is 0 at the start, and the last proof after a disconnection

An observer must not raise. One that does loses its subscription; the other subscribers miss nothing.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, TypeAlias

import attrs
from reactivex import abc

from cgrx._feed.lines import Counts, Leaving, Line, Seat
from cgrx._model.channels import Channel
from cgrx._model.signals import Alive, Batch, Dropped, Gap, Signal
from cgrx._model.stats import ChannelStats
from cgrx._streams.observers import SignalObserver

Observer: TypeAlias = SignalObserver[Any]

_REMEMBERED = 10_000
"""The counters of so many channels without subscribers are kept."""


class Hub:
    """The subscriptions of one feed.

    Args:
        origin: names the feed in `Alive`.
        now_ms: reads the feed's clock.
        on_change: called with a channel that is desired from now on, or no more.
        on_raise: called with what an observer raises although it must not; that observer gets nothing more.
    """

    def __init__(
        self,
        origin: str,
        now_ms: Callable[[], int],
        on_change: Callable[[Channel], None],
        on_raise: Callable[[Exception], None],
    ) -> None:
        self._origin = origin
        self._now_ms = now_ms
        self._on_change = on_change
        self._on_raise = on_raise
        self._lines: dict[Channel, Line] = {}
        self._quiet: dict[Channel, Line] = {}
        """Those of the lines that have given no event yet, and have not been reported for it."""
        self._left: dict[Channel, Counts] = {}
        """Of channels that have no subscriber any more; the one that lost its last most lately comes last."""
        self.forgotten: dict[str, ChannelStats] = {}
        """By kind of channel, the sums of those whose counters are not kept."""
        self._waiting: deque[Callable[[], None]] = deque()
        self._busy = False
        self._alive_ms = 0
        self._end: Callable[[Observer], None] | None = None
        self._last_stats: dict[Channel, ChannelStats] = {}
        self._last: Counts | None = None
        """Of the channel whose event came last."""

    # Desired channels

    @property
    def desired(self) -> tuple[Channel, ...]:
        """The channels that have subscribers, in the order in which they got their first."""
        return tuple(self._lines)

    def is_desired(self, channel: Channel) -> bool:
        """Whether the channel has a subscriber."""
        return channel in self._lines

    @property
    def unheard(self) -> tuple[Channel, ...]:
        """Those that have given no event since they got their first subscriber. None after the end."""
        return tuple(channel for channel, line in self._lines.items() if not line.heard)

    def subscribe(self, channel: Channel, observer: Observer) -> abc.DisposableBase:
        """Add a subscriber; disposing stops its delivery at once."""
        seat = Seat(observer, channel=channel)
        self._in_turn(partial(self._sit, seat))
        return Leaving(self._give_up, seat)

    def _sit(self, seat: Seat) -> None:
        if not seat.taken:
            return  # disposed in the turn in which it came
        if self._end is not None:
            self._notify(seat, self._end)
            return
        line = self._lines.get(seat.channel)
        if line is None:
            counts = self._left.pop(seat.channel, None) or Counts()
            line = self._lines[seat.channel] = self._quiet[seat.channel] = Line(seat.channel, counts)
            self._on_change(seat.channel)
        line.seats = (*line.seats, seat)
        if line.proven_ms is not None:
            self._recover(seat, self._now_ms())

    def _give_up(self, seat: Seat) -> None:
        seat.taken = False
        self._in_turn(lambda: self._leave(seat))

    def _leave(self, seat: Seat) -> None:
        line = self._lines.get(seat.channel)
        if line is None or seat not in line.seats:
            return
        line.seats = tuple(each for each in line.seats if each is not seat)
        if not line.seats:
            self._drop(line)

    def _drop(self, line: Line) -> None:
        """Desire the channel no more, and keep its counters."""
        del self._lines[line.channel]
        line.wanted = False
        self._quiet.pop(line.channel, None)
        line.resumed(self._now_ms())
        self._left[line.channel] = line.counts
        if len(self._left) > _REMEMBERED:
            self._forget(next(iter(self._left)))
        self._on_change(line.channel)

    def _forget(self, channel: Channel) -> None:
        """Keep no more of a channel than its part of the sums."""
        stats = self._left.pop(channel).stats(subscribers=0, proven=False)
        before = self.forgotten.get(channel.kind)
        self.forgotten[channel.kind] = stats if before is None else ChannelStats.together((before, stats))

    # Signals

    def batch(self, channel: Channel, received_ms: int, events: tuple[Any, ...]) -> Line | None:
        """Deliver events of a channel; its line, None where nobody wants them."""
        line = self._lines.get(channel)
        if line is not None and events:
            self.deliver(line, received_ms, events)
        return line

    def deliver(self, line: Line, received_ms: int, events: tuple[Any, ...]) -> None:
        """Deliver events, at least one, of a line that is wanted. What nearly all calls of a feed end in."""
        line.doubtful = False
        counts = line.counts
        counts.events += len(events)
        counts.last_event_ms = events[-1].time_ms
        counts.last_received_ms = received_ms
        self._last = counts
        if not line.heard:
            line.heard = True
            self._quiet.pop(line.channel, None)
        if line.proven_ms is None:
            self._in_turn(partial(self._begin, line, received_ms))
        batch = Batch(line.channel, received_ms, events)
        if self._busy:
            self._waiting.append(partial(self._send, line, batch))
        else:
            self._send_now(line, batch)

    @property
    def last_event(self) -> tuple[int, int] | None:
        """When the event that came last was received, and its own time, both in ms since the epoch."""
        last = self._last
        if last is None or last.last_received_ms is None or last.last_event_ms is None:
            return None
        return last.last_received_ms, last.last_event_ms

    def relay(self, channel: Channel, signal: Signal[Any]) -> None:
        """Deliver a signal as it was recorded: the recording brings gaps and proofs of its own."""
        line = self._lines.get(channel)
        if line is None:
            return
        for seat in line.seats:
            seat.missing_since_ms = None
        counts = line.counts
        match signal:
            case Batch(events=events, received_ms=received_ms) if events:
                line.heard = True
                counts.events += len(events)
                counts.last_event_ms, counts.last_received_ms = events[-1].time_ms, received_ms
            case Dropped(channel=of, count=count) if of is not None:
                counts.malformed += count
            case Gap(start_ms=start_ms, end_ms=end_ms):
                if start_ms > 0:
                    counts.gaps += 1
                    counts.gap_ms += end_ms - start_ms
                # Each subscriber's own, as on a live feed: a union passes a loss once that comes by two paths.
                self._in_turn(lambda: self._each(line, lambda observer: observer.on_signal(attrs.evolve(signal))))
                return
            case _:
                pass
        assert not self._busy, "a replay says one thing after the other"
        self._send_now(line, signal)

    def passed(self, channel: Channel, count: int, received_ms: int) -> None:
        """Count events that nobody had to be handed: every subscriber's own filters would have left them out."""
        line = self._lines.get(channel)
        if line is not None:
            line.heard = line.heard or count > 0
            line.counts.events += count
            line.counts.last_received_ms = max(received_ms, line.counts.last_received_ms or 0)

    def malformed(self, channel: Channel, count: int) -> None:
        """Charge events that could not be read to the subscribers of their channel."""
        line = self._lines.get(channel)
        if line is not None:
            line.counts.malformed += count
            self._in_turn(lambda: self._send(line, Dropped(channel, count, "malformed")))

    def unreadable(self) -> None:
        """Charge a message that could not be read to everyone: it may have held events of any channel."""
        lost = Dropped(None, 1, "malformed")  # the same object: a union of several channels counts it once
        for line in self._lines.values():
            self._waiting.append(partial(self._send, line, lost))
        self._run_waiting()

    def alive(self, at_ms: int) -> None:
        """Tell the channels that work that every event up to `at_ms` has arrived. An older proof changes nothing.

        Where the clock has moved since a channel's last event, its next event comes before the next proof.
        """
        if at_ms < self._alive_ms:
            return
        self._alive_ms = at_ms
        alive = Alive(self._origin, at_ms)
        for line in self._lines.values():
            if line.proven_ms is not None and at_ms > line.alive_ms and not line.doubtful:
                line.alive_ms = at_ms
                self._waiting.append(partial(self._send, line, alive))
        self._run_waiting()

    def clock_moved(self) -> None:
        """The feed's clock has moved forward: the machine slept, or its clock was set, and nobody knows which.

        A proof of life at the new time would let windows that wait in silence close as if so much time had passed, and
        after a set clock all events would be late. So a channel that had events gets no proof before its next event.
        """
        for line in self._lines.values():
            line.doubtful = line.heard

    def proven(self, channels: Iterable[Channel], at_ms: int) -> None:
        """These channels work from `at_ms` on: each subscriber that has missed events gets its gap."""
        for channel in channels:
            line = self._lines.get(channel)
            if line is not None and line.proven_ms is None:
                line.proven_ms = at_ms
                line.resumed(at_ms)
                self._in_turn(partial(self._recover_all, line, at_ms))

    def disconnected(self, proven_until_ms: int, reason: str) -> None:
        """The connection is gone: every channel that worked misses events from the last proof on."""
        for line in self._lines.values():
            if line.proven_ms is None:
                continue
            line.proven_before_ms += max(0, proven_until_ms - line.proven_ms)
            line.proven_ms = None
            line.interrupted(proven_until_ms)
            for seat in line.seats:
                seat.missing_since_ms, seat.reason = proven_until_ms, reason

    def newly_silent(self, at_ms: int, after_ms: int) -> Sequence[Channel]:
        """Channels without any event although proven alive for `after_ms`; each is named once."""
        silent = [channel for channel, line in self._quiet.items() if line.is_silent(at_ms, after_ms)]
        for channel in silent:
            del self._quiet[channel]
        return silent

    # The end

    def end_channel(self, channel: Channel, error: Exception) -> None:
        """End the streams of one channel with an error; it can be subscribed to again."""
        line = self._lines.get(channel)
        if line is not None:
            self._drop(line)
            self._in_turn(lambda: self._each(line, lambda observer: observer.on_error(error)))

    def complete(self) -> None:
        """Complete every stream, after a gap where events are missed, and each that is subscribed to later."""
        now_ms = self._now_ms()

        def finish(line: Line) -> None:
            self._recover_all(line, now_ms)
            self._each(line, lambda observer: observer.on_completed())

        self._finish(lambda observer: observer.on_completed(), finish)

    def fail(self, error: Exception) -> None:
        """End every stream with an error, and each that is subscribed to later."""

        def end(observer: Observer) -> None:
            observer.on_error(error)

        self._finish(end, lambda line: self._each(line, end))

    def dispose(self) -> None:
        """Let go of every subscriber at once; none gets a signal. A later one finds its stream completed."""
        for line in self._lines.values():
            for seat in line.seats:
                seat.taken = False
        self._finish(lambda observer: observer.on_completed(), lambda line: None)

    def _finish(self, end: Callable[[Observer], None], finish: Callable[[Line], None]) -> None:
        if self._end is not None:
            return
        self._last_stats = self.stats()
        self._end = end
        lines, self._lines = self._lines, {}
        for line in lines.values():
            line.wanted = False
        self._quiet.clear()
        self._waiting.extend(partial(finish, line) for line in lines.values())
        self._run_waiting()

    # Statistics

    def stats(self) -> dict[Channel, ChannelStats]:
        """By channel, those with subscribers first; after the end, those of that moment."""
        if self._end is not None:
            return self._last_stats
        now_ms = self._now_ms()
        left = {channel: counts.stats(subscribers=0, proven=False) for channel, counts in self._left.items()}
        return {channel: line.stats(now_ms) for channel, line in self._lines.items()} | left

    # Delivery

    def _in_turn(self, action: Callable[[], None]) -> None:
        self._waiting.append(action)
        self._run_waiting()

    def _run_waiting(self) -> None:
        if self._busy:
            return
        self._busy = True
        try:
            while self._waiting:
                self._waiting.popleft()()
        finally:
            self._busy = False

    def _send_now(self, line: Line, signal: Signal[Any]) -> None:
        """As `_in_turn` does where nothing is under way, for what is done by the million."""
        self._busy = True
        try:
            self._send(line, signal)
        finally:
            self._busy = False
        if self._waiting:
            self._run_waiting()

    def _begin(self, line: Line, at_ms: int) -> None:
        """Deliver the first gap before any event, also where frames of an earlier subscription precede the proof."""
        for seat in line.seats:
            if seat.missing_since_ms == 0:
                self._recover(seat, at_ms)
                seat.missing_since_ms = at_ms

    def _recover_all(self, line: Line, at_ms: int) -> None:
        for seat in line.seats:
            self._recover(seat, at_ms)

    def _recover(self, seat: Seat, at_ms: int) -> None:
        if seat.missing_since_ms is not None:
            gap = Gap(seat.channel, min(seat.missing_since_ms, at_ms), at_ms, seat.reason)
            seat.missing_since_ms = None
            self._notify(seat, lambda observer: observer.on_signal(gap))

    def _send(self, line: Line, signal: Signal[Any]) -> None:
        for seat in line.seats:
            if seat.taken:
                try:
                    seat.observer.on_signal(signal)
                except Exception as error:  # noqa: BLE001 - the observer's own; see the module
                    self._give_up(seat)
                    self._on_raise(error)

    def _each(self, line: Line, notify: Callable[[Observer], None]) -> None:
        for seat in line.seats:
            self._notify(seat, notify)

    def _notify(self, seat: Seat, notify: Callable[[Observer], None]) -> None:
        if not seat.taken:
            return
        try:
            notify(seat.observer)
        except Exception as error:  # noqa: BLE001 - the observer's own; see the module
            self._give_up(seat)
            self._on_raise(error)
