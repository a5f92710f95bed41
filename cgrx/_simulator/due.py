"""Actions that run when a count or a time is reached, in a fixed order where several wait for the same."""

import math
from collections.abc import Callable

import trio

from cgrx._trio.agenda import Agenda, Entry


class Moments:
    """Actions in the order of the counts they wait for; at the same count in the order added."""

    def __init__(self) -> None:
        self._agenda = Agenda()
        self.next_at: float = math.inf
        """The lowest count that an action waits for; below it, `reach` need not be called."""

    def add(self, count: int, action: Callable[[], None]) -> None:
        """Run `action` when `count` is reached."""
        self._agenda.add(count, Entry(action, self._agenda.forget))
        self._look_ahead()

    def reach(self, count: int) -> None:
        """Run the actions that wait for `count` or less, and those that these actions add."""
        while self.next_at <= count:
            for entry in self._agenda.take_due(count):
                self._look_ahead()
                entry.run()

    def _look_ahead(self) -> None:
        due = self._agenda.next_due()
        self.next_at = math.inf if due is None else due


class Alarms:
    """Actions in the order of their times on trio's clock; at the same time in the order added.

    One task runs them all: of several tasks that sleep until the same time, trio wakes any one first.
    """

    def __init__(self) -> None:
        self._agenda = Agenda()
        self._changed = trio.lowlevel.ParkingLot()

    def after(self, delay_s: float, action: Callable[[], None]) -> None:
        """Run `action` in `delay_s` seconds."""
        due_us = round((trio.current_time() + delay_s) * 1e6)
        self._agenda.add(due_us, Entry(action, self._agenda.forget))
        self._changed.unpark_all()

    async def run(self) -> None:
        """Run each action when it is due, until cancelled."""
        while True:
            due_us = self._agenda.next_due()
            with trio.CancelScope(deadline=math.inf if due_us is None else due_us / 1e6):
                await self._changed.park()
            for entry in self._agenda.take_due(round(trio.current_time() * 1e6)):
                entry.run()
