"""What windows knew when they closed, found out without running every event.

Whether an event is late, and which gaps and losses a row knows of, depends on how far the watermark had come at that
moment. Of one connection `course` finds that in columns, and `Progress`, which the windows themselves use, takes over
where a gap or a loss becomes known. Of several `Progress` says all of it; it is shown only the `moments` at which it
may say something new.
"""

import attrs
import polars as pl

from cgrx._backtest.arrivals import Arrivals
from cgrx._backtest.course import Course, take_over
from cgrx._backtest.moments import Arrival, Moment, Moments
from cgrx._backtest.plan import Inexpressible
from cgrx._model.signals import Mark, Watermark
from cgrx._model.times import FOREVER, NEVER
from cgrx.operators._windows.missing import Missing
from cgrx.operators._windows.watermark import Progress


@attrs.frozen
class Entry:
    """A gap or a loss, and the watermark before it was known: a window that had closed by then does not know of it."""

    watermark: int
    start_ms: int
    end_ms: int
    lost: int | None
    """How many events; None for a gap."""

    def enter(self, missing: Missing) -> None:
        """Add it to what is known to be missing."""
        if self.lost is None:
            missing.add_gap(self.start_ms, self.end_ms)
        else:
            missing.add_loss(self.start_ms, self.end_ms, self.lost)


@attrs.frozen
class Ledger:
    """Which gaps and losses became known, and how far the watermark had come."""

    entries: tuple[Entry, ...]
    """In the order in which they became known."""
    marked: int
    """The watermark before the first mark: a window that closed before does not know its quality."""
    watermark: int
    """The watermark at the end: a window that is still open then is not final."""


def ledger(arrivals: Arrivals, events: pl.DataFrame, until_ms: pl.Expr, lateness_ms: int, idle_ms: int) -> Ledger:
    """Go through a stream of events and marks, and note what becomes known when.

    Args:
        arrivals: the stream.
        events: its events, in order of arrival.
        until_ms: an event has its place in every window as long as the watermark is before this time.
        lateness_ms: as of the window.
        idle_ms: as of the window.

    Raises:
        Inexpressible: an event comes too late for a window.
    """
    walk = _Walk(Moments(arrivals, events, until_ms, lateness_ms, idle_ms), lateness_ms, idle_ms, arrivals.promised_ms)
    return walk.go()


class _Journal(Missing):
    """Notes each gap and loss with the watermark before it."""

    def __init__(self) -> None:
        super().__init__()
        self.watermark = NEVER
        self.entries: list[Entry] = []

    def add_gap(self, start_ms: int, end_ms: int) -> None:
        self.entries.append(Entry(self.watermark, start_ms, end_ms, None))

    def add_loss(self, start_ms: int, end_ms: int, count: int) -> None:
        self.entries.append(Entry(self.watermark, start_ms, end_ms, count))


class _Walk:
    """Shows the moments of a stream to `Progress`, one after another.

    Before each moment the sources are where they stood then, and the journal has the watermark of then.
    """

    def __init__(self, moments: Moments, lateness_ms: int, idle_ms: int, promised_ms: int | None) -> None:
        self._moments = moments
        self._promised_ms = promised_ms
        self._journal = _Journal()
        self._progress = Progress(lateness_ms, idle_ms, self._journal)
        # A stage that orders events says how far it is with the first that it lets go: that is a mark.
        self._marked = FOREVER if promised_ms is None else NEVER
        self._late = 0

    def go(self) -> Ledger:
        if self._moments.follows_columns:
            self._go_in_columns()
        else:
            self._go_by_moments()
        if self._late:
            raise Inexpressible(f"{self._late:,} {'event comes' if self._late == 1 else 'events come'} too late")
        return Ledger(tuple(self._journal.entries), self._marked, self._journal.watermark)

    def _go_in_columns(self) -> None:
        course = Course(self._moments)
        self._late = course.late
        moments = course.find()
        watermarks, standing = course.standing(moments)
        for at, (moment, watermark) in enumerate(zip(moments, watermarks, strict=True)):
            take_over(self._progress, watermark, standing, at)
            self._on_moment(moment)

    def _go_by_moments(self) -> None:
        sources, moments = self._moments.sources, self._moments.find()
        places = pl.Series([place for place, *_ in moments], dtype=pl.Int64)
        states = [source.states(places) for source in sources]
        for at, moment in enumerate(moments):
            for source, of_source in zip(sources, states, strict=True):
                source.move_to(of_source[at])
            self._on_moment(moment)

    def _on_moment(self, moment: Moment) -> None:
        self._journal.watermark = self._progress.watermark
        match moment[3]:
            case Arrival() as arrival:
                self._on_arrival(arrival)
            case None:
                self._on_end()
            case mark:
                self._on_mark(mark)

    def _on_arrival(self, arrival: Arrival) -> None:
        arrival.source.show(self._progress, arrival.received_ms, arrival.moved_ms)
        self._late += self._progress.reached(arrival.until_ms)

    def _on_mark(self, mark: Mark) -> None:
        self._marked = min(self._marked, self._journal.watermark)
        self._progress.on_mark(mark)

    def _on_end(self) -> None:
        if self._promised_ms is not None:
            self._progress.on_mark(Watermark(self._promised_ms))
            self._journal.watermark = self._progress.watermark
        self._progress.end()
