"""What another stream has said of a key, in the order of event time, for as long as it may be asked for."""

from bisect import bisect_right
from collections.abc import Callable
from typing import Any

_FEW = 4
"""So many items are kept without asking whether all of them are needed."""


class History:
    """The items of one key. Of several with the same time it keeps the one that ranks highest."""

    __slots__ = ("cut", "items", "times", "worth_a_look")

    def __init__(self) -> None:
        self.times: list[int] = []
        self.items: list[Any] = []
        self.cut = False
        """Whether earlier items have been forgotten."""
        self.worth_a_look = _FEW
        """With so many items it is worth forgetting those that nobody needs any more."""

    def add(self, time_ms: int, item: Any, rank: Callable[[Any], Any]) -> int:
        """Take an item in: the number of items more, 0 or 1."""
        times, items = self.times, self.items
        if not times or time_ms > times[-1]:
            times.append(time_ms)
            items.append(item)
            return 1
        at = bisect_right(times, time_ms)
        if at and times[at - 1] == time_ms:
            if rank(item) >= rank(items[at - 1]):
                items[at - 1] = item
            return 0
        times.insert(at, time_ms)
        items.insert(at, item)
        return 1

    def find(self, time_ms: int) -> int:
        """The place of the latest item that is not later than this time; -1 if there is none."""
        return bisect_right(self.times, time_ms) - 1

    def forget_before(self, time_ms: int) -> int:
        """Keep what is needed to answer for this time and later ones: the number of items less."""
        count = max(0, self.find(time_ms))
        if count:
            del self.times[:count], self.items[:count]
            self.cut = True
        self.worth_a_look = max(_FEW, 2 * len(self.times))
        return count
