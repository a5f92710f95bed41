"""What waits for a count or for a time to be reached, in a fixed order where several wait for the same."""

import heapq
import math
from collections.abc import Callable

import trio


class Moments:
    """Actions in the order of the counts they wait for; at the same count in the order added."""

    def __init__(self) -> None:
        self._waiting: list[tuple[int, int, Callable[[], None]]] = []
        self._added = 0
        self.next_at: float = math.inf
        """The lowest count that is waited for: who counts compares, and calls `reach` only then."""

    def add(self, count: int, action: Callable[[], None]) -> None:
        """Run `action` when `count` is reached."""
        self._added += 1
        heapq.heappush(self._waiting, (count, self._added, action))
        self.next_at = self._waiting[0][0]

    def reach(self, count: int) -> None:
        """Run what waits for `count` or less."""
        while self._waiting and self._waiting[0][0] <= count:
            action = heapq.heappop(self._waiting)[2]
            self.next_at = self._waiting[0][0] if self._waiting else math.inf
            action()


class Alarms:
    """Actions in the order of their times on trio's clock; at the same time in the order added.

    One task runs them all: of several tasks that sleep until the same time, trio wakes any one first.
    """

    def __init__(self) -> None:
        self._waiting: list[tuple[float, int, Callable[[], None]]] = []
        self._added = 0
        self._changed = trio.lowlevel.ParkingLot()

    def after(self, delay_s: float, action: Callable[[], None]) -> None:
        """Run `action` after so many seconds."""
        self._added += 1
        heapq.heappush(self._waiting, (trio.current_time() + delay_s, self._added, action))
        self._changed.unpark_all()

    async def run(self) -> None:
        """Run what is due when it is, until cancelled."""
        while True:
            with trio.CancelScope(deadline=self._waiting[0][0] if self._waiting else math.inf):
                await self._changed.park()
            while self._waiting and self._waiting[0][0] <= trio.current_time():
                heapq.heappop(self._waiting)[2]()
