"""Whether some event is behind those before it, asked of many events at a time.

Windows end behind their events. So their ends are asked for in blocks alone where some event is behind.
"""

from typing import Any, TypeAlias

import numpy as np
import polars as pl

Numbers: TypeAlias = "np.ndarray[Any, np.dtype[np.int64]]"

_BLOCK = 32
"""So many events are looked at as one."""


def some_behind(events: pl.DataFrame, until_ms: pl.Expr, moved_ms: Numbers, lateness_ms: int) -> bool:
    """Whether for some event all times up to `until_ms` had been reached when it came.

    Args:
        events: at least one, in order of arrival, with `time_ms` and what `until_ms` is made of.
        until_ms: of each event; behind its own time.
        moved_ms: to what time each event, or what came right in front of it, moves time.
        lateness_ms: how far what is reached is behind that.
    """
    begins = np.arange(0, len(events), _BLOCK)
    highest_ms = np.maximum.accumulate(np.maximum.reduceat(moved_ms, begins))
    least_ms = np.minimum.reduceat(events["time_ms"].to_numpy(), begins)
    doubtful = begins[least_ms < highest_ms - lateness_ms]
    if not len(doubtful):
        return False
    places = np.add.outer(doubtful, np.arange(_BLOCK)).ravel()
    places = places[places < len(events)]
    # What the blocks in front have reached; before the first one nothing but what its own events reach.
    before_ms = np.insert(highest_ms, 0, moved_ms[0])[places // _BLOCK]
    reached_ms = np.maximum(before_ms, np.maximum.accumulate(moved_ms[places])) - lateness_ms
    asked = events[until_ms.meta.root_names()][pl.Series(places)]
    return bool(asked.select((until_ms <= pl.Series(reached_ms)).any()).item())
