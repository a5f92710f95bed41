"""How far event time has come, and what was missed on the way: the one place that decides when a window may close.

    source       one exchange within one channel; its own watermark is the highest event time seen minus the lateness
    watermark    the lowest of the sources that are not idle; it never goes back
    idle         the stream is proven alive for `idle` past the source's last event: a quiet exchange delays no row
    all idle     the latest event's time, plus the time proven alive since it was received, minus the lateness
    no proof     nothing advances: silence is then unknown, not zero
    connections  where several are merged, events of one prove nothing about another. The watermark does not pass the
                 time up to which all of them are proven alive, minus the lateness: while one connection is silent or
                 gone, windows wait for it
    wrong times  an event that is further ahead of its receive time than others are, by more than the lateness, moves
                 time only as far as its receive time does; see `cgrx._streams.offset`
    slow clocks  where one exchange's clock is behind the others' by more than the lateness, the watermark does not pass
                 the time that it is there by proof, minus the lateness; see `clocks`

The watermark moves event by event, so that batching decides nothing. Taking the minimum over all sources at every event
would be slow, and no window needs it: a window waits for its end, and asks whether the watermark has `reached` that
time. The answer is no as long as one source is behind; that source is remembered, and only when it has passed is
another one looked for. So an event costs O(1), and each time that is waited for costs O(sources).
"""

from collections.abc import Iterator

from cgrx._model.channels import Channel
from cgrx._model.limits import MAX_EXCHANGES, OTHER_EXCHANGES
from cgrx._model.signals import Alive, Dropped, Gap, Mark
from cgrx._model.times import FOREVER, NEVER
from cgrx.operators._windows.clocks import Clocks, Source
from cgrx.operators._windows.missing import Missing

_CROWDED = 64
"""The number of gaps and losses from which on it is worth dropping those that no window needs any more."""


class Progress:
    """The watermark of one subscription, and what it has missed. State: its sources and recent gaps."""

    def __init__(self, lateness_ms: int, idle_ms: int, missing: Missing | None = None) -> None:
        self.begun_ms = NEVER
        """Before this time nothing was seen at all, because the subscription had not begun: its first gap ends here, or
        its first event was received."""
        self.lost = 0
        """How many events are known to be lost so far."""
        self.clocks = Clocks(lateness_ms)
        self._lateness_ms = lateness_ms
        self._idle_ms = idle_ms
        self._sources: dict[Channel | None, dict[str, Source]] = {}
        self._active: list[Source] = []
        self._behind = 0  # the place in `_active` of a source that was behind when last asked
        self._reached_ms = NEVER  # the watermark is at least here
        self._believed_ms = NEVER  # the latest `Watermark` of a stage upstream
        self._joint_ms = FOREVER  # what all of several connections have proven; FOREVER with one
        self._limit_ms = FOREVER  # what events and proofs may not move the watermark past: the above, or a slow clock
        self._alive_ms: dict[str, int] = {}
        self._now_ms = NEVER  # the latest wall time seen on a mark
        self._missing = Missing() if missing is None else missing
        self._unplaced = 0  # events lost before any signal told the time
        self._marked = False

    # Events

    def sources(self, channel: Channel | None) -> dict[str, Source]:
        """The sources of a channel, by exchange."""
        found = self._sources.get(channel)
        if found is None:
            found = self._sources[channel] = {}
        return found

    def source(self, sources: dict[str, Source], exchange: str, received_ms: int) -> Source:
        """The source that an event comes from; an idle one wakes up. Tell the event's time to its `advance`."""
        source = sources.get(exchange)
        if source is None and len(sources) >= MAX_EXCHANGES:
            exchange = OTHER_EXCHANGES
            source = sources.get(exchange)
        if source is None or source.idle:
            _ = self.watermark  # as far as it came before this source holds it up
            if source is None:
                source = sources[exchange] = Source()
                if self.begun_ms == NEVER:  # and no gap says when
                    self.begun_ms = received_ms
            source.idle = False
            self._active.append(source)
        source.received_ms = received_ms
        if self._unplaced:
            count, self._unplaced = self._unplaced, 0
            self._lose(count)
        return source

    # Event time

    @property
    def watermark(self) -> int:
        """An event that comes now with an earlier time is late. Costs O(sources)."""
        if self._active:
            time_ms = FOREVER
            for source in self._active:
                if source.time_ms < time_ms:
                    time_ms = source.time_ms
            self._reach(time_ms - self._lateness_ms)
        return self._reached_ms

    @property
    def come_ms(self) -> int:
        """Where the watermark has been found to be so far; it may be further."""
        return self._reached_ms

    def _reach(self, time_ms: int) -> None:
        if time_ms > self._limit_ms:
            time_ms = self._limit_ms
        if time_ms > self._reached_ms:
            self._reached_ms = time_ms

    def reached(self, time_ms: int) -> bool:
        """Whether the watermark is at `time_ms` or beyond."""
        if self._reached_ms >= time_ms:
            return True
        if not self._active or time_ms > self._limit_ms or self._find_behind(time_ms) is not None:
            return False
        return self.watermark >= time_ms  # it is; and where it is exactly, the next ones ask too

    def awaited(self, time_ms: int) -> tuple[Source | None, int]:
        """The source that holds the watermark up before `time_ms`, and the earliest time of its events that may help.

        None and FOREVER where no event can help, as all sources have come so far or only a proof of life helps. What is
        returned holds until an event of that time comes of that source, another source begins or wakes up, or a mark
        comes: after each of these, ask `reached`.
        """
        source = None if time_ms > self._limit_ms else self._find_behind(time_ms)
        return source, FOREVER if source is None else time_ms + self._lateness_ms

    def _find_behind(self, time_ms: int) -> Source | None:
        needed_ms = time_ms + self._lateness_ms
        active, behind = self._active, self._behind
        if active and active[behind].time_ms < needed_ms:  # mostly it is the one that it was
            return active[behind]
        for index in range(behind + 1, behind + len(active)):
            source = active[index % len(active)]
            if source.time_ms < needed_ms:
                self._behind = index % len(active)
                return source
        return None

    @property
    def believed_ms(self) -> int:
        """The latest `Watermark` of a stage upstream; NEVER before one."""
        return self._believed_ms

    @property
    def latest_ms(self) -> int:
        """The present in event time: the latest event's time, plus the time proven alive since it was received."""
        latest = self._latest()
        if latest is None:
            return NEVER
        return latest.time_ms + max(0, self._proven_ms() - latest.time_received_ms)

    def _latest(self) -> Source | None:
        return max(self._every(), key=lambda source: (source.time_ms, source.time_received_ms), default=None)

    def _every(self) -> Iterator[Source]:
        for group in self._sources.values():
            yield from group.values()

    def _proven_ms(self) -> int:
        # The connection of a source is not known; the earliest of the proofs holds for all sources.
        return min(self._alive_ms.values(), default=NEVER)

    def take_over(self, watermark_ms: int) -> None:
        """Go on from a watermark that was found without this object; its sources were moved there."""
        self._reached_ms = max(self._reached_ms, watermark_ms)
        self._active = [source for source in self._every() if not source.idle]
        self._behind = 0

    # Marks

    def on_mark(self, mark: Mark) -> None:
        """Take a mark in: it may move the watermark, or add a gap or a loss."""
        self._marked = True
        match mark:
            case Alive(origin=origin, at_ms=at_ms):
                self._now_ms = max(self._now_ms, at_ms)
                self.begun_ms += self.clocks.on_proof(self._every(), self._missing)
                self._alive_ms[origin] = max(at_ms, self._alive_ms.get(origin, NEVER))
                self._prove(self._proven_ms())
            case Gap(channel=channel, start_ms=start_ms, end_ms=end_ms):
                self._now_ms = max(self._now_ms, end_ms)
                if start_ms <= 0 and channel is not None and self.begun_ms == NEVER:
                    self.begun_ms = end_ms
                earliest_ms, latest_ms = self.clocks.earliest(start_ms), self.clocks.latest(end_ms)
                self._missing.add_gap(earliest_ms - self._lateness_ms, latest_ms + self._lateness_ms)
            case Dropped(count=count):
                self.lost += count
                if self._now_ms == NEVER and not self._sources:
                    self._unplaced += count
                else:
                    self._lose(count)
            case upstream:
                self._believed_ms = max(self._believed_ms, upstream.time_ms)
                self._reached_ms = max(self._reached_ms, min(upstream.time_ms, self._joint_ms))

    def _prove(self, alive_ms: int) -> None:
        """All events up to `alive_ms` have been received: a source without any for `idle` is idle."""
        self._limit(alive_ms)
        silent = [source for source in self._active if alive_ms - source.received_ms >= self._idle_ms]
        if silent:
            for source in silent:
                source.idle = True
            _ = self.watermark  # as far as it came with the silent ones, in case all are silent
            self._active = [source for source in self._active if not source.idle]
            self._behind = 0
        if self._sources and not self._active:
            self._reach(self.latest_ms - self._lateness_ms)

    def _limit(self, alive_ms: int) -> None:
        """Say what the watermark may not pass, now that all connections are proven alive up to `alive_ms`.

        With several connections the latest event tells how far the clock of the exchange is ahead of this one.
        """
        several, slow_ms = len(self._alive_ms) > 1, self.clocks.slow_ms
        if not several and slow_ms is None:
            self._limit_ms = FOREVER
            return
        _ = self.watermark  # as far as it came without this limit
        if several:
            latest = self._latest()
            ahead_ms = 0 if latest is None else latest.time_ms - latest.time_received_ms
            self._joint_ms = alive_ms + ahead_ms - self._lateness_ms
            self._reached_ms = max(self._reached_ms, min(self._believed_ms, self._joint_ms))
        self._limit_ms = self._joint_ms
        if slow_ms is not None:
            self._limit_ms = min(self._limit_ms, alive_ms + slow_ms - self._lateness_ms)

    def _lose(self, count: int) -> None:
        # The time of a lost event is not known: not before the watermark, or it was late, and hardly beyond now.
        received_ms = max([self._now_ms, *(each.received_ms for each in self._every())])
        newest_ms = max([self.clocks.latest(received_ms), *(each.time_ms for each in self._every())])
        self._missing.add_loss(self.watermark, newest_ms + self._lateness_ms + 1, count)

    # Quality

    def gap_ms(self, start_ms: int, end_ms: int) -> int | None:
        """How many milliseconds of [start_ms, end_ms) may miss events; None if that is not known.

        It is not known if no mark has come, or if events come without a channel: behind a foreign observable.
        """
        return self._missing.gap_ms(start_ms, end_ms) if self.knows_gaps else None

    @property
    def knows_gaps(self) -> bool:
        """Whether it would be told of a gap: a mark has come, and no events come without a channel."""
        return self._marked and None not in self._sources

    def dropped(self, start_ms: int, end_ms: int) -> int:
        """How many of the lost events may have had a time in [start_ms, end_ms)."""
        return self._missing.dropped(start_ms, end_ms)

    def end(self) -> None:
        """The stream has completed: everything after the last event time that was seen is a gap."""
        seen_ms = min([source.time_ms for source in self._active]) if self._active else self.latest_ms
        seen_ms = min(max(seen_ms, self._believed_ms), self._limit_ms + self._lateness_ms)
        self._missing.add_gap(seen_ms, FOREVER)

    @property
    def crowded(self) -> bool:
        """Whether it is time to `forget_before`."""
        return len(self._missing) > _CROWDED

    def forget_before(self, time_ms: int) -> None:
        """Drop what is missing before `time_ms`: no window needs it any more."""
        self._missing.forget_before(time_ms)
