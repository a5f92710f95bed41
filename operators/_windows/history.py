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

    __slots__ = ("cut", "items", "times", "withdrew")

    def __init__(self) -> None:
        self.times: list[int] = []
        self.items: list[Any] = []
        self.cut = False
        """Whether earlier items have been forgotten."""
        self.withdrew = False
        """Whether there may be withdrawn rows among the items."""

    def replace(self, at: int, item: Any, rank: Callable[[Any], Any]) -> None:
        """Of the item there, and another of the same time, keep the one that ranks higher, or else the other.

        Beside a withdrawn row both are kept.
        """
        if self.withdrew and (is_withdrawn(item) or is_withdrawn(self.items[at])):
            self.times.insert(at + 1, self.times[at])
            self.items.insert(at + 1, item)
        elif rank(innermost(item)) >= rank(innermost(self.items[at])):
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
        """Keep what is needed to answer for this time and later ones; how many are left."""
        count = max(0, self.find(time_ms))
        if count:
            del self.times[:count], self.items[:count]
            self.cut = True
        self.withdrew = self.withdrew and any(map(is_withdrawn, self.items))
        return len(self.times)


class Histories(dict[Hashable, History]):
    """All of them, by key. Beyond so many items in them, also what the first input may still ask for is given up."""

    def __init__(self, max_held: float) -> None:
        super().__init__()
        self._max_held = max_held
        self.said = 0
        """How many items there have been."""
        self.worth_a_look = _FEW
        """With one more than so many it is worth forgetting those that nobody needs any more."""

    def forget_before(self, time_ms: int, said: int, *, at_most_ms: int) -> int:
        """Forget what nobody asks for any more; if too much is left, all that is before the other time.

        Args:
            time_ms: what was the latest then, and all later ones, may be asked for.
            said: how many items there have been.
            at_most_ms: the same, if there are too many.

        Returns:
            With one more than how many it is worth it again: when there are twice as many as now.
        """
        left = self._left_from(time_ms)
        if left > self._max_held:
            left = self._left_from(at_most_ms)
        self.worth_a_look = said + max(_FEW, left)
        return self.worth_a_look

    def _left_from(self, time_ms: int) -> int:
        return sum([each.forget_before(time_ms) for each in self.values()])
