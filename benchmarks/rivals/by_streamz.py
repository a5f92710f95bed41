"""`pipelines` in streamz: `filter`, `accumulate`, `union`; events are emitted one by one, without an event loop."""

from collections.abc import Callable
from functools import partial
from typing import Any

from streamz import Stream  # type: ignore[import-untyped] # pyright: ignore[reportMissingTypeStubs] - it has none

from benchmarks._harness.data import EXCHANGES
from benchmarks.rivals.states import Bars, Bursts, ByKey, Counter, Order, SlidesOfKey, State
from benchmarks.rivals.tasks import Answer, Key, Kind, Task, bought, cannot, large, plain, plain_events, plain_rows
from cgrx._model.events import Trade


def _step(state: State[Any], item: Any) -> tuple[State[Any], list[Any]]:
    """The function for `accumulate`: what is kept, and what is emitted."""
    return state, state.step(item)


def _accumulated(source: Any, state: State[Any]) -> Any:
    """What a state closes, as items."""
    return source.accumulate(_step, returns_state=True, start=state).filter(bool).flatten()


def _filters(task: Task) -> Answer:
    trades = task.trades()

    def run() -> list[Trade]:
        source: Any = Stream()
        results: list[Trade] = []
        source.filter(bought).filter(large).sink(results.append)
        for trade in trades:
            source.emit(trade)
        return results

    return run, plain_events


def _windows(make: Callable[[Key], State[Trade]]) -> Callable[[Task], Answer]:
    def run(trades: list[Trade]) -> list[Any]:
        source: Any = Stream()
        results: list[Any] = []
        _accumulated(source, ByKey(make)).sink(results.append)
        for trade in trades:
            source.emit(trade)
        return results

    def answer(task: Task) -> Answer:
        trades = task.trades()
        return partial(run, trades), lambda rows: plain_rows(rows, trades)

    return answer


def _merge(task: Task) -> Answer:
    arrivals = task.arrivals()

    def run() -> list[Trade]:
        sources: list[Any] = [Stream() for _ in EXCHANGES]
        tagged = [each.map(partial(_tagged, source)) for source, each in enumerate(sources)]
        end: Any = Stream()
        results: list[Trade] = []
        _accumulated(end.union(*tagged), Order()).sink(results.append)
        for source, trades in arrivals:
            for trade in trades:
                sources[source].emit(trade)
        end.emit(None)
        return results

    return run, plain_events


def _tagged(source: int, trade: Trade) -> tuple[int, Trade]:
    return source, trade


def _fan_out(task: Task) -> Answer:
    trades = task.trades()

    def run() -> list[int]:
        source: Any = Stream()
        counters = [Counter() for _ in range(task.subscribers)]
        for counter in counters:
            source.sink(counter.on_event)
        for trade in trades:
            source.emit(trade)
        return [counter.buys for counter in counters]

    return run, plain


ANSWERS: dict[Kind, Callable[[Task], Answer]] = {
    "filters": _filters,
    "bars": _windows(Bars),
    "sliding": _windows(SlidesOfKey),
    "sessions": _windows(Bursts),
    "merge": _merge,
    "join": cannot("streamz joins by arrival alone: `combine_latest`; by event time it would be the loop again"),
    "fan-out": _fan_out,
}
