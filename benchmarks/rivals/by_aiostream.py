"""`pipelines` in aiostream: asynchronous generators, composed with `|` on asyncio."""

import asyncio  # noqa: TID251 - the rival's loop, not ours
from collections.abc import Callable
from functools import partial
from typing import Any

from aiostream import pipe, stream

from benchmarks._harness.data import EXCHANGES
from benchmarks.rivals.states import Bars, Bursts, ByKey, Order, SlidesOfKey, State, advance
from benchmarks.rivals.tasks import Answer, Key, Kind, Task, bought, cannot, large, plain_events, plain_rows
from cgrx._model.events import Trade


def _closed(state: tuple[State[Any], list[Any]], *_: Any) -> Any:
    return stream.iterate(state[1])


def _any_closed(state: tuple[State[Any], list[Any]]) -> bool:
    return bool(state[1])


def _accumulated(source: Any, state: State[Any]) -> Any:
    """What a state closes, as items."""
    seed: Any = (state, [])
    return source | pipe.accumulate(advance, initializer=seed) | pipe.filter(_any_closed) | pipe.concatmap(_closed)


def _collected(source: Any) -> list[Any]:
    async def main() -> list[Any]:
        results: list[Any] = await (source | pipe.list())
        return results

    return asyncio.run(main())


def _filters(task: Task) -> Answer:
    trades = task.trades()

    def run() -> list[Any]:
        source: Any = stream.iterate(trades)
        return _collected(source | pipe.filter(bought) | pipe.filter(large))

    return run, plain_events


def _windows(make: Callable[[Key], State[Trade]]) -> Callable[[Task], Answer]:
    def run(trades: list[Trade]) -> list[Any]:
        return _collected(_accumulated(stream.iterate(trades), ByKey(make)))

    def answer(task: Task) -> Answer:
        trades = task.trades()
        return partial(run, trades), lambda rows: plain_rows(rows, trades)

    return answer


def _merge(task: Task) -> Answer:
    tagged: list[list[tuple[int, Trade]]] = [[] for _ in EXCHANGES]
    for source, trades in task.arrivals():
        tagged[source] += [(source, trade) for trade in trades]

    def run() -> list[Any]:
        merged: Any = stream.merge(*map(stream.iterate, tagged))
        return _collected(_accumulated(stream.chain(merged, stream.just(None)), Order()))

    return run, plain_events


ANSWERS: dict[Kind, Callable[[Task], Answer]] = {
    "filters": _filters,
    "bars": _windows(Bars),
    "sliding": _windows(SlidesOfKey),
    "sessions": _windows(Bursts),
    "merge": _merge,
    "join": cannot("aiostream has no join by time; by hand it would be the loop again"),
    "fan-out": cannot("aiostream has no fan-out: a stream has one consumer"),
}
