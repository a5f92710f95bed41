"""Windows as queries of polars: from a table of events to one of rows, by end and key.

A grid groups events into panes, as `grid_running` does, and panes into windows where these overlap; a session
begins where the silence before an event is too long. No event is late here: `lateness` has seen to that.
"""

import polars as pl

from cgrx._backtest.expressions import Compiler
from cgrx.operators._windows.calendar import Calendar
from cgrx.operators._windows.spacing import Regular


def looked_up(times: pl.Series, calendar: Calendar) -> list[pl.Series]:
    """The window of each time, as `start_ms` and `end_ms`. The calendar is asked once for each window."""
    pane_of, ordered = calendar.ruler().pane, times.sort()
    windows: list[tuple[int, int]] = []
    at = 0
    while at < len(ordered):
        windows.append(pane_of(ordered[at]))
        at = ordered.search_sorted(windows[-1][1])
    known = pl.DataFrame(windows, {"start_ms": pl.Int64, "end_ms": pl.Int64}, orient="row")
    return known[known["start_ms"].search_sorted(times, side="right") - 1].get_columns()


def grid(events: pl.LazyFrame, compiler: Compiler, keys: tuple[str, ...], spacing: Regular | Calendar) -> pl.LazyFrame:
    """Windows that lie on a grid. Those of a calendar are `looked_up` before."""
    group = ("start_ms", *keys)
    if isinstance(spacing, Calendar):
        return _finished(_grouped(events, compiler, group, pl.col("end_ms").first()), compiler, keys)
    offset_ms, pane_ms = spacing.offset_ms, spacing.pane_ms
    start_ms = (pl.col("time_ms") - offset_ms) // pane_ms * pane_ms + offset_ms
    paned = events.with_columns(start_ms.alias("start_ms"))
    rows = _overlapping(paned, compiler, group, spacing) if spacing.overlapping else _grouped(paned, compiler, group)
    end_ms = (pl.col("start_ms") + spacing.size_ms).alias("end_ms")
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


def _overlapping(paned: pl.LazyFrame, compiler: Compiler, group: tuple[str, ...], spacing: Regular) -> pl.LazyFrame:
    """The same for windows that overlap: a pane goes into each window that holds it."""
    size_ms, every_ms, offset_ms = spacing.size_ms, spacing.every_ms, spacing.offset_ms
    start_ms = pl.col("start_ms") - offset_ms
    first = (start_ms - size_ms) // every_ms + 1
    starts = (pl.int_ranges(first, start_ms // every_ms + 1) * every_ms + offset_ms).alias("start_ms")

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
    beyond = [expression.alias(f"beyond {name}") for name, expression in compiler.beyond.items()]
    chosen = rows.select("start_ms", "end_ms", *keys, *results, *by_name, *beyond)
    return chosen.sort("end_ms", *keys, "start_ms").rename(lambda name: name.removeprefix("="))
