"""Work in the order in which it is due: a heap whose entries can be disposed. No clock, no thread, no trio.

Due is a whole number that grows: microseconds for the scheduler, a count for some of the simulator's faults.
"""

from collections.abc import Callable, Iterator
from heapq import heapify, heappop, heappush
from typing import TypeAlias

from reactivex import abc

Work: TypeAlias = Callable[[], abc.DisposableBase | None]

_FEW = 64
"""How many disposed entries may stay in the heap in any case: rebuilding a small heap often gains nothing."""


class Entry(abc.DisposableBase):
    """A piece of work, and what its scheduling gives back: disposed in time it never runs.

    Disposed after it ran, it disposes what the work returned. `forget` is called when it is disposed before that.
    """

    __slots__ = ("_forget", "is_disposed", "queued", "returned", "work")

    def __init__(self, work: Work, forget: "Callable[[Entry], None]") -> None:
        self._forget = forget
        self.work = work
        self.returned: abc.DisposableBase | None = None
        self.is_disposed = False
        self.queued = False
        """Whether the agenda counts it as pending. Any thread sets `is_disposed`, only the agenda's own sets this."""

    def run(self) -> None:
        """Do the work."""
        work, self.work = self.work, _nothing
        returned = work()
        if isinstance(returned, abc.DisposableBase):
            # In this order, against a `dispose()` in another thread: one of the two sees what the other wrote.
            self.returned = returned
            if self.is_disposed:
                returned.dispose()

    def dispose(self) -> None:
        """Do it never, or dispose what it returned."""
        if not self.is_disposed:
            self.is_disposed = True
            if self.returned is None:
                self._forget(self)
            else:
                self.returned.dispose()


class Agenda:
    """Entries in order of (due, addition).

    A forgotten entry stays where it is until its turn; when more than half of the heap is forgotten, it is rebuilt,
    so that the heap never holds more than twice what is pending (and 64).
    """

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Entry]] = []
        self._sequence = 0
        self.forgotten = 0
        """Entries in the heap that will not run."""

    @property
    def pending(self) -> int:
        """Entries that will run."""
        return len(self._heap) - self.forgotten

    def add(self, due: int, entry: Entry) -> bool:
        """Whether it is the first in the heap."""
        entry.queued = True
        heappush(self._heap, (due, self._sequence, entry))
        self._sequence += 1
        return self._heap[0][2] is entry

    def forget(self, entry: Entry) -> None:
        """Drop the work of an entry; nothing happens if it has run or was never added."""
        if entry.queued:
            entry.queued = False
            entry.work = _nothing
            self.forgotten += 1
            if self.forgotten > _FEW and 2 * self.forgotten > len(self._heap):
                self._heap[:] = [item for item in self._heap if item[2].queued]
                heapify(self._heap)
                self.forgotten = 0

    def next_due(self) -> int | None:
        """When the first entry is due, None where there is none."""
        heap = self._heap
        while heap and not heap[0][2].queued:
            heappop(heap)
            self.forgotten -= 1
        return heap[0][0] if heap else None

    def take_due(self, now: int) -> Iterator[Entry]:
        """Take out, one by one, what is due now and was added before this moment."""
        heap = self._heap
        end = (now, self._sequence)
        while heap and heap[0] < end:
            entry = heappop(heap)[2]
            if not entry.queued:
                self.forgotten -= 1
                continue
            entry.queued = False
            if not entry.is_disposed:  # by another thread, whose call to forget it is still on its way
                yield entry

    def clear(self) -> None:
        """Dispose all of it."""
        for _, _, entry in self._heap:
            entry.is_disposed = True
            entry.queued = False
            entry.work = _nothing
        self._heap.clear()
        self.forgotten = 0


def _nothing() -> None:
    """The work of an entry that has run or never will: the entry must not keep the real work alive."""
