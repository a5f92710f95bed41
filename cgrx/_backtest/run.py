"""One run of a pipeline on recordings, in columns or event by event, and what it gave.

This module imports without polars; the modules that need it are imported when a pipeline runs in columns.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol, TypeAlias, TypeVar, cast

import attrs
import trio
from reactivex import Observable

from cgrx._backtest.common import Common
from cgrx._backtest.plan import Branch, Build, Inexpressible, Merged, Unplannable
from cgrx._model import html
from cgrx._replay.playlist import Playlist
from cgrx._replay.replay import replay
from cgrx.operators._rows.table import MOST, Table, ends
from cgrx.operators._rows.to_frame import to_frame

if TYPE_CHECKING:  # for signatures alone: it is an extra
    import polars as pl

    from cgrx._backtest.compile import Queries

T = TypeVar("T")

_INDENT = "\u2003"
"""A space as wide as a letter is high, which HTML keeps."""

Ran: TypeAlias = Literal["columns", "rows", "events", "failed"]
"""In columns; in Python on each row that the columns gave; in Python event by event; or not, for a job has failed."""


@attrs.frozen
class BacktestStep:
    """A part of the pipeline, and how it ran.

    Examples:
        >>> step = cgrx.BacktestStep('tumbling("1m", Flow)', "columns")
        >>> step.what, step.ran
        ('tumbling("1m", Flow)', 'columns')
    """

    what: str
    """As code: a channel, a merge, a stage."""
    ran: Ran
    depth: int = 0
    """How many merges it is inside of."""


@attrs.frozen
class BacktestPlan:
    """How a backtest ran. Prints as a table.

    Examples:
        >>> import msgspec, pathlib
        >>> _ = pathlib.Path("day.jsonl").write_bytes(
        ...     msgspec.json.encode(liquidation("long", 5_000.0, time="1s"))
        ... )
        >>> _ = cgrx.import_jsonl("day.jsonl", "day", events="liquidations")
        >>> result = cgrx.backtest(
        ...     lambda feed: feed.liquidations().pipe(ops.tumbling("1m")), "day"
        ... )
        >>> print(result.explain())
        columns  liquidationOrders
        columns  tumbling("1m")
    """

    steps: tuple[BacktestStep, ...]
    """In the order in which events go through them; the inputs of a merge before it."""
    reason: str | None = None
    """Why it ran event by event; None where it ran in columns."""

    def __str__(self) -> str:
        lines = [f"{step.ran:8} {'  ' * step.depth}{step.what}" for step in self.steps]
        return "\n".join(lines if self.reason is None else [*lines, f"event by event, because {self.reason}"])

    def _repr_html_(self) -> str:
        lines = [html.Line((step.ran, _INDENT * step.depth + step.what)) for step in self.steps]
        why = "" if self.reason is None else html.titled("event by event, because", self.reason)
        return html.page(html.table(("ran in", "part"), lines), why)


class _Columnar(Protocol):
    """What ran in columns: a `Columnar` of `compile`, without importing polars."""

    @property
    def count(self) -> int | None: ...

    def results(self) -> tuple[Any, ...]: ...

    def table(self, *, final_only: bool) -> pl.DataFrame | None: ...

    def ends(self, most: int) -> Table | None: ...


@attrs.frozen
class BacktestProgress:
    """How far a backtest in jobs has come.

    Examples:
        >>> progress = cgrx.BacktestProgress(done=3, total=12)
        >>> f"{progress.done} of {progress.total} jobs"
        '3 of 12 jobs'
    """

    done: int
    """Jobs that are done, or have failed."""
    total: int
    """All jobs."""


@attrs.frozen(eq=False)
class BacktestJob(Generic[T]):
    """One job of a backtest, and what it gave.

    Examples:
        >>> job = cgrx.BacktestJob(
        ...     ("liquidationOrders",),
        ...     None,
        ...     cgrx.RecordingError("day", None, "it is damaged"),
        ... )
        >>> print(job.error)
        day: it is damaged
    """

    channels: tuple[str, ...]
    """The channels that it read; none where it is not known what the pipeline is made of."""
    backtest: Backtest[T] | None
    """None where it failed."""
    error: Exception | None
    """What it failed with: the pipeline, the recording, or the executor."""


@attrs.frozen(eq=False)
class Backtest(Generic[T]):
    """What a pipeline gave on recordings.

    Examples:
        >>> import msgspec, pathlib
        >>> _ = pathlib.Path("day.jsonl").write_bytes(
        ...     msgspec.json.encode(liquidation("long", 5_000.0, time="1s"))
        ... )
        >>> _ = cgrx.import_jsonl("day.jsonl", "day", events="liquidations")
        >>> result = cgrx.backtest(
        ...     lambda feed: feed.liquidations().pipe(
        ...         ops.tumbling("1m", by="exchange")
        ...     ),
        ...     "day",
        ... )
        >>> result.count, result.to_polars(final_only=False)["volume"].to_list()
        (1, [5000.0])
    """

    _plan: BacktestPlan
    _results: _Columnar | tuple[T, ...]
    jobs: tuple[BacktestJob[T], ...] = ()
    """With `executor=`: each job. Where one has failed, all else of this backtest raises its error."""

    @cached_property
    def rows(self) -> tuple[T, ...]:
        """All that came out, in order. What columns gave becomes objects when `rows` is first read."""
        if isinstance(self._results, tuple):
            return self._results
        return cast("tuple[T, ...]", self._results.results())

    @property
    def count(self) -> int:
        """How many results came out; of a columnar result no row object is made to count them."""
        known = None if isinstance(self._results, tuple) else self._results.count
        return len(self.rows) if known is None else known

    def to_polars(self, *, final_only: bool = True) -> pl.DataFrame:
        """The rows, or events, as the table that `cgrx.to_frame` makes; of a columnar result no row object is made.

        Args:
            final_only: leave out the rows that are not final, such as those that the end of the recording cut short.

        Raises:
            TypeError: something else than rows of one class or events came out.
        """
        table = None if isinstance(self._results, tuple) else self._results.table(final_only=final_only)
        return to_frame(cast(Any, self.rows), final_only=final_only) if table is None else table

    def explain(self) -> BacktestPlan:
        """Which parts of the pipeline ran in columns and which event by event, and why."""
        return self._plan

    def _repr_html_(self) -> str:
        if any(job.error is not None for job in self.jobs):
            return self._plan._repr_html_()  # pyright: ignore[reportPrivateUsage]  # the name that notebooks look for
        found = None if isinstance(self._results, tuple) else self._results.ends(MOST)
        shown = ends(self.rows) if found is None else found
        return f"{self._plan._repr_html_()}{shown._repr_html_()}"  # pyright: ignore[reportPrivateUsage]  # the name that notebooks look for


def unplanned(build: Build[T], why: Unplannable, playlist: Playlist) -> Backtest[T]:
    """The backtest of a pipeline that runs event by event, because it is not known what it is made of.

    Raises:
        Exception: what the pipeline fails with.
    """
    steps: tuple[BacktestStep, ...] = (BacktestStep(_name(build), "events"),)
    return Backtest(BacktestPlan(steps, str(why)), replayed(build, playlist))


def queries_on(playlist: Playlist, common: Common) -> Queries:
    """What runs pipelines in columns on these recordings.

    Raises:
        Inexpressible: columns do not follow what the recordings hold.
        RecordingError: a recording cannot be read.
    """
    from cgrx._backtest.compile import Queries
    from cgrx._backtest.recordings import RecordedSource

    with _blamed(playlist):
        return Queries(RecordedSource(playlist), common)


def in_columns(branch: Branch, queries: Queries, playlist: Playlist) -> Backtest[Any]:
    """The backtest of a pipeline that runs in columns.

    Raises:
        Inexpressible: columns cannot say what it gives.
        RecordingError: a recording cannot be read.
        ValueError: a channel is not replayed.
    """
    with _blamed(playlist):
        columnar = queries.run(branch)
    count = len(branch.stages) - len(columnar.rest)
    return Backtest(BacktestPlan(tuple(_steps(branch, "columns", count))), columnar)


def by_events(branch: Branch, why: Inexpressible, results: tuple[T, ...]) -> Backtest[T]:
    """The backtest of a pipeline that gave these results event by event."""
    return Backtest(BacktestPlan(tuple(_steps(branch, "events", len(branch.stages))), str(why)), results)


def plain(backtest: Backtest[T]) -> Backtest[T]:
    """The same with rows that no function still has to make, so that it pickles where they do."""
    results = backtest._results  # pyright: ignore[reportPrivateUsage]  # of this file
    if isinstance(results, tuple) or results.count is not None:
        return backtest
    return Backtest(backtest.explain(), backtest.rows)


@contextmanager
def _blamed(playlist: Playlist) -> Generator[None, None, None]:
    """Columns are read without a look at each row. Where a row is to blame for an error, the recording says which.

    Raises:
        RecordingError: a recording holds what it cannot.
    """
    try:
        yield
    except Inexpressible:
        raise
    except Exception:
        _require_sound(playlist)
        raise


def _require_sound(playlist: Playlist) -> None:
    """Read the recordings row by row.

    Raises:
        RecordingError: one holds what a recording does not.
    """
    for log in playlist.logs:
        for _ in log.entries(channels=None, start=None, end=None):
            """Reading it checks it."""


def _steps(branch: Branch, ran: Ran, in_columns: int, depth: int = 0) -> list[BacktestStep]:
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


def replayed(build: Build[T], playlist: Playlist) -> tuple[T, ...]:
    """All that comes out of a replay at infinite speed.

    Raises:
        Exception: what the pipeline fails with.
    """
    return trio.run(_replay, build, playlist)


async def _replay(build: Build[T], playlist: Playlist) -> tuple[T, ...]:
    results: list[T] = []
    failures: list[Exception] = []
    part = playlist.selection
    async with replay(
        playlist.logs, speed=math.inf, start=part.start_ms, end=part.end_ms, channels=part.channels
    ) as feed:
        built: Observable[T] = build(feed)
        built.subscribe(results.append, failures.append)
        await feed.run()
    if failures:
        raise failures[0]
    return tuple(results)
