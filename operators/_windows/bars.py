"""Bars: windows that close after a number of events, or a volume in dollars, in the order of arrival."""

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
from cgrx.operators._aggregates.exact import units
from cgrx.operators._rows.ready import Flow
from cgrx.operators._rows.row import Row
from cgrx.operators._stages.arguments import dollars, whole_number
from cgrx.operators._windows.keys import Key
from cgrx.operators._windows.open_row import OpenRow, Quality
from cgrx.operators._windows.options import BarOptions, RowT
from cgrx.operators._windows.window import DEFAULT_LATENESS, MAX_KEYS, Window, rows, terms
from cgrx.operators._windows.window_running import WindowRunning

_STATE = "a partial result for each key that ever came"


@attrs.define(eq=False)
class _Bar:
    """The open bar of a key. It is empty when the bar before has just closed."""

    accumulator: Accumulator
    filled: int = 0
    first_ms: int = FOREVER
    last_ms: int = NEVER
    after_ms: int = FOREVER
    """End of the previous bar: losses after it count here. FOREVER for the first bar of a key."""
    lost_before: int = 0
    """How many events the subscription had lost when this bar began."""
    given: Row | None = None
    """The running row that was given of it last."""


class BarRunning(WindowRunning):
    """Bars that close when they are full. State: one for each key that ever came."""

    remade = WindowRunning.remade | {"_full", "_by_volume"}

    def __init__(self, stage: Window[Any], full: int, *, by_volume: bool) -> None:
        super().__init__(stage)
        self._full = full
        self._by_volume = by_volume
        self._bars: dict[Key, _Bar] = {}

    def _add(self, event: Any, time_ms: int, key: Key, rows: list[Row]) -> None:
        bar = self._bars.get(key)
        if bar is None:
            self._enter(key)
            bar = self._bars[key] = _Bar(self._accumulator(), lost_before=self._progress.lost)
        bar.accumulator.add(event)
        bar.filled += units(event.volume_usd) if self._by_volume else 1
        if time_ms > bar.last_ms:
            bar.last_ms = time_ms
        lost: Row | None = None
        if time_ms < bar.first_ms:
            bar.first_ms = time_ms
            lost, bar.given = bar.given, None
        if self._updates_ms is not None:
            self._changed[key] = time_ms
        at_ms = 0 if lost is None else self._withdraw(lost, rows)
        if bar.filled >= self._full:
            rows.append(self._row(key, bar, final=True))
            next_bar = _Bar(self._accumulator(), after_ms=bar.last_ms + 1, lost_before=self._progress.lost)
            self._bars[key] = next_bar
        elif lost is not None:
            del self._changed[key]
            self._give_one(self._open_row(key, bar), at_ms, rows)

    def _row(self, key: Key, bar: _Bar, *, final: bool) -> Row:
        values = bar.accumulator.values()
        quality = self._missed(bar, final=final)
        return self._make((bar.first_ms, bar.last_ms + 1, *self._fields(key), *values, *quality))

    def _missed(self, bar: _Bar, *, final: bool) -> Quality:
        """The quality of a bar. Losses need no event time here: like events, they count in the bars open on arrival."""
        gap_ms = self._progress.gap_ms(min(bar.first_ms, bar.after_ms), bar.last_ms + 1)
        dropped = self._progress.lost - bar.lost_before
        return gap_ms, dropped, 0, final, final and gap_ms == 0 and dropped == 0

    def _finish(self, rows: list[Row]) -> None:
        found = ((bar.last_ms, self._fields(key), key) for key, bar in self._bars.items() if bar.filled)
        rows.extend(self._row(key, self._bars[key], final=False) for _, _, key in sorted(found, key=_end_and_fields))

    def _find_running(self, changed: dict[Key, int]) -> Iterator[OpenRow]:
        for key in changed:
            bar = self._bars[key]
            if bar.filled:
                yield self._open_row(key, bar)

    def _open_row(self, key: Key, bar: _Bar) -> OpenRow:
        return bar.last_ms + 1, self._fields(key), bar.first_ms, bar.accumulator.values(), bar

    def _running_quality(self, start_ms: int, end_ms: int, fields: tuple[Any, ...]) -> Quality:
        return self._missed(self._bars[fields[0] if self._single else fields], final=False)

    def _safe_ms(self) -> int:
        return self._progress.believed_ms

    def _needed_from(self) -> int:
        return min((min(bar.first_ms, bar.after_ms) for bar in self._bars.values()), default=NEVER)


def _end_and_fields(found: tuple[int, tuple[Any, ...], Key]) -> tuple[int, tuple[Any, ...]]:
    return found[:2]


@attrs.frozen(repr=False, kw_only=True)
class CountBars(Window[RowT]):
    """See `count_bars`."""

    n: int

    def start(self) -> Running[Any, Any]:
        return BarRunning(self, self.n, by_volume=False)

    @property
    def about(self) -> About:
        return self._about(_STATE, 0)

    def __repr__(self) -> str:
        return f"count_bars({self.n}{self.rows}{self.terms})"


@attrs.frozen(repr=False, kw_only=True)
class VolumeBars(Window[RowT]):
    """See `volume_bars`."""

    usd: float

    def start(self) -> Running[Any, Any]:
        return BarRunning(self, units(self.usd), by_volume=True)

    @property
    def about(self) -> About:
        return self._about(_STATE, 0)

    def __repr__(self) -> str:
        return f"volume_bars({self.usd!r}{self.rows}{self.terms})"


@overload
def count_bars(n: int, /, **options: Unpack[BarOptions]) -> Stage[Event, Flow]: ...
@overload
def count_bars(
    n: int,
    /,
    row: type[RowT] | None = None,
    *,
    by: str | Sequence[str] = (),
    lateness: Duration = ...,
    updates: Duration | None = None,
    max_keys: float = ...,
    **aggregates: Aggregate[Any],
) -> Stage[Event, RowT]: ...
def count_bars(
    n: int,
    /,
    row: type[Row] | None = None,
    *,
    by: str | Sequence[str] = (),
    lateness: Duration = DEFAULT_LATENESS,
    updates: Duration | None = None,
    max_keys: float = MAX_KEYS,
    **aggregates: Aggregate[Any],
) -> Stage[Event, Any]:
    """One row for every `n` events of a key, in the order in which they arrive.

    Examples:
        >>> usd = (100, 200, 300, 400)
        >>> trades = batch(*(trade("buy", x, time=i) for i, x in enumerate(usd)))
        >>> [(row.start_ms, row.volume) for row in play(ops.count_bars(2), [trades])]
        [(0, 300.0), (2000, 700.0)]

    A bar closes with its last event, at once, so nothing is late. The row's `start_ms` is the time of its earliest
    event, its `end_ms` a millisecond after the time of its latest. Rows come out as the bars close.

    Args:
        n: how many events make a bar; by position only, so that a field may be called `n`.
        row: a class of rows, by default `Flow`. With keyword aggregates and no class, the row holds these alone.
        by: the name of the key field, or several in a tuple: there is a row for each key. By default the key fields
            that `row` declares; if there are none, all events are of one key.
        lateness: by how much gaps and losses are widened, because the clocks of the exchange and of this machine
            differ.
        updates: give running rows too (`final` is False): one for each key that has changed, whenever event time, or
            the time proven alive, enters a new period of this length; with 0 one behind each event.
        max_keys: how many keys there may be; `math.inf` for no bound. A key stays open once it has come.
        **aggregates: further aggregates by the name of their field.

    A full bar is final. Its `gap_ms` and `dropped` count what is missing since the previous bar of its key ended,
    because it would have been in this one; the first bar of a key counts from its own first event. On completion the
    bars that are not full come out, not final; on an error nothing more comes out.

    With `updates`, an event that is earlier than all others of its bar moves the `start_ms`. A running row that has
    gone out of the bar then comes once more as a withdrawn one (`row.withdrawn`), and behind it a running row of that
    start, unless the bar is full; see `session`. Bars are told apart by number, not by time: two bars of a key can
    begin in the same millisecond, and their rows then have the same `row.identity`.

    State: one partial result for each key, and the running row given of its bar last.

    Raises:
        ValueError: `n` is below 1, and as with `tumbling`.
        TypeError: an argument of another type.
        TooManyKeysError: through `on_error`: there are more than `max_keys` keys.
    """
    return CountBars(n=whole_number(n, "n"), rows=rows(row, by, aggregates), terms=terms(lateness, updates, max_keys))


@overload
def volume_bars(usd: float, /, **options: Unpack[BarOptions]) -> Stage[Event, Flow]: ...
@overload
def volume_bars(
    usd: float,
    /,
    row: type[RowT] | None = None,
    *,
    by: str | Sequence[str] = (),
    lateness: Duration = ...,
    updates: Duration | None = None,
    max_keys: float = ...,
    **aggregates: Aggregate[Any],
) -> Stage[Event, RowT]: ...
def volume_bars(
    usd: float,
    /,
    row: type[Row] | None = None,
    *,
    by: str | Sequence[str] = (),
    lateness: Duration = DEFAULT_LATENESS,
    updates: Duration | None = None,
    max_keys: float = MAX_KEYS,
    **aggregates: Aggregate[Any],
) -> Stage[Event, Any]:
    """One row for every `usd` US dollars of a key's volume, in the order in which events arrive.

    Examples:
        >>> usd = (600, 500, 900, 100)
        >>> trades = batch(*(trade("buy", x, time=i) for i, x in enumerate(usd)))
        >>> [(row.count, row.volume) for row in play(ops.volume_bars(1_000), [trades])]
        [(2, 1100.0), (2, 1000.0)]

    The event that brings a bar to `usd` or beyond closes it and belongs to it whole; the next bar begins at 0. So a bar
    holds `usd` or more, and one large event may be a bar of its own. The sum is exact. All else is as with
    `count_bars`.

    Args:
        usd: the volume that fills a bar, US dollars; by position only, so that a field may be called `usd`.
        row: see `count_bars`, as for all that follow.
        by: see `count_bars`.
        lateness: see `count_bars`.
        updates: see `count_bars`.
        max_keys: see `count_bars`.
        **aggregates: see `count_bars`.

    Raises:
        ValueError: `usd` is not above 0 or not finite, and as with `tumbling`.
        TypeError: an argument of another type.
        TooManyKeysError: through `on_error`: there are more than `max_keys` keys.
    """
    return VolumeBars(usd=dollars(usd, "usd"), rows=rows(row, by, aggregates), terms=terms(lateness, updates, max_keys))
