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

from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import islice, takewhile
from typing import Any, TypeAlias, cast

import attrs
import polars as pl

from cgrx._backtest.arrivals import ARRIVAL, Arrivals, union
from cgrx._backtest.common import Common, Key, key_of
from cgrx._backtest.dedupe import deduped
from cgrx._backtest.engine import collected
from cgrx._backtest.expressions import accepting
from cgrx._backtest.lateness import ledgers
from cgrx._backtest.moments import MOST_RUNS
from cgrx._backtest.order import ordered
from cgrx._backtest.plan import Branch, Inexpressible, Merged
from cgrx._backtest.prepared import Prepared, compiled, constants, prepared
from cgrx._backtest.rest import behind
from cgrx._backtest.results import as_rows, as_table
from cgrx._backtest.runs import TOGETHER
from cgrx._model.channels import Channel
from cgrx._model.events import Event
from cgrx._streams.conditions import Conditional
from cgrx._streams.running import Elementwise
from cgrx._streams.stream import Stage
from cgrx.operators._aggregates.primitives import FIELDS
from cgrx.operators._rows.table import Table
from cgrx.operators._stages.dedupe import Dedupe
from cgrx.operators._windows.final import Final
from cgrx.operators._windows.grid import Grid
from cgrx.operators._windows.session import Session
from cgrx.operators._windows.window import Window

Source: TypeAlias = Callable[[Channel], Arrivals]
"""The signals of a channel, out of a recording."""

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
        self._found: dict[Key, pl.DataFrame | Inexpressible] = {}
        self._waiting: dict[object, dict[object, dict[Key, Branch]]] = {}
        for branch in self._common.branches:
            with suppress(Inexpressible):
                whole = _up_to_window(branch)
                key = key_of(whole)
                self._waiting.setdefault(_family(whole), {}).setdefault(key[-1], {})[key] = whole

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
            if key not in self._found:
                self._find(branch)
            found = self._found.pop(key)
            if self._common.is_fork(key):
                self._rows[key] = found
        if isinstance(found, Inexpressible):
            raise found
        return found

    def _find(self, branch: Branch) -> None:
        """Find the rows of this window, and of others with the same marks: they differ in filters, or in themselves.

        Of windows that differ in filters alone one query gives the rows. What a window knew is found at a glance, or
        for as many as go together.
        """
        batches = [self._prepared(branch)]
        terms = _window_of(branch).terms
        while 0 < sum(each.unknown_events for _, each in batches) < MOST_EVENTS:
            another = next(
                (each for like in self._waiting.get(_family(branch), {}).values() for each in like.values()), None
            )
            if another is None or sum(len(each.unknown) for _, each in batches) >= MOST_RUNS:
                break
            batches.append(self._prepared(another))
        runs = [each.followed(run) for _, each in batches for run in each.unknown]
        known = iter(ledgers(batches[0][1].arrivals, runs, terms.lateness_ms, terms.idle_ms) if runs else ())
        for keys, each in batches:
            found = each.rows([next(known) if ledger is None else ledger for ledger in each.known])
            self._found.update(zip(keys, found, strict=True))

    def _prepared(self, branch: Branch) -> tuple[list[Key], Prepared]:
        """The window of a branch, and those that differ from it in filters alone, with their keys."""
        waiting = self._waiting.get(_family(branch), {}).get(key_of(branch)[-1], {})
        waiting.pop(key_of(branch), None)
        taken = [branch, *islice(waiting.values(), TOGETHER - 1)]
        shared = _shared(taken)
        filters = [[cast("Conditional", stage).condition for stage in _before(each).stages[shared:]] for each in taken]
        arrivals = self._arrivals_of(attrs.evolve(branch, stages=branch.stages[:shared]))
        found = prepared(_window_of(branch), arrivals, filters)
        keys = [key_of(each) for each in taken[: len(found.known)]]
        for key in keys:
            waiting.pop(key, None)
        return keys, found

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


def _shared(branches: Sequence[Branch]) -> int:
    """With how many equal stages, in front of their windows, all of these begin."""
    keys = [key_of(_before(each))[1:] for each in branches]
    return len(list(takewhile(lambda stages: len(set(stages)) == 1, zip(*keys, strict=False))))


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
            passing = arrivals.events().filter(accepting(condition))
            return attrs.evolve(arrivals, events=passing.lazy, table=None)
        case Dedupe():
            return deduped(stage, arrivals)
        case _:
            raise Inexpressible(f"{stage!r} is Python, or has a state that columns do not have")


def _held(arrivals: Arrivals, followers: Sequence[Stage[Any, Any] | None]) -> Arrivals:
    """The same with its events in memory; where only filters follow, those that one of them lets pass."""
    events = arrivals.arrived()
    filters = [stage.condition for stage in followers if isinstance(stage, Conditional)]
    if len(filters) == len(followers):
        events = events.filter(pl.any_horizontal(map(accepting, filters)))
    columns = [*ARRIVAL, *FIELDS, *(("input", "trade") if arrivals.several else ())]
    held = collected(events.select(columns))
    constant = constants(held, (*TEXTS, "input") if arrivals.several else TEXTS)
    held = held.with_columns(pl.lit(value, held[name].dtype).alias(name) for name, value in constant.items())
    return attrs.evolve(arrivals, events=held.lazy, constant=constant, coded=frozenset(), table=None, in_order=True)


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
    compiled(window.rows.type, frozenset[type[Event]]())
