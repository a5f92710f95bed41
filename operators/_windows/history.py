"""What another stream has said of a key, in the order of event time, for as long as it may be asked for."""

from bisect import bisect_right
from collections.abc import Callable
from typing import Any

_FEW = 4
"""So many items are kept without asking whether all of them are needed."""


class History:
    """The items of one key. Of several with the same time it keeps the one that ranks highest."""

    __slots__ = ("_counted", "cut", "items", "times", "worth_a_look")

    def __init__(self) -> None:
        self.times: list[int] = []
        self.items: list[Any] = []
        self._counted = 0
        self.cut = False
        """Whether earlier items have been forgotten."""
        self.worth_a_look = _FEW
        """With so many items it is worth forgetting those that nobody needs any more."""

    def replace(self, at: int, item: Any, rank: Callable[[Any], Any]) -> None:
        """Of the item there, and another of the same time, keep the one that ranks higher, or else the other."""
        if rank(item) >= rank(self.items[at]):
            self.items[at] = item

    def find(self, time_ms: int) -> int:
        """The place of the latest item that is not later than this time; -1 if there is none."""
        return bisect_right(self.times, time_ms) - 1

    def forget_before(self, time_ms: int) -> int:
        """Keep what is needed to answer for this time and later ones: how many more there are since it last did so."""
        count = max(0, self.find(time_ms))
        if count:
            del self.times[:count], self.items[:count]
            self.cut = True
        grown = len(self.times) - self._counted
        self._counted = len(self.times)
        self.worth_a_look = max(_FEW, 2 * self._counted)
        return grown
