"""A backtest by an executor: the groups of its channels, its rows beside those of one process, and what fails."""

import importlib
import multiprocessing
import threading
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from reactivex import operators as rx

import cgrx
from cgrx import operators as ops
from cgrx._model.signals import Alive, Batch, Gap
from cgrx._recording.entry import Recorded
from cgrx._recording.writer import write_recording
from cgrx.testing import trade
from tests.backtest.columns import assert_same

SYMBOLS = ("A", "B", "C", "D")
CHANNELS = {symbol: cgrx.FuturesTrades("Binance", symbol, 0) for symbol in SYMBOLS}
DAY_MS = 86_400_000


def _at_ms(entry: Recorded) -> int:
    match entry.said:
        case Batch(received_ms=at_ms) | Alive(at_ms=at_ms):
            return at_ms
        case _:
            return 0


def _passes(_: object) -> bool:
    return True


def _is_full(row: ops.Bar) -> bool:
    return row.count > 1


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two days of four channels, the second of which begins a minute behind the first, in the midst of a window."""
    folders: list[Path] = []
    for day in range(2):
        said: list[Recorded] = []
        for symbol, channel in CHANNELS.items():
            begin_ms = DAY_MS + day * 60_000
            said.append(Recorded(channel, Gap(channel, 0, begin_ms, "subscribed")))
            for second in range(1, 40 + ord(symbol) % 4):
                at_ms = begin_ms + 1_000 * second
                event = trade("buy", float(ord(symbol) * second), time=at_ms / 1000, symbol=symbol)
                said.append(Recorded(channel, Batch(channel, at_ms, (event,))))
            said.append(Recorded(channel, Alive("o", begin_ms + 59_000)))
        said.sort(key=_at_ms)
        folder = tmp_path_factory.mktemp("days") / str(day)
        write_recording(folder, said)
        folders.append(folder)
    return folders


def bars(feed: cgrx.Feed, symbol: str, *, by_events: bool = False) -> Any:
    stream: Any = feed.futures_trades("Binance", symbol, min_volume=0)
    if by_events:
        stream = stream.where(_passes)
    return stream.pipe(ops.tumbling("7s", ops.Bar, by=("exchange", "symbol")))


def apart(feed: cgrx.Feed, *, by_events: bool = False) -> Any:
    return cgrx.merge(*(bars(feed, symbol, by_events=by_events) for symbol in SYMBOLS))


def together(feed: cgrx.Feed) -> Any:
    """Two groups: A with B, and C."""
    both = cgrx.merge(*(feed.futures_trades("Binance", symbol, min_volume=0) for symbol in "AB"))
    return cgrx.merge(both.pipe(ops.tumbling("7s", ops.Flow, by="exchange")), bars(feed, "C"))


def single(feed: cgrx.Feed) -> Any:
    return bars(feed, "A")


def behind(feed: cgrx.Feed) -> Any:
    return cgrx.merge(bars(feed, "A"), bars(feed, "B")).pipe(ops.final())


def shared(feed: cgrx.Feed) -> Any:
    return cgrx.merge(bars(feed, "A"), bars(feed, "A").pipe(ops.share()))


def foreign(feed: cgrx.Feed) -> Any:
    return bars(feed, "A").pipe(rx.filter(_is_full))


def by_symbol(rows: Any) -> list[Any]:
    return sorted(rows, key=lambda row: (row.symbol, row.start_ms))


@pytest.mark.parametrize("by_events", [False, True], ids=["columns", "events"])
def test_rows_are_those_of_one_process(days: list[Path], by_events: bool) -> None:
    """Also of windows that cross from one day into the next; group behind group."""
    build, told = partial(apart, by_events=by_events), list[cgrx.BacktestProgress]()
    alone = cgrx.backtest(build, days)
    with ThreadPoolExecutor(2) as threads:
        found = cgrx.backtest(build, days, executor=threads, progress=told.append)
    if by_events:
        assert list(found.rows) == by_symbol(alone.rows)
    else:  # polars adds up in another order
        assert_same(found.rows, by_symbol(alone.rows))
    assert found.count == alone.count > 20
    assert [job.channels for job in found.jobs] == [(CHANNELS[symbol].name,) for symbol in SYMBOLS]
    assert told == [cgrx.BacktestProgress(number, 4) for number in range(1, 5)]
    assert found.to_polars().to_dicts() == cgrx.to_frame(found.rows).to_dicts()
    assert (found.explain().reason is None) is not by_events
    assert "futures_trades@Binance_D@0" in str(found.explain())
    assert "Bar" in found._repr_html_()


@pytest.mark.thorough  # two interpreters are started
def test_in_processes(days: list[Path]) -> None:
    alone = cgrx.backtest(apart, days)
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as processes:
        found = cgrx.backtest(apart, days, executor=processes)
        partly = cgrx.backtest(apart, days[:1], executor=processes, start=DAY_MS + 10_000, channels=CHANNELS.values())
    assert_same(found.rows, by_symbol(alone.rows))
    some = cgrx.backtest(apart, days[:1], start=DAY_MS + 10_000, channels=CHANNELS.values())
    assert_same(partly.rows, by_symbol(some.rows))


def test_what_meets_is_one_job(days: list[Path]) -> None:
    alone = cgrx.backtest(together, days)
    with ThreadPoolExecutor(2) as threads:
        found = cgrx.backtest(together, days, executor=threads)
        for build in (single, behind, shared, foreign):
            one = cgrx.backtest(build, days, executor=threads)
            assert len(one.jobs) == 1
            assert_same(one.rows, cgrx.backtest(build, days).rows)
    assert [len(job.channels) for job in found.jobs] == [2, 1]
    assert len(found.rows) == len(alone.rows)
    assert {row.identity for row in found.rows} == {row.identity for row in alone.rows}
    with pytest.raises(TypeError, match=r"Flow|Bar"):
        found.to_polars()


class Failing(ThreadPoolExecutor):
    """Its second worker is gone."""

    count = 0

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
        def fail() -> None:
            raise OSError("gone")

        self.count += 1
        return super().submit(fail) if self.count == 2 else super().submit(fn, *args, **kwargs)


class OddError(Exception):
    """One that does not come back from a pickle."""

    def __init__(self, one: int, two: int) -> None:
        super().__init__(f"{one} and {two}")
        self.lock = threading.Lock()  # for Dask teaches pickle to take errors with such arguments


def odd(feed: cgrx.Feed) -> Any:
    def fail(event: Any) -> Any:
        raise OddError(1, 2)

    return cgrx.merge(bars(feed, "A"), feed.futures_trades("Binance", "B", min_volume=0).map(fail))


class Refusing(ThreadPoolExecutor):
    """It takes no second call."""

    count = 0

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
        self.count += 1
        if self.count == 2:
            raise OSError("gone")
        return super().submit(fn, *args, **kwargs)


@pytest.mark.parametrize(
    ("build", "executor", "error", "said"),
    [
        (apart, Failing, OSError, "gone"),
        (apart, Refusing, OSError, "gone"),
        (odd, ThreadPoolExecutor, RuntimeError, "OddError: 1 and 2"),
    ],
    ids=["executor", "call", "pipeline"],
)
def test_a_job_that_fails_says_which_and_the_rest_stands(
    days: list[Path], build: Any, executor: type[Executor], error: type[Exception], said: str
) -> None:
    with executor(2) as threads:  # type: ignore[call-arg]  # both take a number
        found = cgrx.backtest(build, days, executor=threads)
    sound = [job.backtest for job in found.jobs if job.backtest is not None]
    (failed,) = [job for job in found.jobs if job.error is not None]
    assert failed.channels == (CHANNELS["B"].name,)
    assert len(sound) == len(found.jobs) - 1
    assert all(each.count for each in sound)
    for read in (lambda: found.rows, lambda: found.count, found.to_polars):
        with pytest.raises(error, match=said) as raised:
            read()
        assert raised.value.__notes__ == [f"raised by the job of {CHANNELS['B'].name}"]
    assert f"failed   job 2 of {len(found.jobs)}: {CHANNELS['B'].name}: {error.__name__}" in str(found.explain())
    assert "gone" in found._repr_html_() or "1 and 2" in found._repr_html_()


@pytest.mark.thorough  # such a cluster takes ten seconds to begin and to end
@pytest.mark.filterwarnings("default")  # what Dask warns of is its own
def test_the_workers_of_dask(days: list[Path]) -> None:
    distributed: Any = importlib.import_module("distributed")  # it has no types
    alone = cgrx.backtest(apart, days)
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        found = cgrx.backtest(apart, days, executor=client.get_executor())
        broken = cgrx.backtest(odd, days, executor=client.get_executor())
    assert_same(found.rows, by_symbol(alone.rows))
    assert len(found.jobs) == len(SYMBOLS)
    assert [type(job.error) for job in broken.jobs] == [type(None), RuntimeError]


def test_a_channel_that_is_not_recorded_is_its_jobs_error(days: list[Path]) -> None:
    def build(feed: cgrx.Feed) -> Any:
        return cgrx.merge(bars(feed, "A"), bars(feed, "Z"))

    with ThreadPoolExecutor(1) as threads:
        found = cgrx.backtest(build, days, executor=threads)
    assert [type(job.error) for job in found.jobs] == [type(None), ValueError]


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"executor": 5}, TypeError, "executor=5 is no concurrent.futures.Executor"),
        ({"progress": 5}, TypeError, "progress=5 is no function"),
        ({"progress": print}, ValueError, "progress= tells of jobs: give an executor"),
    ],
)
def test_what_is_refused(days: list[Path], options: dict[str, Any], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        cgrx.backtest(apart, days, **options)
