"""Windows as queries of polars: from a table of events to one of rows, by end and key.

A grid groups events into panes, as `grid_running` does, and panes into windows where these overlap; a session
begins where the silence before an event is too long. No event is late here: `lateness` has seen to that.
"""

from math import gcd

import polars as pl

from cgrx._backtest.expressions import Compiler


def grid(events: pl.LazyFrame, compiler: Compiler, keys: tuple[str, ...], size_ms: int, every_ms: int) -> pl.LazyFrame:
    """Windows of `size_ms` that begin every `every_ms`."""
    pane_ms = gcd(size_ms, every_ms)
    paned = events.with_columns((pl.col("time_ms") // pane_ms * pane_ms).alias("start_ms"))
    group = ("start_ms", *keys)
    if size_ms == every_ms:
        rows = _grouped(paned, compiler, group)
    else:
        rows = _overlapping(paned, compiler, group, size_ms, every_ms, pane_ms)
    end_ms = (pl.col("start_ms") + size_ms).alias("end_ms")
    return _finished(rows.with_columns(end_ms), compiler, keys)


def session(events: pl.LazyFrame, compiler: Compiler, keys: tuple[str, ...], gap_ms: int) -> pl.LazyFrame:
    """Sessions that a silence of more than `gap_ms` ends."""
    time_ms = pl.col("time_ms")
    begins = time_ms.diff() > gap_ms
    for key in keys:
        begins |= pl.col(key) != pl.col(key).shift()
    numbered = events.sort(*keys, "time_ms").with_columns(begins.fill_null(False).cum_sum().alias("session"))
    span = (time_ms.min().alias("start_ms"), (time_ms.max() + 1).alias("end_ms"))
    rows = _grouped(numbered, compiler, ("session", *keys), *span)
    return _finished(rows, compiler, keys)


def _grouped(events: pl.LazyFrame, compiler: Compiler, group: tuple[str, ...], *more: pl.Expr) -> pl.LazyFrame:
    """One row for each group, with the parts of its events."""
    rows = events.group_by(*group).agg(*more, *(part.of_events.alias(part.name) for part in compiler.parts))
    for each in compiler.by_name:
        kept = events if each.keep is None else events.filter(each.keep)
        sums = kept.group_by(*group, name=each.field).agg(*each.sums)
        results = sums.sort("name").group_by(*group, maintain_order=True).agg(each.result)
        rows = rows.join(results, on=group, how="left")
    return rows


def _overlapping(
    paned: pl.LazyFrame, compiler: Compiler, group: tuple[str, ...], size_ms: int, every_ms: int, pane_ms: int
) -> pl.LazyFrame:
    """The same for windows that overlap: a pane goes into each window that holds it."""
    start_ms = pl.col("start_ms")
    first = -((size_ms - pane_ms - start_ms) // every_ms)
    starts = (pl.int_ranges(first, start_ms // every_ms + 1) * every_ms).alias("start_ms")

    def spread(panes: pl.LazyFrame) -> pl.LazyFrame:
        return panes.sort("start_ms").with_columns(starts).explode("start_ms")

    panes = paned.group_by(*group).agg(part.of_events.alias(part.name) for part in compiler.parts)
    rows = (
        spread(panes)
        .group_by(*group, maintain_order=True)
        .agg(part.of_parts.alias(part.name) for part in compiler.parts)
    )
    for each in compiler.by_name:
        kept = paned if each.keep is None else paned.filter(each.keep)
        sums = spread(kept.group_by(*group, name=each.field).agg(*each.sums))
        names = [f"sum {index}" for index, _ in enumerate(each.sums)]
        whole = sums.group_by(*group, "name").agg(pl.col(names).sum())
        results = whole.sort("name").group_by(*group, maintain_order=True).agg(each.result)
        rows = rows.join(results, on=group, how="left")
    return rows


def _finished(rows: pl.LazyFrame, compiler: Compiler, keys: tuple[str, ...]) -> pl.LazyFrame:
    """The results of each row, in the order in which windows close."""
    # An aggregate may be called like a column of events, so until here its name begins with "=".
    results = [expression.alias(f"={name}") for name, expression in compiler.results.items()]
    by_name = [f"={each.name}" for each in compiler.by_name]
    chosen = rows.select("start_ms", "end_ms", *keys, *results, *by_name)
    return chosen.sort("end_ms", *keys, "start_ms").rename(lambda name: name.removeprefix("="))
