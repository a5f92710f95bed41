"""A replay that is paused, and whose speed is changed, while it runs."""

import math
from typing import Any

import pytest
import reactivex
import trio
from hypothesis import given, settings
from hypothesis import strategies as st

import cgrx
from cgrx import operators as ops
from tests.feed.feeding import START_MS, record
from tests.replay.replaying import Log, alive, at, number, numbers, prices, schedule_relative
from tests.streams.streaming import rx_any
from tests.support import examples, run_mock

STEPS = st.lists(
    st.tuples(st.floats(0, 3), st.sampled_from(["pause", "resume", 0.5, 1.0, 7.0, 60.0, math.inf])), max_size=12
)


def timed(log: Log, steps: list[tuple[float, Any]], *, inside: bool) -> list[Any]:
    """What operators on the time of a replay give, while each step is done some seconds behind the one before.

    Inside: also from a subscriber, which pauses at each event and is resumed by a task.
    """
    found: list[Any] = []

    async def main() -> None:
        async with cgrx.replay(log, speed=1) as feed:
            stream = feed.liquidations()

            def later(event: cgrx.Liquidation) -> None:
                found.append(("later", event.price, feed.now_ms))

            def quiet(event: cgrx.Liquidation) -> None:
                found.append(("quiet", event.price))

            stream.pipe(rx_any.debounce(0.75)).subscribe(quiet)
            stream.pipe(rx_any.delay(0.3)).subscribe(later)
            stream.pipe(ops.tumbling("2s")).subscribe(found.append)
            reactivex.interval(1.1, scheduler=feed.scheduler).subscribe(lambda n: found.append((n, feed.now_ms)))

            def act(step: Any) -> None:
                if step == "pause":
                    feed.pause()
                elif step == "resume":
                    feed.resume()
                else:
                    feed.speed = step

            if inside:
                stream.subscribe(lambda event: act("pause"))
            async with trio.open_nursery() as nursery:
                nursery.start_soon(feed.run)
                for wait_s, step in steps:
                    await trio.sleep(wait_s)
                    act(step)
                while feed.state is not cgrx.State.CLOSED:
                    act("resume")
                    await trio.sleep(0.1)

    run_mock(main)
    return [each for each in found if not isinstance(each, tuple) or each[-1] <= log.end_ms or each[0] == "quiet"]


@settings(max_examples=examples(60))
@given(steps=STEPS, inside=st.booleans(), gaps=st.lists(st.sampled_from([0, 0.2, 0.75, 1.0, 3.3]), max_size=12))
def test_what_comes_out_is_the_same_however_it_is_played(
    steps: list[tuple[float, Any]], inside: bool, gaps: list[float]
) -> None:
    """Paused at any moments, from outside or by a subscriber, at speeds that change: timed operators give the same."""
    log = numbers(*(sum(gaps[:count]) for count in range(1, len(gaps) + 1)))
    log.said.append(alive(sum(gaps) + 5))
    assert timed(log, steps, inside=inside) == timed(log, [], inside=False)


@pytest.mark.parametrize("speed", [1, math.inf])
def test_a_pause_stops_time_and_what_it_takes_is_not_counted(speed: float) -> None:
    """Neither events nor actions come meanwhile, at any speed; then it goes on from there."""

    async def main() -> None:
        async with cgrx.replay(numbers(0, 1, 2, 3), speed=speed) as feed, trio.open_nursery() as nursery:
            seen: list[float] = []
            ticks: list[int] = []
            feed.liquidations().subscribe(lambda event: seen.append(event.price - 1))
            schedule_relative(feed, 2.5, lambda: ticks.append(feed.now_ms))
            schedule_relative(feed, 1.5, feed.pause)
            nursery.start_soon(feed.run)
            await trio.sleep(100)
            assert (seen, ticks, feed.now_ms, feed.paused) == ([0, 1], [], at(1.5), True)
            assert feed.progress.now_ms == at(1.5)
            done: list[int] = []
            schedule_relative(feed, 0.0, lambda: done.append(feed.now_ms))
            await trio.sleep(1)
            assert done == [at(1.5)], "what is due at that moment runs"
            feed.pause()
            feed.resume()
            feed.resume()
            began = trio.current_time()
            await feed.run()
            assert trio.current_time() - began == pytest.approx(1.5 / speed)
            assert (seen, ticks, feed.paused) == ([0, 1, 2, 3], [at(2.5)], False)

    run_mock(main)


def test_a_pause_before_the_start_holds_it_there_and_closing_ends_it() -> None:
    async def main() -> None:
        async with cgrx.replay(numbers(0, 1)) as feed, trio.open_nursery() as nursery:
            feed.pause()
            seen = record(feed.liquidations())
            nursery.start_soon(feed.run)
            await trio.sleep(10)
            assert (seen.events, seen.end) == ([], None)
            await feed.aclose()
            assert seen.end == "completed"

    run_mock(main)


def test_the_speed_changes_while_it_runs() -> None:
    """From then on; infinite too, and finite again."""

    async def main() -> None:
        async with cgrx.replay(numbers(0, 10, 20, 30, 1000, 1010)) as feed:
            assert feed.speed == math.inf
            feed.speed = 10
            heard: list[float] = []
            began = trio.current_time()
            feed.liquidations().subscribe(lambda event: heard.append(trio.current_time() - began))

            def at_once() -> None:
                feed.speed = math.inf

            def slow() -> None:
                feed.speed = 2

            schedule_relative(feed, 15.0, slow)
            schedule_relative(feed, 30.0, at_once)
            schedule_relative(feed, 1000.0, slow)
            await feed.run()
            assert heard == pytest.approx([0, 1, 1.5 + 2.5, 1.5 + 7.5, 9, 9 + 5])
            assert feed.speed == 2

    run_mock(main)


def test_behind_the_end_it_can_be_paused_too() -> None:
    """And infinite speed is real time there."""

    async def main() -> None:
        async with cgrx.replay(numbers(0, 1), speed=4) as feed:
            await feed.run()
            feed.speed = math.inf
            await trio.sleep(1)
            done = trio.Event()
            schedule_relative(feed, 3.0, done.set)
            feed.pause()
            await trio.sleep(50)
            assert not done.is_set()
            feed.resume()
            began = trio.current_time()
            await done.wait()
            assert trio.current_time() - began == pytest.approx(3.0)

    run_mock(main)


def test_a_consumer_that_holds_it_up_and_a_pause_at_once() -> None:
    """The time that both take is taken off once."""

    async def main() -> None:
        async with cgrx.replay(numbers(0, 0.5, 10), speed=1) as feed, trio.open_nursery() as nursery:
            began = trio.current_time()
            async with cgrx.stream(feed.liquidations(), buffer=1, overflow="block", block_timeout=math.inf) as events:
                nursery.start_soon(feed.run)
                await trio.sleep(5)
                feed.pause()
                await trio.sleep(5)
                feed.resume()
                await trio.sleep(5)
                assert prices([event async for event in events]) == [0, 0.5, 10]
            assert trio.current_time() - began == pytest.approx(15 + 10)

    run_mock(main)


@pytest.mark.parametrize(("speed", "error"), [(0, ValueError), (-1, ValueError), ("1", TypeError), (True, TypeError)])
def test_a_speed_that_cannot_be_is_refused(speed: Any, error: type[Exception]) -> None:
    async def main() -> None:
        async with cgrx.replay(Log([number(START_MS)])) as feed:
            with pytest.raises(error, match="takes a number above 0"):
                feed.speed = speed

    run_mock(main)
