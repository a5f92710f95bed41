"""How large an event is beside those that were seen in this run: a level, and the length of a bar."""

import math
from bisect import bisect_right
from itertools import accumulate

from rich.text import Text

_PER_DOUBLING = 8
_CLASSES = 48 * _PER_DOUBLING
"""From a dollar to 2**48; what is beyond counts in the last class."""

_SHARES = (0.5, 0.8, 0.99)
"""The least share of events that are smaller, for the levels from 1 on."""

STYLES = ("dim", "", "bold", "bold reverse")
"""How a level looks, from 0 on."""

_EIGHTHS = " ▏▎▍▌▋▊▉"


def _class(volume: float) -> int:
    return min(max(int(_PER_DOUBLING * math.log2(volume)), 0), _CLASSES - 1) if volume > 1 else 0


class Heat:
    """Volumes by classes that grow by a ninth each. State: a count for each of them."""

    def __init__(self) -> None:
        self._counts = [0] * _CLASSES
        self._smaller: list[int] = []
        """For each class, how many volumes are in smaller ones; empty where it has to be counted again."""
        self._most = 1.0

    def add(self, volume: float) -> None:
        """Count one more."""
        self._counts[_class(volume)] += 1
        self._smaller = []
        self._most = max(self._most, volume)

    def level(self, volume: float) -> int:
        """0 for the smaller half of what was seen, up to 3 for the largest hundredth."""
        if not self._smaller:
            self._smaller = [0, *accumulate(self._counts)]
        return bisect_right(_SHARES, self._smaller[_class(volume)] / (self._smaller[-1] or 1))

    def style(self, volume: float) -> str:
        """How a number of this volume looks."""
        return STYLES[self.level(volume)]

    def share(self, volume: float, least: float) -> float:
        """Where it stands between `least` and the largest one, by orders of magnitude: 0 to 1."""
        least = max(least, 1.0)
        if volume <= least:
            return 0.0
        return math.log(volume / least) / max(math.log(self._most / least), math.log(volume / least))


def bar(share: float, width: int, style: str = "") -> Text:
    """A bar of this share of a width, an eighth of a character at least."""
    eighths = max(round(share * width * 8), 1)
    text = "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()
    return Text(text[:width], style)
