"""The latest gap as one line across the screen, for a while: what happened then was not seen."""

from rich.text import Text

from cgrx import Gap
from cgrx._cli.terminal.text import counted, second
from cgrx._cli.view.colours import WARN

SHOWN_S = 10.0


class RecentGap:
    """The gaps of all channels that end last, as one."""

    def __init__(self) -> None:
        self._start_ms = self._end_ms = 0
        self._channels = 0
        self._told_s = float("-inf")

    def add(self, gap: Gap, now_s: float) -> None:
        """Take the next one; those with which subscriptions begin, and those of merged streams, are none."""
        if gap.channel is None or not gap.start_ms:
            return
        if gap.start_ms >= self._end_ms:
            self._start_ms, self._channels = gap.start_ms, 0
        self._end_ms, self._channels, self._told_s = max(gap.end_ms, self._end_ms), self._channels + 1, now_s

    def banner(self, now_s: float, width: int) -> Text | None:
        """The line; None where there was no gap of late."""
        if now_s - self._told_s > SHOWN_S:
            return None
        seconds = (self._end_ms - self._start_ms) / 1e3
        text = (
            f"!!! ▌GAP▐ {seconds:.1f} s without a connection, {second(self._start_ms)} to {second(self._end_ms)}:"
            f" events of {counted(self._channels, 'channel')} may be missing"
        )
        return Text(f"{text[:width]:<{width}}", f"{WARN} reverse", no_wrap=True)
