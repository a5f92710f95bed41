"""Windows on a grid of time, as a value: what `tumbling` and `sliding` make."""

from typing import Any

import attrs

from cgrx._streams.about import About
from cgrx._streams.running import Running
from cgrx.operators._windows.calendar import Calendar
from cgrx.operators._windows.grid_running import GridRunning
from cgrx.operators._windows.options import RowT
from cgrx.operators._windows.spacing import Regular
from cgrx.operators._windows.window import UNTIL_PROOF, Window


@attrs.frozen(repr=False, kw_only=True)
class Grid(Window[RowT]):
    """See `tumbling` and `sliding`."""

    spacing: Regular | Calendar
    emit_empty: bool

    def start(self) -> Running[Any, Any]:
        return GridRunning(self, self.spacing, emit_empty=self.emit_empty)

    @property
    def about(self) -> About:
        what = "pane, twice," if self.spacing.overlapping else "window"
        also = ", and every key that ever came" if self.emit_empty else ""
        return self._about(f"a partial result for each open {what} and key{also}", self._waits_ms, UNTIL_PROOF)

    def __repr__(self) -> str:
        kind, lengths, where = self.spacing.code()
        emit_empty = ", emit_empty=True" if self.emit_empty else ""
        return f"{kind}({lengths}{self.rows}{where}{self.terms}{emit_empty})"
