"""What was bought minus what was sold over the last while, as a sparkline that needs no colour."""

from collections import deque

from rich.text import Text

from cgrx._plot.colours import DOWN, UP

STEPS = 60
_FINEST_MS, _COARSEST_MS = 1_000, 64_000

_RISING = "▁▂▃▄▅▆▇█"
_HANGING = "▇▆▅▄▃▂▁ "
"""The same downwards: in reverse, what such a character leaves blank is what is seen, at the top."""


class Delta:
    """Sums by steps of time. They begin at a second and double with the run, so that its last hour has room."""

    def __init__(self) -> None:
        self._step_ms = _FINEST_MS
        self._last = 0
        """The number of the newest step since the epoch."""
        self._sums: deque[float] = deque()

    def add(self, at_ms: int, dollars: float) -> None:
        """Add what was bought (above zero) or sold at a time; one that goes back counts in the newest step."""
        step = at_ms // self._step_ms
        if not self._sums:
            self._last = step
            self._sums.append(0.0)
        for _ in range(min(step - self._last, STEPS)):
            self._sums.append(0.0)
        self._last = max(step, self._last)
        self._sums[-1] += dollars
        while len(self._sums) > STEPS:
            self._make_room()

    def _make_room(self) -> None:
        if self._step_ms == _COARSEST_MS:
            self._sums.popleft()
            return
        sums = list(self._sums)
        if self._last % 2 == 0:  # the newest one begins a pair
            sums.append(0.0)
        if len(sums) % 2:
            sums.insert(0, 0.0)
        self._sums = deque(map(sum, zip(sums[::2], sums[1::2], strict=True)))
        self._step_ms *= 2
        self._last //= 2

    def seconds(self, most: int) -> int:
        """How long the newest steps last, at most so many."""
        return min(len(self._sums), most) * self._step_ms // 1000

    def line(self, most: int) -> Text:
        """The newest steps, a character each: buying stands on the line, selling hangs from above."""
        shown = list(self._sums)[-most:]
        highest = max((abs(value) for value in shown), default=0.0)
        line = Text(no_wrap=True)
        for value in shown:
            height = round(abs(value) / highest * 8) if highest else 0
            if not height:
                line.append("·", "dim")
            elif value > 0:
                line.append(_RISING[height - 1], UP)
            else:
                line.append(_HANGING[height - 1], f"{DOWN} reverse")
        return line
