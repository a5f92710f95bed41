"""share: one subscription for many subscribers, who all get everything from when they came."""

import operator
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from reactivex import abc
from reactivex import operators as rx_ops
from reactivex.disposable import Disposable
from reactivex.subject import Subject

from cgrx import EventStream, FuturesTrades, LiquidationOrders
from cgrx import operators as ops
from cgrx._streams.observers import SignalObserver
from cgrx.operators import Stage
from cgrx.testing import alive, batch, dropped, gap, watermark
from tests.feed.feeding import Record
from tests.streams.streaming import Hot, Notes, raising, rx_any

JOINED = "joined a shared stream"
TRADES = FuturesTrades("Binance", "BTCUSDT", 0)


def test_one_subscription_for_all_from_the_first_to_the_last() -> None:
    hot = Hot[int]()
    shared = hot.stream.share()
    assert hot.subscribers == 0
    first, second = shared.subscribe(), shared.subscribe()
    assert hot.subscribers == 1
    first.dispose()
    first.dispose()
    assert hot.subscribers == 1
    second.dispose()
    assert hot.subscribers == 0
    shared.subscribe()
    assert hot.subscribers == 1
    assert len(hot.schedulers) == 2


def test_signals_reach_everyone_whole() -> None:
    hot = Hot[int]()
    shared = hot.stream.pipe(ops.share())
    records = [Record(), Record()]
    for record in records:
        shared.subscribe_signals(record)
    hot.say(batch(1, 2), alive("1s"), dropped())
    hot.complete()
    assert [record.signals for record in records] == [[batch(1, 2), alive("1s"), dropped()]] * 2
    assert [record.end for record in records] == ["completed"] * 2


def test_who_joins_later_is_told_what_it_missed() -> None:
    hot = Hot[int]()
    shared = hot.stream.share()
    shared.subscribe()
    early, late = Record(), Record()
    shared.subscribe_signals(early)
    hot.say(gap(0, "1s"), gap(0, "2s", channel=TRADES), batch(1, received="3s"), watermark("9s"))
    shared.subscribe_signals(late)
    hot.say(batch(2, received="4s"))
    assert early.signals[0] == gap(0, "1s"), "nothing was running when it came"
    assert late.signals == [
        gap(0, "3s", channel=LiquidationOrders(), reason=JOINED),
        gap(0, "3s", channel=TRADES, reason=JOINED),
        batch(2, received="4s"),
    ]


def test_a_new_beginning_knows_of_nothing() -> None:
    hot = Hot[int]()
    shared = hot.stream.share()
    first = shared.subscribe()
    hot.say(gap(0, "1s"))
    first.dispose()
    record = Record()
    shared.subscribe_signals(record)
    assert record.signals == []


def test_a_seat_is_left_once() -> None:
    """Whoever disposes again, even when it runs anew, ends nobody else's subscription."""
    hot = Hot[int]()
    shared = hot.stream.share()
    first = shared.subscribe_signals(Record())
    first.dispose()
    shared.subscribe_signals(Record())
    first.dispose()
    assert hot.subscribers == 1


@pytest.mark.parametrize("end", ["complete", "fail"])
def test_after_the_end_it_begins_anew(end: str) -> None:
    """Also for who subscribes within the end, as `repeat` and `retry` do."""
    hot = Hot[int]()
    shared = hot.stream.share()
    seen: list[int] = []
    again = rx_ops.repeat(2) if end == "complete" else rx_ops.retry(2)
    shared.pipe(again).subscribe(seen.append, lambda error: None)
    for number in (1, 2):
        hot.say(batch(number))
        if end == "complete":
            hot.complete()
        else:
            hot.fail(OSError())
    assert seen == [1, 2]
    assert hot.subscribers == 0
    shared.subscribe(seen.append)
    hot.say(batch(3))
    assert seen == [1, 2, 3]


def test_one_who_leaves_within_a_turn_hears_no_more() -> None:
    """Whether it disposes itself or another, and also as an observer of signals, which has no guard of its own."""
    hot = Hot[int]()
    shared = hot.stream.share()
    heard: list[str] = []

    class Leaving(Record):
        def on_signal(self, signal: Any) -> None:
            heard.append("first")
            second.dispose()

    shared.subscribe_signals(Leaving())
    second = shared.subscribe_signals(Record())
    third: list[int] = []
    third_subscription: abc.DisposableBase = Disposable()

    def once(number: int) -> None:
        third.append(number)
        third_subscription.dispose()

    third_subscription = shared.subscribe(once)
    hot.say(batch(1, 2))
    assert heard == ["first"]
    assert third == [1]


def test_one_who_comes_within_a_turn_gets_what_follows() -> None:
    hot = Hot[int]()
    shared = hot.stream.share()
    late: list[int] = []

    def on_next(number: int) -> None:
        if number == 1:
            shared.subscribe(late.append)

    shared.subscribe(on_next)
    hot.say(batch(1), batch(2))
    assert late == [2]


@pytest.mark.parametrize("runtime", [None, Notes()])
def test_one_who_raises_does_not_starve_its_siblings(runtime: Notes | None) -> None:
    """Without a feed's runtime the first exception goes to the caller when everyone has been reached, as in Rx."""
    hot = Hot[int](runtime)
    shared = hot.stream.share()
    error = KeyError("mine")
    before: list[int] = []
    after: list[int] = []
    shared.subscribe(before.append)
    shared.subscribe(raising(error))
    shared.subscribe(raising(KeyError("second")))
    shared.subscribe(after.append)
    if runtime is None:
        with pytest.raises(KeyError, match="mine"):
            hot.say(batch(1))
    else:
        hot.say(batch(1))
        assert runtime.raised[0] is error
        assert len(runtime.raised) == 2
        hot.say(batch(2))
        assert len(runtime.raised) == 2, "who raised is disposed"
    assert before == after == ([1] if runtime is None else [1, 2])


@pytest.mark.parametrize("end", ["complete", "fail"])
def test_one_who_raises_at_the_end_does_not_starve_its_siblings(end: str) -> None:
    hot = Hot[int]()
    shared = hot.stream.share()
    record = Record()
    shared.subscribe(None, raising(KeyError("mine")), raising(KeyError("mine")))
    shared.subscribe_signals(record)
    with pytest.raises(KeyError, match="mine"):
        getattr(hot, end)(*[OSError("gone")] * (end == "fail"))
    assert record.end is not None


@pytest.mark.parametrize("end", ["complete", "fail"])
def test_one_who_leaves_when_another_hears_of_the_end_hears_of_none(end: str) -> None:
    hot = Hot[int]()
    shared = hot.stream.share()
    left: abc.DisposableBase = Disposable()
    record = Record()

    class Leaving(Record):
        def on_error(self, error: Exception) -> None:
            left.dispose()

        def on_completed(self) -> None:
            left.dispose()

    shared.subscribe_signals(Leaving())
    left = shared.subscribe_signals(record)
    getattr(hot, end)(*[OSError("gone")] * (end == "fail"))
    assert record.end is None


def test_a_source_that_ends_while_it_is_subscribed_to() -> None:
    """A cold source may do so; whoever subscribes then is not joined to what is over."""
    subscriptions: list[int] = []

    def connect(observer: SignalObserver[int], _: abc.SchedulerBase | None) -> abc.DisposableBase:
        subscriptions.append(1)
        observer.on_signal(batch(len(subscriptions)))
        observer.on_completed()
        return Disposable()

    shared = EventStream(connect).share()
    seen: list[int] = []

    def again() -> None:
        shared.subscribe(seen.append)

    shared.subscribe(seen.append, on_completed=again)
    assert seen == [1, 2]


def test_leaving_while_it_is_subscribed_to_leaves_nothing_running() -> None:
    disposed: list[bool] = []

    def connect(observer: SignalObserver[int], _: abc.SchedulerBase | None) -> abc.DisposableBase:
        observer.on_signal(batch(1, 2))
        return Disposable(lambda: disposed.append(True))

    seen: list[int] = []
    EventStream(connect).share().pipe(rx_ops.take(1)).subscribe(seen.append)
    assert seen == [1]
    assert disposed == [True]


class Unready(Stage[Any, Any]):
    """Fails when it is started for the first time."""

    def __init__(self) -> None:
        self._started = False

    def start(self) -> Any:
        if not self._started:
            self._started = True
            raise LookupError("not ready")
        return ops.where(bool).start()


def test_a_stage_that_does_not_start_can_be_tried_again() -> None:
    hot = Hot[int]()
    shared = hot.stream.pipe(Unready()).share()
    with pytest.raises(LookupError, match="not ready"):
        shared.subscribe()
    seen: list[int] = []
    shared.subscribe(seen.append)
    hot.say(batch(1))
    assert seen == [1]


def test_it_shares_any_observable() -> None:
    subject: Subject[int] = Subject()
    seen: list[int] = []
    shared = ops.share()(subject)
    shared.subscribe(seen.append)
    shared.subscribe(seen.append)
    subject.on_next(1)
    assert seen == [1, 1]
    assert len(subject.observers) == 1


def publish_and_connect(source: Any, seen: list[int]) -> None:
    published = source.pipe(rx_ops.publish())
    published.subscribe(seen.append)
    published.subscribe(seen.append)
    published.connect()


def reactivex_share(source: Any, seen: list[int]) -> None:
    shared = source.pipe(rx_ops.share())
    shared.subscribe(seen.append)
    shared.subscribe(seen.append)


def auto_connect(source: Any, seen: list[int]) -> None:
    connected = source.pipe(rx_ops.publish()).auto_connect(2)
    connected.subscribe(seen.append)
    connected.subscribe(seen.append)


@pytest.mark.parametrize("multicast", [reactivex_share, publish_and_connect, auto_connect])
@pytest.mark.parametrize("runtime", [None, Notes()])
def test_reactivex_shares_a_stream_too(multicast: Callable[[Any, list[int]], None], runtime: Notes | None) -> None:
    hot = Hot[int](runtime)
    seen: list[int] = []
    multicast(hot.stream.where(lambda n: n > 1), seen)
    hot.say(batch(1, 2), batch(3))
    assert seen == [2, 2, 3, 3]
    assert hot.subscribers == 1


def test_groups_of_a_stream() -> None:
    hot = Hot[int](Notes())
    stream: Any = hot.stream
    seen: list[tuple[int, int]] = []

    def parity(number: int) -> int:
        return number % 2

    def totals(group: Any) -> Any:
        return group.pipe(rx_any.scan(operator.add, 0), rx_any.map(partial(pair, group.key)))

    def pair(key: int, total: int) -> tuple[int, int]:
        return (key, total)

    stream.pipe(rx_any.group_by(parity), rx_any.flat_map(totals)).subscribe(seen.append)
    hot.say(batch(1, 2, 3, 4))
    assert seen == [(1, 1), (0, 2), (1, 4), (0, 6)]
