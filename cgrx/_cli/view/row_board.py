"""What the live table shows of rows: those of open windows, each in its latest state, and the latest final ones."""

from collections import deque
from heapq import nlargest
from typing import Any, cast

from cgrx import operators as ops


class RowBoard:
    """Counters over all rows, and the rows to show: one for each open window and key, and up to `latest` final ones."""

    def __init__(self, latest: int = 500) -> None:
        self.running: dict[tuple[Any, ...], ops.Row] = {}
        """The latest row of each window and key that has had no final row yet."""
        self.latest: deque[ops.Row] = deque(maxlen=latest)
        """Final rows, newest first."""
        self.final = 0
        self.incomplete = 0
        """Final rows that are incomplete."""
        self.late = 0
        """Events that came after their window had closed."""

    def add(self, row: ops.Row) -> None:
        """Take the next row."""
        window = row.values[: 2 + len(row.key_fields)]
        self.late = row.late
        if row.final:
            self.running.pop(window, None)
            self.latest.appendleft(row)
            self.final += 1
            self.incomplete += not row.complete
        else:
            self.running[window] = row

    def shown(self, most: int) -> list[ops.Row]:
        """Up to `most` rows: the largest running ones, then the latest final ones.

        Running rows take at most half of the room while there are final rows for the rest.

        Newest windows first. Within a window, running rows are sorted by key, so that they stay in place, and final
        ones by volume.
        """
        running = nlargest(max(most - len(self.latest), (most + 1) // 2), self.running.values(), key=volume_usd)
        final = sorted(self.latest, key=lambda row: (-row.end_ms, -volume_usd(row)))
        return sorted(running, key=lambda row: (-row.end_ms, key_texts(row))) + final[: most - len(running)]


def number(row: ops.Row, field: str) -> float | None:
    """The value of a field that holds a number; None where it has none, such as a mean over no volume."""
    return cast("float | None", row[field])


def volume_usd(row: ops.Row) -> float:
    """The row's volume in US dollars; both classes of rows that the command line makes have it."""
    return cast(float, row["volume"])


def key_texts(row: ops.Row) -> tuple[str, ...]:
    """The key fields as texts; sides by their names."""
    return tuple(key_text(row, field) for field in row.key_fields)


def key_text(row: ops.Row, field: str) -> str:
    """One of the key fields as a text."""
    value = row[field]
    return value if isinstance(value, str) else cast(Any, value).word
