"""Windows once more, written to be read: everything is kept, everything is computed anew, nothing is fast.

The tests hold the operators to it. Rows are tuples in the order of a row's values:
start_ms, end_ms, key fields, n, usd, open, close, high, low, gap_ms, dropped, late, final, complete.
"""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, NamedTuple, TypeAlias

from cgrx._model.events import Trade
from cgrx._model.signals import Alive, Batch, Dropped, Gap, Mark, Signal, Watermark
from tests.windows.grids import Even, Uneven

RefRow: TypeAlias = tuple[Any, ...]
Key: TypeAlias = tuple[str, ...]

NEVER = -(10**9)


def middle(samples: list[int]) -> int | None:
    """The median of the last nine, the lower one of two; None if there are fewer than three."""
    recent = sorted(samples[-9:])
    return recent[(len(recent) - 1) // 2] if len(recent) >= 3 else None


class Progress:
    """The rules of time and quality, one sentence after the other."""

    def __init__(self, lateness: int, idle: int) -> None:
        self.lateness, self.idle = lateness, idle
        self.highest: dict[Any, tuple[int, int]] = {}  # by source: highest event time, and when that was received
        self.received: dict[Any, int] = {}  # by source: when the last event was received
        self.active: set[Any] = set()
        self.alive: dict[str, int] = {}
        self.gaps: list[tuple[int, int]] = []
        self.losses: list[tuple[int, int, int]] = []
        self.watermark = self.believed = NEVER
        self.joint = -NEVER  # of several connections what all have proven, in event time
        self.proven = -NEVER  # the same, or less where a source whose clock is behind has not come further
        self.wall = NEVER
        self.marked = False
        self.foreign = False
        self.begun = NEVER
        self.samples: list[int] = []  # event time minus receive time
        self.latest: int | None = None  # that of the last event, if it is no sample yet
        self.own_samples: dict[Any, list[int]] = {}  # by source
        self.own_latest: dict[Any, int] = {}
        self.slowest: int | None = None  # the offset of a source whose clock is behind
        self.reach = (0, 0)  # from this machine's clock to the earliest and the latest of the others

    def see(self, channel: Any, received: int, event: Trade) -> None:
        source = (channel, event.exchange)
        self.foreign |= channel is None
        if self.begun == NEVER:
            self.begun = received
        self.wall = max(self.wall, received)
        self.latest = self.own_latest[source] = event.time_ms - received
        time_ms = event.time_ms
        if time_ms - received > self.offset + self.lateness:
            time_ms = received + self.offset
        if time_ms > self.highest.get(source, (NEVER, 0))[0]:
            self.highest[source] = (time_ms, received)
        self.received[source] = received
        self.active.add(source)
        self._raise(min(self.highest[source][0] for source in self.active) - self.lateness)

    @property
    def offset(self) -> int:
        """How far the events' clocks are ahead: the median of the last nine samples, the lower one of two."""
        return middle(self.samples) or 0

    @property
    def shift(self) -> int:
        """From this machine's clock to the events', where they are further apart than the lateness."""
        return self.counts(self.offset)

    def counts(self, offset: int) -> int:
        return offset if abs(offset) > self.lateness else 0

    def sample(self) -> None:
        if self.latest is not None:
            self.samples.append(self.latest)
            if len(self.samples) == 3:
                by = self.shift
                self.reach = (by, by)
                self.gaps = [(low + by, high + by) for low, high in self.gaps]
                self.losses = [(low, max(low, high + min(by, 0)), count) for low, high, count in self.losses]
                if self.begun != NEVER:
                    self.begun += by
        self.latest = None
        own: list[int] = []
        for source, latest in self.own_latest.items():
            self.own_samples.setdefault(source, []).append(latest)
        for source, samples in self.own_samples.items():
            offset = middle(samples)
            if offset is not None and abs(offset - self.offset) <= 60_000:
                own.append(offset)
                if len(samples) == 3 and source in self.own_latest:
                    self.widen(self.counts(offset))
        self.own_latest.clear()
        if own:
            each = [self.shift, *map(self.counts, own)]
            self.reach = (min(each), max(each))
            self.slowest = min(own) if self.offset - min(own) > self.lateness else None

    def widen(self, offset: int) -> None:
        """A clock is known for the first time: what was missed may have been missed there too."""
        low, high = self.reach
        earlier, later = max(0, low - offset), max(0, offset - high)
        self.gaps = [(start - earlier, end + later) for start, end in self.gaps]
        self.losses = [(start, end + later, count) for start, end, count in self.losses]
        self.reach = (min(low, offset), max(high, offset))

    def hear(self, mark: Mark) -> None:
        self.marked = True
        match mark:
            case Alive(origin=origin, at_ms=at_ms):
                self.wall = max(self.wall, at_ms)
                self.sample()
                self.alive[origin] = max(at_ms, self.alive.get(origin, NEVER))
                proven = min(self.alive.values())
                if len(self.alive) > 1:
                    time_ms, received = max(self.highest.values(), default=(0, 0))
                    self.joint = proven + time_ms - received
                    self._believe(self.believed)
                self.proven = self.joint
                if self.slowest is not None:
                    self.proven = min(self.joint, proven + self.slowest)
                self.active = {source for source in self.active if proven - self.received[source] < self.idle}
                if self.active:
                    self._raise(min(self.highest[source][0] for source in self.active) - self.lateness)
                elif self.highest:
                    time_ms, received = max(self.highest.values())
                    self._raise(time_ms + max(0, proven - received) - self.lateness)
            case Gap(start_ms=start, end_ms=end):
                self.wall = max(self.wall, end)
                if start == 0 and self.begun == NEVER:
                    self.begun = end + self.shift
                low, high = self.reach
                self.gaps.append((start + low - self.lateness, end + high + self.lateness))
            case Dropped(count=count):
                newest = max(self.wall + self.reach[1], max(self.highest.values(), default=(NEVER, 0))[0])
                self.losses.append((self.watermark, newest + self.lateness, count))
            case Watermark(time_ms=time_ms):
                self.believed = max(self.believed, time_ms)
                self._believe(time_ms)

    def _believe(self, time_ms: int) -> None:
        self.watermark = max(self.watermark, min(time_ms, self.joint - self.lateness))

    def _raise(self, time_ms: int) -> None:
        self.watermark = max(self.watermark, min(time_ms, self.proven - self.lateness))

    def gap(self, start: int, end: int) -> int | None:
        if self.foreign or not self.marked:
            return None
        return sum(any(low <= time_ms < high for low, high in self.gaps) for time_ms in range(start, end))

    def dropped(self, start: int, end: int) -> int:
        return sum(count for low, high, count in self.losses if low < end and high >= start)

    def end(self) -> None:
        """What comes after the last that was seen is a gap."""
        if self.active:
            seen = min(self.highest[source][0] for source in self.active)
        elif self.highest:
            time_ms, received = max(self.highest.values())
            seen = time_ms + max(0, min(self.alive.values()) - received)
        else:
            seen = NEVER
        self.gaps.append((min(max(seen, self.believed), self.proven), 10**9))


class Arrival(NamedTuple):
    """A single event."""

    channel: Any
    received: int
    event: Trade


def steps(signals: Sequence[Signal[Trade]]) -> Iterator[Arrival | Mark]:
    """Single events, and marks."""
    for signal in signals:
        if isinstance(signal, Batch):
            yield from (Arrival(signal.channel, signal.received_ms, event) for event in signal.events)
        else:
            yield signal


def key_of(event: Trade, by: tuple[str, ...]) -> Key:
    return tuple(getattr(event, field) for field in by)


def row(
    progress: Progress,
    window: tuple[int, int],
    key: Key,
    events: list[Trade],
    late: int,
    final: bool,
    around: int = 0,
) -> RefRow:
    """The row of these events; `around` widens what counts as missing."""
    start, end = window
    ordered = sorted(events, key=lambda event: (event.time_ms, event.price))
    prices = [event.price for event in ordered]
    values: tuple[Any, ...] = (0, 0.0, None, None, None, None)
    if events:
        usd = sum(event.volume_usd for event in events)
        values = (len(events), usd, prices[0], prices[-1], max(prices), min(prices))
    gap = progress.gap(start - around, end + around)
    dropped = progress.dropped(start - around, end + around)
    return (start, end, *key, *values, gap, dropped, late, final, final and gap == 0 and dropped == 0)


def sliding(
    signals: Sequence[Signal[Trade]],
    grid: Even | Uneven,
    by: tuple[str, ...],
    lateness: int,
    idle: int,
    emit: bool = False,
    ends: bool = True,
) -> tuple[list[RefRow], list[Trade]]:
    """The rows of windows on a grid, and the late events."""
    progress = Progress(lateness, idle)
    windows: dict[int, dict[Key, list[Trade]]] = {}
    known: dict[Key, int] = {}
    late: list[Trade] = []
    rows: list[RefRow] = []
    closed_before: int | None = None  # the start of the first window that is not closed

    def close(start: int, final: bool) -> None:
        found = windows.pop(start, {})
        window = (start, grid.end(start))
        if emit and window[1] > progress.begun:
            for key, since in known.items():
                if since <= start:
                    found.setdefault(key, [])
        rows.extend(row(progress, window, key, found[key], len(late), final) for key in sorted(found))

    for step in steps(signals):
        if isinstance(step, Arrival):
            progress.see(*step)
        else:
            progress.hear(step)
        first_open = grid.first_open(progress.watermark)
        candidates = set(windows)
        if emit and known:
            since = min(known.values()) if closed_before is None else closed_before
            candidates |= grid.between(since, first_open)
        for start in sorted(candidates):
            if grid.end(start) <= progress.watermark:
                close(start, True)
        if closed_before is None or first_open > closed_before:
            closed_before = first_open
        if isinstance(step, Arrival):
            event = step.event
            starts = grid.containing(event.time_ms)
            opened = [start for start in starts if grid.end(start) > progress.watermark]
            if len(opened) < len(starts):
                late.append(event)
            for start in opened:
                key = key_of(event, by)
                windows.setdefault(start, {}).setdefault(key, []).append(event)
                known[key] = min(start, known.get(key, start))
    if ends:
        progress.end()
        if windows:
            first = min(windows)
            if emit and closed_before is not None:
                first = min(first, max(closed_before, min(known.values())))
            for start in sorted(grid.between(first, max(windows) + 1)):
                close(start, False)
    return rows, late


class Sessions:
    """Sessions step by step: the rows so far, and the late events."""

    def __init__(self, gap: int, by: tuple[str, ...], lateness: int, idle: int) -> None:
        self.gap, self.by = gap, by
        self.progress = Progress(lateness, idle)
        self.events: dict[Key, list[Trade]] = {}
        self.late: list[Trade] = []
        self.rows: list[RefRow] = []

    def open(self) -> list[tuple[int, Key, list[Trade]]]:
        """The sessions that are open, by end and key: with their events in order."""
        found: list[tuple[int, Key, list[Trade]]] = []
        for key, events in self.events.items():
            bursts: list[list[Trade]] = []
            for event in sorted(events, key=lambda event: event.time_ms):
                if bursts and event.time_ms - bursts[-1][-1].time_ms <= self.gap:
                    bursts[-1].append(event)
                else:
                    bursts.append([event])
            found += [(burst[-1].time_ms + 1, key, burst) for burst in bursts]
        return sorted(found, key=lambda each: each[:2])

    def take(self, step: Arrival | Mark) -> None:
        """An event, or a mark."""
        if isinstance(step, Arrival):
            self.progress.see(*step)
        else:
            self.progress.hear(step)
        for end, key, burst in self.open():
            if end + self.gap <= self.progress.watermark:
                self._give(end, key, burst, True)
                self.events[key] = [event for event in self.events[key] if event not in burst]
        if isinstance(step, Arrival):
            event = step.event
            key = key_of(event, self.by)
            joins = any(abs(event.time_ms - other.time_ms) <= self.gap for other in self.events.get(key, []))
            if joins or event.time_ms + self.gap + 1 > self.progress.watermark:
                self.events.setdefault(key, []).append(event)
            else:
                self.late.append(event)

    def end(self) -> None:
        """The stream has completed."""
        self.progress.end()
        for each in self.open():
            self._give(*each, False)

    def _give(self, end: int, key: Key, burst: list[Trade], final: bool) -> None:
        window = (burst[0].time_ms, end)
        self.rows.append(row(self.progress, window, key, burst, len(self.late), final, around=self.gap))


def sessions(
    signals: Sequence[Signal[Trade]], gap: int, by: tuple[str, ...], lateness: int, idle: int
) -> tuple[list[RefRow], list[Trade]]:
    """The rows of sessions, and the late events."""
    found = Sessions(gap, by, lateness, idle)
    for step in steps(signals):
        found.take(step)
    found.end()
    return found.rows, found.late


def bars(
    signals: Sequence[Signal[Trade]], full: float, by: tuple[str, ...], lateness: int, by_volume: bool
) -> list[RefRow]:
    """The rows of count and volume bars."""
    progress = Progress(lateness, 0)
    opened: dict[Key, list[Trade]] = {}
    ended: dict[Key, int] = {}
    lost_before: dict[Key, int] = {}
    rows: list[RefRow] = []

    def give(key: Key, final: bool) -> None:
        events = opened.pop(key)
        start, end = min(event.time_ms for event in events), max(event.time_ms for event in events) + 1
        made = row(progress, (start, end), key, events, 0, final)
        gap = progress.gap(min(start, ended.get(key, start)), end)
        dropped = sum(count for _, _, count in progress.losses) - lost_before.pop(key)
        rows.append((*made[:-5], gap, dropped, 0, final, final and gap == 0 and dropped == 0))
        ended[key] = end
        lost_before[key] = sum(count for _, _, count in progress.losses)

    for step in steps(signals):
        if not isinstance(step, Arrival):
            progress.hear(step)
            continue
        progress.see(*step)
        event = step.event
        key = key_of(event, by)
        opened.setdefault(key, []).append(event)
        lost_before.setdefault(key, sum(count for _, _, count in progress.losses))
        if (sum(each.volume_usd for each in opened[key]) if by_volume else len(opened[key])) >= full:
            give(key, True)
    for key in sorted(opened, key=lambda key: (max(event.time_ms for event in opened[key]), key)):
        give(key, False)
    return rows


def all_events(signals: Sequence[Signal[Trade]]) -> list[Trade]:
    return list(chain.from_iterable(signal.events for signal in signals if isinstance(signal, Batch)))
