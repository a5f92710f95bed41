"""What the tests of the scheduler share: a log in virtual milliseconds, actions, a thread that is waited for."""

import threading
from collections.abc import Callable
from typing import TypeVar

import trio
from reactivex import abc

T = TypeVar("T")


class Log:
    """What happened, and when: milliseconds of trio's clock since the log began, to the microsecond."""

    def __init__(self) -> None:
        self._start = trio.current_time()
        self.entries: list[tuple[float, object]] = []

    def ms(self) -> float:
        return round((trio.current_time() - self._start) * 1e3, 3)

    def add(self, what: object) -> None:
        self.entries.append((self.ms(), what))

    def action(self, what: object) -> Callable[[abc.SchedulerBase, object], None]:
        """An action that writes `what` into the log."""
        return lambda _scheduler, _state: self.add(what)

    @property
    def labels(self) -> list[object]:
        return [what for _, what in self.entries]


def nothing(*_: object) -> None:
    """An action."""


def fail(*_: object) -> None:
    """An action, or the callback of a disposable, that raises."""
    raise LookupError("the action's")


def in_thread(call: Callable[[], T]) -> T:
    """Call it in another thread while trio's stands still: whoever waited for trio there would never return."""
    results: list[T] = []
    thread = threading.Thread(target=lambda: results.append(call()), daemon=True)
    thread.start()
    thread.join(10)
    assert results, "the call raised or waited for trio's thread"
    return results[0]
