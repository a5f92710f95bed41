"""Windows of one kind in columns, behind one filter or behind different ones: one query gives the rows of all.

First come the rows without their quality, and what of that is known at a glance. Then, when it is known what each run
of events knew, come the rows as they are.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any, cast

import attrs
import numpy as np
import polars as pl

from cgrx._backtest.arrivals import ARRIVAL, Arrivals
from cgrx._backtest.calm import calm
from cgrx._backtest.engine import collected
from cgrx._backtest.expressions import EDGE, Compiler, edges, side_code
from cgrx._backtest.lateness import Ledger
from cgrx._backtest.plan import Inexpressible
from cgrx._backtest.quality import qualified
from cgrx._backtest.runs import HOLDERS, RUN, Runs
from cgrx._backtest.table import code
from cgrx._backtest.windows import enum_of, first_end, grid, session
from cgrx._model.events import Event, Trade
from cgrx._model.times import FOREVER, NEVER
from cgrx._streams.conditions import Condition
from cgrx.operators._rows.row import Row
from cgrx.operators._windows.grid import Grid
from cgrx.operators._windows.session import Session
from cgrx.operators._windows.window import Window

_FOLLOWED = (*ARRIVAL, "time_ms", "exchange", "input")
"""The columns that say how far the watermark had come."""

_NOTHING = Ledger((), FOREVER, NEVER)

_FIRST = 1000
"""So many values are compared before all are."""


@attrs.frozen(eq=False)
class Prepared:
    """A window behind different filters, and its rows without their quality."""

    window: Window[Any]
    arrivals: Arrivals
    runs: Runs
    """The events behind each of the filters, in order of arrival."""
    until_ms: pl.Expr
    """Of each event, as of `ledgers`."""
    found: pl.DataFrame
    """The rows, run after run."""
    fixed: Mapping[str, object]
    """The keys that are the same in all rows."""
    around_ms: int
    """How long after its end a window closes."""
    known: Sequence[Ledger | None]
    """What the window knew when, in each run; None where that is not seen at a glance."""

    @property
    def unknown(self) -> list[int]:
        """The runs of which a glance does not tell it."""
        return [run for run, known in enumerate(self.known) if known is None]

    @property
    def unknown_events(self) -> int:
        """How many events they have."""
        counts = self.runs.counts
        return sum(counts[run] for run in self.unknown)

    def followed(self, run: int) -> pl.DataFrame:
        """What `Moments` needs of the events of a run."""
        events = self.runs.events
        columns = events.select(name for name in _FOLLOWED if name in events.columns)
        constant = self.arrivals.constant
        exchange = pl.lit(constant["exchange"]) if "exchange" in constant else pl.col("exchange").cast(pl.String)
        until = events.select(self.until_ms.alias("until_ms")).to_series()
        columns = columns.with_columns(exchange.alias("exchange"), until)
        return self.runs.of_run(run, columns)

    def rows(self, known: Sequence[Ledger | Inexpressible]) -> list[pl.DataFrame | Inexpressible]:
        """The rows of each run, or why columns cannot say them.

        Args:
            known: what each run knew when, or why that is not known.
        """
        row, keys = self.window.rows.type, self.window.rows.type.key_fields
        types = self.arrivals.types
        ledgers = [_NOTHING if isinstance(each, Inexpressible) else each for each in known]
        found = qualified(self.found, ledgers, self.around_ms)
        found = found.with_columns(pl.lit(value).alias(key) for key, value in self.fixed.items())
        codes = [side_code(pl.col("side"), pl.lit(Trade in types))] if "side" in keys else []
        shown = found.with_columns(pl.col(pl.Enum).cast(pl.String), *codes).select(row.fields)
        ends = np.searchsorted(found[RUN].to_numpy(), range(1, len(known) + 1)).tolist()
        rows: list[pl.DataFrame | Inexpressible] = []
        for of_run, start, end in zip(known, [0, *ends], ends, strict=False):
            why = of_run if isinstance(of_run, Inexpressible) else self._beyond(found[start:end])
            rows.append(shown[start:end] if why is None else why)
        return rows

    def _beyond(self, rows: pl.DataFrame) -> Inexpressible | None:
        """Why columns do not give these rows as running windows do."""
        row, terms, keys = self.window.rows.type, self.window.terms, self.window.rows.type.key_fields
        open_keys = rows.select(pl.struct(keys).n_unique()).item() if keys and len(rows) > terms.max_keys else 0
        if open_keys > terms.max_keys:
            return Inexpressible(f"{open_keys:,} keys are more than max_keys={terms.max_keys}")
        for name in compiled(row, self.arrivals.types).beyond:
            if rows[f"beyond {name}"].any():
                what = dict(row.aggregates)[name]
                return Inexpressible(f"{what!r}: some row has so many values that a sketch holds them")
        return None


def prepared(window: Window[Any], arrivals: Arrivals, filters: Sequence[Sequence[Condition]]) -> Prepared:
    """A window behind each of these filters; behind the first ones alone where all let pass too many events."""
    row, terms = window.rows.type, window.terms
    compiler = compiled(row, arrivals.types)
    around_ms = window.gap_ms if isinstance(window, Session) else 0
    # Polars lets go of the interpreter: what is to be known of the marks is found out while it reads and groups events.
    with ThreadPoolExecutor(1) as aside:
        reading = aside.submit(_read, window, compiler, arrivals, filters)
        grouping = aside.submit(lambda: _grouped(window, compiler, *reading.result()))
        arrivals.marked()
        runs, constant = reading.result()
        runs = runs.arrived([name for name in _FOLLOWED if name in runs.events.columns], arrivals.in_order)
        until_ms = _until(window)
        known = calm(
            attrs.evolve(arrivals, constant=constant),
            runs,
            until_ms,
            lambda: grouping.result().select(RUN, (pl.col("end_ms") + around_ms).alias("close_ms")),
            terms.lateness_ms,
            terms.idle_ms,
        )
    fixed = {key: constant[key] for key in row.key_fields if key in constant}
    return Prepared(window, arrivals, runs, until_ms, grouping.result(), fixed, around_ms, known)


def _read(
    window: Window[Any], compiler: Compiler, arrivals: Arrivals, filters: Sequence[Sequence[Condition]]
) -> tuple[Runs, Mapping[str, object]]:
    """The events behind each of the filters, with what is asked of them; and the columns that have one value in all."""
    conditions = {each.field for of_run in filters for each in of_run}
    keys = window.rows.type.key_fields
    found = collected(_needed(arrivals, set(keys), compiler.fields | conditions))
    runs = Runs.of(found, filters)
    asked = [key for key in keys if key not in arrivals.constant]
    return runs, {**arrivals.constant, **constants(runs.events, asked)}


def _grouped(window: Window[Any], compiler: Compiler, runs: Runs, constant: Mapping[str, object]) -> pl.DataFrame:
    """The rows, run after run."""
    # A key that is the same in all events, as the instrument of a trade channel, costs no grouping.
    keys = [key for key in window.rows.type.key_fields if key not in constant]
    # Numbers in place of texts, which cost most to copy and to compare, where keys alone need them.
    columns = [
        pl.col(name) if name in compiler.columns else pl.col(name).cast(enum_of(runs.events[name]))
        for name in sorted({"time_ms", *keys, *compiler.columns} - {EDGE})
    ]
    if EDGE in compiler.columns:
        columns.append(edges())
    if isinstance(window, Grid):
        found = _on_grid(window, compiler, keys, runs, columns)
    else:
        found = _in_sessions(cast("Session[Any]", window).gap_ms, compiler, keys, runs, columns)
    return found.sort(RUN, maintain_order=True) if len(runs) > 1 else found.with_columns(pl.lit(0, pl.Int64).alias(RUN))


def _until(window: Window[Any]) -> pl.Expr:
    """See `until_ms` of `Prepared`."""
    if isinstance(window, Grid):
        return first_end(window.spacing)
    # An event behind the watermark may be too near to a session that has closed.
    return pl.col("time_ms") + 1


def _on_grid(
    window: Grid[Any], compiler: Compiler, keys: Sequence[str], runs: Runs, columns: Sequence[pl.Expr]
) -> pl.DataFrame:
    if len(runs) == 1:
        return collected(grid(runs.events, columns, compiler, keys, window.spacing))
    held = runs.events.with_columns(runs.holders)
    return collected(grid(held, (*columns, pl.col(HOLDERS)), compiler, keys, window.spacing, runs.having))


def _in_sessions(
    gap_ms: int, compiler: Compiler, keys: Sequence[str], runs: Runs, columns: Sequence[pl.Expr]
) -> pl.DataFrame:
    """Each run has sessions of its own, which begin elsewhere, so all its events are repeated."""
    if len(runs) == 1:
        return collected(session(runs.events.select(columns).rechunk(), compiler, keys, gap_ms))
    return collected(session(runs.tables(columns), compiler, (RUN, *keys), gap_ms))


@lru_cache(maxsize=16)
def compiled(row: type[Row], types: frozenset[type[Event]]) -> Compiler:
    """The aggregates of a row as expressions, made once for all windows of a sweep.

    Raises:
        Inexpressible: one of them is a Python function.
    """
    return Compiler(types, [(name, aggregate.formula) for name, aggregate in row.aggregates])


def constants(events: pl.DataFrame, names: Sequence[str]) -> dict[str, object]:
    """Those of the columns that have one value in all events, with that."""
    return {name: events[name][0] for name in names if len(events) and _is_constant(events[name])}


def _is_constant(values: pl.Series) -> bool:
    """Whether all of them are the same; where they are not, the first ones mostly tell."""
    return all((some == values[0]).all() for some in (values.head(_FIRST), values))


def _needed(arrivals: Arrivals, keys: AbstractSet[str], read: AbstractSet[str]) -> pl.LazyFrame:
    """The events with these columns, and with those of their arrival and their source.

    Where only the differences between texts are asked for, as between those of keys, numbers may stand for them.
    """
    apart = {*keys, "exchange"} - read - arrivals.constant.keys()
    columns: dict[str, pl.Expr] = {name: pl.col(code(name) if name in arrivals.coded else name) for name in apart}
    columns |= {name: pl.col(name) for name in {*ARRIVAL, "time_ms", *read, *(["input"] if arrivals.several else [])}}
    if "trade" in read and not arrivals.several:
        columns["trade"] = pl.lit(Trade in arrivals.types)
    return arrivals.events().select(columns[name].alias(name) for name in sorted(columns))
