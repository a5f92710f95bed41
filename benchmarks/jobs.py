"""How much does an executor of two processes help a backtest of four channels, against one process?

Event by event, for a function stands in front of the windows: in columns polars has all processors by itself. The
figure is the time by the clock, with the processes ready, as those of a cluster are. What the machine gives is told by
two processes that each replay half of the channels and hand nothing on but plain rows: processors that share a core, or
the machine, do not give twice as much.
"""

import json
import multiprocessing
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import attrs

import cgrx
from benchmarks._harness import files
from benchmarks._harness.data import START_MS, generated_trades
from benchmarks._harness.scenario import Case, Contest, Results, Rival, Sample, Scenario
from cgrx import Batch, Gap, Trade
from cgrx import operators as ops
from cgrx._recording.entry import Recorded
from cgrx._recording.writer import write_recording

Plain: TypeAlias = list[Any]
"""What is compared of a row."""

PROCESSES = 2
CHANNELS = tuple(cgrx.FuturesTrades("Binance", f"M{number}", 0) for number in range(4))


def _everything(_: object) -> bool:
    return True


def _bars(feed: cgrx.Feed, channels: Sequence[cgrx.Channel] = CHANNELS) -> Any:
    stage = ops.tumbling("10s", ops.Bar, by=("exchange", "symbol"))
    return cgrx.merge(*(feed.channel(each).where(_everything).pipe(stage) for each in channels))


def _write(count: int, folder: Path) -> None:
    said = [Recorded(channel, Gap(channel, 0, START_MS, "subscribed")) for channel in CHANNELS]
    for number, each in enumerate(generated_trades(count)):
        channel, time_ms = CHANNELS[number % 4], START_MS + 5 * number
        trade = Trade("BTC", "Binance", channel.symbol, each.side, each.price, each.volume_usd, time_ms)
        said.append(Recorded(channel, Batch(channel, time_ms, (trade,))))
    write_recording(folder, said)
    cgrx.compact(folder)


@attrs.frozen
class Jobs:
    """A backtest in a process that may have others."""

    count: int
    folder: Path
    way: str
    """The name of one of the functions below, which returns rows."""

    def results(self) -> Results:
        """The rows, by symbol."""
        return self._timed()[1]

    def measure(self) -> Sample:
        """See `Contest`."""
        return Sample(self._timed()[0] / self.count * 1e9)

    def _timed(self) -> tuple[float, list[list[Any]]]:
        recording = files.made(self.folder / f"{self.count}", partial(_write, self.count))
        program = f"from benchmarks.jobs import backtest; backtest({str(recording)!r}, {self.way!r})"
        ran = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, timeout=100, check=True)
        seconds, rows = json.loads(ran.stdout)
        return seconds, rows


def backtest(recording: str, way: str) -> None:
    """Print how many seconds it takes, and the rows."""
    with ProcessPoolExecutor(PROCESSES, multiprocessing.get_context("spawn")) as executor:
        ready = partial(_get_ready, recording)
        ready(0)
        list(executor.map(ready, range(PROCESSES)))
        began = time.perf_counter()
        rows = WAYS[way](recording, executor)
        took = time.perf_counter() - began
    print(json.dumps([took, sorted(rows)]))


def _one_process(recording: str, _: Executor) -> list[Plain]:
    return _plain(cgrx.backtest(_bars, recording).rows)


def _executed(recording: str, executor: Executor) -> list[Plain]:
    return _plain(cgrx.backtest(_bars, recording, executor=executor).rows)


def _halves(recording: str, executor: Executor) -> list[Plain]:
    return [row for rows in executor.map(partial(_half, recording), (CHANNELS[::2], CHANNELS[1::2])) for row in rows]


def _half(recording: str, channels: Sequence[cgrx.Channel]) -> list[Plain]:
    return _plain(cgrx.backtest(partial(_bars, channels=channels), recording, channels=channels).rows)


def _plain(rows: Iterable[Any]) -> list[Plain]:
    return [[row.symbol, row.start_ms, row.count, row.close, row.volume] for row in rows]


WAYS = {"executor": _executed, "one": _one_process, "halves": _halves}


def _get_ready(recording: str, _: int) -> None:
    """Have what is needed, and leave the next call to the next process."""
    cgrx.backtest(_bars, recording, end=START_MS + 10_000)
    time.sleep(0.5)  # noqa: TID251 - a process of its own, in which nothing else runs


def _rival(way: str, count: int, folder: Path) -> Contest:
    return Jobs(count, folder, way)


def _cases(quick: bool) -> list[Case[int]]:
    events = 2_000 if quick else 400_000
    return [Case(f"bars of four channels, {events:,} events", events)]


SCENARIO = Scenario(
    name="jobs",
    question=(__doc__ or "").partition("\n")[0],
    unit="ns per event",
    cases=_cases,
    surroundings=files.folder,
    rivals=(
        Rival("cgrx", partial(_rival, "executor"), "ours"),
        Rival("one process", partial(_rival, "one")),
        Rival("two processes, a half each", partial(_rival, "halves"), "limit"),
    ),
    share=0.6,
)
