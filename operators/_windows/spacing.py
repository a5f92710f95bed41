"""Where windows of a fixed length begin and end, as a value; `calendar` has those that follow a calendar.

Time is cut into panes, and windows are made of panes. One that overlaps no other is a pane itself.
"""

from math import gcd
from typing import Protocol

import attrs

from cgrx.operators._stages.arguments import spelled


class Ruler(Protocol):
    """Says which panes and windows there are. Windows are known by their start, and so are panes."""

    longest_ms: int
    """No window is longer."""

    def pane(self, time_ms: int) -> tuple[int, int]:
        """The start and the end of the pane that holds a time."""
        ...

    def end(self, start_ms: int) -> int:
        """The end of a window."""
        ...

    def next(self, start_ms: int) -> int:
        """The window after another one."""
        ...

    def last(self, pane_start_ms: int) -> int:
        """The last window that holds a pane."""
        ...

    def open_at(self, time_ms: int) -> int:
        """The first window that ends after a time. Of the start of a pane: the first window that holds it."""
        ...


@attrs.frozen
class Regular:
    """Windows of `size_ms`, the first of which begins `offset_ms` behind the epoch, and the others each `every_ms`."""

    size_ms: int
    every_ms: int
    offset_ms: int = 0

    @property
    def overlapping(self) -> bool:
        """Whether a window is made of several panes."""
        return self.size_ms != self.every_ms

    @property
    def pane_ms(self) -> int:
        """The length of a pane."""
        return gcd(self.size_ms, self.every_ms)

    def ruler(self) -> Ruler:
        """What says where they are."""
        return _RegularRuler(self)

    def code(self) -> tuple[str, str, str]:
        """As arguments: the kind of window, its positional ones, and its named ones with a comma before each."""
        kind, lengths = ("sliding", f", {spelled(self.every_ms)}") if self.overlapping else ("tumbling", "")
        named = f", offset={spelled(self.offset_ms)}" if self.offset_ms else ""
        return kind, f"{spelled(self.size_ms)}{lengths}", named


class _RegularRuler:
    """All by arithmetic; no state."""

    def __init__(self, regular: Regular) -> None:
        self.longest_ms = self._size_ms = regular.size_ms
        self._every_ms = regular.every_ms
        self._offset_ms = regular.offset_ms
        self._pane_ms = regular.pane_ms

    def pane(self, time_ms: int) -> tuple[int, int]:
        start_ms = time_ms - (time_ms - self._offset_ms) % self._pane_ms
        return start_ms, start_ms + self._pane_ms

    def end(self, start_ms: int) -> int:
        return start_ms + self._size_ms

    def next(self, start_ms: int) -> int:
        return start_ms + self._every_ms

    def last(self, pane_start_ms: int) -> int:
        return pane_start_ms - (pane_start_ms - self._offset_ms) % self._every_ms

    def open_at(self, time_ms: int) -> int:
        return ((time_ms - self._size_ms - self._offset_ms) // self._every_ms + 1) * self._every_ms + self._offset_ms
