"""Counts the consumers that hold a feed up; while there is one, nothing more is read."""

import math
from collections.abc import Callable

import trio


class Pressure:
    """While any consumer holds, the reader waits. `on_change(held)` is called with the first and after the last."""

    def __init__(self, on_change: Callable[[bool], None]) -> None:
        self._on_change = on_change
        self._holders = 0
        self.held = False
        """Whether any consumer holds."""
        self._released = trio.Event()
        self.held_since = -math.inf
        """When the present or the latest hold began, on trio's clock."""

    def hold(self) -> None:
        self._holders += 1
        if self._holders == 1:
            self.held = True
            self.held_since = trio.current_time()
            self._released = trio.Event()
            self._on_change(True)

    def release(self) -> None:
        self._holders -= 1
        if self._holders == 0:
            self.held = False
            self._released.set()
            self._on_change(False)

    async def wait_released(self) -> None:
        """Wait until no consumer holds. Returns without a checkpoint where none does."""
        while self.held:
            await self._released.wait()
