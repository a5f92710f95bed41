"""The quality of rows (`gap_ms`, `dropped`, `final`, `complete`), from what was known when their windows closed."""

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

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
    concerned = _concerned(rows, ledgers, around_ms)
    missing = _missing(concerned.select(_WINDOW).unique(maintain_order=True), ledgers, around_ms)
    known = concerned.join(missing, on=_WINDOW, maintain_order="left")
    none = pl.select(pl.zeros(len(rows), pl.Int64)).to_series()
    gap_ms, dropped = (
        none.clone().scatter(known["place"], known[name]) if len(known) else none for name in ("gap_ms", "dropped")
    )
    final, whole = closes <= watermark, (gap_ms == 0) & (dropped == 0)
    return rows.with_columns(
        pl.when(closes > marked).then(gap_ms).alias("gap_ms"),
        dropped.alias("dropped"),
        none.alias("late"),
        final.alias("final"),
        (final & (closes > marked) & whole).alias("complete"),
    )


def _concerned(rows: pl.DataFrame, ledgers: Sequence[Ledger], around_ms: int) -> pl.DataFrame:
    """The few rows that may know of a gap or a loss: their `place` and their window; of a run in their order."""
    windows = rows.select(pl.int_range(pl.len()).alias("place"), *_WINDOW)
    begins, closes = rows["start_ms"], rows["end_ms"]
    found = [windows.clear()]
    start = 0
    for run, ledger in enumerate(ledgers):
        end = bisect_right(rows[RUN], run)
        gaps = _together(ledger)
        # They are apart, so the last that begins before a window has closed reaches furthest.
        begun = [bisect_right(closes, from_ms - around_ms, start, end) for from_ms, _ in gaps]
        for first, last, (_, until_ms) in zip(begun, [*begun[1:], end], gaps, strict=False):
            least_ms: Any = begins[first:last].min()
            if least_ms is not None and least_ms - around_ms < until_ms:
                found.append(windows[first:last].filter(pl.col("start_ms") - around_ms < min(until_ms, 2**63 - 1)))
        start = end
    return pl.concat(found)


def _clipped(times: Sequence[int]) -> pl.Series:
    """Times as a column; always and never are beyond what it holds."""
    return pl.Series([min(max(time_ms, -(2**63)), 2**63 - 1) for time_ms in times], dtype=pl.Int64)


def _together(ledger: Ledger) -> Sequence[tuple[int, int]]:
    """When something is missing, each time apart from the others."""
    apart = Missing()
    for entry in ledger.entries:
        apart.add_gap(entry.start_ms, entry.end_ms)
    return apart.gaps


def _missing(windows: pl.DataFrame, ledgers: Sequence[Ledger], around_ms: int) -> pl.DataFrame:
    """What each of these windows misses, as running windows compute it; of a run in the order of their ends."""
    found: list[tuple[int, int, int, int, int]] = []
    by_run: dict[int, list[tuple[int, int]]] = {}
    for run, start_ms, end_ms in windows.iter_rows():
        by_run.setdefault(run, []).append((start_ms, end_ms))
    for run, of_run in by_run.items():
        entries = iter(ledgers[run].entries)
        coming = next(entries, None)
        known = Missing()
        for start_ms, end_ms in of_run:
            while coming is not None and coming.watermark < end_ms + around_ms:
                coming.enter(known)
                coming = next(entries, None)
            from_ms, until_ms = start_ms - around_ms, end_ms + around_ms
            found.append((run, start_ms, end_ms, known.gap_ms(from_ms, until_ms), known.dropped(from_ms, until_ms)))
    return pl.DataFrame(found, dict.fromkeys((*_WINDOW, "gap_ms", "dropped"), pl.Int64), orient="row")
