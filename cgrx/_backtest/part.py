"""The combinations of a sweep that run in one thread: those that can in columns, all others in one replay."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Concatenate, Generic, TypeAlias, TypeVar, cast

import attrs
from reactivex import Observable

from cgrx._backtest.combinations import Parameters
from cgrx._backtest.common import Common, Key, key_of
from cgrx._backtest.plan import Branch, Inexpressible, Unplannable, plan
from cgrx._backtest.rest import behind, parted
from cgrx._backtest.run import Backtest, by_events, in_columns, queries_on, replayed, unplanned
from cgrx._backtest.swept import ERROR, Combination, SweepProgress
from cgrx._backtest.together import Outcome, run_together
from cgrx._feed.face import Feed
from cgrx._model.data_errors import RecordingError
from cgrx._replay.playlist import Playlist
from cgrx._streams.stream import Stage

T = TypeVar("T")

SweptBuild: TypeAlias = Callable[Concatenate[Feed, ...], Observable[T]]
"""A pipeline as a function: from a feed and parameters to what comes out."""

Measure: TypeAlias = Callable[[Backtest[T]], Mapping[str, object]]
"""What is told of a combination, as columns."""


@attrs.frozen
class Work(Generic[T]):
    """What is done with each combination."""

    build: SweptBuild[T]
    measure: Measure[T]
    keep: bool


class Teller:
    """Tells how far a sweep has come. State: the combinations that are done."""

    def __init__(self, total: int, progress: Callable[[SweepProgress], object] | None) -> None:
        self._total = total
        self._progress = progress
        self._done = 0

    def finished(self, count: int = 1) -> None:
        """More combinations are done."""
        self._done += count
        self.under_way(0)

    def under_way(self, weight: float) -> None:
        """So many combinations are as good as done, beside those that are."""
        if self._progress is not None:
            self._progress(SweepProgress(self._done, self._total, (self._done + weight) / self._total))


class Part(Generic[T]):
    """Combinations that run here, in this thread. State: those that are done, by their place in the grid."""

    def __init__(self, work: Work[T], playlist: Playlist, found: Sequence[Parameters], tell: Teller) -> None:
        self._work = work
        self._builds = [partial(work.build, **parameters) for parameters in found]
        self._playlist = playlist
        self._found = found
        self._tell = tell
        self._done: dict[int, Combination[T]] = {}

    def run(self) -> tuple[Combination[T], ...]:
        """All of them, in order.

        Raises:
            RecordingError: a recording cannot be read.
            Exception: what the teller raises.
        """
        branches: dict[int, Branch] = {}
        for at, build in enumerate(self._builds):
            try:
                branches[at] = plan(build)
            except Unplannable as why:
                self._finish(at, partial(unplanned, build, why, self._playlist))
            except Exception as error:  # noqa: BLE001 - of this combination alone
                self._fail(at, error)
        self._run_by_events(branches, self._run_in_columns(branches))
        return tuple(self._done[at] for at, _ in enumerate(self._found))

    def _run_in_columns(self, branches: Mapping[int, Branch]) -> dict[int, Inexpressible]:
        """Run those that can be run in columns; why the others cannot."""
        inexpressible: dict[int, Inexpressible] = {}
        try:
            queries = queries_on(self._playlist, Common(branches.values()))
        except Inexpressible as why:
            return dict.fromkeys(branches, why)
        for at, branch in branches.items():
            try:
                self._finish(at, partial(in_columns, branch, queries, self._playlist))
            except Inexpressible as why:
                inexpressible[at] = why
        return inexpressible

    def _run_by_events(self, branches: Mapping[int, Branch], inexpressible: Mapping[int, Inexpressible]) -> None:
        """Run these event by event, in one replay."""
        together: dict[Key, Branch] = {}
        tails: dict[int, tuple[Key, tuple[Stage[Any, Any], ...]]] = {}
        for at, why in inexpressible.items():
            branch = branches[at]
            if branch.shares:
                self._finish(at, partial(self._alone, branch, why, self._builds[at]))
                continue
            core, rest = parted(branch)
            key = key_of(core)
            together[key] = core
            tails[at] = key, rest
        if not together:
            return
        outcomes = run_together(together, self._playlist, lambda fraction: self._tell.under_way(fraction * len(tails)))
        for at, (key, tail) in tails.items():
            self._finish(at, partial(_ended, outcomes[key], tail, branches[at], inexpressible[at]))

    def _alone(self, branch: Branch, why: Inexpressible, build: Callable[[Feed], Observable[T]]) -> Backtest[T]:
        return by_events(branch, why, replayed(build, self._playlist))

    def _finish(self, at: int, run: Callable[[], Backtest[T]]) -> None:
        """Run a combination, and measure what it gives.

        Raises:
            Inexpressible: columns cannot say what it gives.
            RecordingError: a recording cannot be read.
        """
        try:
            backtest = run()
        except (Inexpressible, RecordingError):
            raise
        except Exception as error:  # noqa: BLE001 - of this combination alone
            self._fail(at, error)
        else:
            self._measure(at, backtest)

    def _measure(self, at: int, backtest: Backtest[T]) -> None:
        try:
            measured = self._measured(at, backtest)
        except Exception as error:  # noqa: BLE001 - of this combination alone
            self._fail(at, error)
            return
        kept = backtest if self._work.keep else None
        self._done[at] = Combination(self._found[at], measured, None, kept)
        self._tell.finished()

    def _measured(self, at: int, backtest: Backtest[T]) -> Mapping[str, object]:
        measured: object = self._work.measure(backtest)
        if not isinstance(measured, Mapping):
            raise TypeError(f"measure returned {measured!r}, which is no mapping of names to values")
        for name in cast("Mapping[object, object]", measured):
            if not isinstance(name, str):
                raise TypeError(f"measure returned a column {name!r}, whose name is no text")
            if name == ERROR or name in self._found[at]:
                raise ValueError(f'measure returned a column "{name}", which is another one of the result')
        return {str(name): value for name, value in cast("Mapping[object, object]", measured).items()}

    def _fail(self, at: int, error: Exception) -> None:
        self._done[at] = Combination(self._found[at], {}, error, None)
        self._tell.finished()


def _ended(outcome: Outcome, tail: Sequence[Stage[Any, Any]], branch: Branch, why: Inexpressible) -> Backtest[Any]:
    """The backtest of a pipeline that ran with others, its last stages on what came out."""
    # They may fail before the stages in front of them do.
    results: tuple[Any, ...] = behind(tail, outcome.results) if tail else tuple(outcome.results)
    if outcome.failure is not None:
        raise outcome.failure
    return by_events(branch, why, results)
