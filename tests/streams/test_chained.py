"""A chain that began on a feed: its scheduler, its thread, and where errors go, also behind reactivex's operators."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
import reactivex
from reactivex import ConnectableObservable, Observable, abc
from reactivex import operators as rx_ops
from reactivex.scheduler import (
    EventLoopScheduler,
    NewThreadScheduler,
    ThreadPoolScheduler,
    TimeoutScheduler,
    VirtualTimeScheduler,
)
from reactivex.subject import Subject

from cgrx import EventStream, ThreadError
from cgrx import operators as ops
from cgrx._streams.observable import Chained, Foreign, ForeignConnectable
from cgrx.testing import alive, batch
from tests.feed.feeding import Record
from tests.streams.streaming import Hot, Notes, raising, rx_any


def feed() -> tuple[Notes, Hot[int]]:
    runtime = Notes()
    return runtime, Hot[int](runtime)


def chained(stream: Observable[int], operators: tuple[Any, ...]) -> Any:
    pipe: Any = stream.pipe  # its type counts operators
    return pipe(*operators)


def pass_on(source: Observable[int]) -> Observable[int]:
    """An operator that loses the scheduler, as some do."""

    def subscribe(observer: abc.ObserverBase[int], scheduler: abc.SchedulerBase | None = None) -> abc.DisposableBase:
        return source.subscribe(observer)

    return Observable(subscribe)


# --- the type of a chain --------------------------------------------------------------------------------------------


def test_stages_keep_it_an_event_stream() -> None:
    _, hot = feed()
    chain = (
        hot.stream.pipe(ops.where(bool), ops.map(str)).where(bool).filter(bool).map(int).share().merge(Subject[int]())
    )
    assert type(chain) is EventStream
    assert hot.stream.pipe() is hot.stream  # type: ignore[call-overload]  # works as in reactivex


def test_a_foreign_operator_makes_it_an_observable_of_the_chain() -> None:
    runtime, hot = feed()
    chain = hot.stream.pipe(rx_ops.skip(1))
    assert isinstance(chain, Foreign)
    assert not isinstance(chain, EventStream)
    assert chain.pipe(ops.where(bool, of=int)).runtime is runtime
    assert isinstance(hot.stream.skip(1), Foreign)
    assert isinstance(hot.stream[1:], Foreign)
    assert isinstance(hot.stream + reactivex.of(1), Foreign)
    more: Observable[int] = hot.stream
    more += reactivex.of(1)
    assert isinstance(more, Foreign)


def test_without_a_feed_reactivex_keeps_to_itself() -> None:
    assert type(Hot[int]().stream.pipe(rx_ops.skip(1))) is Observable


def test_what_is_no_observable_is_handed_on() -> None:
    _, hot = feed()
    parts: object = hot.stream.pipe(rx_ops.partition(bool))
    assert isinstance(parts, list)
    assert all(isinstance(part, Chained) for part in parts)


def test_a_published_stream_stays_in_the_chain() -> None:
    """Also what is built on it runs its timers on the feed's scheduler."""
    runtime, hot = feed()
    published = hot.stream.pipe(rx_ops.publish())
    assert isinstance(published, ForeignConnectable)
    assert isinstance(published, ConnectableObservable)
    seen: list[int] = []
    published.pipe(rx_ops.delay(1.0)).subscribe(seen.append)
    connection = published.connect()
    hot.say(batch(1))
    runtime.scheduler.advance_by(2)
    assert seen == [1]
    assert connection is not None
    connection.dispose()
    assert hot.subscribers == 0


# --- time -----------------------------------------------------------------------------------------------------------


def delayed(source: Observable[int]) -> Observable[int]:
    return source.pipe(rx_ops.delay(1.0))


def after_a_second(number: int) -> Observable[int]:
    def the_number(_: object) -> int:
        return number

    return reactivex.timer(1.0).pipe(rx_ops.map(the_number))


TIMED: list[Any] = [
    (rx_any.delay(1.0),),
    (rx_any.debounce(0.5),),
    (rx_any.skip(0), rx_any.delay(1.0)),
    (rx_any.delay(1.0), rx_any.start_with(0), rx_any.skip(1)),
    (rx_any.delay(1.0), pass_on),
    (pass_on, rx_any.delay(1.0)),
    (reactivex.compose(rx_any.delay(1.0), rx_any.skip(0)),),
    (rx_any.flat_map(after_a_second),),
    (rx_any.group_by(int), rx_any.flat_map(delayed)),
    (rx_any.delay(1.0), ops.where(bool), rx_any.skip(0)),
    (rx_any.publish(delayed),),
]


@pytest.mark.parametrize("timed", TIMED)
def test_timed_operators_find_the_feeds_scheduler(timed: tuple[Callable[[Any], Any], ...]) -> None:
    """Wherever they stand, and whatever stands before and behind them; no thread is started."""
    runtime, hot = feed()
    seen: list[int] = []
    threads = threading.active_count()
    chained(hot.stream, timed).subscribe(seen.append)
    runtime.scheduler.advance_by(0.1)  # start_with subscribes in a turn of its own
    hot.say(batch(1))
    assert seen == []
    runtime.scheduler.advance_by(2)
    assert seen == [1]
    assert threading.active_count() == threads


def test_a_scheduler_of_ones_own() -> None:
    runtime, hot = feed()
    mine = VirtualTimeScheduler()
    seen: list[int] = []
    hot.stream.pipe(rx_ops.delay(1.0)).subscribe(seen.append, scheduler=mine)
    hot.say(batch(1))
    runtime.scheduler.advance_by(2)
    assert seen == []
    mine.advance_by(2)
    assert seen == [1]


@pytest.mark.parametrize(
    "scheduler", [EventLoopScheduler(), NewThreadScheduler(), ThreadPoolScheduler(1), TimeoutScheduler.singleton()]
)
def test_a_scheduler_with_threads_is_refused(scheduler: abc.SchedulerBase) -> None:
    _, hot = feed()
    subscribes: list[Callable[[], object]] = [
        lambda: hot.stream.subscribe(scheduler=scheduler),
        lambda: hot.stream.pipe(rx_ops.skip(1)).subscribe(scheduler=scheduler),
        lambda: hot.stream.subscribe_signals(Record(), scheduler=scheduler),
    ]
    for subscribe in subscribes:
        with pytest.raises(
            ThreadError, match=f"{type(scheduler).__name__} would run a feed's events in another thread"
        ):
            subscribe()
    assert hot.subscribers == 0


def test_an_operator_that_is_not_applied_with_pipe_is_refused() -> None:
    """It would run on a thread: the error says what to do."""
    _, hot = feed()
    errors: list[Exception] = []
    rx_ops.delay(1.0)(hot.stream).subscribe(None, errors.append)
    assert [type(error) for error in errors] == [ThreadError]
    assert "stream.pipe" in str(errors[0])


def test_another_thread_is_refused() -> None:
    runtime, hot = feed()
    subscription = hot.stream.subscribe()
    behind = hot.stream.pipe(rx_ops.skip(1)).subscribe()
    runtime.elsewhere = True
    for use in (
        hot.stream.subscribe,
        hot.stream.pipe(rx_ops.skip(1)).subscribe,
        lambda: hot.stream.subscribe_signals(Record()),
        subscription.dispose,
        behind.dispose,
    ):
        with pytest.raises(ThreadError, match="another thread"):
            use()
    assert hot.subscribers == 2


# --- errors ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("foreign", [(), (rx_ops.skip(0),), (rx_ops.skip(0), ops.where(bool))])
def test_a_subscriber_that_raises_is_disposed_and_the_feed_told(foreign: tuple[Any, ...]) -> None:
    runtime, hot = feed()
    error = KeyError("mine")
    siblings: list[int] = []
    stream = chained(hot.stream, foreign)
    stream.subscribe(raising(error))
    stream.subscribe(siblings.append)
    hot.say(batch(1, 2), batch(3))
    assert runtime.raised == [error]
    assert siblings == [1, 2, 3]
    assert hot.subscribers == 1


@pytest.mark.parametrize("foreign", [(), (rx_ops.skip(0),), (rx_ops.skip(0), ops.where(bool))])
def test_an_error_that_nobody_handles_is_the_feeds(foreign: tuple[Any, ...]) -> None:
    runtime, hot = feed()
    error = OSError("gone")
    handled: list[Exception] = []
    stream = chained(hot.stream, foreign)
    stream.subscribe()
    stream.subscribe(None, handled.append)
    hot.fail(error)
    assert runtime.unheard == [error]
    assert runtime.raised == []
    assert handled == [error]


def test_an_operator_that_fails_is_an_error_that_nobody_handles() -> None:
    runtime, hot = feed()
    error = KeyError("mine")
    hot.stream.pipe(rx_ops.map(raising(error))).subscribe()
    hot.stream.pipe(ops.map(raising(error))).subscribe()
    hot.say(batch(1))
    assert runtime.unheard == [error, error]
    assert hot.subscribers == 0


@pytest.mark.parametrize("foreign", [(), (rx_ops.skip(0),)])
@pytest.mark.parametrize("end", ["on_error", "on_completed"])
def test_a_callback_for_the_end_that_raises(foreign: tuple[Any, ...], end: str) -> None:
    runtime, hot = feed()
    error = KeyError("mine")
    stream = chained(hot.stream, foreign)
    stream.subscribe(None, raising(error), raising(error))
    if end == "on_error":
        hot.fail(OSError())
    else:
        hot.complete()
    assert runtime.raised == [error]
    assert runtime.unheard == []


# --- what does not work on trio -------------------------------------------------------------------------------------


@pytest.mark.parametrize("runtime", [None, Notes()])
def test_a_stream_neither_blocks_nor_is_awaited(runtime: Notes | None) -> None:
    stream = Hot[int](runtime).stream
    with pytest.raises(TypeError, match=r"run\(\) blocks .* cgrx.stream"):
        stream.run()

    async def main() -> None:
        await stream

    with pytest.raises(TypeError, match=r"cannot be awaited .* cgrx.stream"):
        main().send(None)


@pytest.mark.parametrize("observable", [Hot[int]().stream, Hot[int](Notes()).stream.pipe(rx_ops.take(1))])
def test_a_stream_is_not_iterated_over(observable: Any) -> None:
    """The error says by what it is; behind a foreign operator too, on a feed's stream."""

    async def main() -> None:
        async for _ in observable:
            raise AssertionError("it gave something")

    with pytest.raises(TypeError, match=r"cannot be iterated over: use `async with cgrx\.stream\(observable\) as "):
        main().send(None)
    with pytest.raises(TypeError, match="cannot be iterated over"):
        iter(observable)


def test_signals_are_items_of_an_observable_of_the_chain() -> None:
    runtime, hot = feed()
    seen: list[Any] = []
    error = KeyError("mine")
    signals = hot.stream.where(lambda n: n > 1).signals()
    signals.subscribe(seen.append)
    signals.subscribe(raising(error))
    hot.say(batch(1, 2), alive("1s"))
    assert seen == [batch(2), alive("1s")]
    assert isinstance(signals, Foreign)
    assert runtime.raised == [error]
