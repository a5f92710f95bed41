"""The quality of rows (`gap_ms`, `dropped`, `final`, `complete`), from what was known when their windows closed."""

from collections.abc import Sequence

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
    watermark = _clipped([ledger.watermark for ledger in ledgers]).gather(rows[RUN])
    marked = _clipped([ledger.marked for ledger in ledgers]).gather(rows[RUN])
    quality = _missing(_concerned(rows, ledgers, around_ms), ledgers, around_ms)
    found = rows.lazy().with_columns((closes <= watermark).alias("final"), (closes > marked).alias("told"))
    found = found.join(quality.lazy(), on=_WINDOW, how="left", maintain_order="left")
    gap_ms = pl.when("told").then(pl.col("gap_ms").fill_null(0))
    whole = (pl.col("gap_ms") == 0).fill_null(False) & (pl.col("dropped") == 0)
    found = found.with_columns(gap_ms, pl.col("dropped").fill_null(0), pl.lit(0, pl.Int64).alias("late"))
    return found.with_columns((pl.col("final") & whole).alias("complete")).collect()


def _concerned(rows: pl.DataFrame, ledgers: Sequence[Ledger], around_ms: int) -> pl.DataFrame:
    """The few windows that may know of a gap or a loss."""
    gaps = [(run, *gap) for run, ledger in enumerate(ledgers) for gap in _together(ledger)]
    runs, starts, ends = zip(*gaps, strict=True) if gaps else ((), (), ())
    known = pl.DataFrame(
        {RUN: pl.Series(runs, dtype=pl.Int64), "from_ms": _clipped(starts), "until_ms": _clipped(ends)}
    )
    windows = rows.select(*_WINDOW, (pl.col("end_ms") + around_ms).alias("close_ms"))
    # They are apart, so the last that begins before a window has closed reaches furthest.
    found = windows.join_asof(
        known, left_on="close_ms", right_on="from_ms", by=RUN, allow_exact_matches=False, check_sortedness=False
    )
    found = found.filter(pl.col("until_ms") > pl.col("start_ms") - around_ms)
    return found.select(*_WINDOW).unique().sort(RUN, "end_ms")


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
