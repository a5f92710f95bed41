"""A pipeline on a recording, all at once: in columns where its stages can be said so, event by event where not."""

import math
from functools import cached_property
from os import PathLike
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeAlias, TypeVar, cast

import attrs
import trio
from reactivex import Observable

from cgrx._backtest.arrivals import Inexpressible
from cgrx._backtest.compile import Columnar, compiled
from cgrx._backtest.plan import Branch, Build, Merged, Unplannable, plan
from cgrx._backtest.recorded import RecordedSource
from cgrx._backtest.results import as_rows, as_table
from cgrx._model.signals import Batch
from cgrx._recording.recording import Recording
from cgrx._replay.replay import replay
from cgrx._streams.chain import Chain
from cgrx._streams.stream import Stage
from cgrx._trio.require import require_no_trio
from cgrx.operators._rows.to_frame import to_frame

if TYPE_CHECKING:
    import polars as pl

T = TypeVar("T")

Ran: TypeAlias = Literal["columns", "rows", "events"]
"""In columns; in Python on each row that came of those; in Python event by event."""


@attrs.frozen
class BacktestStep:
    """A part of the pipeline, and how it ran."""

    what: str
    """As code: a channel, a merge, a stage."""
    ran: Ran
    depth: int = 0
    """In how many merges it stands."""


@attrs.frozen
class BacktestPlan:
    """How a backtest ran. Prints as a table."""

    steps: tuple[BacktestStep, ...]
    """In the order in which events go through them; the inputs of a merge before it."""
    reason: str | None = None
    """Why it ran event by event; None where it ran in columns."""

    def __str__(self) -> str:
        lines = [f"{step.ran:8} {'  ' * step.depth}{step.what}" for step in self.steps]
        return "\n".join(lines if self.reason is None else [*lines, f"event by event, because {self.reason}"])


@attrs.frozen(eq=False)
class Backtest(Generic[T]):
    """What a pipeline gave on a recording."""

    _plan: BacktestPlan
    _columnar: Columnar | None
    _results: tuple[T, ...]

    @cached_property
    def rows(self) -> tuple[T, ...]:
        """All that came out, in order. Where columns gave them, the objects are made when first asked for."""
        columnar = self._columnar
        if columnar is None:
            return self._results
        rows = as_rows(columnar.frame, columnar.window.rows.type)
        return cast("tuple[T, ...]", rows if not columnar.rest else _through(columnar.rest, rows))

    def to_polars(self, *, final_only: bool = True) -> "pl.DataFrame":
        """The rows as a table, the same as `cgrx.to_frame` of them; of a columnar result no row object is made.

        Args:
            final_only: leave out the rows that are not final, such as those that the end of the recording cut short.

        Raises:
            TypeError: something else than rows came out.
        """
        columnar = self._columnar
        if columnar is None or columnar.rest:
            return to_frame(cast(Any, self.rows), final_only=final_only)
        frame = columnar.frame.filter("final") if final_only else columnar.frame
        return as_table(frame, columnar.window.rows.type)

    def explain(self) -> BacktestPlan:
        """Which parts of the pipeline ran in columns and which event by event, and why."""
        return self._plan


def backtest(build: Build[T], recording: "Recording | str | PathLike[str]") -> Backtest[T]:
    """Run a pipeline on a whole recording and return all that comes out.

        bars = cgrx.backtest(
            lambda feed: feed.futures_trades("Binance", "BTCUSDT", min_volume=0).pipe(
                ops.side("buy"), ops.tumbling("1m", ops.Bar, by=("exchange", "symbol"))
            ),
            "recordings/today",
        )
        print(bars.explain())
        frame = bars.to_polars()

    Filters, `dedupe`, `merge`, `share`, `tumbling`, `sliding` and `session` with the aggregates of `agg` but `quantile`
    and `custom` run as queries of polars; `final`, `where` and `map` behind the window on its rows. The rows are those
    of a replay: counts, times, extrema, names and quality are equal, sums and ratios within 1e-9. Where columns cannot
    tell that for sure, as with events that come too late, or where the pipeline holds something else, all of it runs
    event by event, as a replay at infinite speed. `explain()` says which it was. Memory: the columns of the events
    that pass the filters.

    Args:
        build: makes the pipeline from a feed. Called once to see what it is made of, and once more where it runs event
            by event.
        recording: a recording, or the folder of one.

    Raises:
        ValueError: the recording does not hold a channel that the pipeline asks for.
        TypeError: `build` returns no Observable.
        ImportError: polars is not installed.
        InTrioError: called inside a running trio loop, which it would block: give it a thread, as in
            `await trio.to_thread.run_sync(cgrx.backtest, build, recording)`.
        Exception: what the pipeline fails with.
    """
    require_no_trio("cgrx.backtest()")
    opened = recording if isinstance(recording, Recording) else Recording(recording)
    try:
        branch = plan(build)
    except Unplannable as unplannable:
        steps: tuple[BacktestStep, ...] = (BacktestStep(_name(build), "events"),)
        return Backtest(BacktestPlan(steps, str(unplannable)), None, _by_events(build, opened))
    try:
        columnar = compiled(branch, RecordedSource(opened))
    except Inexpressible as inexpressible:
        steps = tuple(_steps(branch, "events", len(branch.stages)))
        return Backtest(BacktestPlan(steps, str(inexpressible)), None, _by_events(build, opened))
    in_columns = len(branch.stages) - len(columnar.rest)
    return Backtest(BacktestPlan(tuple(_steps(branch, "columns", in_columns))), columnar, ())


def _through(stages: tuple[Stage[Any, Any], ...], rows: tuple[Any, ...]) -> tuple[Any, ...]:
    """What stages that take each row on its own make of rows."""
    signals, failure = Chain(stages).produce(Batch(None, 0, rows))
    if failure is not None:
        raise failure
    return tuple(row for signal in signals if isinstance(signal, Batch) for row in signal.events)


def _steps(branch: Branch, ran: Ran, in_columns: int, depth: int = 0) -> "list[BacktestStep]":
    found: list[BacktestStep] = []
    if isinstance(branch.source, Merged):
        for each in branch.source.branches:
            found += _steps(each, ran, len(each.stages), depth + 1)
        found.append(BacktestStep("merge" if branch.source.order is None else "merge_exchanges", ran, depth))
    else:
        found.append(BacktestStep(branch.source.name, ran, depth))
    found += [BacktestStep(repr(stage), ran, depth) for stage in branch.stages[:in_columns]]
    found += [BacktestStep(repr(stage), "rows", depth) for stage in branch.stages[in_columns:]]
    return found


def _name(build: Build[Any]) -> str:
    return getattr(build, "__qualname__", None) or repr(build)


def _by_events(build: Build[T], recording: Recording) -> tuple[T, ...]:
    return trio.run(_replayed, build, recording)


async def _replayed(build: Build[T], recording: Recording) -> tuple[T, ...]:
    """All that comes out of a replay."""
    results: list[T] = []
    failures: list[Exception] = []
    async with replay(recording, speed=math.inf) as feed:
        built: Observable[T] = build(feed)
        built.subscribe(results.append, failures.append)
        await feed.run()
    if failures:
        raise failures[0]
    return tuple(results)
