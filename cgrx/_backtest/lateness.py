"""What windows knew when they closed, found out without running every event.

Whether an event is late, and which gaps and losses a row knows of, depends on how far the watermark had come at that
moment. Of one connection `course` finds that in columns, and `Progress`, which the windows themselves use, takes over
where a gap or a loss becomes known. Of several `Progress` says all of it; it is shown only the `moments` at which it
may say something new.
"""

from collections.abc import Sequence

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


def ledgers(
    arrivals: Arrivals, runs: Sequence[pl.DataFrame], lateness_ms: int, idle_ms: int
) -> list[Ledger | Inexpressible]:
    """Go through streams with the same marks, and note what becomes known when; or why columns cannot say it.

    Args:
        arrivals: one of the streams, for its marks.
        runs: the events of each; see `Moments`.
        lateness_ms: as of the window.
        idle_ms: as of the window.
    """
    moments: Moments | Inexpressible
    try:
        moments = Moments(arrivals, runs, lateness_ms, idle_ms)
    except Inexpressible as inexpressible:
        moments = inexpressible
    if isinstance(moments, Moments) and moments.follows_columns:
        return _in_columns(moments, arrivals.promised_ms)
    if len(runs) > 1:
        return [found for events in runs for found in ledgers(arrivals, [events], lateness_ms, idle_ms)]
    return [moments if isinstance(moments, Inexpressible) else _by_moments(moments, arrivals.promised_ms)]


def _in_columns(moments: Moments, promised_ms: int | None) -> list[Ledger | Inexpressible]:
    course = Course(moments)
    watermarks, standing = course.standing()
    found: list[Ledger | Inexpressible] = []
    count = len(course.moments) // len(moments.runs)
    for run, late in enumerate(course.late):
        walk = _Walk(moments, promised_ms, late)
        for at in range(run * count, (run + 1) * count):
            take_over(walk.progress, watermarks[at], standing, at)
            walk.on_moment(course.moments[at])
        found.append(walk.found())
    return found


def _by_moments(moments: Moments, promised_ms: int | None) -> Ledger | Inexpressible:
    walk = _Walk(moments, promised_ms)
    try:
        found = moments.find()
    except Inexpressible as inexpressible:
        return inexpressible
    places = pl.Series([place for place, *_ in found], dtype=pl.Int64)
    states = [source.states(places) for source in moments.sources]
    for at, moment in enumerate(found):
        for source, of_source in zip(moments.sources, states, strict=True):
            source.move_to(of_source[at])
        walk.on_moment(moment)
    return walk.found()


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

    def __init__(self, moments: Moments, promised_ms: int | None, late: int = 0) -> None:
        self._promised_ms = promised_ms
        self._journal = _Journal()
        self.progress = Progress(moments.lateness_ms, moments.idle_ms, self._journal)
        for each in moments.sources:
            each.source = None
        # A stage that orders events says how far it is with the first that it lets go: that is a mark.
        self._marked = FOREVER if promised_ms is None else NEVER
        self._late = late

    def found(self) -> Ledger | Inexpressible:
        """What became known when; or how many events come too late."""
        if self._late:
            return Inexpressible(f"{self._late:,} {'event comes' if self._late == 1 else 'events come'} too late")
        return Ledger(tuple(self._journal.entries), self._marked, self._journal.watermark)

    def on_moment(self, moment: Moment) -> None:
        """Note what becomes known at a moment."""
        self._journal.watermark = self.progress.watermark
        match moment[3]:
            case Arrival() as arrival:
                self._on_arrival(arrival)
            case None:
                self._on_end()
            case mark:
                self._on_mark(mark)

    def _on_arrival(self, arrival: Arrival) -> None:
        arrival.source.show(self.progress, arrival.received_ms, arrival.moved_ms)
        self._late += self.progress.reached(arrival.until_ms)

    def _on_mark(self, mark: Mark) -> None:
        self._marked = min(self._marked, self._journal.watermark)
        self.progress.on_mark(mark)

    def _on_end(self) -> None:
        if self._promised_ms is not None:
            self.progress.on_mark(Watermark(self._promised_ms))
            self._journal.watermark = self.progress.watermark
        self.progress.end()
