"""`pipelines` in cgrx, without the windows over rows: what these may cost at most is a tenth of it.

The hours are put together once the clock has stopped.
"""

from collections.abc import Callable
from typing import Any

from benchmarks.rivals.by_cgrx import MINUTES, batches, through
from benchmarks.rivals.tasks import Answer, Kind, Task

_HOUR_MS = 3_600_000


def _minutes(task: Task) -> Answer:
    signals = batches(task.trades(), task.batch)
    return lambda: through(MINUTES, signals), _hours


def _hours(minutes: list[Any]) -> list[Any]:
    beneath: dict[tuple[Any, ...], list[Any]] = {}
    for row in sorted(minutes, key=lambda row: row.start_ms):
        beneath.setdefault((row.start_ms - row.start_ms % _HOUR_MS, row.exchange, row.symbol), []).append(row)
    return sorted(
        (
            *(start_ms, start_ms + _HOUR_MS, exchange, symbol, rows[0].open, max(row.high for row in rows)),
            *(min(row.low for row in rows), rows[-1].close),
            *(sum(row.volume for row in rows), sum(row.count for row in rows)),
        )
        for (start_ms, exchange, symbol), rows in beneath.items()
    )


ANSWERS: dict[Kind, Callable[[Task], Answer]] = {"hours": _minutes}
