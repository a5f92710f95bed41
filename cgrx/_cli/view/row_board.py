"""What the live table shows of rows: those of open windows, each in its latest state, and the latest final ones."""

from collections import deque
from heapq import nlargest
from typing import Any, cast

from cgrx import operators as ops


class RowBoard:
    """Counters over all rows, and the rows to show: one for each open window and key, and up to `latest` final ones.

    With `top` only so many of each open window are shown; of closed windows the final rows are the leaders already.
    """

    def __init__(self, latest: int = 500, *, top: int | None = None, top_by: str = "volume") -> None:
        self._top = top
        self._top_by = top_by
        self.running: dict[tuple[Any, ...], ops.Row] = {}
        """The latest row of each identity that has had no final row yet, and was not withdrawn."""
        self.latest: deque[ops.Row] = deque(maxlen=latest)
        """Final rows, newest first."""
        self.final = 0
        self.incomplete = 0
        """Final rows that are incomplete."""
        self.late = 0
        """Events that came after their window had closed."""

    def add(self, row: ops.Row) -> None:
        """Take the next row."""
        self.late = max(self.late, row.late)
        if row.withdrawn:
            self.running.pop(row.identity, None)
        elif row.final:
            if self._top is None:
                self.running.pop(row.identity, None)
            else:  # the others of this window have no final row
                self.running = {key: each for key, each in self.running.items() if each.start_ms != row.start_ms}
            self.latest.appendleft(row)
            self.final += 1
            self.incomplete += not row.complete
        else:
            self.running[row.identity] = row

    def shown(self, most: int) -> list[ops.Row]:
        """Up to `most` rows: the largest running ones, then the latest final ones.

        Running rows take at most half of the room while there are final rows for the rest.

        Newest windows first. Within a window, running rows are sorted by key, so that they stay in place, and final
        ones by rank.
        """
        running = nlargest(max(most - len(self.latest), (most + 1) // 2), self.open_rows(), key=self._rank)
        final = sorted(self.latest, key=lambda row: (-row.end_ms, -self._rank(row)))
        return sorted(running, key=lambda row: (-row.end_ms, key_texts(row))) + final[: most - len(running)]

    def open_rows(self) -> list[ops.Row]:
        """The running rows that may be shown: with `top` the leaders of each open window."""
        if self._top is None:
            return list(self.running.values())
        windows: dict[Any, list[ops.Row]] = {}
        for row in self.running.values():
            windows.setdefault((row.start_ms, row.end_ms), []).append(row)
        return [leader for rows in windows.values() for leader in nlargest(self._top, rows, key=self._rank)]

    def _rank(self, row: ops.Row) -> float:
        return cast(float, row[self._top_by])  # each has it: a window without an event has no row


def number(row: ops.Row, field: str) -> float | None:
    """The value of a field that holds a number; None where it has none, such as a mean over no volume."""
    return cast("float | None", row[field])


def key_texts(row: ops.Row) -> tuple[str, ...]:
    """The key fields as texts; sides by their names."""
    return tuple(key_text(row, field) for field in row.key_fields)


def key_text(row: ops.Row, field: str) -> str:
    """One of the key fields as a text."""
    value = row[field]
    return value if isinstance(value, str) else cast(Any, value).word
