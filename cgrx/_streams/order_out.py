"""What an ordered merge holds, and the signals that go on when it lets go of it."""

from typing import Generic, TypeAlias, TypeVar

from cgrx._model.signals import Batch, Mark, Signal, Watermark
from cgrx._model.times import FOREVER, NEVER

T = TypeVar("T")

Held: TypeAlias = tuple[int, int, T, Batch[T]]
"""An event that is held: its time, its number, itself, and its origin.

That is the batch it came in, if it came alone; else that batch without its events, which may go long before it does.
"""


class Outgoing(Generic[T]):
    """The signals that go on. Events that came in one batch and go out side by side are one batch again."""

    def __init__(self) -> None:
        self.signals: list[Signal[T]] = []
        """They are added to this list."""
        self._events: list[T] = []
        self._origin: Batch[T] = Batch(None, 0, ())

    def events(self, held: list[Held[T]], begun: int = FOREVER) -> int:
        """Events in their order, a watermark behind each of those whose number is `begun` or more: the last one."""
        stepped_ms = NEVER
        signals, events, origin = self.signals, self._events, self._origin
        for time_ms, number, event, its_origin in held:
            if events and its_origin is not origin:
                signals.append(Batch(origin.channel, origin.received_ms, tuple(events)))
                events.clear()
            origin = its_origin
            if origin.events:  # it came alone
                signals.append(origin)
            else:
                events.append(event)
            if number >= begun:
                if events:
                    signals.append(Batch(origin.channel, origin.received_ms, tuple(events)))
                    events.clear()
                signals.append(Watermark(time_ms))
                stepped_ms = time_ms
        self._origin = origin
        return stepped_ms

    def mark(self, mark: Mark) -> None:
        if self._events:
            self.close()
        self.signals.append(mark)

    def close(self) -> None:
        if self._events:
            self.signals.append(Batch(self._origin.channel, self._origin.received_ms, tuple(self._events)))
            self._events.clear()
