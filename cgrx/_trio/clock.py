"""Wall time that moves with trio's clock, so that `MockClock` drives it too."""

import time
from collections.abc import Callable

import trio

_SUSPENDED_S = 1.0
"""How far the wall clock must be ahead before `catch_up` believes that the machine was suspended, seconds."""


def system_time() -> float:
    """Seconds since the epoch by the system's clock."""
    return time.time()


class WallClock:
    """The wall clock at creation plus the time elapsed on trio's clock. Create it inside trio.

    It never goes back. A step of the system's clock does not move it; only `catch_up` does, and only forward.
    """

    def __init__(self, wall: Callable[[], float] = system_time) -> None:
        self._wall = wall
        self._offset_s = wall() - trio.current_time()

    def now_s(self) -> float:
        """Seconds since the epoch."""
        return self._offset_s + trio.current_time()

    def now_ms(self) -> int:
        """Whole milliseconds since the epoch."""
        return int(self.now_s() * 1e3)

    def at_ms(self, trio_time: float) -> int:
        """The wall time of a reading of `trio.current_time()`, in whole milliseconds."""
        return int((self._offset_s + trio_time) * 1e3)

    def skew_ms(self) -> int:
        """How far the system's clock is ahead of this one now, whole milliseconds; below zero where it is behind."""
        return round((self._wall() - self.now_s()) * 1e3)

    def catch_up(self) -> bool:
        """Move forward to the system's clock if that is ahead: trio's clock stands still while a laptop sleeps.

        Returns whether it has moved.
        """
        offset_s = self._wall() - trio.current_time()
        if offset_s <= self._offset_s + _SUSPENDED_S:
            return False
        self._offset_s = offset_s
        return True
