"""A backtest in jobs: each group of channels that a pipeline keeps apart is one, and an executor runs them.

    merge(a | bars, b | bars, merge(c, d) | bars)     three groups: a, b, and c with d
    merge(a, b) | bars                                one: the stages behind a merge see both channels

All recordings are in each job, one behind the other: a window crosses midnight.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeVar

import attrs

from cgrx._backtest.common import Common
from cgrx._backtest.executing import Recorded, executed, recorded, sendable
from cgrx._backtest.plan import Branch, Build, Inexpressible, Merged, Unplannable, plan
from cgrx._backtest.run import (
    Backtest,
    BacktestJob,
    BacktestPlan,
    BacktestProgress,
    BacktestStep,
    by_events,
    in_columns,
    plain,
    queries_on,
    replayed,
    unplanned,
)
from cgrx._backtest.together import channels_of, run_together
from cgrx._model.channels import Channel
from cgrx._replay.playlist import Playlist
from cgrx.operators._rows.table import Table

if TYPE_CHECKING:  # for signatures alone: it is an extra
    import polars as pl

T = TypeVar("T")


def in_jobs(
    build: Build[T], playlist: Playlist, executor: Executor, progress: Callable[[BacktestProgress], object] | None
) -> Backtest[T]:
    """The backtest of each group, joined in the order in which the pipeline names them.

    Raises:
        Exception: what `build` or `progress` raises.
    """
    try:
        wanted = [tuple(channels_of(group)) for group in _groups(build)]
    except Unplannable:
        wanted = [()]
    done = 0

    def finished(_: int, __: object) -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(BacktestProgress(done, len(wanted)))

    calls = [(_job, build, _narrowed(playlist, channels), at) for at, channels in enumerate(wanted)]
    outcomes = executed(executor, calls, finished)
    jobs = tuple(_as_job(channels, outcome) for channels, outcome in zip(wanted, outcomes, strict=True))
    return Backtest(_told(jobs), Joined(jobs), jobs)


def _groups(build: Build[Any]) -> list[Branch]:
    """The parts of a pipeline that do not meet before its end.

    Raises:
        Unplannable: nothing is known of it.
    """
    branch = plan(build)
    source = branch.source
    if isinstance(source, Merged) and source.order is None and not branch.stages and not branch.shares:
        return list(source.branches)
    return [branch]


def _narrowed(playlist: Playlist, channels: tuple[Channel, ...]) -> Recorded:
    """What a job reads: its channels, where all are replayed; else all, so that the pipeline says what it lacks."""
    logs, names, start_ms, end_ms = recorded(playlist)
    if channels and set(channels) <= set(playlist.channels):
        names = [channel.name for channel in channels]
    return logs, names, start_ms, end_ms


def _job(build: Build[T], given: Recorded, at: int) -> Backtest[T] | Exception:
    """One group, where an executor runs it; an error is returned, as one that comes back from a pickle."""
    try:
        return plain(_run(build, Playlist.of(*given), at))
    except Exception as error:  # noqa: BLE001 - of this job alone
        return sendable(error)


def _run(build: Build[T], playlist: Playlist, at: int) -> Backtest[T]:
    try:
        branch = _groups(build)[at]
    except Unplannable as why:
        return unplanned(build, why, playlist)
    try:
        return in_columns(branch, queries_on(playlist, Common()), playlist)
    except Inexpressible as why:
        if branch.shares:
            return by_events(branch, why, replayed(build, playlist))
        outcome = run_together({(): branch}, playlist, _ignore)[()]
        if outcome.failure is not None:
            raise outcome.failure from None
        return by_events(branch, why, tuple(outcome.results))


def _ignore(_: float) -> None:
    pass


def _as_job(channels: tuple[Channel, ...], outcome: Any) -> BacktestJob[Any]:
    names = tuple(channel.name for channel in channels)
    if isinstance(outcome, Exception):
        outcome.add_note(f"raised by the job of {', '.join(names) or 'the whole pipeline'}")
        return BacktestJob(names, None, outcome)
    return BacktestJob(names, outcome, None)


def _told(jobs: tuple[BacktestJob[Any], ...]) -> BacktestPlan:
    steps: list[BacktestStep] = []
    reasons: dict[str, None] = {}
    for number, job in enumerate(jobs, 1):
        if job.backtest is None:
            steps.append(BacktestStep(f"job {number} of {len(jobs)}: {_told_error(job)}", "failed"))
            continue
        plan_ = job.backtest.explain()
        steps.append(BacktestStep(f"job {number} of {len(jobs)}", plan_.steps[0].ran))
        steps += [attrs.evolve(step, depth=step.depth + 1) for step in plan_.steps]
        if plan_.reason is not None:
            reasons[plan_.reason] = None
    return BacktestPlan(tuple(steps), "; ".join(reasons) or None)


def _told_error(job: BacktestJob[Any]) -> str:
    return f"{', '.join(job.channels)}: {type(job.error).__name__}: {job.error}"


@attrs.frozen(eq=False)
class Joined:
    """The results of jobs, one behind the other. Each of its members raises what a job has failed with."""

    jobs: tuple[BacktestJob[Any], ...]

    @property
    def count(self) -> int:
        """How many came out."""
        return sum(each.count for each in self._sound())

    def results(self) -> tuple[Any, ...]:
        """All of them."""
        return tuple(chain.from_iterable(each.rows for each in self._sound()))

    def table(self, *, final_only: bool) -> pl.DataFrame | None:
        """Their tables as one; None where they are not alike."""
        import polars as pl

        tables = [each.to_polars(final_only=final_only) for each in self._sound() if each.count]
        alike = bool(tables) and all(table.schema == tables[0].schema for table in tables)
        return pl.concat(tables) if alike else None

    def ends(self, most: int) -> Table | None:
        """Not known without the rows."""
        return None

    def _sound(self) -> Iterator[Backtest[Any]]:
        for job in self.jobs:
            if job.backtest is None:
                assert job.error is not None
                raise job.error
            yield job.backtest
