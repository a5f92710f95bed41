"""The largest liquidations of each window, for the bubbles over the price."""

from heapq import heappush, heappushpop, nlargest
from typing import TypeAlias

from cgrx._board.bounds import BUBBLES, BUBBLES_OF_ASSET, BUBBLES_OF_WINDOW
from cgrx._board.messages import Print
from cgrx._board.tape import printed
from cgrx._model.events import Liquidation

_Kept: TypeAlias = tuple[float, int, Liquidation]
"""Volume, number on the tape, event: in that order they compare, for no two have the same number."""


class Bubbles:
    """The largest liquidations by window and asset."""

    def __init__(self, window_ms: int) -> None:
        self._window_ms = window_ms
        self._windows: dict[int, dict[str, list[_Kept]]] = {}
        self._counts: dict[int, int] = {}
        """How many each window holds."""

    def add(self, number: int, event: Liquidation) -> None:
        """Keep an event, if it is one of the largest of its asset in its window."""
        start_ms = event.time_ms - event.time_ms % self._window_ms
        of_asset = self._windows.setdefault(start_ms, {}).setdefault(event.base_asset, [])
        kept = event.volume_usd, number, event
        count = self._counts.get(start_ms, 0)
        if len(of_asset) < BUBBLES_OF_ASSET and count < BUBBLES_OF_WINDOW:
            heappush(of_asset, kept)
            self._counts[start_ms] = count + 1
        elif of_asset:
            heappushpop(of_asset, kept)

    def forget_before(self, start_ms: int) -> None:
        """Windows before this one are kept no more."""
        for each in [each for each in self._windows if each < start_ms]:
            del self._windows[each], self._counts[each]

    def largest(self, asset: str | None) -> list[Print]:
        """The largest of an asset, or of all, in all windows, in the order in which they came."""
        chosen = [
            kept
            for window in self._windows.values()
            for name, of_asset in window.items()
            if asset in (None, name)
            for kept in of_asset
        ]
        return [printed(number, event) for _, number, event in sorted(nlargest(BUBBLES, chosen), key=_number)]


def _number(kept: _Kept) -> int:
    return kept[1]
