"""What another stream has said of a key, in the order of event time, for as long as it may be asked for."""

from bisect import bisect_right
from collections.abc import Callable, Hashable, Iterator
from typing import Any

from cgrx.operators._stages.items import innermost, is_withdrawn

_FEW = 4
"""So many items are kept without asking whether all of them are needed."""


class History:
    """The items of one key. Of several with the same time it keeps the one that ranks highest.

    A withdrawn row is an item too, and never found: from its time on what it withdraws is not found either.
    """

    __slots__ = ("_counted", "cut", "items", "times", "withdrew", "worth_a_look")

    def __init__(self) -> None:
        self.times: list[int] = []
        self.items: list[Any] = []
        self._counted = 0
        self.cut = False
        """Whether earlier items have been forgotten."""
        self.withdrew = False
        """Whether there may be withdrawn rows among the items."""
        self.worth_a_look = _FEW
        """With so many items it is worth forgetting those that nobody needs any more."""

    def replace(self, at: int, item: Any, rank: Callable[[Any], Any]) -> None:
        """Of the item there, and another of the same time, keep the one that ranks higher, or else the other.

        Beside a withdrawn row both are kept.
        """
        if self.withdrew and (is_withdrawn(item) or is_withdrawn(self.items[at])):
            self.times.insert(at + 1, self.times[at])
            self.items.insert(at + 1, item)
        elif rank(item) >= rank(self.items[at]):
            self.items[at] = item

    def find(self, time_ms: int) -> int:
        """The place of the latest item that is not later than this time; -1 if there is none."""
        at = bisect_right(self.times, time_ms) - 1
        return next(self._standing(at), -1) if self.withdrew else at

    def first(self) -> int:
        """The place of the earliest item; -1 if there is none."""
        return min(self._standing(len(self.items) - 1), default=-1) if self.withdrew else 0

    def _standing(self, at: int) -> Iterator[int]:
        """The places of the items that are not withdrawn by then, from this one backwards."""
        taken: set[object] = set()
        for place in range(at, -1, -1):
            row: Any = innermost(self.items[place])
            window: object = (row.__class__, getattr(row, "identity", None))
            if is_withdrawn(row):
                taken.add(window)
            elif window not in taken or row.final:
                yield place

    def forget_before(self, time_ms: int) -> int:
        """Keep what is needed to answer for this time and later ones: how many more there are since it last did so."""
        count = max(0, self.find(time_ms))
        if count:
            del self.times[:count], self.items[:count]
            self.cut = True
        grown = len(self.times) - self._counted
        self._counted = len(self.times)
        self.withdrew = self.withdrew and any(map(is_withdrawn, self.items))
        self.worth_a_look = max(_FEW, 2 * self._counted)
        return grown


class Histories(dict[Hashable, History]):
    """All of them, by key. Beyond so many items in them, also what the first input may still ask for is given up."""

    def __init__(self, max_held: float) -> None:
        super().__init__()
        self._max_held = max_held
        self._kept = 0
        self._worth_a_sweep = max_held

    def forget_before(self, time_ms: int, history: History, *, at_most_ms: int) -> None:
        """Forget of one what nobody asks for any more; if too much is kept, of all what is before the other time."""
        self._kept += history.forget_before(time_ms)
        if self._kept > self._worth_a_sweep:
            for each in self.values():
                self._kept += each.forget_before(at_most_ms)
            self._worth_a_sweep = max(self._max_held, 2 * self._kept)
