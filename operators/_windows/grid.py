"""Windows of a fixed length, aligned to the epoch, as a value: what `tumbling` and `sliding` make."""

from typing import Any

import attrs

from cgrx._streams.about import About
from cgrx._streams.running import Running
from cgrx.operators._stages.arguments import spelled
from cgrx.operators._windows.grid_running import GridRunning
from cgrx.operators._windows.options import RowT
from cgrx.operators._windows.window import UNTIL_PROOF, Window


@attrs.frozen(repr=False, kw_only=True)
class Grid(Window[RowT]):
    """See `tumbling` and `sliding`."""

    size_ms: int
    every_ms: int
    emit_empty: bool

    def start(self) -> Running[Any, Any]:
        return GridRunning(self, self.size_ms, self.every_ms, emit_empty=self.emit_empty)

    @property
    def about(self) -> About:
        what = "window" if self.size_ms == self.every_ms else "pane, twice,"
        also = ", and every key that ever came" if self.emit_empty else ""
        return self._about(f"a partial result for each open {what} and key{also}", self._waits_ms, UNTIL_PROOF)

    def __repr__(self) -> str:
        size = spelled(self.size_ms)
        kind = f"tumbling({size}" if self.size_ms == self.every_ms else f"sliding({size}, {spelled(self.every_ms)}"
        emit_empty = ", emit_empty=True" if self.emit_empty else ""
        return f"{kind}{self.rows}{self.terms}{emit_empty})"
