"""`sweep` where something fails or cannot be used, in other processes, and how far it tells it has come."""

import multiprocessing
import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import pytest

import cgrx
from cgrx import operators as ops
from cgrx._backtest.combinations import combinations
from cgrx._model.signals import Alive, Batch
from cgrx._recording.recording import Recording
from tests.backtest.columns import LIQUIDATIONS, TRADES
from tests.backtest.sweeping import assert_as_alone, bars, sixty_trades, trades, write
from tests.support import run
from tests.windows.windowing import trade


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    return sixty_trades(tmp_path)


# --- failures --------------------------------------------------------------------------------------------------------


def failing(feed: cgrx.Feed, *, how: str) -> Any:
    """A pipeline that fails in as many ways."""

    def fail(item: Any) -> Any:
        raise KeyError(how)

    match how:
        case "built":
            raise KeyError(how)
        case "channel":
            return feed.liquidations().pipe(ops.tumbling("1s"))
        case "channel by events":
            return feed.liquidations().pipe(ops.count_bars(2, by="exchange"))
        case "started":
            return trades(feed).pipe(Unstartable())
        case "row":
            return trades(feed).pipe(ops.tumbling("1s")).map(fail)
        case "event":
            return trades(feed).map(fail)
        case "core":
            return trades(feed).map(fail).pipe(ops.count_bars(2, by="exchange"))
        case "tail":
            return trades(feed).pipe(ops.count_bars(2, by="exchange")).map(fail)
        case "no observable":
            return how
        case _:
            return trades(feed).pipe(ops.tumbling("1s"))


@attrs.frozen
class Unstartable(ops.Stage[Any, Any]):
    """A stage that does not start."""

    def start(self) -> ops.Running[Any, Any]:
        raise KeyError("started")


WAYS = ["built", "channel", "channel by events", "started", "row", "event", "core", "tail", "no observable"]


def test_a_failed_combination_leaves_the_others_alone(recording: Recording) -> None:
    found = cgrx.sweep(failing, recording, {"how": ["", *WAYS, "-"]})
    assert [each.parameters["how"] for each in found.combinations if each.error is None] == ["", "-"]
    assert_as_alone(failing, recording, found)
    told = dict(found.to_polars().select("how", "error").rows())
    assert told["core"] == "KeyError: 'core'"
    assert told[""] is None
    assert "liquidationOrders is not recorded" in told["channel"]
    assert repr(found) == "Sweep(11 combinations, 9 failed)"
    with pytest.raises(KeyError, match="event"):
        _ = found.combinations[WAYS.index("event") + 1].rows


@pytest.mark.parametrize(
    ("measured", "error"),
    [
        (5, "TypeError: measure returned 5, which is no mapping of names to values"),
        ({5: 5}, "TypeError: measure returned a column 5, whose name is no text"),
        ({"error": 5}, 'ValueError: measure returned a column "error", which is another one of the result'),
        ({"threshold": 5}, 'ValueError: measure returned a column "threshold", which is another one of the result'),
    ],
)
def test_a_measure_that_is_none(measured: Any, error: str, recording: Recording) -> None:
    found = cgrx.sweep(bars, recording, {"threshold": [0]}, measure=lambda _: measured)
    assert found.to_polars()["error"].to_list() == [error]


def test_damage_ends_it(recording: Recording, tmp_path: Path) -> None:
    part = next(recording.folder.glob("*.parquet"))
    part.write_bytes(part.read_bytes()[:-50])
    for build in (bars, partial(bars)):
        with pytest.raises(cgrx.RecordingError):
            cgrx.sweep(build, recording.folder, {"threshold": [0]})


def test_where_columns_do_not_follow(tmp_path: Path) -> None:
    """A clock that was set back, among several recordings: all runs event by event."""
    first = write(tmp_path / "a", [(TRADES, Batch(TRADES, ms, (trade(ms),))) for ms in (3000, 1000, 4000)])
    second = write(tmp_path / "b", [(LIQUIDATIONS, Alive("o", 2000))])
    found = cgrx.sweep(bars, [first, second], {"threshold": [0, 1]})
    for each in found.combinations:
        assert each.backtest is not None
        assert "was set back" in str(each.backtest.explain().reason)
        assert each.rows == cgrx.backtest(partial(bars, **each.parameters), [first, second]).rows


# --- executors and progress ------------------------------------------------------------------------------------------


class OddError(Exception):
    """An error that does not come back from a pickle."""

    def __init__(self, one: int, two: int) -> None:
        super().__init__(f"{one} and {two}")
        self.lock = threading.Lock()  # for Dask teaches pickle to take errors with such arguments


def odd(feed: cgrx.Feed, *, threshold: int) -> Any:
    if threshold == 2:
        raise OddError(1, 2)
    return trades(feed).pipe(ops.tumbling("1s")).where(lambda row: row.volume > threshold)


def test_in_processes(recording: Recording) -> None:
    told: list[cgrx.SweepProgress] = []
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as processes:
        found = cgrx.sweep(
            odd, recording, {"threshold": [0, 1, 2, 200]}, executor=processes, jobs=3, progress=told.append
        )
    assert [str(each.error) for each in found.combinations] == ["None", "None", "OddError: 1 and 2", "None"]
    for each in found.combinations:
        if each.error is None:
            assert each.rows == cgrx.backtest(partial(odd, **each.parameters), recording).rows
    assert told[-1] == cgrx.SweepProgress(4, 4, 1.0)
    assert len(told) == 3


def test_in_threads(recording: Recording) -> None:
    """One job for each processor; what a job fails with is the error of its combinations."""
    with ThreadPoolExecutor(2) as threads:
        found = cgrx.sweep(bars, recording, {"threshold": [0, 10, 20]}, executor=threads)
        assert_as_alone(bars, recording, found)
        told = cgrx.sweep(odd, recording, {"threshold": [1, 2]}, executor=threads).to_polars()
        gone = cgrx.sweep(bars, recording, {"threshold": [0, 10]}, executor=_Failing(), jobs=1)
    assert told["error"].to_list() == [None, "RuntimeError: OddError: 1 and 2"]
    assert [repr(each.error) for each in gone.combinations] == ["OSError('gone')"] * 2


class _Failing(ThreadPoolExecutor):
    """Its workers are gone."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
        def fail() -> None:
            raise self.error

        return super().submit(fail)

    error: Exception = OSError("gone")


class _Damaged(_Failing):
    error = cgrx.RecordingError("file", None, "damaged")


def test_damage_that_a_job_finds_ends_it(recording: Recording) -> None:
    with _Damaged(1) as threads, pytest.raises(cgrx.RecordingError, match="damaged"):
        cgrx.sweep(bars, recording, {"threshold": [0, 10]}, executor=threads)


def test_progress(recording: Recording) -> None:
    told: list[cgrx.SweepProgress] = []
    cgrx.sweep(running_bars, recording, {"threshold": [0, 1, 2], "by_events": [False, True]}, progress=told.append)
    assert [each.done for each in told] == sorted(each.done for each in told)
    assert all(each.done / 6 <= each.fraction <= 1 for each in told)
    assert told[-1] == cgrx.SweepProgress(done=6, total=6, fraction=1.0)
    assert {each.done for each in told} >= {1, 2, 3, 4, 5, 6}


def running_bars(feed: cgrx.Feed, *, threshold: float, by_events: bool) -> Any:
    return trades(feed).pipe(
        ops.min_volume(threshold), ops.tumbling("1s", updates="500ms") if by_events else ops.tumbling("1s")
    )


def test_a_progress_that_raises_ends_it(recording: Recording) -> None:
    def stop(progress: cgrx.SweepProgress) -> None:
        raise KeyError("enough")

    for by_events in (False, True):
        with pytest.raises(KeyError, match="enough"):
            cgrx.sweep(running_bars, recording, {"threshold": [0], "by_events": [by_events]}, progress=stop)


def test_damage_that_a_replay_finds_ends_it(recording: Recording, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> Any:
        raise cgrx.RecordingError("file", None, "damaged")

    monkeypatch.setattr("cgrx._replay.joint.Joint.take", broken)
    with pytest.raises(cgrx.RecordingError, match="damaged"):
        cgrx.sweep(running_bars, recording, {"threshold": [0], "by_events": [True]})


# --- bad input -------------------------------------------------------------------------------------------------------


def takes_any(feed: cgrx.Feed, **parameters: float) -> Any: ...
def takes_feed_among_others(*args: Any, threshold: float) -> Any: ...
def takes_no_feed(*, threshold: float) -> Any: ...


@pytest.mark.parametrize(
    ("grid", "error", "message"),
    [
        ({}, ValueError, "grid={} names no parameter: it takes several values for each parameter, such as"),
        ([], ValueError, "grid holds no combination: it takes several values"),
        (5, TypeError, "grid=5 takes several values for each parameter"),
        ("threshold", TypeError, "grid='threshold' takes several values"),
        ({"threshold": []}, ValueError, r'grid\["threshold"\]=\[\] holds no value: a parameter takes at least one'),
        ({"threshold": 5}, TypeError, r'grid\["threshold"\]=5 takes several values: for one alone write \[5\]'),
        ({"size": "1m"}, TypeError, r"""grid\["size"\]='1m' takes several values: for one alone write \['1m'\]"""),
        ({5: [1]}, TypeError, 'grid names a parameter 5: a name is a text, such as "threshold"'),
        ([5], TypeError, r"grid\[0\]=5 is no mapping of parameters to values"),
        ([{"threshold": 1}, {}], ValueError, r"grid\[1\]={} names no parameter"),
        ([{5: 1}], TypeError, r"grid\[0\] names a parameter 5"),
        ({"treshold": [1]}, TypeError, 'grid names "treshold", which bars.*does not take: did you mean threshold'),
        (
            {"threshold": [1], "colour": [1]},
            TypeError,
            r'names "colour", which bars\(feed, threshold, size\) does not take',
        ),
        ({"size": ["1s"]}, TypeError, r'grid has no value for "threshold", which bars\(.*\) needs'),
    ],
)
def test_grids_that_are_none(grid: Any, error: type[Exception], message: str) -> None:
    """Refused before anything is read: there is no such recording."""
    with pytest.raises(error, match=message):
        cgrx.sweep(bars, "nowhere", grid)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"build": 5}, TypeError, "build=5 is no function"),
        ({"build": takes_no_feed}, TypeError, r"takes_no_feed\(threshold\) takes no feed"),
        ({"measure": 5}, TypeError, "measure=5 is no function"),
        ({"progress": 5}, TypeError, "progress=5 is no function"),
        ({"executor": 5}, TypeError, "executor=5 is no concurrent.futures.Executor"),
        ({"jobs": 0}, ValueError, "jobs=0 takes a whole number of parts, 1 or more"),
        ({"jobs": True}, TypeError, "jobs=True takes a whole number"),
        ({"jobs": 2}, ValueError, "jobs=2 needs an executor"),
        ({"build": takes_any, "grid": {"error": [1]}}, ValueError, 'names a parameter "error", which is a column'),
        ({"build": takes_any, "grid": {"rows": [1]}}, ValueError, 'names a parameter "rows", which is a column'),
        ({"build": takes_any}, cgrx.RecordingError, "nowhere"),
        ({"build": takes_feed_among_others}, cgrx.RecordingError, "nowhere"),
        ({"build": dict}, cgrx.RecordingError, "nowhere"),
    ],
)
def test_arguments_that_cannot_be_used(arguments: dict[str, Any], error: type[Exception], message: str) -> None:
    chosen: dict[str, Any] = {"build": bars, "recordings": "nowhere", "grid": {"threshold": [1]}} | arguments
    with pytest.raises(error, match=message):
        cgrx.sweep(**chosen)


def test_all_combinations_the_last_name_fastest() -> None:
    grid = {"a": [1, 2], "b": iter("xy")}
    assert combinations(grid) == tuple({"a": a, "b": b} for a in (1, 2) for b in "xy")


def test_not_inside_trio() -> None:
    async def main() -> None:
        cgrx.sweep(bars, "nowhere", {"threshold": [1]})

    with pytest.raises(cgrx.InTrioError, match=r"cgrx.sweep\(\) blocks"):
        run(main)
