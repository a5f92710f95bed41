"""What a stage behind a window knows: how far the windows beneath have closed, and what they missed.

time     the windows beneath say with a `Watermark` that no row of an earlier end will follow, so a window over rows
         closes with the window beneath that ends with it, and waits for nothing more
no marks behind anything that passes none, a row tells by its start that all windows before it have closed
gaps     are told by marks, and by the rows themselves. A row knows more, for the clocks of its events were known to
         its window; so a span of rows misses what the marks say, and what rows say beyond that. What all keys of a
         window miss together counts once
losses   likewise; a loss that two windows beneath may have had counts once in a window that holds both. Windows keep
         their events until they close, so what comes next tells up to when a loss may have been. A row that comes
         later, and has not missed it, tells that it was before; but not among several channels, for the row may be of
         a window that has not heard of it
"""

from collections.abc import Mapping
from typing import TypeAlias

from cgrx._model.channels import Channel
from cgrx._model.signals import Alive, Mark, Watermark
from cgrx._model.times import FOREVER, NEVER
from cgrx.operators._rows.row import Row
from cgrx.operators._windows.watermark import Progress

Faults: TypeAlias = Mapping[tuple[int, int], tuple[int, int]]
"""Of windows beneath, by start and end, how many milliseconds and how many events they missed."""

_MANY = 64


class Beneath(Progress):
    """How far the windows beneath have come. State: gaps, and the windows beneath that missed something."""

    def __init__(self, lateness_ms: int) -> None:
        super().__init__(lateness_ms, 0)
        self.late = 0
        """How many events came too late for the windows beneath so far."""
        self._latest_ms = NEVER
        self._seen_ms = NEVER  # the end of the last window beneath of which something was seen
        self._unknown = False
        self._faults: dict[tuple[int, int], tuple[int, int]] = {}
        self._channel: Channel | None = None  # of the last gap or loss
        self._several = False  # whether gaps and losses are of several channels
        self._lost = 0  # events since the last signal that told the time
        self._lost_from_ms = FOREVER  # and the earliest time that they may have had

    @property
    def latest_ms(self) -> int:
        return self._latest_ms

    def on_mark(self, mark: Mark) -> None:
        match mark:
            case Watermark(time_ms=time_ms):
                self._marked = True
                self._reached_ms = max(self._reached_ms, time_ms)
                self._latest_ms = max(self._latest_ms, time_ms)
            case Alive(at_ms=at_ms):
                self._marked = True
                self.hear(at_ms)
            case _:
                channel = mark.channel
                if channel is not None and channel != self._channel:
                    self._several = self._several or self._channel is not None
                    self._channel = channel
                super().on_mark(mark)

    def hear(self, time_ms: int) -> None:
        """A signal of this wall time has come."""
        if time_ms > self._now_ms:
            self._now_ms = time_ms
        if self._lost:
            newest_ms = self.clocks.latest(self._now_ms)
            self._missing.add_loss(self._lost_from_ms, newest_ms + self._lateness_ms + 1, self._lost)
            self._lost_from_ms, self._lost = FOREVER, 0

    def _lose(self, count: int) -> None:
        self._lost_from_ms = min(self._lost_from_ms, self.watermark)
        self._lost += count

    def reach(self, time_ms: int) -> None:
        """A row speaks of this event time."""
        if time_ms > self._latest_ms:
            self._latest_ms = time_ms

    def see(self, row: Row) -> None:
        """A row has come that will not change any more."""
        if self.begun_ms == NEVER:
            self.begun_ms = row.start_ms
        if self._unplaced:  # lost before any signal told the time
            self._missing.add_loss(NEVER, row.start_ms + self._lateness_ms + 1, self._unplaced)
            self._unplaced = 0
        if not row.dropped and not self._several:
            self._missing.end_losses(row.start_ms)
        self.late = max(self.late, row.late)
        if row.final or (row.gap_ms or 0) < row.end_ms - row.start_ms:
            self._seen_ms = max(self._seen_ms, row.end_ms)
        self._unknown = self._unknown or row.gap_ms is None
        if not self._marked:
            self._reached_ms = max(self._reached_ms, row.start_ms)

    def note(self, row: Row) -> None:
        """Keep what the window of this row missed, for the windows that it is part of."""
        if row.gap_ms or row.dropped:
            span = row.start_ms, row.end_ms
            gap_ms, dropped = self._faults.get(span, (0, 0))
            self._faults[span] = max(gap_ms, row.gap_ms or 0), max(dropped, row.dropped)

    def gap_ms(self, start_ms: int, end_ms: int, faults: Faults | None = None) -> int | None:
        if self._unknown or not self._marked:
            return None
        found = self._missing.gap_ms(start_ms, end_ms)
        for span, (gap_ms, _) in (self._faults if faults is None else faults).items():
            if span[0] >= start_ms and span[1] <= end_ms:
                found += max(0, gap_ms - self._missing.gap_ms(*span))
        return min(found, end_ms - start_ms)

    def dropped(self, start_ms: int, end_ms: int, faults: Faults | None = None) -> int:
        found = self._missing.dropped(start_ms, end_ms)
        if self._lost_from_ms < end_ms:
            found += self._lost
        for span, (_, dropped) in (self._faults if faults is None else faults).items():
            if span[0] >= start_ms and span[1] <= end_ms:
                found = max(found, dropped)
        return found

    def end(self) -> None:
        """The stream has completed: what comes after the windows that were seen is a gap; they tell of their own."""
        self._missing.add_gap(max(self._seen_ms, self._reached_ms), FOREVER)

    @property
    def crowded(self) -> bool:
        return super().crowded or len(self._faults) > _MANY

    def forget_before(self, time_ms: int) -> None:
        super().forget_before(time_ms)
        self._faults = {span: fault for span, fault in self._faults.items() if span[1] > time_ms}
