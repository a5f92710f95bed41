"""An order that holds for a while: a table that is drawn five times a second must not dance."""

from collections.abc import Hashable, Mapping
from typing import Any, Generic, TypeVar

K = TypeVar("K", bound=Hashable)

HOLD_S = 2.0


class Ranking(Generic[K]):
    """The order in which some things were shown. What is new stands behind the others until they are ranked anew."""

    def __init__(self) -> None:
        self._order: list[K] = []
        self._ranked_s = float("-inf")

    def of(self, places: Mapping[K, Any], now_s: float) -> list[K]:
        """All of them by their places, the smallest first as it was `HOLD_S` ago at most; equal ones as they came."""
        if now_s - self._ranked_s >= HOLD_S:
            self._order, self._ranked_s = [], now_s
        held = {key for key in self._order if key in places}
        new = sorted((key for key in places if key not in held), key=lambda key: places[key])
        self._order = [key for key in self._order if key in held] + new
        return self._order

    def forget(self) -> None:
        """Rank anew at once: by something else from now on."""
        self._ranked_s = float("-inf")
