"""Sessions: windows that last until there is no event for some time."""

import heapq
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import Any, Unpack, overload

import attrs

from cgrx._model.events import Event
from cgrx._model.times import FOREVER, NEVER, Duration
from cgrx._streams.about import About
from cgrx._streams.running import Running
from cgrx._streams.stream import Stage
from cgrx.operators._aggregates.accumulators import Accumulator
from cgrx.operators._aggregates.aggregate import Aggregate
from cgrx.operators._rows.ready import Flow
from cgrx.operators._rows.row import Row
from cgrx.operators._stages.arguments import LateEvents, positive_ms, spelled
from cgrx.operators._windows.keys import Key
from cgrx.operators._windows.open_row import OpenRow, Quality
from cgrx.operators._windows.options import RowT, WindowOptions
from cgrx.operators._windows.window import DEFAULT_IDLE, DEFAULT_LATENESS, MAX_KEYS, UNTIL_PROOF, Window, rows, terms
from cgrx.operators._windows.window_running import WindowRunning


@attrs.define(eq=False)
class Burst:
    """A session while it is open."""

    key: Key
    first_ms: int
    last_ms: int
    accumulator: Accumulator
    open: bool = True
    given: Row | None = None
    """The running row that was given of it last."""


def _first(burst: Burst) -> int:
    return burst.first_ms


class SessionRunning(WindowRunning):
    """Sessions that a silence of more than `gap_ms` ends. State: the open ones, by key."""

    remade = WindowRunning.remade | {"_gap_ms", "_settles_ms"}

    __slots__ = ("_bursts", "_gap_ms")

    def __init__(self, stage: Window[Any], gap_ms: int) -> None:
        super().__init__(stage)
        self._gap_ms = self._settles_ms = gap_ms
        self._bursts: dict[Key, list[Burst]] = {}  # more than `gap_ms` apart, in order
        # A heap of when each session may close at the earliest; the number tells equal times apart. A session that has
        # gone on since is put back when it is first in turn, so an event costs no heap operation.
        self._turns: list[tuple[int, int, Burst]] = []
        self._opened = 0

    def _add(self, event: Any, time_ms: int, key: Key, rows: list[Row]) -> None:
        bursts = self._bursts.get(key)
        if bursts is None:
            self._add_apart(event, time_ms, key, [], rows)
            return
        # Nearly always the latest session goes on; `_add_apart` would find the same.
        burst = bursts[-1]
        since_ms = time_ms - burst.last_ms
        if since_ms > 0:
            if since_ms > self._gap_ms:
                self._add_apart(event, time_ms, key, bursts, rows)
                return
            burst.last_ms = time_ms
        elif time_ms < burst.first_ms:
            self._add_apart(event, time_ms, key, bursts, rows)
            return
        burst.accumulator.add(event)
        if self._updates_ms is not None and self._changed.get(key, NEVER) < time_ms:
            self._changed[key] = time_ms

    def _add_apart(self, event: Any, time_ms: int, key: Key, bursts: list[Burst], rows: list[Row]) -> None:
        """Add an event that begins a session, makes one begin earlier, or belongs to an earlier one or to two."""
        gap_ms = self._gap_ms
        at = len(bursts)
        if bursts and bursts[-1].first_ms > time_ms:
            at = bisect_right(bursts, time_ms, key=_first)
        before = bursts[at - 1] if at and time_ms - bursts[at - 1].last_ms <= gap_ms else None
        behind = bursts[at] if at < len(bursts) and bursts[at].first_ms - time_ms <= gap_ms else None
        burst = before or behind
        lost: Row | None = None
        if burst is None:
            burst = self._begin(event, time_ms, key, bursts, at)
            if burst is None:
                return
        elif before is not None and behind is not None:
            lost = self._join(before, behind)
        elif time_ms < burst.first_ms:
            burst.first_ms = time_ms
            lost = self._displaced(burst)
        elif time_ms > burst.last_ms:
            burst.last_ms = time_ms
        burst.accumulator.add(event)
        if self._updates_ms is not None and self._changed.get(key, NEVER) < time_ms:
            self._changed[key] = time_ms
        if lost is not None:
            self._give_now(burst, self._withdraw(lost, rows), rows)

    def _join(self, before: Burst, behind: Burst) -> Row | None:
        """Make one session of two: the running row that stands for none any more, if one was given."""
        before.accumulator.merge(behind.accumulator)
        before.last_ms = behind.last_ms
        self._remove(behind)
        if before.given is not None:
            return behind.given
        before.given = behind.given
        return self._displaced(before)

    def _displaced(self, burst: Burst) -> Row | None:
        """The running row given last of a session, if rows of that have another start now."""
        given = burst.given
        if given is None or given.start_ms == self._start_of(burst):
            return None
        burst.given = None
        return given

    def _start_of(self, burst: Burst) -> int:
        """The `start_ms` of its rows."""
        return burst.first_ms

    def _give_now(self, burst: Burst, at_ms: int, rows: list[Row]) -> None:
        """Give a running row that waits for no update; the next update need not repeat it."""
        if burst.first_ms <= self._changed.get(burst.key, NEVER) <= burst.last_ms:
            del self._changed[burst.key]
        self._give_one(self._open_row(burst), at_ms, rows)

    def _open_row(self, burst: Burst) -> OpenRow:
        fields = self._fields(burst.key)
        return burst.last_ms + 1, fields, self._start_of(burst), burst.accumulator.values(), burst

    def _begin(self, event: Any, time_ms: int, key: Key, bursts: list[Burst], at: int) -> Burst | None:
        closes_ms = time_ms + self._gap_ms + 1
        if self._progress.reached(closes_ms):
            self._is_late(event)
            return None
        self._enter(key)
        burst = Burst(key, time_ms, time_ms, self._accumulator())
        bursts.insert(at, burst)
        self._bursts[key] = bursts
        self._opened += 1
        heapq.heappush(self._turns, (closes_ms, self._opened, burst))
        if closes_ms < self._deadline:
            self._deadline = closes_ms
            self._aim(self._cursor)
        return burst

    def _remove(self, burst: Burst) -> None:
        burst.open = False
        self._leave(burst.key)
        bursts = self._bursts[burst.key]
        bursts.remove(burst)
        if not bursts:
            del self._bursts[burst.key]

    def _close(self, rows: list[Row]) -> None:
        turns, reached = self._turns, self._progress.reached
        closed: list[Burst] = []
        while turns:
            turn_ms, number, burst = turns[0]
            closes_ms = burst.last_ms + self._gap_ms + 1
            if not burst.open:
                heapq.heappop(turns)
            elif closes_ms > turn_ms:  # also before its turn: the deadline is then that of a session, and not too early
                heapq.heapreplace(turns, (closes_ms, number, burst))
            elif reached(turn_ms):
                heapq.heappop(turns)
                closed.append(burst)
                self._remove(burst)
            else:
                break
        self._deadline = turns[0][0] if turns else FOREVER
        if closed:
            self._give(closed, rows, final=True)

    def _finish(self, rows: list[Row]) -> None:
        self._progress.end()
        self._give([burst for bursts in self._bursts.values() for burst in bursts], rows, final=False)

    def _give(self, bursts: list[Burst], rows: list[Row], *, final: bool) -> None:
        ordered = sorted(
            (burst.last_ms, self._fields(burst.key), burst.first_ms, burst.accumulator) for burst in bursts
        )
        for last_ms, fields, first_ms, accumulator in ordered:
            quality = self._quality(first_ms, last_ms + 1, final=final)
            rows.append(self._make((first_ms, last_ms + 1, *fields, *accumulator.values(), *quality)))

    def _quality(self, start_ms: int, end_ms: int, *, final: bool) -> Quality:
        # An event that is missing within `gap` of a session could have belonged to it.
        return super()._quality(start_ms - self._gap_ms, end_ms + self._gap_ms, final=final)

    def _needed_from(self) -> int:
        starts = [bursts[0].first_ms for bursts in self._bursts.values()]
        return min([self._progress.watermark - self._gap_ms, *starts]) - self._gap_ms - 1

    def _find_running(self, changed: dict[Key, int]) -> Iterator[OpenRow]:
        """For each key the session of its latest event, if that is open."""
        for key, time_ms in changed.items():
            for burst in reversed(self._bursts.get(key, [])):
                if burst.first_ms <= time_ms <= burst.last_ms:
                    yield self._open_row(burst)


@attrs.frozen(repr=False, kw_only=True)
class Session(Window[RowT]):
    """See `session`."""

    gap_ms: int

    def start(self) -> Running[Any, Any]:
        return SessionRunning(self, self.gap_ms)

    @property
    def about(self) -> About:
        return self._about("a partial result for each open session", self._waits_ms, UNTIL_PROOF)

    def __repr__(self) -> str:
        return f"session({spelled(self.gap_ms)}{self.rows}{self.terms})"


@overload
def session(gap: Duration, **options: Unpack[WindowOptions]) -> Stage[Event, Flow]: ...
@overload
def session(
    gap: Duration,
    row: type[RowT] | None = None,
    *,
    by: str | Sequence[str] = (),
    lateness: Duration = ...,
    idle: Duration = ...,
    on_late: LateEvents | None = None,
    updates: Duration | None = None,
    max_keys: float = ...,
    **aggregates: Aggregate[Any],
) -> Stage[Event, RowT]: ...
def session(
    gap: Duration,
    row: type[Row] | None = None,
    *,
    by: str | Sequence[str] = (),
    lateness: Duration = DEFAULT_LATENESS,
    idle: Duration = DEFAULT_IDLE,
    on_late: LateEvents | None = None,
    updates: Duration | None = None,
    max_keys: float = MAX_KEYS,
    **aggregates: Aggregate[Any],
) -> Stage[Event, Any]:
    """One row for each run of events of a key in which no silence is longer than `gap`.

    Examples:
        >>> trades = batch(*(trade("buy", 100, time=t) for t in (1, 3, 4, 20)))
        >>> for row in play(ops.session("5s"), [trades, alive("1m")]):
        ...     print(row.start_ms, row.end_ms, row.count)
        1000 4001 3
        20000 20001 1

    An event no further than `gap` from a session, before or behind it, joins it; if it is that near to two, they become
    one. The row's `start_ms` is the first event's time, its `end_ms` a millisecond after the last one's. A session
    closes when the watermark has passed its last event + `gap`. An event that comes too late for a session of its own
    still counts if it joins an open one. Rows come out by end, then key. All else is as with `tumbling`.

    With `updates` a running row may have gone out of a session that then begins earlier, or is joined to an earlier
    one. No final row of that `start_ms` will come. So with the very event the row comes once more as a withdrawn one
    (`row.withdrawn`), and behind it the running row of what the session is now. Whoever keeps the rows in a table by
    `row.identity` deletes withdrawn ones; then nothing but the final rows is left there when all sessions are over.

    Args:
        gap: the longest silence within a session.
        row: a class of rows; see `tumbling`, as for all that follow.
        by: see `tumbling`.
        lateness: see `tumbling`.
        idle: see `tumbling`.
        on_late: see `tumbling`.
        updates: see `tumbling`.
        max_keys: see `tumbling`.
        **aggregates: see `tumbling`.

    An event that is missing within `gap` of a session could have made it longer, so `gap_ms` and `dropped` count what
    is missing there too. On completion the open sessions come out, not final; on an error nothing more comes out.

    State: one partial result for each open session, and the running row given of it last.

    Raises:
        ValueError: `gap` is shorter than a millisecond, and as with `tumbling`.
        TypeError: an argument of another type.
        TooManyKeysError: through `on_error`: more than `max_keys` keys are open.
    """
    return Session(
        gap_ms=positive_ms(gap, "gap"),
        rows=rows(row, by, aggregates),
        terms=terms(lateness, updates, max_keys, idle, on_late),
    )
