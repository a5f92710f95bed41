"""Pipelines as queries: walks the values of the stages, and gives the rows that they would give event by event.

    filters             conditions of columns
    dedupe              the first of equal events within a time
    merge, share        the union in order of arrival
    merge_exchanges     the same in order of time, where no event may come too late for that
    tumbling, sliding,  groups of events; whether an event comes too late, and what each row misses, is found first
    session
    behind the window   `final` as a condition; functions of a row run in Python, on the rows

A pipeline that columns cannot express raises `Inexpressible` with the reason. What the values mean is not said here but
with them, in `_streams.conditions` and in `formulas` and `primitives` of `operators._aggregates`: the running stages
are made from the same.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any, TypeAlias, cast

import attrs
import polars as pl

from cgrx._backtest.arrivals import Arrivals, union
from cgrx._backtest.calm import calm
from cgrx._backtest.common import Common, Key, key_of
from cgrx._backtest.dedupe import deduped
from cgrx._backtest.expressions import Compiler, accepting, side_code
from cgrx._backtest.lateness import Ledger, ledgers
from cgrx._backtest.moments import MOST_RUNS
from cgrx._backtest.order import ordered
from cgrx._backtest.plan import Branch, Inexpressible, Merged
from cgrx._backtest.quality import qualified
from cgrx._backtest.rest import behind
from cgrx._backtest.results import as_rows, as_table
from cgrx._backtest.windows import grid, looked_up, session
from cgrx._model.channels import Channel
from cgrx._model.events import Event, Trade
from cgrx._streams.conditions import Conditional
from cgrx._streams.running import Elementwise
from cgrx._streams.stream import Stage
from cgrx.operators._aggregates.primitives import FIELDS
from cgrx.operators._rows.row import Row
from cgrx.operators._rows.table import Table
from cgrx.operators._stages.dedupe import Dedupe
from cgrx.operators._windows.calendar import Calendar
from cgrx.operators._windows.final import Final
from cgrx.operators._windows.grid import Grid
from cgrx.operators._windows.session import Session
from cgrx.operators._windows.window import Window

Source: TypeAlias = Callable[[Channel], Arrivals]
"""The signals of a channel, out of a recording."""

ARRIVAL = ("seq", "received_ms")
"""The columns that say when an event arrived."""

FOLLOWED = (*ARRIVAL, "time_ms", "exchange", "input")
"""The columns that say how far the watermark had come."""

MOST_EVENTS = 1_000_000
"""About so many events are followed at once, for all pipelines that go together."""

TEXTS = ("exchange", "symbol", "base_asset")
"""The columns of texts, which cost most to compare and to copy."""


@attrs.frozen(eq=False)
class Columnar:
    """What a pipeline gives whose windows ran in columns."""

    window: Window[Any]
    frame: pl.DataFrame
    """The rows, in the order in which windows close."""
    rest: tuple[Stage[Any, Any], ...]
    """The stages behind it, which take each row on its own."""

    @property
    def count(self) -> int | None:
        """How many results there are; None where `rest` decides what comes out."""
        return None if self.rest else len(self.frame)

    def results(self) -> tuple[Any, ...]:
        """All that comes out, in order.

        Raises:
            Exception: what a function in `rest` raises.
        """
        rows = as_rows(self.frame, self.window.rows.type)
        return behind(self.rest, rows) if self.rest else rows

    def ends(self, most: int) -> Table | None:
        """The first and the last results, of which alone objects are made; None where `rest` decides what comes out."""
        if self.rest:
            return None
        count = len(self.frame)
        chosen = self.frame
        if count > most:
            chosen = pl.concat([chosen.head((most + 1) // 2), chosen.tail(most // 2)])
        return Table(as_rows(chosen, self.window.rows.type), count - len(chosen))

    def table(self, *, final_only: bool) -> pl.DataFrame | None:
        """The rows as `cgrx.to_frame` gives them, without making any; None where `rest` decides what comes out."""
        if self.rest:
            return None
        frame = self.frame.filter("final") if final_only else self.frame
        return as_table(frame, self.window.rows.type)


@attrs.frozen(eq=False)
class _Prepared:
    """A window and its rows, without their quality."""

    window: Window[Any]
    arrivals: Arrivals
    events: pl.DataFrame
    """What `Moments` needs of the events in front of it."""
    rows: pl.DataFrame
    fixed: Mapping[str, object]
    """The keys that are the same in all rows."""
    around_ms: int
    """How long after its end a window closes."""
    known: Ledger | None
    """What the window knew when; None where that is not seen at a glance."""


class Queries:
    """Runs pipelines in columns. What several of them begin with is computed once.

    State: of each beginning at which pipelines part, the columns of the events or rows that it gives.

    Args:
        source: gives the signals of a channel.
        common: what the pipelines have in common; nothing by default.
    """

    def __init__(self, source: Source, common: Common | None = None) -> None:
        self._source = source
        self._common = Common() if common is None else common
        self._arrivals: dict[Key, Arrivals] = {}
        self._rows: dict[Key, pl.DataFrame | Inexpressible] = {}
        self._found: dict[Key, tuple[_Prepared, Ledger | Inexpressible]] = {}
        self._waiting: dict[object, list[Branch]] = {}
        for branch in self._common.branches:
            with suppress(Inexpressible):
                whole = _up_to_window(branch)
                self._waiting.setdefault(_family(whole), []).append(whole)

    def run(self, branch: Branch) -> Columnar:
        """Run a pipeline in columns.

        Raises:
            Inexpressible: it cannot be.
        """
        whole = _up_to_window(branch)
        window = _window_of(whole)
        rest = branch.stages[len(whole.stages) :]
        for stage in rest:
            if not isinstance(stage.start(), Elementwise):
                raise Inexpressible(f"{stage!r} behind the window has a state")
        frame = self._rows_of(whole)
        while rest and isinstance(rest[0], Final):
            frame = frame.filter("final")
            rest = rest[1:]
        return Columnar(window, frame, rest)

    def _rows_of(self, branch: Branch) -> pl.DataFrame:
        """The rows of a window, which is the last stage of a branch."""
        key = key_of(branch)
        found = self._rows.get(key)
        if found is None:
            try:
                found = _rows(*self._known(branch))
            except Inexpressible as inexpressible:
                found = inexpressible
            if self._common.is_fork(key):
                self._rows[key] = found
        if isinstance(found, Inexpressible):
            raise found
        return found

    def _known(self, branch: Branch) -> tuple[_Prepared, Ledger]:
        """A window and what it knew when.

        Where that is not seen at a glance, it is found for as many pipelines at once as go together: those that differ
        in filters alone, so that they have the same marks.
        """
        key = key_of(branch)
        if key not in self._found:
            prepared = _prepared(_window_of(branch), self._arrivals_of(_before(branch)))
            if prepared.known is not None:
                return prepared, prepared.known
            self._find_known(branch, prepared)
        prepared, known = self._found.pop(key)
        if isinstance(known, Inexpressible):
            raise known
        return prepared, known

    def _find_known(self, branch: Branch, first: _Prepared) -> None:
        """Find what this window knew, and others like it."""
        family, terms = _family(branch), first.window.terms
        followed = {key_of(branch): first}
        count = len(first.events)
        waiting = self._waiting.pop(family, [])
        for at, each in enumerate(waiting):
            if count >= MOST_EVENTS or len(followed) >= MOST_RUNS:
                self._waiting[family] = waiting[at:]
                break
            key = key_of(each)
            if key not in followed:
                prepared = _prepared(_window_of(each), self._arrivals_of(_before(each)))
                if prepared.known is None:
                    followed[key] = prepared
                    count += len(prepared.events)
                else:
                    self._found[key] = prepared, prepared.known
        runs = [each.events for each in followed.values()]
        known = ledgers(first.arrivals, runs, terms.lateness_ms, terms.idle_ms)
        self._found |= {key: (each, of_it) for (key, each), of_it in zip(followed.items(), known, strict=True)}

    def _arrivals_of(self, branch: Branch) -> Arrivals:
        """The signals that come out of these stages, which stand before the window."""
        key = key_of(branch)
        if key not in self._arrivals:
            if branch.stages:
                before = self._arrivals_of(attrs.evolve(branch, stages=branch.stages[:-1]))
                arrivals = _behind(branch.stages[-1], before)
            elif isinstance(branch.source, Merged):
                arrivals = union([self._arrivals_of(each) for each in branch.source.branches])
                if branch.source.order is not None:
                    arrivals = ordered(branch.source.order, arrivals)
            else:
                arrivals = self._source(branch.source)
            if not self._common.is_fork(key):
                return arrivals
            self._arrivals[key] = _held(arrivals, self._common.followers(key))
        return self._arrivals[key]


def _up_to_window(branch: Branch) -> Branch:
    """The stages up to the first window.

    Raises:
        Inexpressible: there is none, or columns cannot express it.
    """
    for at, stage in enumerate(branch.stages, 1):
        if isinstance(stage, Window):
            _require_window(stage)
            return attrs.evolve(branch, stages=branch.stages[:at])
    raise Inexpressible("there is no window in it")


def _window_of(branch: Branch) -> Window[Any]:
    return cast("Window[Any]", branch.stages[-1])


def _before(branch: Branch) -> Branch:
    """What is in front of the last stage."""
    return attrs.evolve(branch, stages=branch.stages[:-1])


def _family(branch: Branch) -> object:
    """Equal for windows that hear the same marks: filters let all of them through."""
    before = _before(branch)
    while before.stages and isinstance(before.stages[-1], Conditional):
        before = _before(before)
    return key_of(before), _window_of(branch).terms.lateness_ms, _window_of(branch).terms.idle_ms


def _behind(stage: Stage[Any, Any], arrivals: Arrivals) -> Arrivals:
    """The signals that come out of a stage that stands before the window."""
    match stage:
        case Conditional(condition=condition):
            return attrs.evolve(arrivals, events=arrivals.events.filter(accepting(condition)))
        case Dedupe():
            return deduped(stage, arrivals)
        case _:
            raise Inexpressible(f"{stage!r} is Python, or has a state that columns do not have")


def _held(arrivals: Arrivals, followers: Sequence[Stage[Any, Any] | None]) -> Arrivals:
    """The same with its events in memory; where only filters follow, those that one of them lets pass."""
    events = arrivals.events
    filters = [stage.condition for stage in followers if isinstance(stage, Conditional)]
    if len(filters) == len(followers):
        events = events.filter(pl.any_horizontal(map(accepting, filters)))
    columns = [*ARRIVAL, *FIELDS, *(("input", "trade") if arrivals.several else ())]
    held = events.select(columns).collect()
    constant = _constant(held, (*TEXTS, "input") if arrivals.several else TEXTS)
    held = held.with_columns(pl.lit(value, held[name].dtype).alias(name) for name, value in constant.items())
    return attrs.evolve(arrivals, events=held.lazy(), constant=constant)


def _constant(events: pl.DataFrame, names: Sequence[str]) -> dict[str, object]:
    """Those of the columns that have one value in all events, with that."""
    return {name: events[name][0] for name in names if len(events) and (events[name] == events[name][0]).all()}


def _require_window(window: Window[Any]) -> None:
    """Check that columns can express a window.

    Raises:
        Inexpressible: it cannot.
    """
    if type(window) not in (Grid, Session):
        raise Inexpressible(f"{window!r}: bars and cascades follow the order of events")
    if window.terms.updates_ms is not None:
        raise Inexpressible(f"{window!r}: running rows follow the order of events")
    if isinstance(window, Grid) and window.emit_empty:
        raise Inexpressible(f"{window!r}: rows of windows without events are not found in columns")
    _compiled(window.rows.type, frozenset[type[Event]]())


@lru_cache(maxsize=16)
def _compiled(row: type[Row], types: frozenset[type[Event]]) -> Compiler:
    """The aggregates of a row as expressions, made once for all windows of a sweep.

    Raises:
        Inexpressible: one of them is a Python function.
    """
    return Compiler(types, [(name, aggregate.formula) for name, aggregate in row.aggregates])


def _needed(arrivals: Arrivals, columns: set[str]) -> pl.LazyFrame:
    """The events with these columns, and with those of their arrival and their source."""
    columns |= {*ARRIVAL, "exchange", "time_ms"}
    if arrivals.several:
        return arrivals.events.select(*sorted(columns | {"input"}))
    chosen = arrivals.events.select(*sorted(columns - {"trade"}))
    return chosen.with_columns(pl.lit(Trade in arrivals.types).alias("trade")) if "trade" in columns else chosen


def _prepared(window: Window[Any], arrivals: Arrivals) -> _Prepared:
    row, terms = window.rows.type, window.terms
    keys = row.key_fields
    compiler = _compiled(row, arrivals.types)
    # In one piece, because sums add up the pieces, and would depend on them.
    events = _needed(arrivals, {*keys, *compiler.columns}).collect().rechunk()
    # A key that is the same in all events, as the instrument of a trade channel, costs no grouping.
    constant = {**arrivals.constant, **_constant(events, [key for key in keys if key not in arrivals.constant])}
    moving = tuple(key for key in keys if key not in constant)
    time_ms = pl.col("time_ms")
    if isinstance(window, Grid):
        spacing, around_ms = window.spacing, 0
        if isinstance(spacing, Calendar):
            events = events.with_columns(looked_up(events["time_ms"], spacing))
            until_ms = pl.col("end_ms")
        else:
            size_ms, every_ms, offset_ms = spacing.size_ms, spacing.every_ms, spacing.offset_ms
            until_ms = ((time_ms - size_ms - offset_ms) // every_ms + 1) * every_ms + offset_ms + size_ms
        rows = grid(events.lazy(), compiler, moving, spacing)
    else:
        gap_ms = around_ms = cast("Session[Any]", window).gap_ms
        # An event behind the watermark may be too near to a session that has closed.
        until_ms = time_ms + 1
        rows = session(events.lazy(), compiler, moving, gap_ms)
    collected = rows.collect()
    closes = collected["end_ms"] + around_ms
    known = calm(attrs.evolve(arrivals, constant=constant), events, until_ms, closes, terms.lateness_ms, terms.idle_ms)
    events = events.select(*(name for name in FOLLOWED if name in events.columns), until_ms.alias("until_ms"))
    fixed = {key: constant[key] for key in keys if key in constant}
    return _Prepared(window, arrivals, events, collected, fixed, around_ms, known)


def _rows(prepared: _Prepared, known: Ledger) -> pl.DataFrame:
    window, fixed = prepared.window, prepared.fixed
    row, terms, keys = window.rows.type, window.terms, window.rows.type.key_fields
    types = prepared.arrivals.types
    found = qualified(prepared.rows, known, prepared.around_ms).with_columns(
        pl.lit(value).alias(key) for key, value in fixed.items()
    )
    open_keys = found.select(pl.struct(keys).n_unique()).item() if keys and len(found) > terms.max_keys else 0
    if open_keys > terms.max_keys:
        raise Inexpressible(f"{open_keys:,} keys are more than max_keys={terms.max_keys}")
    for name in _compiled(row, types).beyond:
        if found[f"beyond {name}"].any():
            raise Inexpressible(f"{dict(row.aggregates)[name]!r}: some row has so many values that a sketch holds them")
    if "side" in keys:
        found = found.with_columns(side_code(pl.col("side"), pl.lit(Trade in types)))
    return found.select(row.fields)
