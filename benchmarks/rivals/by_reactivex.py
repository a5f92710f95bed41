"""`pipelines` in reactivex as one would write it, on single events: `filter`, `group_by`, `scan`, `flat_map`."""

from collections.abc import Callable
from typing import Any, TypeAlias

import reactivex
import reactivex.operators as rx
from reactivex import Observable
from reactivex.subject import Subject

from benchmarks._harness.data import EXCHANGES
from benchmarks.rivals.states import Bars, Bursts, Counter, Order, SlidesOfKey, State, Tagged, advance, key_of
from benchmarks.rivals.tasks import Answer, Key, Kind, Task, bought, cannot, large, plain, plain_events, plain_rows
from cgrx._model.events import Trade

Operators: TypeAlias = tuple[Callable[[Any], Any], ...]
Scanned: TypeAlias = tuple[State[Any], list[Any]]


def _run(operators: Operators, trades: list[Trade]) -> list[Any]:
    subject: Subject[Trade] = Subject()
    results: list[Any] = []
    observable: Observable[Any] = subject.pipe(*operators)
    observable.subscribe(results.append)
    for trade in trades:
        subject.on_next(trade)
    subject.on_completed()
    return results


def _closed(state: Scanned) -> list[Any]:
    return state[1]


def _any_closed(state: Scanned) -> bool:
    return bool(state[1])


def _scanned(state: State[Any]) -> Operators:
    """What a state closes, as items."""
    return rx.scan(advance, (state, [])), rx.filter(_any_closed), rx.flat_map(_closed)


def _filters(task: Task) -> Answer:
    trades = task.trades()
    operators: Operators = (rx.filter(bought), rx.filter(large))
    return lambda: _run(operators, trades), plain_events


def _windows(make: Callable[[Key], State[Trade]]) -> Callable[[Task], Answer]:
    def of_group(group: Any) -> Observable[Any]:
        observable: Observable[Any] = group.pipe(*_scanned(make(group.key)))
        return observable

    def answer(task: Task) -> Answer:
        trades = task.trades()
        return lambda: _run((rx.group_by(key_of), rx.flat_map(of_group)), trades), lambda rows: plain_rows(rows, trades)

    return answer


def _tagged(source: int) -> Callable[[Trade], Tagged]:
    return lambda trade: (source, trade)


def _merge(task: Task) -> Answer:
    arrivals = task.arrivals()

    def run() -> list[Trade]:
        subjects: list[Subject[Trade]] = [Subject() for _ in EXCHANGES]
        results: list[Trade] = []
        merged = reactivex.merge(*(each.pipe(rx.map(_tagged(source))) for source, each in enumerate(subjects)))
        ended: Observable[Any] = reactivex.concat(merged, reactivex.of(None))
        ordered: Observable[Any] = ended.pipe(*_scanned(Order()))
        ordered.subscribe(results.append)
        for source, trades in arrivals:
            for trade in trades:
                subjects[source].on_next(trade)
        for subject in subjects:
            subject.on_completed()
        return results

    return run, plain_events


def _fan_out(task: Task) -> Answer:
    trades = task.trades()

    def run() -> list[int]:
        subject: Subject[Trade] = Subject()
        counters = [Counter() for _ in range(task.subscribers)]
        for counter in counters:
            subject.subscribe(counter.on_event)
        for trade in trades:
            subject.on_next(trade)
        return [counter.buys for counter in counters]

    return run, plain


ANSWERS: dict[Kind, Callable[[Task], Answer]] = {
    "filters": _filters,
    "bars": _windows(Bars),
    "sliding": _windows(SlidesOfKey),
    "sessions": _windows(Bursts),
    "merge": _merge,
    "join": cannot("reactivex joins by arrival alone: `with_latest_from`; by event time it would be the loop again"),
    "fan-out": _fan_out,
}
