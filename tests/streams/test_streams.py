"""EventStream: single events for subscribers, whole signals for stages, and disposal that takes effect at once."""

from typing import Any

import pytest
import reactivex
from reactivex import abc
from reactivex import operators as rx_ops
from reactivex.disposable import Disposable, SerialDisposable
from reactivex.observer import Observer
from reactivex.subject import Subject

from cgrx import Batch, EventStream, Signal, ThreadError, Trade
from cgrx import operators as ops
from cgrx._streams.observers import SignalObserver
from cgrx._streams.stream import as_stream
from cgrx.testing import alive, batch, gap, liquidation, trade
from tests.feed.feeding import Record
from tests.streams.streaming import Hot, Notes, raising

FOREIGN: list[tuple[Any, ...]] = [(), (ops.where(bool),), (rx_ops.skip(0),), (rx_ops.skip(0), ops.where(bool))]


def chained(stream: EventStream[int], operators: tuple[Any, ...]) -> Any:
    pipe: Any = stream.pipe  # its type counts operators
    return pipe(*operators)


# --- subscribing ----------------------------------------------------------------------------------------------------


def test_a_subscriber_sees_single_events() -> None:
    hot = Hot[int]()
    seen: list[object] = []
    hot.stream.subscribe(seen.append, seen.append, lambda: seen.append("completed"))
    hot.say(batch(1, 2), alive("1s"), gap(0, "1s"), batch(3))
    hot.complete()
    assert seen == [1, 2, 3, "completed"]
    assert hot.subscribers == 0


def test_an_error_ends_it() -> None:
    hot = Hot[int]()
    seen: list[object] = []
    hot.stream.subscribe(seen.append, seen.append)
    error = OSError("gone")
    hot.fail(error)
    assert seen == [error]
    assert hot.subscribers == 0


def test_without_a_feed_an_error_that_nobody_handles_goes_to_the_caller() -> None:
    hot = Hot[int]()
    hot.stream.subscribe()
    with pytest.raises(OSError, match="gone"):
        hot.fail(OSError("gone"))
    assert hot.subscribers == 0


def test_an_observer_may_subscribe() -> None:
    """A reactivex observer, a Subject, or anything with its methods."""
    hot = Hot[int]()
    subject: Subject[int] = Subject()
    seen: list[object] = []
    subject.subscribe(seen.append, seen.append, lambda: seen.append("completed"))
    hot.stream.subscribe(subject)
    hot.stream.subscribe(Observer(seen.append))
    hot.say(batch(1))
    hot.complete()
    assert seen == [1, 1, "completed"]


def test_whole_signals_with_and_without_stages() -> None:
    hot = Hot[int]()
    plain, staged = Record(), Record()
    hot.stream.subscribe_signals(plain)
    subscription = hot.stream.where(lambda n: n > 1).subscribe_signals(staged)
    hot.say(batch(1, 2), alive("1s"), batch(1), batch(2))
    assert plain.signals == [batch(1, 2), alive("1s"), batch(1), batch(2)]
    assert staged.signals == [batch(2), alive("1s"), batch(2)]
    subscription.dispose()
    hot.say(batch(3))
    hot.complete()
    assert staged.signals[-1] == batch(2)
    assert plain.end == "completed"
    assert staged.end is None


def test_what_passes_whole_is_the_same_object() -> None:
    hot = Hot[int]()
    record = Record()
    hot.stream.pipe(ops.where(bool), ops.where(bool)).subscribe_signals(record)
    signals: list[Signal[int]] = [batch(1), batch(1, 2), alive("1s")]
    hot.say(*signals)
    assert [id(each) for each in record.signals] == [id(each) for each in signals]


@pytest.mark.parametrize("stage", [ops.where(bool), ops.map(str), ops.where(raising(KeyError()))], ids=repr)
def test_nothing_follows_the_end(stage: Any) -> None:
    """Even where a source breaks the rules."""
    observers: list[SignalObserver[int]] = []

    def connect(observer: SignalObserver[int], _: abc.SchedulerBase | None) -> abc.DisposableBase:
        observers.append(observer)
        return Disposable()

    record = Record()
    EventStream(connect).pipe(stage).subscribe_signals(record)
    observers[0].on_signal(batch(1))
    observers[0].on_completed()
    end = record.end
    assert end is not None
    count = len(record.signals)
    observers[0].on_signal(batch(2))
    observers[0].on_error(OSError())
    observers[0].on_completed()
    assert record.end is end
    assert len(record.signals) == count


# --- disposal -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("operators", FOREIGN, ids=len)
def test_disposal_within_a_batch_stops_delivery_at_once(operators: tuple[Any, ...]) -> None:
    hot = Hot[int]()
    seen: list[int] = []
    subscription = SerialDisposable()

    def on_next(number: int) -> None:
        seen.append(number)
        subscription.dispose()

    subscription.disposable = chained(hot.stream, operators).subscribe(on_next, seen.append, raising(KeyError()))
    hot.say(batch(1, 2, 3))
    assert seen == [1]
    assert hot.subscribers == 0


@pytest.mark.parametrize("operators", FOREIGN, ids=len)
def test_another_subscriber_may_dispose_it(operators: tuple[Any, ...]) -> None:
    hot = Hot[int]()
    other = SerialDisposable()
    seen: list[int] = []
    hot.stream.subscribe(lambda _: other.dispose())
    other.disposable = chained(hot.stream, operators).subscribe(seen.append)
    hot.say(batch(1, 2))
    assert seen == []


def test_disposal_by_a_callback_that_pushes_stops_the_batch_around_it_too() -> None:
    """Of a source that hands on what is pushed at once; until then each batch goes on where it was."""
    hot = Hot[int]()
    seen: list[int] = []
    subscription = SerialDisposable()

    def on_next(number: int) -> None:
        seen.append(number)
        if number in (1, 3):
            hot.say(batch(10 * number, 10 * number + 1, 10 * number + 2))
        if number == 31:
            subscription.dispose()

    subscription.disposable = hot.stream.subscribe(on_next)
    hot.say(batch(1, 2, 3, 4))
    assert seen == [1, 10, 11, 12, 2, 3, 30, 31]


def test_an_exception_in_a_batch_within_a_batch_ends_only_that_one() -> None:
    """Without a feed it goes to the caller, which may be a callback that goes on."""
    hot = Hot[int]()
    seen: list[int] = []
    subscription = SerialDisposable()

    def on_next(number: int) -> None:
        if number == 11:
            raise KeyError
        seen.append(number)
        if number == 1:
            with pytest.raises(KeyError):
                hot.say(batch(10, 11, 12))
        if number == 3:
            subscription.dispose()

    subscription.disposable = hot.stream.subscribe(on_next)
    hot.say(batch(1, 2, 3, 4))
    assert seen == [1, 10, 2, 3]


@pytest.mark.parametrize(
    "stages",
    [(ops.min_volume(5),), (ops.min_volume(5), ops.dedupe("1s")), (ops.dedupe("1s"),)],
    ids=["filters", "filters in front", "no filter"],
)
def test_who_holds_on_to_what_takes_signals_gives_nothing_to_a_disposed_subscription(
    stages: tuple[ops.Stage[Any, Any], ...],
) -> None:
    """As a signal does that waits for its turn when the subscription ends."""
    hot, record = Hot[Trade](), Record()
    subscription = hot.stream.pipe(ops.pipeline(*stages)).subscribe_signals(record)
    (take,) = (observer.on_signal for observer in hot.observers)
    take(batch(trade("buy", 10)))
    subscription.dispose()
    take(batch(trade("buy", 20)))
    take(batch(trade("buy", 20), trade("buy", 30)))
    assert record.signals == [batch(trade("buy", 10))]


def test_a_stage_behind_a_disposed_subscription_gives_nothing_more() -> None:
    """What it had given already for the same signal stays undelivered, and so does an error."""
    hot = Hot[int]()

    class Disposing(Record):
        def on_signal(self, signal: Any) -> None:
            super().on_signal(signal)
            subscription.dispose()

    class Twice(ops.Stage[int, int]):
        def start(self) -> ops.Running[int, int]:
            return TwiceRunning()

    class TwiceRunning(ops.Running[int, int]):
        def on_signal(self, signal: Any) -> Any:
            yield signal
            yield signal

    stages: list[Any] = [Twice(), ops.map(lambda n: 1 // (n - 2), of=int)]
    for stage in stages:
        record = Disposing()
        subscription = hot.stream.pipe(stage).subscribe_signals(record)
        hot.say(batch(1, 2))
        assert len(record.signals) == 1
        assert record.end is None


def test_disposal_at_the_end_of_a_stage() -> None:
    """The results that remain may be the last that a subscriber wants."""
    hot = Hot[int]()
    seen: list[object] = []

    class Last(ops.Stage[int, int]):
        def start(self) -> ops.Running[int, int]:
            return LastRunning()

    class LastRunning(ops.Running[int, int]):
        def on_end(self) -> list[int]:
            return [7]

    subscription = SerialDisposable()

    def on_next(number: int) -> None:
        seen.append(number)
        subscription.dispose()

    subscription.disposable = hot.stream.pipe(Last()).subscribe(on_next, on_completed=lambda: seen.append("completed"))
    hot.complete()
    assert seen == [7]


def test_take_disposes_the_source() -> None:
    hot = Hot[int]()
    seen: list[int] = []
    hot.stream.pipe(rx_ops.take(2)).subscribe(seen.append)
    hot.say(batch(1, 2, 3))
    assert seen == [1, 2]
    assert hot.subscribers == 0


def test_a_source_that_emits_while_it_is_subscribed_to_can_be_disposed() -> None:
    disposed: list[bool] = []

    def connect(observer: SignalObserver[int], _: abc.SchedulerBase | None) -> abc.DisposableBase:
        observer.on_signal(batch(1, 2))
        return Disposable(lambda: disposed.append(True))

    seen: list[int] = []
    EventStream(connect).pipe(ops.where(bool, of=int), rx_ops.take(1)).subscribe(seen.append)
    assert seen == [1]
    assert disposed == [True]
    assert reactivex.concat(EventStream(connect).pipe(rx_ops.take(1)), reactivex.of(9)).pipe(
        rx_ops.to_list()
    ).run() == [1, 9]


# --- within on_next -------------------------------------------------------------------------------------------------


def test_a_subscriber_may_push_into_a_subject_of_its_own_pipeline() -> None:
    """The event waits until the present one has reached everyone, however many there are."""
    subject: Subject[int] = Subject()
    stream = subject.pipe(ops.where(lambda n: n < 2_000, of=int))
    log: list[int] = []

    def on_next(number: int) -> None:
        depth.append(number)
        log.append(len(depth))
        subject.on_next(number + 1)
        depth.pop()

    depth: list[int] = []
    stream.subscribe(on_next)
    subject.on_next(0)
    assert log == [1] * 2_000


def test_one_subscriber_may_subscribe_another() -> None:
    subject: Subject[int] = Subject()
    stream = as_stream(subject).share()
    late: list[int] = []

    def on_next(number: int) -> None:
        if number == 1:
            stream.subscribe(late.append)
            subject.on_next(2)

    stream.subscribe(on_next)
    subject.on_next(1)
    assert late == [2]


def test_an_end_that_arises_meanwhile_waits_too() -> None:
    subject: Subject[int] = Subject()
    seen: list[object] = []

    def on_next(number: int) -> None:
        subject.on_next(number + 1) if number < 2 else subject.on_completed()
        seen.append(number)

    as_stream(subject).subscribe(on_next, on_completed=lambda: seen.append("completed"))
    subject.on_next(1)
    assert seen == [1, 2, "completed"]


# --- any observable -------------------------------------------------------------------------------------------------


def test_behind_any_observable_each_item_is_a_batch_of_one() -> None:
    record = Record()
    event = liquidation(time="5s")
    as_stream(reactivex.of(1, event)).subscribe_signals(record)
    assert record.signals == [Batch(None, 0, (1,)), Batch(None, 5_000, (event,))]
    assert record.end == "completed"


def test_its_error_passes() -> None:
    error = OSError("gone")
    record = Record()
    as_stream(reactivex.throw(error)).subscribe_signals(record)
    assert record.end is error


def test_a_stream_is_one_already() -> None:
    stream = Hot[int]().stream
    assert as_stream(stream) is stream


def test_disposing_lets_go_of_it() -> None:
    subject: Subject[int] = Subject()
    record = Record()
    subscription = as_stream(subject).subscribe_signals(record)
    subscription.dispose()
    subject.on_next(1)
    assert record.signals == []
    assert not subject.observers


def test_a_subscription_is_disposed_in_its_feeds_thread_and_then_anywhere() -> None:
    """Refused in another thread it goes on; once it has ended, a second time asks nothing of the feed."""
    notes = Notes()
    hot = Hot[int](notes)
    subscription = hot.stream.subscribe(print)
    notes.elsewhere = True
    with pytest.raises(ThreadError):
        subscription.dispose()
    notes.elsewhere = False
    subscription.dispose()
    assert hot.subscribers == 0
    notes.elsewhere = True
    subscription.dispose()
