"""`sweep()`: one pipeline with many parameters on the same recordings; what combinations have in common is done once.

This module imports without polars; `part` does the work, and `swept` are the values that come out.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from typing import Any, TypeVar

import attrs

from cgrx._backtest.combinations import Grid, Parameters, combinations, require_free, require_taken
from cgrx._backtest.executing import Recorded, executed, recorded, require_executor, sendable
from cgrx._backtest.part import Measure, Part, SweptBuild, Teller, Work
from cgrx._backtest.run import Backtest, plain
from cgrx._backtest.swept import ERROR, Combination, Sweep, SweepProgress
from cgrx._extras import require_extra
from cgrx._model.channels import Channel
from cgrx._model.data_errors import RecordingError
from cgrx._model.times import Moment
from cgrx._replay.playlist import Playlist, Recordings
from cgrx._trio.require import require_no_trio

T = TypeVar("T")


def _counted(found: Backtest[Any]) -> Mapping[str, object]:
    """What is told of a combination unless `measure` says otherwise."""
    return {"rows": found.count}


def sweep(
    build: SweptBuild[T],
    recordings: Recordings,
    grid: Grid,
    *,
    measure: Measure[T] | None = None,
    keep: bool = True,
    start: Moment | None = None,
    end: Moment | None = None,
    channels: Iterable[Channel | str] | None = None,
    executor: Executor | None = None,
    jobs: int | None = None,
    progress: Callable[[SweepProgress], object] | None = None,
) -> Sweep[T]:
    """Run a pipeline with many parameters on the same recordings: a `backtest` of each combination, for less.

        def rule(feed: cgrx.Feed, *, threshold: float) -> cgrx.EventStream[ops.Cascade]:
            return feed.liquidations().pipe(ops.cascades("3s", min_volume=threshold))

        found = cgrx.sweep(rule, "recordings/today", {"threshold": [1e5, 2e5, 5e5]})
        print(found.to_polars())              # threshold, rows, error
        print(found.combinations[0].rows)     # as cgrx.backtest(...).rows

    What combinations have in common is done once: the recordings are read, decoded and checked once, and stages with
    which several pipelines begin, equal in all values, run once, with what they know of late events and gaps. So do
    `cascades` that differ in `min_volume` and `min_count` alone; windows behind different filters are one query where
    they run in columns. A Python function in a stage that runs once, as of `tap` or `on_late=`, is called once for all
    of them. Each combination gives what `cgrx.backtest` gives. Of pipelines with a `share` in them that do not run in
    columns, and of those with reactivex operators or more of the feed than its streams, each runs alone.

    Args:
        build: makes the pipeline from a feed, given first, and the parameters, given by name.
        recordings: as of `backtest`.
        grid: several values for each parameter, `{"threshold": [1e5, 1e6], "size": ["1m", "5m"]}`, for all their
            combinations, of which the last name changes fastest; or the combinations, `[{"threshold": 1e5}, ...]`.
        measure: takes the `Backtest` of a combination, and returns a mapping of names to values, the columns of
            `to_polars()`. By default the number of rows.
        keep: whether the rows of each combination are kept. Without, they go as soon as they are measured.
        start: as of `backtest`.
        end: as of `backtest`.
        channels: as of `backtest`.
        executor: runs the sweep in parts: a `ProcessPoolExecutor`, or that of a cluster. Each part reads the
            recordings once. `build`, the values, `measure` and what is kept have to be picklable then.
        jobs: how many parts, with `executor`; by default as many as there are processors. Neighbours in the grid stay
            together.
        progress: called with a `SweepProgress` whenever a combination, or a part, is done, and about ten times a
            second while combinations run event by event.

    A combination that fails leaves the others alone: see `Combination.error`, and the column `error`. Memory: the
    columns of the events that one of the filters lets pass, about 100 bytes each; up to 100 MB for a query over the
    events of several combinations, and its rows until they are measured; the rows of stages that several combinations
    share, and of combinations that run event by event, until they are measured; and what is kept.

    Raises:
        ValueError: a grid without values, a parameter called like another column, and as of `backtest`.
        TypeError: a grid, a parameter or another argument that cannot be used.
        RecordingError: a recording cannot be read.
        ImportError: pyarrow or polars is not installed.
        InTrioError: called inside a running trio loop; see `backtest`.
        Exception: what `progress` raises.

    Examples:
        >>> import msgspec, pathlib
        >>> events = [
        ...     liquidation("long", 5_000.0, time="1s"),
        ...     liquidation("short", 300.0, time="2s"),
        ... ]
        >>> _ = pathlib.Path("day.jsonl").write_bytes(
        ...     msgspec.json.Encoder().encode_lines(events)
        ... )
        >>> _ = cgrx.import_jsonl("day.jsonl", "day", events="liquidations")
        >>> def large(feed, least):
        ...     return feed.liquidations().pipe(ops.min_volume(least))
        >>> swept = cgrx.sweep(large, "day", {"least": [100, 1_000]})
        >>> [
        ...     (each.parameters["least"], each.measured["rows"])
        ...     for each in swept.combinations
        ... ]
        [(100, 2), (1000, 1)]
    """
    require_no_trio("cgrx.sweep()")
    found = combinations(grid)
    require_taken(build, found)
    require_free(found, [ERROR, "rows"] if measure is None else [ERROR])
    for name, value in (("measure", measure), ("progress", progress)):
        if value is not None and not callable(value):
            raise TypeError(f"{name}={value!r} is no function")
    _require_jobs(executor, jobs)
    require_extra("sweep()", "frames")
    playlist = Playlist.of(recordings, channels, start, end)
    work = Work(build, _counted if measure is None else measure, keep)
    teller = Teller(len(found), progress)
    if executor is None:
        return Sweep(Part(work, playlist, found, teller).run())
    return Sweep(_by_jobs(executor, jobs or os.cpu_count() or 1, work, playlist, found, teller))


def _require_jobs(executor: object, jobs: object) -> None:
    require_executor(executor)
    if jobs is None:
        return
    if isinstance(jobs, bool) or not isinstance(jobs, int):
        raise TypeError(f"jobs={jobs!r} takes a whole number of parts, 1 or more")
    if jobs < 1:
        raise ValueError(f"jobs={jobs!r} takes a whole number of parts, 1 or more")
    if executor is None:
        raise ValueError(f"jobs={jobs!r} needs an executor: without, all runs in this thread")


def _by_jobs(
    executor: Executor, jobs: int, work: Work[T], playlist: Playlist, found: Sequence[Parameters], teller: Teller
) -> tuple[Combination[T], ...]:
    """The combinations in as many parts, each a job of the executor.

    Raises:
        RecordingError: a recording cannot be read.
        Exception: what the teller raises.
    """
    count = min(jobs, len(found))
    parts = [found[len(found) * at // count : len(found) * (at + 1) // count] for at in range(count)]

    def finished(at: int, outcome: object) -> None:
        if isinstance(outcome, RecordingError):
            raise outcome
        teller.finished(len(parts[at]))

    outcomes = executed(executor, [(_job, work, recorded(playlist), part) for part in parts], finished)
    return tuple(
        each
        for part, outcome in zip(parts, outcomes, strict=True)
        # An exception: what cannot be pickled, or a process that ended.
        for each in ([_failed(one, outcome) for one in part] if isinstance(outcome, Exception) else outcome)
    )


def _job(work: Work[T], given: Recorded, found: Sequence[Parameters]) -> tuple[Combination[T], ...]:
    """A part of a sweep, where an executor runs it."""
    return tuple(map(_sendable, Part(work, Playlist.of(*given), found, Teller(len(found), None)).run()))


def _sendable(combination: Combination[T]) -> Combination[T]:
    """The same without what keeps it from being pickled: functions behind a window, and errors of odd classes."""
    backtest, error = combination.backtest, combination.error
    return attrs.evolve(
        combination,
        error=None if error is None else sendable(error),
        backtest=None if backtest is None else plain(backtest),
    )


def _failed(parameters: Parameters, error: Exception) -> Combination[Any]:
    return Combination(parameters, {}, error, None)
