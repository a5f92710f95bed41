"""What the live table shows of rows: those of open windows, each in its latest state, and the latest final ones."""

from collections import deque
from collections.abc import Iterable, Sequence
from heapq import nlargest
from typing import Any, cast

from cgrx import operators as ops
from cgrx._cli.view.ranking import Ranking

SORTS: tuple[str, ...] = ("volume", "delta", "events", "name")


class RowBoard:
    """Counters over all rows, and the rows to show: one for each open window and key, and up to `latest` final ones.

    With `top` only so many of each open window are shown; of closed windows the final rows are the leaders already.
    Without `on_grid` each row has a window of its own, such as a cascade, whose end moves while it runs.
    """

    def __init__(
        self, latest: int = 500, *, top: int | None = None, top_by: str = "volume", on_grid: bool = True
    ) -> None:
        self._top = top
        self._top_by = top_by
        self._on_grid = on_grid
        self._ranking: Ranking[tuple[Any, ...]] = Ranking()
        self._sort = ""
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

    def shown(self, most: int, sort: str = "volume", now_s: float = 0.0, words: Sequence[str] = ()) -> list[ops.Row]:
        """Up to `most` rows: running ones, then the latest final ones; with `words` those whose key holds them all.

        Running rows take at most half of the room while there are final rows for the rest.

        Newest windows first, where they are on a grid. Within a window rows stand in the order of `sort`, the greatest
        first. Among running rows it holds for two seconds, so that they do not jump about while they grow.
        """
        if sort != self._sort:
            self._sort = sort
            self._ranking.forget()
        running = {row.identity: row for row in self.open_rows() if _holds(row, words)}
        final = [row for row in self.latest if _holds(row, words)]
        held = self._ranking.of({key: _place(row, sort) for key, row in running.items()}, now_s)
        chosen = [running[key] for key in held][: max(most - len(final), (most + 1) // 2)]
        final.sort(key=lambda row: (-row.end_ms, _place(row, sort)))
        if self._on_grid:
            chosen.sort(key=lambda row: -row.end_ms)
        return chosen + final[: most - len(chosen)]

    def frozen(self) -> Iterable[object]:
        """The rows in it."""
        yield from (*self.running.values(), *self.latest)

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


def _place(row: ops.Row, sort: str) -> tuple[Any, ...]:
    """What a row is sorted by, the smallest first; equal ones by name."""
    match sort:
        case "delta":
            return (-abs(delta(row) or 0.0), *key_texts(row))
        case "events":
            return (-(number(row, "count") or 0), *key_texts(row))
        case "volume":
            return (-(number(row, "volume") or 0.0), *key_texts(row))
        case _:
            return key_texts(row)


def _holds(row: ops.Row, words: Sequence[str]) -> bool:
    text = " ".join(key_texts(row)).casefold()
    return all(word in text for word in words)


def number(row: ops.Row, field: str) -> float | None:
    """The value of a field that holds a number; None where it has none, such as a mean over no volume."""
    return cast("float | None", row[field])


def delta(row: ops.Row) -> float | None:
    """What was bought minus what was sold; None where the row does not know."""
    fields = type(row).fields
    if "delta" in fields:
        return number(row, "delta")
    if "buy_volume" not in fields:
        return None
    return cast(float, row["buy_volume"]) - cast(float, row["sell_volume"])


def key_texts(row: ops.Row) -> tuple[str, ...]:
    """The key fields as texts; sides by their names."""
    return tuple(key_text(row, field) for field in row.key_fields)


def key_text(row: ops.Row, field: str) -> str:
    """One of the key fields as a text."""
    value = row[field]
    return value if isinstance(value, str) else cast(Any, value).word
