"""Every timed reactivex operator on the scheduler, at exact virtual times, and without a single thread.

The scheduler is given to `subscribe` alone, as a feed does it: the operators must find it there.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial

import pytest
import reactivex as rx
import trio
from reactivex import Observable, abc
from reactivex import operators as rx_ops
from reactivex.operators._timeinterval import TimeInterval  # reactivex hands neither on
from reactivex.operators._timestamp import Timestamp
from reactivex.subject import Subject

from cgrx._trio.clock import WallClock
from cgrx._trio.scheduler import TrioScheduler
from tests.on_trio.scheduling import Log
from tests.support import run_mock

Build = Callable[[Observable[int], datetime], Observable[object]]
Seen = list[tuple[float, object]]

WALL_S = 1_735_689_600.123


@pytest.fixture(autouse=True)
def no_threads(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whoever starts a thread in these tests fails."""
    before = set(threading.enumerate())

    def start(thread: threading.Thread) -> None:
        raise AssertionError(f"{thread} was started")

    monkeypatch.setattr(threading.Thread, "start", start)
    yield
    assert set(threading.enumerate()) <= before, "one of an earlier test may have ended meanwhile"


def watch(build: Build, script: Sequence[tuple[float, int]] = (), end_ms: float | None = None) -> Seen:
    """Subscribe to what `build` makes of a hot source and the time at the start; what came out, and when.

    The source gives each number of the script at its millisecond and completes at `end_ms`.
    """

    async def main() -> Seen:
        await trio.sleep(0.1)  # so that sums are not exact in floating point
        async with TrioScheduler(clock=WallClock(lambda: WALL_S)) as scheduler:
            source: Subject[int] = Subject()
            log = Log()

            def emit(_: abc.SchedulerBase, number: int | None) -> None:
                assert number is not None
                source.on_next(number)

            for ms, number in script:
                scheduler.schedule_relative(ms / 1e3, emit, number)
            if end_ms is not None:
                scheduler.schedule_relative(end_ms / 1e3, lambda _, __: source.on_completed())
            subscription = build(source, scheduler.now).subscribe(
                log.add,
                lambda error: log.add(f"{type(error).__name__}: {error}"),
                lambda: log.add("completed"),
                scheduler=scheduler,
            )
            await trio.sleep(100)
            subscription.dispose()
            assert scheduler.stats.pending == 0, "the operator has left nothing behind"
            return log.entries

    return run_mock(main)


def test_without_the_scheduler_a_thread_would_start() -> None:
    """The trap of these tests works, and it is why the scheduler is always passed."""
    with pytest.raises(AssertionError, match="was started"):
        rx.timer(0.01).subscribe()


def test_delay() -> None:
    assert watch(lambda source, _: source.pipe(rx_ops.delay(1.0)), [(0, 1), (500, 2), (1000, 3)], 1200) == [
        (1000, 1),
        (1500, 2),
        (2000, 3),
        (2200, "completed"),
    ]


def test_delay_is_exact_to_the_microsecond() -> None:
    """The operator compares `now` with a sum: had either a rounding error, a value would come a step late."""
    script = [(7.001 * i, i) for i in range(500)]
    seen = watch(lambda source, _: source.pipe(rx_ops.delay(0.1)), script)
    assert seen == [(round(7.001 * i + 100, 3), i) for i in range(500)]


def test_delay_until_a_datetime() -> None:
    seen = watch(lambda source, start: source.pipe(rx_ops.delay(start + timedelta(seconds=2))), [(0, 1), (500, 2)], 600)
    assert seen == [(2000, 1), (2500, 2), (2600, "completed")]


def test_debounce() -> None:
    """What was quiet for 300 ms comes; at the end the last one comes at once."""
    script = [(0, 1), (100, 2), (200, 3), (600, 4), (700, 5), (1900, 6)]
    assert watch(lambda source, _: source.pipe(rx_ops.debounce(0.3)), script, 2000) == [
        (500, 3),
        (1000, 5),
        (2000, 6),
        (2000, "completed"),
    ]


def test_throttle_first() -> None:
    """A value exactly one window after the last that passed, passes."""
    script = [(50 * i, i) for i in range(100)]
    seen = watch(lambda source, _: source.pipe(rx_ops.throttle_first(0.1)), script, 6000)
    assert seen == [*((100 * i, 2 * i) for i in range(50)), (6000, "completed")]


def test_buffer_with_time() -> None:
    script = [(200, 1), (900, 2), (1100, 3)]
    assert watch(lambda source, _: source.pipe(rx_ops.buffer_with_time(1.0)), script, 2500) == [
        (1000, [1, 2]),
        (2000, [3]),
        (2500, []),
        (2500, "completed"),
    ]


def test_buffer_with_time_that_overlaps() -> None:
    script = [(200, 1), (900, 2), (1100, 3)]
    assert watch(lambda source, _: source.pipe(rx_ops.buffer_with_time(1.0, 0.5)), script, 1600) == [
        (1000, [1, 2]),
        (1500, [2, 3]),
        (1600, [3]),
        (1600, []),
        (1600, "completed"),
    ]


def test_buffer_with_time_or_count() -> None:
    """Time counts anew after a full buffer."""
    script = [(100, 1), (200, 2), (500, 3)]
    assert watch(lambda source, _: source.pipe(rx_ops.buffer_with_time_or_count(1.0, 2)), script, 1300) == [
        (200, [1, 2]),
        (1200, [3]),
        (1300, []),
        (1300, "completed"),
    ]


def test_window_with_time() -> None:
    def label(window: Observable[int], number: int) -> Observable[object]:
        values: Observable[object] = window.pipe(rx_ops.map(lambda value: (number, value)))
        return rx.concat(values, rx.just(f"end of {number}"))

    def build(source: Observable[int], _: datetime) -> Observable[object]:
        return source.pipe(rx_ops.window_with_time(1.0), rx_ops.flat_map_indexed(label))

    assert watch(build, [(200, 1), (900, 2), (1100, 3)], 2500) == [
        (200, (0, 1)),
        (900, (0, 2)),
        (1000, "end of 0"),
        (1100, (1, 3)),
        (2000, "end of 1"),
        (2500, "end of 2"),
        (2500, "completed"),
    ]


def test_sample() -> None:
    """The last value of each second, and completion at the next tick."""
    script = [(300, 1), (700, 2), (1500, 3)]
    assert watch(lambda source, _: source.pipe(rx_ops.sample(1.0)), script, 2500) == [
        (1000, 2),
        (2000, 3),
        (3000, "completed"),
    ]


def test_timeout() -> None:
    seen = watch(lambda source, _: source.pipe(rx_ops.timeout(0.5)), [(200, 1), (600, 2), (1200, 3)], 2000)
    assert seen == [(200, 1), (600, 2), (1100, "Exception: Timeout")]


def test_timeout_that_does_not_come() -> None:
    seen = watch(lambda source, _: source.pipe(rx_ops.timeout(0.5)), [(i * 499.999, i) for i in range(9)], 4400)
    assert seen == [*((round(i * 499.999, 3), i) for i in range(9)), (4400, "completed")]


def test_timeout_with_another_source() -> None:
    seen = watch(lambda source, _: source.pipe(rx_ops.timeout(0.5, rx.timer(0.25))), [(200, 1)])
    assert seen == [(200, 1), (950, 0), (950, "completed")]


def test_timeout_at_a_datetime() -> None:
    seen = watch(lambda source, start: source.pipe(rx_ops.timeout(start + timedelta(seconds=1))), [], 1500)
    assert seen == [(1000, "Exception: Timeout")]


def test_interval() -> None:
    seen = watch(lambda _, __: rx.interval(0.25).pipe(rx_ops.take(4)))
    assert seen == [(250, 0), (500, 1), (750, 2), (1000, 3), (1000, "completed")]


def test_interval_does_not_drift() -> None:
    seen = watch(lambda _, __: rx.interval(0.007).pipe(rx_ops.take(1000)))
    assert seen == [*((7 * (i + 1), i) for i in range(1000)), (7000, "completed")]


TIMERS: list[tuple[Callable[[datetime], Observable[int]], Seen]] = [
    (lambda _: rx.timer(0.7), [(700, 0)]),
    (lambda _: rx.timer(timedelta(milliseconds=1.5)), [(1.5, 0)]),
    (lambda _: rx.timer(0), [(0, 0)]),
    (lambda _: rx.timer(-1), [(0, 0)]),
    (lambda start: rx.timer(start + timedelta(seconds=3)), [(3000, 0)]),
    (lambda start: rx.timer(start - timedelta(seconds=3)), [(0, 0)]),
    (lambda _: rx.timer(0.5, 0.2), [(500, 0), (700, 1), (900, 2)]),
    (lambda _: rx.timer(0.3, 0.3), [(300, 0), (600, 1), (900, 2)]),
    (lambda start: rx.timer(start + timedelta(seconds=1), 0.1), [(1000, 0), (1100, 1), (1200, 2)]),
]


@pytest.mark.parametrize(("timer", "expected"), TIMERS)
def test_timer(timer: Callable[[datetime], Observable[int]], expected: Seen) -> None:
    seen = watch(lambda _, start: timer(start).pipe(rx_ops.take(len(expected))))
    assert seen == [*expected, (expected[-1][0], "completed")]


def test_delay_subscription() -> None:
    script = [(300, 1), (700, 2), (900, 3)]
    assert watch(lambda source, _: source.pipe(rx_ops.delay_subscription(0.5)), script, 1000) == [
        (700, 2),
        (900, 3),
        (1000, "completed"),
    ]


def test_delay_with_mapper() -> None:
    """Each value by its own delay: they overtake each other."""

    def build(source: Observable[int], _: datetime) -> Observable[object]:
        return source.pipe(rx_ops.delay_with_mapper(lambda number: rx.timer(number / 10)))

    assert watch(build, [(0, 5), (100, 1)], 300) == [(200, 1), (500, 5), (500, "completed")]


SCRIPT_4 = [(200, 1), (600, 2), (1100, 3), (1400, 4)]


TAKE_UNTIL_WITH_TIME: list[Build] = [
    lambda source, _: source.pipe(rx_ops.take_until_with_time(1.0)),
    lambda source, start: source.pipe(rx_ops.take_until_with_time(start + timedelta(seconds=1))),
    lambda source, _: source.pipe(rx_ops.take_with_time(1.0)),
]


@pytest.mark.parametrize("build", TAKE_UNTIL_WITH_TIME)
def test_take_until_with_time(build: Build) -> None:
    assert watch(build, SCRIPT_4) == [(200, 1), (600, 2), (1000, "completed")]


SKIP_WITH_TIME: list[Build] = [
    lambda source, _: source.pipe(rx_ops.skip_with_time(1.0)),
    lambda source, _: source.pipe(rx_ops.skip_until_with_time(1.0)),
    lambda source, start: source.pipe(rx_ops.skip_until_with_time(start + timedelta(seconds=1))),
]


@pytest.mark.parametrize("build", SKIP_WITH_TIME)
def test_skip_with_time(build: Build) -> None:
    assert watch(build, SCRIPT_4, 2000) == [(1100, 3), (1400, 4), (2000, "completed")]


def test_take_last_with_time() -> None:
    seen = watch(lambda source, _: source.pipe(rx_ops.take_last_with_time(0.7)), SCRIPT_4, 1500)
    assert seen == [(1500, 3), (1500, 4), (1500, "completed")]


def test_skip_last_with_time() -> None:
    """A value comes when it is known not to be of the last 700 ms: at the next one that is so much later."""
    seen = watch(lambda source, _: source.pipe(rx_ops.skip_last_with_time(0.7)), SCRIPT_4, 1500)
    assert seen == [(1100, 1), (1400, 2), (1500, "completed")]


def test_timestamp() -> None:
    starts: list[datetime] = []

    def build(source: Observable[int], start: datetime) -> Observable[object]:
        starts.append(start)
        return source.pipe(rx_ops.timestamp())

    script = [(0.5, 1), (100, 2), (333.333, 3)]
    seen = watch(build, script)
    assert seen == [(ms, Timestamp(number, starts[0] + timedelta(milliseconds=ms))) for ms, number in script]


def test_time_interval() -> None:
    assert watch(lambda source, _: source.pipe(rx_ops.time_interval()), [(0.5, 1), (100, 2), (333.333, 3)]) == [
        (0.5, TimeInterval(1, timedelta(milliseconds=0.5))),
        (100, TimeInterval(2, timedelta(milliseconds=99.5))),
        (333.333, TimeInterval(3, timedelta(milliseconds=233.333))),
    ]


async def _through(scheduler: TrioScheduler, operator: Callable[[Observable[int]], Observable[int]]) -> Seen:
    log = Log()
    rx.from_iterable(range(3)).pipe(operator).subscribe(log.add, on_completed=lambda: log.add("completed"))
    log.add("subscribed")
    await trio.sleep(1)
    return log.entries


@pytest.mark.parametrize("operator", [rx_ops.observe_on, rx_ops.subscribe_on])
def test_observe_on_and_subscribe_on(
    operator: Callable[[abc.SchedulerBase], Callable[[Observable[int]], Observable[int]]],
) -> None:
    """They move the values to the scheduler's task, after `subscribe` has returned."""

    async def main() -> None:
        async with TrioScheduler() as scheduler:
            seen = await _through(scheduler, operator(scheduler))
            assert seen == [(0, "subscribed"), (0, 0), (0, 1), (0, 2), (0, "completed")]

    run_mock(main)


def test_an_error_of_a_subscriber_behind_a_timed_operator_reaches_on_error() -> None:
    async def main() -> None:
        log = Log()

        def subscriber(number: int) -> None:
            log.add(number)
            raise LookupError(number)

        async with TrioScheduler(on_error=lambda error: log.add(type(error))) as scheduler:
            rx.interval(1.0).subscribe(subscriber, scheduler=scheduler)
            rx.timer(3.0).subscribe(log.add, scheduler=scheduler)
            await trio.sleep(10)
            assert log.entries == [(1000, 0), (1000, LookupError), (3000, 0)], "the sibling goes on"

    run_mock(main)


def test_operators_used_after_the_end_stay_silent() -> None:
    async def main() -> None:
        log = Log()
        async with TrioScheduler() as scheduler:
            pass
        for observable in (rx.timer(1.0), rx.interval(1.0), rx.just(0).pipe(rx_ops.delay(1.0))):
            observable.subscribe(log.add, scheduler=scheduler).dispose()
            observable.subscribe(log.add, scheduler=scheduler)
        await trio.sleep(10)
        assert log.entries == []

    run_mock(main)


def test_a_subject_fed_from_another_thread_may_be_delayed(monkeypatch: pytest.MonkeyPatch) -> None:
    """`source.lock` is held by one thread while the other one schedules: neither waits for the other."""
    monkeypatch.undo()

    async def main() -> None:
        log = Log()
        source: Subject[int] = Subject()
        async with TrioScheduler() as scheduler:
            source.pipe(rx_ops.delay(1.0)).subscribe(log.add, scheduler=scheduler)
            thread = threading.Thread(target=partial(source.on_next, 7), daemon=True)
            thread.start()
            thread.join(10)
            assert not thread.is_alive()
            await trio.sleep(2)
            assert log.entries == [(1000, 7)]

    run_mock(main)
