"""Which of many rows stand: not those that a withdrawn row has taken back."""

from collections.abc import Sequence
from typing import Any, TypeVar

from cgrx.operators._rows.row import Row

T = TypeVar("T")


def standing(items: Sequence[T]) -> Sequence[T]:
    """The same without the withdrawn rows, and without the running rows before them of the same identity.

    Events, final rows, and running rows that were given later under that identity, stay.
    """
    if not any(isinstance(item, Row) and item.withdrawn for item in items):
        return items
    taken: set[object] = set()
    found: list[T] = []
    for item in reversed(items):
        if isinstance(item, Row) and not item.final:
            window = type(item), item.identity
            if item.withdrawn:
                taken.add(window)
            if window in taken:
                continue
        found.append(item)
    found.reverse()
    return found


class Latest:
    """The latest row of each window and key: the final ones, and the running ones of windows that are open.

    A running row is known by its identity, for its end may move on. A final one is known by its end too: bars that
    begin in the same millisecond have one identity.
    """

    def __init__(self) -> None:
        self._running: dict[tuple[Any, ...], Row] = {}
        self._final: dict[tuple[Any, ...], Row] = {}

    def __len__(self) -> int:
        return len(self._running) + len(self._final)

    def add(self, row: Row) -> None:
        """Take the next row; a withdrawn one takes the running one away."""
        if not row.final and not row.withdrawn:
            self._running[row.identity] = row
            return
        self._running.pop(row.identity, None)
        if row.final:
            self._final[row.end_ms, *row.identity] = row

    def drop_oldest(self) -> None:
        """Let go of the final row that came first, or of the running one if there is none."""
        rows = self._final or self._running
        del rows[next(iter(rows))]

    def in_order(self) -> list[Row]:
        """All of them, by start and end."""
        return sorted([*self._final.values(), *self._running.values()], key=lambda row: (row.start_ms, row.end_ms))
