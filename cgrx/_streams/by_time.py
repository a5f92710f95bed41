"""What is held until its time comes: a heap that takes many at once, and gives many at once."""

from bisect import bisect_left, bisect_right, insort
from heapq import heappop, heappush
from operator import itemgetter
from typing import Any, Generic, TypeVar

Item = TypeVar("Item", bound=tuple[Any, ...])

_TIME = itemgetter(0)
_SIMILAR = 4
"""Where one in so many is added, or more, all are sorted at once: that costs less than to look where they belong."""
_FEW = 16
"""Where one in so many is added, each is put in its place: to sort them with all others would cost more."""
MANY = 1024
"""To move so many others costs what it takes to push or pop one."""


class ByTime(Generic[Item]):
    """Tuples in the order of their first value, a time; the second is a number that no other one has.

    A sorted list is a heap too. Events come in runs that are sorted already: to merge a run into a sorted list, and to
    cut off what is due, takes a fraction of the time in which each is pushed and popped.
    """

    __slots__ = ("is_sorted", "items")

    def __init__(self) -> None:
        self.items: list[Item] = []
        """A heap: the earliest is the first one."""
        self.is_sorted = True
        """Whether they are in order, too."""

    def add(self, item: Item) -> None:
        """One more."""
        held = self.items
        if self.is_sorted:
            if not held or held[-1] < item:  # as always where one source alone is held
                held.append(item)
                return
            if len(held) < MANY or held[-MANY] < item:  # as nearly always: it is of about the same time
                insort(held, item)
                return
        heappush(held, item)
        self.is_sorted = False

    def add_all(self, items: list[Item]) -> None:
        """Many more, mostly in order. Costs time in proportion to them, whatever is held."""
        if not items:
            return
        held = self.items
        if len(held) <= _SIMILAR * len(items):
            held += items
            held.sort()
        else:
            items = sorted(items)
            # Only what is held behind the first of them has to be looked at.
            at = bisect_left(held, items[0]) if self.is_sorted else 0
            if len(items) * _FEW <= len(held) - at:
                for item in items:
                    self.add(item)
                return
            held[at:] = sorted(held[at:] + items)
        self.is_sorted = True

    def pop(self) -> Item:
        """Take the earliest out."""
        self.is_sorted = False
        return heappop(self.items)

    def pop_one_until(self, time_ms: float) -> list[Item]:
        """Take out the earliest, if it is not later than this."""
        return [self.pop()] if self.items and self.items[0][0] <= time_ms else []

    def pop_until(self, time_ms: float) -> list[Item]:
        """Take out all up to this time, this included, in order."""
        items = self.items
        if not items or items[0][0] > time_ms:
            return []
        if self.is_sorted:
            count = bisect_right(items, time_ms, key=_TIME)
            if count * MANY >= len(items):
                first = items[:count]
                del items[:count]
                return first
        due: list[Item] = []
        while items and items[0][0] <= time_ms:
            due.append(heappop(items))
        self.is_sorted = False
        return due
