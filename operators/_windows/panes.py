"""A queue of partial results that knows its total at any time, so that a sliding window costs the same for any length.

Panes come in at one end and leave at the other; each window needs the total of those between. Two stacks give it
(Tangwongsan, Hirzel, Schneider: In-order sliding-window aggregation in worst-case constant time, 2021, section 2):
the back keeps its panes and their one total, the front a total for each pane of all panes from that one on. When the
front is used up the back is turned over to become the front. So a pane is merged three times in its life, however long
the window; nothing is ever subtracted.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from cgrx.operators._aggregates.accumulators import Accumulator


class _Pane(NamedTuple):
    start_ms: int
    own: Accumulator
    onward: Accumulator
    """The total of this pane and all later ones of the front."""


class PaneQueue:
    """The panes of one key, by time. State: for each pane its own partial result, and a total."""

    def __init__(self, make: Callable[[], Accumulator]) -> None:
        self._make = make
        self._front: list[_Pane] = []  # the oldest is last
        self._back: list[tuple[int, Accumulator]] = []
        self._back_total: Accumulator | None = None
        self._stale = False  # a pane has changed since, so there are no totals, and no front, until the next eviction

    def __bool__(self) -> bool:
        return bool(self._front or self._back)

    @property
    def latest_ms(self) -> int:
        """The start of the latest pane; there must be one."""
        return self._back[-1][0] if self._back else self._front[0].start_ms

    def push(self, start_ms: int, pane: Accumulator) -> None:
        """Add a pane, later than all others, that will not change any more."""
        self._back.append((start_ms, pane))
        if not self._stale:
            if self._back_total is None:
                self._back_total = self._make()
            self._back_total.merge(pane)

    def amend(self, start_ms: int) -> Accumulator:
        """The pane at `start_ms`, to add a late event to: it has been pushed already, or was without events.

        The next window computes all totals anew, which costs one merge for each pane.
        """
        panes = dict(self._every())
        pane = panes.setdefault(start_ms, self._make())
        self._front.clear()
        self._back = sorted(panes.items())
        self._back_total = None
        self._stale = True
        return pane

    def evict_before(self, time_ms: int) -> None:
        """Drop the panes that begin before `time_ms`."""
        front = self._front
        while front and front[-1].start_ms < time_ms:
            front.pop()
        if not front and self._back and (self._stale or self._back[0][0] < time_ms):
            for start_ms, own in reversed(self._back):
                if start_ms < time_ms:
                    break
                onward = own
                if front:
                    onward = self._make()
                    onward.merge(own)
                    onward.merge(front[-1].onward)
                front.append(_Pane(start_ms, own, onward))
            self._back.clear()
            self._back_total = None
            self._stale = False

    def total(self) -> Accumulator:
        """The total of all panes, to be read only. Call `evict_before` first; a pane at least must be left."""
        if self._back_total is None:
            return self._front[-1].onward
        if not self._front:
            return self._back_total
        total = self._make()
        total.merge(self._front[-1].onward)
        total.merge(self._back_total)
        return total

    def total_from(self, time_ms: int) -> Accumulator:
        """The panes that begin at `time_ms` or later, without dropping the others."""
        total = self._make()
        for pane in reversed(self._front):
            if pane.start_ms >= time_ms:
                total.merge(pane.onward)
                if self._back_total is not None:
                    total.merge(self._back_total)
                return total
        for start_ms, own in self._every():
            if start_ms >= time_ms:
                total.merge(own)
        return total

    def _every(self) -> Iterator[tuple[int, Accumulator]]:
        yield from ((pane.start_ms, pane.own) for pane in reversed(self._front))
        yield from self._back
