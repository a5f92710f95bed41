"""The quality of rows (`gap_ms`, `dropped`, `final`, `complete`), from what was known when their windows closed."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import groupby

import numpy as np
import polars as pl

from cgrx._backtest.lateness import Ledger
from cgrx._backtest.runs import RUN
from cgrx.operators._windows.missing import Missing

_WINDOW = (RUN, "start_ms", "end_ms")


def qualified(rows: pl.DataFrame, ledgers: Sequence[Ledger], around_ms: int) -> pl.DataFrame:
    """The rows with the columns of their quality.

    Args:
        rows: with `start_ms` and `end_ms`, in the order of their ends in each `run`.
        ledgers: of each run, which gaps and losses became known, and when.
        around_ms: how long after its end a window closes. What is missing this near to a window may belong to it.
    """
    closes = pl.col("end_ms") + around_ms
    watermark, marked = (
        pl.lit(_clipped(times)).gather(RUN) if len(times) > 1 else _clipped(times)[0]
        for times in ([ledger.watermark for ledger in ledgers], [ledger.marked for ledger in ledgers])
    )
    places = _concerned(rows, ledgers, around_ms)
    missing = _missing(rows.select(_WINDOW)[places].iter_rows(), ledgers, around_ms)
    none = pl.Series([0]).new_from_index(0, len(rows))
    gap_ms, dropped = (none.clone().scatter(places, missing[name]) for name in ("gap_ms", "dropped"))
    final, whole = closes <= watermark, (gap_ms == 0) & (dropped == 0)
    return rows.with_columns(
        pl.when(closes > marked).then(gap_ms).alias("gap_ms"),
        dropped.alias("dropped"),
        none.alias("late"),
        final.alias("final"),
        (final & (closes > marked) & whole).alias("complete"),
    )


def _concerned(rows: pl.DataFrame, ledgers: Sequence[Ledger], around_ms: int) -> pl.Series:
    """The places of the few rows that may know of a gap or a loss, in order."""
    begins, closes, runs = (rows[name].to_numpy() for name in ("start_ms", "end_ms", RUN))
    found = [np.empty(0, np.intp)]
    start = 0
    for run, ledger in enumerate(ledgers):
        end = bisect_right(runs, run)
        gaps = _together(ledger)
        # They are apart, so the last that begins before a window has closed reaches furthest.
        begun = [bisect_right(closes, from_ms - around_ms, start, end) for from_ms, _ in gaps]
        for first, last, (_, until_ms) in zip(begun, [*begun[1:], end], gaps, strict=False):
            near = begins[first:last] - around_ms < min(until_ms, 2**63 - 1)
            found.append(np.flatnonzero(near) + first)
        start = end
    return pl.Series(np.concatenate(found))


def _clipped(times: Sequence[int]) -> pl.Series:
    """Times as a column; always and never are beyond what it holds."""
    return pl.Series([min(max(time_ms, -(2**63)), 2**63 - 1) for time_ms in times], dtype=pl.Int64)


def _together(ledger: Ledger) -> Sequence[tuple[int, int]]:
    """When something is missing, each time apart from the others."""
    apart = Missing()
    for entry in ledger.entries:
        apart.add_gap(entry.start_ms, entry.end_ms)
    return apart.gaps


def _missing(windows: Iterable[tuple[int, int, int]], ledgers: Sequence[Ledger], around_ms: int) -> pl.DataFrame:
    """What windows miss, as running ones compute it. Of each: its run, start and end, in the order of ends in a run."""
    found: list[tuple[int, int]] = []
    for run, of_run in groupby(windows, lambda window: window[0]):
        entries = iter(ledgers[run].entries)
        coming = next(entries, None)
        known = Missing()
        for (_, start_ms, end_ms), rows in groupby(of_run):
            while coming is not None and coming.watermark < end_ms + around_ms:
                coming.enter(known)
                coming = next(entries, None)
            from_ms, until_ms = start_ms - around_ms, end_ms + around_ms
            missing = known.gap_ms(from_ms, until_ms), known.dropped(from_ms, until_ms)
            found += (missing for _ in rows)
    return pl.DataFrame(found, {"gap_ms": pl.Int64, "dropped": pl.Int64}, orient="row")
