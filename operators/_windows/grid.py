"""Windows on a grid of time, as a value: what `tumbling` and `sliding` make."""

from typing import Any

import attrs

from cgrx._streams.about import About
from cgrx._streams.running import Running
from cgrx._streams.stream import Stage
from cgrx.operators._windows.calendar import Calendar
from cgrx.operators._windows.grid_over_rows import GridOverRows
from cgrx.operators._windows.grid_running import GridRunning
from cgrx.operators._windows.options import RowT
from cgrx.operators._windows.over_rows import check_grid, check_no_rank
from cgrx.operators._windows.spacing import Regular
from cgrx.operators._windows.window import UNTIL_PROOF, Window


@attrs.frozen(repr=False, kw_only=True)
class Grid(Window[RowT]):
    """See `tumbling` and `sliding`."""

    takes_rows = True

    spacing: Regular | Calendar
    emit_empty: bool

    def __attrs_post_init__(self) -> None:
        check_no_rank(self)

    def check_behind(self, stages: tuple[Stage[Any, Any], ...]) -> None:
        beneath = next((each for each in reversed(stages) if isinstance(each, Window)), None)
        if self.rows.type.over_rows and beneath is not None:
            check_grid(self, self.spacing, beneath, getattr(beneath, "spacing", None))

    def start(self) -> Running[Any, Any]:
        kind = GridOverRows if self.rows.type.over_rows else GridRunning
        return kind(self, self.spacing, emit_empty=self.emit_empty)

    @property
    def about(self) -> About:
        what = "pane, twice," if self.spacing.overlapping else "window"
        also = ", and every key that ever came" if self.emit_empty else ""
        state = f"a partial result for each open {what} and key{also}"
        if self.rows.type.over_rows:
            return self._about(f"{state}, and the latest row of each window beneath that is open", 0)
        return self._about(state, self._waits_ms, UNTIL_PROOF)

    def __repr__(self) -> str:
        kind, lengths, where = self.spacing.code()
        emit_empty = ", emit_empty=True" if self.emit_empty else ""
        return f"{kind}({lengths}{self.rows}{where}{self.terms}{emit_empty})"
