"""The running form of windows on a grid of time over the rows of smaller windows: an hour of minutes.

The rows of a window beneath go into the pane that holds its whole span. Only those that are final count for good. The
latest of the others wait apart: they count in running rows, and in the rows that completion cuts short.
"""

from collections.abc import Callable, Iterator
from typing import Any

from cgrx._model.signals import Batch
from cgrx._model.times import NEVER
from cgrx._streams.running import noted
from cgrx.operators._aggregates.accumulators import Accumulator
from cgrx.operators._rows.row import Row
from cgrx.operators._windows.beneath import Beneath
from cgrx.operators._windows.calendar import Calendar
from cgrx.operators._windows.grid_running import GridRunning
from cgrx.operators._windows.keys import Key
from cgrx.operators._windows.open_row import OpenRow, Quality
from cgrx.operators._windows.over_rows import check_row_type
from cgrx.operators._windows.spacing import Regular
from cgrx.operators._windows.window import Window
from cgrx.operators._windows.window_running import WindowRunning


class GridOverRows(GridRunning):
    """Windows of rows. State: the panes of open windows, by key; the latest row of each window open beneath."""

    def __init__(self, stage: Window[Any], spacing: Regular | Calendar, *, emit_empty: bool) -> None:
        super().__init__(stage, spacing, emit_empty=emit_empty)
        self._beneath = self._progress = Beneath(stage.terms.lateness_ms)
        self._open_rows: dict[int, dict[tuple[Any, ...], Row]] = {}  # by pane, and by their identity
        self._checked: type[Row] | None = None

    produce = WindowRunning._produce_whole  # a row has no source of its own, so there is no short way

    def _take(self, batch: Batch[Any], rows: list[Row]) -> None:
        self._beneath.hear(batch.received_ms)
        row: Any = None
        try:
            for row in batch.events:
                self._take_row(row, rows)
        except Exception as error:
            noted(error, self._stage, row)
            raise

    def _take_row(self, row: Row, rows: list[Row]) -> None:
        if type(row) is not self._checked:
            check_row_type(self._stage, type(row))
            self._checked = type(row)
        start_ms, pane_end_ms = self._ruler.pane(row.start_ms)
        if row.end_ms > pane_end_ms:
            raise ValueError(
                f"{self._stage!r} takes rows whose windows fit into its own: this one reaches from {row.start_ms} to"
                f" {row.end_ms}, across {pane_end_ms}"
            )
        self._beneath.reach(row.time_ms)
        if row.final:
            self._beneath.see(row)
            self._beneath.note(row)
        self._release(self._beneath.latest_ms, rows)
        if row.withdrawn:
            self._open_rows.get(start_ms, {}).pop(row.identity, None)
            return
        pane = self._panes.get(start_ms)
        if pane is None:
            if not row.final and self._beneath.reached(self._ruler.end(self._ruler.open_at(start_ms))):
                return
            pane = self._begin(start_ms, row)
            if pane is None:  # the row is late
                return
        key = self._key_of(row)
        if row.final:
            self._add_row(pane, start_ms, key, row)
            self._open_rows.get(start_ms, {}).pop(row.identity, None)
        else:
            self._open_rows.setdefault(start_ms, {})[row.identity] = row
        if self._updates_ms is not None:
            self._changed[key] = max(start_ms, self._changed.get(key, NEVER))

    def _add_row(self, pane: dict[Key, Accumulator], start_ms: int, key: Key, row: Row) -> None:
        accumulator = pane.get(key)
        if accumulator is None:
            accumulator = pane[key] = self._enter_pane(key, start_ms)
        add: Callable[[Any], None] = accumulator.add
        add(row)

    def _close(self, rows: list[Row]) -> None:
        super()._close(rows)
        for start_ms in [each for each in self._open_rows if each not in self._panes]:
            del self._open_rows[start_ms]

    def _finish(self, rows: list[Row]) -> None:
        for start_ms, waiting in self._open_rows.items():
            for row in waiting.values():
                self._beneath.see(row)
                self._beneath.note(row)
                self._add_row(self._panes[start_ms], start_ms, self._key_of(row), row)
        super()._finish(rows)

    def _quality(self, start_ms: int, end_ms: int, *, final: bool) -> Quality:
        gap_ms, dropped, late, final, complete = super()._quality(start_ms, end_ms, final=final)
        return gap_ms, dropped, late + self._beneath.late, final, complete

    def _find_running(self, changed: dict[Key, int]) -> Iterator[OpenRow]:
        for key, pane_start_ms in changed.items():
            if pane_start_ms in self._panes:
                start_ms = self._ruler.open_at(pane_start_ms)
                end_ms = self._ruler.end(start_ms)
                total = self._total(key, start_ms, end_ms)
                add: Callable[[Any], None] = total.add
                for pane_ms, waiting in self._open_rows.items():
                    if start_ms <= pane_ms < end_ms:
                        for row in waiting.values():
                            if self._key_of(row) == key:
                                add(row)
                yield end_ms, self._fields(key), start_ms, total.values(), None
