"""`pipelines` in bytewax: a dataflow in its own runtime, with its own windows over event time."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from math import trunc
from typing import Any, cast

import bytewax.operators as op  # pyright: ignore[reportMissingTypeStubs] - typed only in part
import bytewax.operators.windowing as win  # pyright: ignore[reportMissingTypeStubs] - likewise
from bytewax import testing
from bytewax.dataflow import Dataflow

from benchmarks.rivals.states import SCALE, Burst, HandBar
from benchmarks.rivals.tasks import (
    BAR_MS,
    EVERY_MS,
    GAP_MS,
    LATENESS_MS,
    SLIDING_MS,
    Answer,
    Kind,
    Task,
    bought,
    cannot,
    large,
    plain_events,
    plain_rows,
)
from cgrx._model.events import Trade

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _ms(milliseconds: int) -> timedelta:
    return timedelta(milliseconds=milliseconds)


def _time(trade: Trade) -> datetime:
    return EPOCH + timedelta(milliseconds=trade.time_ms)


def _key(trade: Trade) -> str:
    return f"{trade.exchange}|{trade.symbol}"


def _run(task: Task, trades: list[Trade], build: Callable[[Any], Any]) -> list[Any]:
    """Build a dataflow behind a source of batches, and run it in this thread."""
    results: list[Any] = []
    flow = Dataflow("benchmark")
    source = op.input("input", flow, testing.TestingSource(trades, batch_size=task.batch))
    op.output("output", build(source), testing.TestingSink(results))
    cast("Any", testing).run_main(flow)
    return results


def _filters(task: Task) -> Answer:
    trades = task.trades()

    def build(source: Any) -> Any:
        return op.filter("volume", op.filter("side", source, bought), large)

    return lambda: _run(task, trades, build), plain_events


def _folded(windower: Any, make: Callable[[], Any], merge: Callable[[Any, Any], Any], source: Any) -> Any:
    """Key, window and fold; out come (key, (window, state))."""

    def fold(state: Any, trade: Trade) -> Any:
        state.add(trade)
        return state

    clock = win.EventClock(_time, wait_for_system_duration=_ms(LATENESS_MS))
    keyed = op.key_on("key", source, _key)
    return win.fold_window("fold", keyed, clock, windower, make, fold, merge).down


def _no_merge(one: Any, _: Any) -> Any:
    raise AssertionError(f"windows aligned to the clock are never joined, but {one!r} was")


class Sums(Burst):
    """Count and volume, and the first and last time."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(0)
        self.first_ms, self.last_ms = 2**63, -(2**63)

    def add(self, trade: Trade) -> None:
        """Take a trade in."""
        self.first_ms = min(self.first_ms, trade.time_ms)
        self.last_ms = max(self.last_ms, trade.time_ms)
        self.count += 1
        self.usd += trunc(trade.volume_usd * SCALE)

    def joined(self, other: "Sums") -> "Sums":
        """Both are one."""
        self.take(other)
        return self


def _bars(task: Task) -> Answer:
    trades = task.trades()
    windower = win.TumblingWindower(length=_ms(BAR_MS), align_to=EPOCH)

    def shown(results: list[Any]) -> list[Any]:
        # Windows are numbered from the epoch.
        return plain_rows((bar.row(window * BAR_MS, _parts(key)) for key, (window, bar) in results), trades)

    return lambda: _run(task, trades, partial(_folded, windower, HandBar, _no_merge)), shown


def _sliding(task: Task) -> Answer:
    trades = task.trades()
    windower = win.SlidingWindower(length=_ms(SLIDING_MS), offset=_ms(EVERY_MS), align_to=EPOCH)

    def shown(results: list[Any]) -> list[Any]:
        starts = ((key, window * EVERY_MS, sums) for key, (window, sums) in results)
        rows = ((at, at + SLIDING_MS, *_parts(key), sums.count, sums.usd / SCALE) for key, at, sums in starts)
        return plain_rows(rows, trades)

    return lambda: _run(task, trades, partial(_folded, windower, Sums, _no_merge)), shown


def _sessions(task: Task) -> Answer:
    trades = task.trades()
    windower = win.SessionWindower(gap=_ms(GAP_MS))

    def shown(results: list[Any]) -> list[Any]:
        rows = [
            (sums.first_ms, sums.last_ms + 1, *_parts(key), sums.count, sums.usd / SCALE) for key, (_, sums) in results
        ]
        return plain_rows(rows, trades)

    return lambda: _run(task, trades, partial(_folded, windower, Sums, Sums.joined)), shown


def _parts(key: str) -> tuple[str, str]:
    exchange, _, symbol = key.partition("|")
    return exchange, symbol


ANSWERS: dict[Kind, Callable[[Task], Answer]] = {
    "filters": _filters,
    "bars": _bars,
    "sliding": _sliding,
    "sessions": _sessions,
    "merge": cannot("bytewax promises no order between inputs; a stateful step by hand would be the loop again"),
    "join": cannot("bytewax joins by arrival, or in windows; as of a time it would be the loop again"),
    "fan-out": cannot("a bytewax dataflow has outputs, not subscribers that come and go"),
}
