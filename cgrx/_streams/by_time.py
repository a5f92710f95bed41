"""What is held until its time comes: a heap that takes many at once, and gives many at once."""

from bisect import bisect_left
from heapq import heappop, heappush
from typing import Any, Generic, TypeVar

Item = TypeVar("Item", bound=tuple[Any, ...])

_FEW = 16
"""Where one in so many is added, it is pushed: to sort all would cost more."""
_FEWER = 64
"""Where less than one in so many is due, each is popped: to move all the others up would cost more."""


class ByTime(Generic[Item]):
    """Tuples in the order of their first value, a time; the second is a number that no other one has.

    A sorted list is a heap too. Events come in runs that are sorted already: to merge a run into a sorted list, and to
    cut off what is due, takes a fraction of the time in which each is pushed and popped.
    """

    __slots__ = ("_is_sorted", "items")

    def __init__(self) -> None:
        self.items: list[Item] = []
        """A heap: the earliest is the first one."""
        self._is_sorted = True

    def add(self, item: Item) -> None:
        """One more."""
        heappush(self.items, item)
        self._is_sorted = False

    def add_all(self, items: list[Item]) -> None:
        """Many more, mostly in order. Costs time in proportion to them, whatever is held."""
        if len(items) * _FEW < len(self.items):
            for item in items:
                heappush(self.items, item)
            self._is_sorted = False
        else:
            self.items += items
            self.items.sort()
            self._is_sorted = True

    def pop(self) -> Item:
        """Take the earliest out."""
        self._is_sorted = False
        return heappop(self.items)

    def pop_until(self, time_ms: float) -> list[Item]:
        """Take out all up to this time, this included, in order."""
        items = self.items
        if self._is_sorted:
            count = bisect_left(items, (time_ms + 1,))
            if count * _FEWER >= len(items):
                first = items[:count]
                del items[:count]
                return first
        due: list[Item] = []
        while items and items[0][0] <= time_ms:
            due.append(heappop(items))
        self._is_sorted = not items
        return due
