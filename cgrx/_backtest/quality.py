"""The quality of rows (`gap_ms`, `dropped`, `final`, `complete`), from what was known when their windows closed."""

import polars as pl

from cgrx._backtest.arrivals import before
from cgrx._backtest.lateness import Ledger
from cgrx.operators._windows.missing import Missing


def qualified(rows: pl.DataFrame, ledger: Ledger, around_ms: int) -> pl.DataFrame:
    """The rows with the columns of their quality.

    Args:
        rows: with `start_ms` and `end_ms`.
        ledger: which gaps and losses became known, and when.
        around_ms: how long after its end a window closes. What is missing this near to a window may belong to it.
    """
    closes = pl.col("end_ms") + around_ms
    final = closes <= ledger.watermark
    quality = _missing(_concerned(rows, ledger, around_ms), ledger, around_ms)
    found = rows.lazy().join(quality.lazy(), on=("start_ms", "end_ms"), how="left", maintain_order="left")
    gap_ms = pl.when(closes > ledger.marked).then(pl.col("gap_ms").fill_null(0))
    whole = (pl.col("gap_ms") == 0).fill_null(False) & (pl.col("dropped") == 0)
    found = found.with_columns(
        gap_ms, pl.col("dropped").fill_null(0), pl.lit(0, pl.Int64).alias("late"), final.alias("final")
    )
    return found.with_columns((pl.col("final") & whole).alias("complete")).collect()


def _concerned(rows: pl.DataFrame, ledger: Ledger, around_ms: int) -> pl.DataFrame:
    """The few windows that may know of a gap or a loss."""
    apart = Missing()
    for entry in ledger.entries:
        apart.add_gap(entry.start_ms, entry.end_ms)
    least, largest = -(2**63), 2**63 - 1
    from_ms = pl.Series([max(start_ms, least) for start_ms, _ in apart.gaps], dtype=pl.Int64)
    until_ms = pl.Series([min(end_ms, largest) for _, end_ms in apart.gaps], dtype=pl.Int64)
    # They are apart, so the last that begins before a window has closed reaches furthest.
    begun = before(from_ms, rows["end_ms"] + around_ms)
    reaches = until_ms.gather((begun - 1).clip(0)) > rows["start_ms"] - around_ms
    return rows.select("start_ms", "end_ms").filter((begun > 0) & reaches).unique().sort("end_ms")


def _missing(windows: pl.DataFrame, ledger: Ledger, around_ms: int) -> pl.DataFrame:
    """What each of these windows misses, as running windows compute it; they are in the order of their ends."""
    entries = iter(ledger.entries)
    coming = next(entries, None)
    known = Missing()
    found: list[tuple[int, int, int, int]] = []
    for start_ms, end_ms in windows.iter_rows():
        while coming is not None and coming.watermark < end_ms + around_ms:
            coming.enter(known)
            coming = next(entries, None)
        from_ms, until_ms = start_ms - around_ms, end_ms + around_ms
        found.append((start_ms, end_ms, known.gap_ms(from_ms, until_ms), known.dropped(from_ms, until_ms)))
    return pl.DataFrame(found, dict.fromkeys(("start_ms", "end_ms", "gap_ms", "dropped"), pl.Int64), orient="row")
