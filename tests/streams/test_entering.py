"""A window that stands first takes signals itself; whoever pushes them holds on to what took the first one."""

from typing import Any

import pytest
from reactivex import abc
from reactivex.disposable import Disposable

from cgrx import operators as ops
from cgrx._model.signals import Batch, Signal
from cgrx._streams.observers import SignalObserver
from cgrx._streams.predicates import Push, ignore
from cgrx._streams.stream import EventStream, Stage
from cgrx.operators import agg
from tests.windows.windowing import BEGUN, Heard, Tally, alive, on_time


class Held:
    """A stream whose source keeps the function that took its first signal."""

    def __init__(self) -> None:
        self.push: Push = ignore
        self.stream: EventStream[Any] = EventStream(self._connect)

    def _connect(self, observer: SignalObserver[Any], scheduler: abc.SchedulerBase | None) -> abc.DisposableBase:
        self.push = observer.on_signal
        return Disposable()


def heard_of(stage: Stage[Any, Any]) -> tuple[Push, Heard, abc.DisposableBase]:
    held, heard = Held(), Heard()
    subscription = held.stream.through(stage).subscribe_signals(heard)
    held.push(BEGUN)
    return held.push, heard, subscription


taken: list[int] = []


def start() -> int:
    return 0


def note(total: int, event: Any) -> int:
    taken.append(event.time_ms)
    return total + 1


def join(one: int, other: int) -> int:
    return one + other


NOTING = agg.custom(start, note, join, float)
STAGES = (ops.tumbling("1s", noted=NOTING), ops.session("1s", noted=NOTING), ops.count_bars(2, noted=NOTING))


@pytest.mark.parametrize("stage", STAGES, ids=repr)
def test_what_has_been_disposed_takes_nothing(stage: Stage[Any, Any]) -> None:
    taken.clear()
    push, heard, subscription = heard_of(stage)
    push(on_time(1000))
    assert taken == [1000]
    subscription.dispose()
    before = list(heard.signals)
    push(on_time(1001))
    push(on_time(1002, 1003, 9000))
    push(alive(60_000))
    assert (taken, heard.signals) == ([1000], before)


def fail_on_two(row: Any) -> int:
    if row.n == 2:
        raise LookupError(row.n)
    return int(row.n)


@pytest.mark.parametrize("stage", [ops.tumbling("1s", Tally), ops.session("1s", Tally)], ids=repr)
def test_what_stands_behind_gets_the_rows_and_may_fail(stage: Stage[Any, Any]) -> None:
    push, heard, _ = heard_of(ops.pipeline(stage, ops.map(fail_on_two)))
    for time_ms in (1000, 5000, 5001, 9000):
        push(on_time(time_ms))
    push(alive(60_000))
    assert heard.rows == [1]
    assert isinstance(heard.error, LookupError)
    push(on_time(90_000))
    assert heard.rows == [1]


class Broken(Heard):
    """An observer that raises at the first row."""

    def on_signal(self, signal: Signal[Any]) -> None:
        if isinstance(signal, Batch):
            raise LookupError("the observer's own")


@pytest.mark.parametrize("stage", STAGES, ids=repr)
def test_what_an_observer_raises_is_no_failure_of_the_stage(stage: Stage[Any, Any]) -> None:
    held, broken = Held(), Broken()
    held.stream.through(stage).subscribe_signals(broken)
    held.push(BEGUN)
    held.push(on_time(1000))
    with pytest.raises(LookupError, match="own"):
        held.push(on_time(9000))
    assert broken.error is None
