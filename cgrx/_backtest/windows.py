"""Windows as queries of polars: from a table of events to one of rows, by end and key.

A grid groups events into panes, as `grid_running` does, and panes into windows where these overlap; a session
begins where the silence before an event is too long. No event is late here: `lateness` has seen to that.

Of several runs a pane holds the events that the same runs have, and goes into the windows of each of these: an event
that fifty runs have is looked at once.
"""

from collections.abc import Iterable, Sequence
from math import prod
from typing import Any

import attrs
import polars as pl

from cgrx._backtest.cuts import parted
from cgrx._backtest.engine import collected
from cgrx._backtest.expressions import Compiler
from cgrx._backtest.runs import HOLDERS, RUN, TOGETHER
from cgrx.operators._windows.calendar import Calendar
from cgrx.operators._windows.spacing import Regular

_NUMBER = "number of group"

_SPAN = {"start_ms": pl.Int64, "end_ms": pl.Int64}


def panes(spacing: Regular | Calendar) -> pl.Expr:
    """The pane of each event, as `start_ms`; of a calendar the window, with `end_ms` too."""
    if isinstance(spacing, Calendar):
        return _looked_up(spacing).struct.unnest()
    pane_ms, offset_ms = spacing.pane_ms, spacing.offset_ms
    return ((pl.col("time_ms") - offset_ms) // pane_ms * pane_ms + offset_ms).alias("start_ms")


def first_end(spacing: Regular | Calendar) -> pl.Expr:
    """The end of the first window that holds an event."""
    if isinstance(spacing, Calendar):
        return _looked_up(spacing).struct.field("end_ms")
    size_ms, every_ms, offset_ms = spacing.size_ms, spacing.every_ms, spacing.offset_ms
    return ((pl.col("time_ms") - size_ms - offset_ms) // every_ms + 1) * every_ms + offset_ms + size_ms


def _looked_up(calendar: Calendar) -> pl.Expr:
    """The window of each event, `start_ms` and `end_ms`. The calendar is asked once for each window."""

    def found(times: pl.Series) -> pl.Series:
        pane_of, ordered = calendar.ruler().pane, times.sort()
        windows: list[tuple[int, int]] = []
        at = 0
        while at < len(ordered):
            windows.append(pane_of(ordered[at]))
            at = ordered.search_sorted(windows[-1][1])
        known = pl.DataFrame(windows, _SPAN, orient="row")
        return known[known["start_ms"].search_sorted(times, side="right") - 1].to_struct()

    return pl.col("time_ms").map_batches(found, pl.Struct(_SPAN))


def grid(
    events: pl.DataFrame,
    columns: Sequence[pl.Expr],
    compiler: Compiler,
    keys: Sequence[str],
    spacing: Regular | Calendar,
    having: pl.DataFrame | None = None,
) -> pl.LazyFrame:
    """Windows that lie on a grid.

    Args:
        events: in any order.
        columns: what is needed of them but for their panes; of several runs `HOLDERS` too.
        compiler: the aggregates.
        keys: the columns by which rows are apart.
        spacing: where the windows lie.
        having: of several runs, which of them have the events with each number of `HOLDERS`; the rows are by `RUN` too.
    """
    if isinstance(spacing, Calendar):
        group, overlapping = ("start_ms", "end_ms", *keys), None
    else:
        group, overlapping = ("start_ms", *keys), spacing if spacing.overlapping else None
    by = keys if having is None else (RUN, *keys)
    order = ("start_ms", *by)  # windows that begin together end together
    parts = [part.lazy().select(*columns, panes(spacing)) for part in parted(events, keys, spacing)]
    if having is not None or overlapping is not None:
        rows = _put_together(_Panes(parts, group, overlapping, having), compiler).lazy()
    elif isinstance(spacing, Regular) and (names := _names(events, parts[0].collect_schema(), keys)):
        rows, order = _grouped_by_number(parts, compiler, keys, names), (_NUMBER,)
    else:
        rows = pl.concat(_grouped(part, compiler, group) for part in parts)
    if isinstance(spacing, Regular):
        rows = rows.with_columns((pl.col("start_ms") + spacing.size_ms).alias("end_ms"))
    return _finished(rows, compiler, by, order)


def session(events: pl.DataFrame, compiler: Compiler, keys: Sequence[str], gap_ms: int) -> pl.LazyFrame:
    """Sessions that a silence of more than `gap_ms` ends.

    One number stands for the keys and the time of an event, for it costs less to sort by: the times of each combination
    of keys begin by more than the gap behind those of the one before, so a session begins where the number leaps.
    """
    codes, count = coded(events, keys)
    times: Any = events["time_ms"]
    first_ms, last_ms = (times.min(), times.max()) if len(times) else (0, 0)
    stride = last_ms - first_ms + gap_ms + 1
    if count * stride >= 2**63:
        codes = events.select(pl.struct(keys).rank("dense").cast(pl.Int64)).to_series()
    numbers = codes * stride + (times - first_ms)
    numbered = events.lazy().with_columns(numbers.alias("session")).sort("session", maintain_order=True)
    leaps = (pl.col("session").diff() > gap_ms).fill_null(False)
    time_ms = pl.col("time_ms")
    span = (time_ms.min().alias("start_ms"), (time_ms.max() + 1).alias("end_ms"))
    rows = _grouped(
        numbered.with_columns(leaps.cum_sum().alias("session")), compiler, ("session",), *span, pl.col(keys).first()
    )
    return _finished(rows, compiler, keys, ("end_ms", *keys, "start_ms"))


def coded(events: pl.DataFrame, keys: Sequence[str]) -> tuple[pl.Series, int]:
    """A number for each combination of keys, and how many numbers there may be."""
    codes, count = pl.zeros(len(events), pl.Int64, eager=True), 1
    for key in keys:
        values: Any = events[key].cast(enum_of(events[key])).to_physical().cast(pl.Int64)
        least, most = (values.min(), values.max()) if len(values) else (0, 0)
        codes, count = codes * (most - least + 1) + (values - least), count * (most - least + 1)
    return codes, count


def enum_of(values: pl.Series) -> pl.DataType:
    """The type that has texts as numbers in their order; of other values their own."""
    return pl.Enum(values.unique().sort()) if values.dtype == pl.String else values.dtype


def _grouped(events: pl.LazyFrame, compiler: Compiler, group: Sequence[str], *more: pl.Expr) -> pl.LazyFrame:
    """One row for each group, with the parts of its events."""
    rows = events.group_by(*group).agg(*more, *(part.of_events.alias(part.name) for part in compiler.parts))
    for each in compiler.by_name:
        kept = events if each.keep is None else events.filter(each.keep)
        sums = kept.group_by(*group, name=each.field).agg(*each.sums)
        results = sums.sort("name").group_by(*group, maintain_order=True).agg(each.result)
        rows = rows.join(results, on=group, how="left")
    return rows


def _names(events: pl.DataFrame, schema: pl.Schema, keys: Sequence[str]) -> list[pl.Series]:
    """Of keys that are enums their names; none unless all are, and a number holds each combination and a time."""
    enums = [dtype for key in keys if isinstance(dtype := schema[key], pl.Enum)]
    names = [pl.Series(each.categories, dtype=each) for each in enums]
    latest_ms: Any = events["time_ms"].max() or 0
    return names if len(names) == len(keys) and prod(map(len, names)) * (latest_ms + 1) < 2**63 else []


def _grouped_by_number(
    parts: Iterable[pl.LazyFrame], compiler: Compiler, keys: Sequence[str], names: Sequence[pl.Series]
) -> pl.LazyFrame:
    """One row for each `start_ms` and keys, and a number that is in their order: to group by all of them costs more."""
    number = pl.col("start_ms")
    for key, known in zip(keys, names, strict=True):
        number = number * len(known) + pl.col(key).to_physical().cast(pl.Int64)
    numbered = (part.with_columns(number.alias(_NUMBER)) for part in parts)
    rows = pl.concat(_grouped(part, compiler, (_NUMBER,)) for part in numbered)
    rest, found = pl.col(_NUMBER), list[pl.Expr]()
    for key, known in zip(reversed(keys), reversed(names), strict=True):
        found.append(pl.lit(known).gather(rest % len(known)).alias(key))
        rest = rest // len(known)
    return rows.with_columns(rest.alias("start_ms"), *found)


@attrs.frozen
class _Panes:
    """Events in panes, each of which goes into several windows, or into those of several runs."""

    parts: Sequence[pl.LazyFrame]
    """The events, with the `start_ms` of their pane. No two parts have events of one pane and key."""
    group: Sequence[str]
    """The columns by which panes are apart, beside `HOLDERS`."""
    overlapping: Regular | None
    having: pl.DataFrame | None

    def of(self, aggregates: Iterable[pl.Expr], keep: pl.Expr | None = None, *more: pl.Expr) -> pl.DataFrame:
        """Aggregates over the events of each pane, or over those to keep; more columns may tell rows apart."""
        by = (*self.group, *(() if self.having is None else (HOLDERS,)), *more)
        kept = self.parts if keep is None else [part.filter(keep) for part in self.parts]
        return collected(pl.concat(part.group_by(by).agg(aggregates) for part in kept))

    def grouped(self, panes: pl.DataFrame, aggregates: Iterable[pl.Expr], *more: str) -> pl.DataFrame:
        """Aggregates over the panes of each window and run."""
        spread, by = panes if self.overlapping is None else _in_windows(panes, self.overlapping), (*self.group, *more)
        if self.having is None:
            return spread.group_by(by).agg(*aggregates)
        # One number in place of the columns, of which many rows would take copies, and which cost more to compare.
        names = spread.select(by).unique().with_columns(pl.int_range(pl.len()).alias("name of group"))
        numbered = spread.join(names, on=by).drop(by).join(self.having, on=HOLDERS)
        key = pl.col("name of group") * TOGETHER + pl.col(RUN)
        rows = numbered.group_by(key.alias("key")).agg(*aggregates)
        numbers = ((pl.col("key") // TOGETHER).alias("name of group"), (pl.col("key") % TOGETHER).alias(RUN))
        return rows.with_columns(numbers).join(names, on="name of group").drop("key", "name of group")


def _in_windows(panes: pl.DataFrame, spacing: Regular) -> pl.DataFrame:
    """Each pane once for each window that holds it; `start_ms` is then that of the window."""
    size_ms, every_ms, offset_ms = spacing.size_ms, spacing.every_ms, spacing.offset_ms
    start_ms = pl.col("start_ms") - offset_ms
    first = (start_ms - size_ms) // every_ms + 1
    starts = (pl.int_ranges(first, start_ms // every_ms + 1) * every_ms + offset_ms).alias("start_ms")
    return panes.with_columns(starts).explode("start_ms")


def _put_together(panes: _Panes, compiler: Compiler) -> pl.DataFrame:
    """One row for each window, with the parts of its panes."""
    found = panes.of([part.of_events.alias(part.name) for part in compiler.parts])
    # Of what is first or last the place stands for the value: numbers are compared for less.
    places = found.select(pl.col(part.name).rank("ordinal") for part in compiler.parts if part.in_order)
    placed = found.with_columns(pl.when(pl.col(each.name).is_not_null()).then(each).alias(each.name) for each in places)
    rows = panes.grouped(placed, [part.of_parts.alias(part.name) for part in compiler.parts])
    rows = rows.with_columns(
        found[each.name].gather(each.arg_sort(nulls_last=True)).gather(rows[each.name] - 1) for each in places
    )
    windows = panes.group if panes.having is None else (*panes.group, RUN)
    for each in compiler.by_name:
        sums = panes.of(each.sums, each.keep, pl.col(each.field).alias("name"))
        whole = panes.grouped(sums, [pl.col(f"sum {index}").sum() for index, _ in enumerate(each.sums)], "name")
        results = whole.sort("name").group_by(windows, maintain_order=True).agg(each.result)
        rows = rows.join(results, on=windows, how="left")
    return rows


def _finished(rows: pl.LazyFrame, compiler: Compiler, keys: Sequence[str], order: Sequence[str]) -> pl.LazyFrame:
    """The results of each row, in the order in which windows close."""
    results = [expression.alias(name) for name, expression in compiler.results.items()]
    by_name = [pl.col(f"={each.name}").alias(each.name) for each in compiler.by_name]
    beyond = [expression.alias(f"beyond {name}") for name, expression in compiler.beyond.items()]
    return rows.sort(order).select("start_ms", "end_ms", *keys, *results, *by_name, *beyond)
