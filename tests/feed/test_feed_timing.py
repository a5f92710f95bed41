"""Timed reactivex operators behind a feed's stream: on its scheduler without being told, at exact virtual times."""

import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
import reactivex as rx
import trio
from reactivex import Observable
from reactivex import operators as rx_ops
from reactivex.scheduler import NewThreadScheduler, TimeoutScheduler

import cgrx
from cgrx import operators as ops
from cgrx._simulator.simulator import Simulator
from tests.feed.feeding import feed_on
from tests.simulator.simulating import liquidation
from tests.support import run_mock

Operator = Callable[[Observable[Any]], Observable[Any]]


def number(event: Any) -> Any:
    """Which event it is: they are numbered by their seconds."""
    return event.time_ms // 1000 if hasattr(event, "time_ms") else [number(each) for each in event]


@pytest.fixture(autouse=True)
def no_thread_is_started(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Timers are threads too."""
    started: list[str] = []

    def start(thread: threading.Thread) -> None:
        started.append(repr(thread))

    monkeypatch.setattr(threading.Thread, "start", start)
    yield
    assert started == []


def seen_through(
    *operators: Operator, at: tuple[float, ...] = (1.1, 1.2, 1.4, 5, 5.1), until: float = 9.5
) -> list[tuple[float, Any]]:
    """What comes out, and when, of events sent at these times and numbered from 0."""
    log: list[tuple[float, Any]] = []

    def note(what: Any) -> None:
        log.append((round(trio.current_time(), 3), what))

    def on_next(item: Any) -> None:
        note(number(item) if isinstance(item, list) or hasattr(item, "time_ms") else item)

    def on_error(error: Exception) -> None:
        note(type(error).__name__)

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            stream: Any = feed.liquidations().pipe(ops.side("long"))
            stream.pipe(*operators).subscribe(on_next, on_error)
            for index, time in enumerate(at):
                await trio.sleep_until(time)
                await simulator.send(liquidation(index))
            await trio.sleep_until(until)

    run_mock(main)
    return log


def test_delay() -> None:
    """Each event three seconds later."""
    assert seen_through(rx_ops.delay(3.0)) == [(4.1, 0), (4.2, 1), (4.4, 2), (8, 3), (8.1, 4)]


def test_debounce() -> None:
    """The last of each burst, half a second behind it."""
    assert seen_through(rx_ops.debounce(0.5)) == [(1.9, 2), (5.6, 4)]


def test_throttle_first() -> None:
    """The first of each window of 0.3 s."""
    assert seen_through(rx_ops.throttle_first(0.3)) == [(1.1, 0), (1.4, 2), (5, 3)]


def test_buffer_with_time() -> None:
    """Lists of two seconds, counted from the subscription; what is open at the close comes out then."""
    got = seen_through(rx_ops.buffer_with_time(2.0))
    assert got == [(2, [0, 1, 2]), (4, []), (6, [3, 4]), (8, []), (9.5, [])]


def test_sample() -> None:
    """The latest, once a second."""
    assert seen_through(rx_ops.sample(1.0)) == [(2, 2), (6, 4)]


def test_timeout() -> None:
    """Three seconds without an event are an error."""
    assert seen_through(rx_ops.timeout(3.0)) == [(1.1, 0), (1.2, 1), (1.4, 2), (4.4, "Exception")]


def test_timestamp_and_time_interval() -> None:
    """They read the scheduler's clock, which is the feed's wall time."""
    got = seen_through(rx_ops.timestamp(), rx_ops.map(lambda each: each.timestamp.timestamp()))
    assert [what for _, what in got] == pytest.approx([1_700_000_000 + time for time in (1.1, 1.2, 1.4, 5, 5.1)])


def test_interval_merged_in() -> None:
    """Numbers from a timer of reactivex's, on the scheduler of the chain that it is merged into."""
    assert seen_through(rx_ops.merge(rx.interval(4.0)), at=(1, 5)) == [(1, 0), (4, 0), (5, 1), (8, 1)]


def test_stages_stand_before_and_behind() -> None:
    """Behind the foreign operator they see batches of one."""
    assert seen_through(ops.min_volume(1), rx_ops.delay(1.0), ops.exchange("binance"), at=(1,)) == [(2, 0)]


@pytest.mark.parametrize("scheduler", [NewThreadScheduler(), TimeoutScheduler()])
def test_a_scheduler_that_starts_threads_is_refused(scheduler: Any) -> None:
    """Events must not leave the feed's thread."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            with pytest.raises(cgrx.ThreadError, match="another thread"):
                feed.liquidations().subscribe(print, scheduler=scheduler)
            assert feed.stats.subscribers == 0

    run_mock(main)


def test_what_a_timed_operator_still_holds_at_the_close_is_disposed() -> None:
    """The stream completes; what is due later is not waited for."""
    assert seen_through(rx_ops.delay(60.0), until=20) == []


def test_the_scheduler_s_time_is_the_feed_s_wall_time() -> None:
    """So that absolute times and `Alive` agree."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            await trio.sleep(5)
            assert feed.scheduler.now.timestamp() == 1_700_000_005

    run_mock(main)


def test_other_tasks_of_the_scheduler_end_with_the_feed() -> None:
    """`from_async` in a chain that began on a feed."""

    async def main() -> None:
        ended: list[str] = []

        async def forever() -> AsyncIterator[cgrx.Liquidation]:
            try:
                yield liquidation(1)
                await trio.sleep_forever()
            finally:
                ended.append("ended")

        async with Simulator(listen=False) as simulator:
            async with feed_on(simulator) as feed:
                got: list[Any] = []
                feed.liquidations().merge(cgrx.from_async(forever)).subscribe(got.append)
                await trio.sleep(1)
                assert got == [liquidation(1)]
            assert ended == ["ended"]

    run_mock(main)
