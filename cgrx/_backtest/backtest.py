"""`backtest()`: runs a pipeline on recordings, in columns where its stages allow it, event by event where not."""

from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from typing import TypeVar

from cgrx._backtest.common import Common
from cgrx._backtest.executing import require_executor
from cgrx._backtest.jobs import in_jobs
from cgrx._backtest.plan import Build, Inexpressible, Unplannable, plan
from cgrx._backtest.run import (
    Backtest,
    BacktestProgress,
    by_events,
    in_columns,
    queries_on,
    replayed,
    unplanned,
)
from cgrx._extras import require_extra
from cgrx._model.channels import Channel
from cgrx._model.times import Moment
from cgrx._replay.playlist import Playlist, Recordings
from cgrx._trio.require import require_no_trio

T = TypeVar("T")


def backtest(
    build: Build[T],
    recordings: Recordings,
    *,
    start: Moment | None = None,
    end: Moment | None = None,
    channels: Iterable[Channel | str] | None = None,
    executor: Executor | None = None,
    progress: Callable[[BacktestProgress], object] | None = None,
) -> Backtest[T]:
    """Run a pipeline on recordings and return all that comes out.

        bars = cgrx.backtest(
            lambda feed: feed.futures_trades("Binance", "BTCUSDT", min_volume=0).pipe(
                ops.side("buy"), ops.tumbling("1m", ops.Bar, by=("exchange", "symbol"))
            ),
            "recordings/today",
        )
        print(bars.explain())
        frame = bars.to_polars()

    Filters, `dedupe`, `merge`, `share`, `tumbling`, `sliding` and `session` with the aggregates of `agg` but `custom`
    run as queries of polars; `final`, `where`, `map`, `scan`, `crosses` and `cooldown` behind the window
    on its rows. The rows are those of a replay: counts, times, extrema, names and quality are equal, sums and ratios
    within 1e-9. Where columns cannot tell that for sure, as with events that come too late, or where the pipeline holds
    something else, all of it runs event by event, as a replay at infinite speed. `explain()` says which it was. Memory:
    the columns of the events that pass the filters.

    Args:
        build: makes the pipeline from a feed. Called once to see what it is made of, and once more where it runs event
            by event.
        recordings: the folder of a recording, an opened `Recording`, or several; in one order as in `replay`.
        start: leave out what was received before: an aware `datetime`, milliseconds since the epoch, or ISO 8601.
            Channels that were heard before begin with a `Gap` up to then.
        end: leave out what was received then or later, in the same forms.
        channels: the ones to replay, as values or wire names; all by default.
        executor: runs the inputs of a merge with which the pipeline ends as jobs, each on its own channels and on all
            recordings: a `ProcessPoolExecutor`, or that of a cluster. `build` and what comes out have to be picklable
            then. The rows are those of one process, one job's behind another's; in columns sums of fractions may
            differ in their last digits. A pipeline without such a merge is one job. A job that fails leaves the others
            alone: see `Backtest.jobs`.
        progress: called with a `BacktestProgress` whenever a job is done.

    Raises:
        ValueError: no recording, an argument that cannot be used, a channel that is in two recordings at the same time,
            or one that is in none or left out, and that the pipeline or `channels` asks for.
        TypeError: an argument of another type, or `build` returns no Observable.
        RecordingError: a recording cannot be read; with `executor` an error of its job.
        ImportError: pyarrow or polars is not installed.
        InTrioError: called inside a running trio loop, which it would block: give it a thread, as in
            `await trio.to_thread.run_sync(cgrx.backtest, build, recording)`.
        Exception: what the pipeline fails with.

    Examples:
        >>> import msgspec, pathlib
        >>> events = [
        ...     liquidation("long", 5_000.0, time="1s"),
        ...     liquidation("short", 300.0, time="2s"),
        ... ]
        >>> _ = pathlib.Path("day.jsonl").write_bytes(
        ...     msgspec.json.Encoder().encode_lines(events)
        ... )
        >>> _ = cgrx.import_jsonl(
        ...     "day.jsonl", "day", events="liquidations", gapless=True
        ... )
        >>> result = cgrx.backtest(
        ...     lambda feed: feed.liquidations().pipe(ops.tumbling("1m")), "day"
        ... )
        >>> result.rows[0].volume
        5300.0
    """
    require_no_trio("cgrx.backtest()")
    require_executor(executor)
    if progress is not None and not callable(progress):
        raise TypeError(f"progress={progress!r} is no function")
    playlist = Playlist.of(recordings, channels, start, end)
    if executor is not None:
        require_extra("backtest()", "frames")
        return in_jobs(build, playlist, executor, progress)
    if progress is not None:
        raise ValueError("progress= tells of jobs: give an executor")
    try:
        branch = plan(build)
    except Unplannable as unplannable:
        return unplanned(build, unplannable, playlist)
    require_extra("backtest()", "frames")
    try:
        return in_columns(branch, queries_on(playlist, Common()), playlist)
    except Inexpressible as inexpressible:
        return by_events(branch, inexpressible, replayed(build, playlist))
