"""How a feed ends by an error or by cancellation: what the body, `run()` and the streams get."""

import math
import random
from typing import Any

import pytest
import trio

import cgrx
from cgrx._simulator.faults import CloseAtOnce, NoPong, Stall
from cgrx._simulator.journal import Ended
from cgrx._simulator.simulator import Simulator
from tests.feed.feeding import Count, Record, Statuses, feed_on, raises, record
from tests.support import run_mock


def ended_with(simulator: Simulator) -> list[int]:
    return [entry.code for entry in simulator.log if isinstance(entry, Ended)]


# By an error


async def rejected(simulator: Simulator) -> None:
    """Let the server close three connections in a row."""
    simulator.script([CloseAtOnce(connections=3, code=1008)])
    await simulator.close_all()


def test_run_raises_what_ended_the_feed() -> None:
    """Plain, again and again, and for everyone who waits."""

    async def main() -> None:
        statuses = Statuses()
        async with Simulator(listen=False) as simulator:
            with raises(cgrx.RejectedError) as caught:
                async with feed_on(simulator) as feed:
                    statuses.watch(feed)
                    await rejected(simulator)
                    await feed.run()
            with pytest.raises(cgrx.RejectedError) as again:
                await statuses.feed.run()
            assert again.value is caught.value

    run_mock(main)


def test_a_fatal_error_cancels_the_body_and_leaves_in_its_place() -> None:
    """The body need not wait for `run()`; all its tasks are cancelled."""

    async def main() -> None:
        seen = Record()
        cancelled: list[str] = []

        async def wait(name: str) -> None:
            try:
                await trio.sleep_forever()
            finally:
                cancelled.append(name)

        async with Simulator(listen=False) as simulator:
            with raises(cgrx.RejectedError):
                async with feed_on(simulator) as feed:
                    feed.liquidations().subscribe_signals(seen)
                    await rejected(simulator)
                    async with trio.open_nursery() as nursery:
                        nursery.start_soon(wait, "task")
                        await wait("body")
            assert sorted(cancelled) == ["body", "task"]
            assert isinstance(seen.end, cgrx.RejectedError)

    run_mock(main)


def test_a_body_that_handles_the_error_and_leaves_has_handled_it() -> None:
    """Caught from `run()`, it is not raised a second time."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator:
            async with feed_on(simulator) as feed:
                await rejected(simulator)
                with pytest.raises(cgrx.RejectedError):
                    await feed.run()
            assert feed.state is cgrx.State.FAILED

    run_mock(main)


def test_a_body_that_handles_the_error_and_stays_is_cancelled_all_the_same() -> None:
    """What was cut short says why."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator:
            with raises(cgrx.RejectedError):
                async with feed_on(simulator) as feed:
                    await rejected(simulator)
                    with pytest.raises(cgrx.RejectedError):
                        await feed.run()
                    await trio.sleep_forever()

    run_mock(main)


def test_a_body_that_swallows_its_cancellation_does_not_swallow_the_error() -> None:
    """It leaves as if nothing had happened, and the error is raised."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator:
            with raises(cgrx.RejectedError):
                async with feed_on(simulator):
                    await rejected(simulator)
                    with trio.CancelScope(shield=True):
                        await trio.sleep(100)

    run_mock(main)


def test_a_body_that_raises_after_the_error_raises_its_own() -> None:
    """With the feed's as its context, as in any handler."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator:
            with raises(LookupError) as caught:
                async with feed_on(simulator) as feed:
                    await rejected(simulator)
                    try:
                        await feed.run()
                    except cgrx.RejectedError:
                        raise LookupError("the handler's") from None
            assert isinstance(caught.value.__context__, cgrx.RejectedError)

    run_mock(main)


def test_an_error_that_came_through_a_stream_is_not_raised_twice() -> None:
    """The body's iteration raises it, and that is how it leaves."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator:
            with raises(cgrx.RejectedError) as caught:
                async with feed_on(simulator) as feed, cgrx.stream(feed.liquidations()) as events:
                    await rejected(simulator)
                    async for _ in events:
                        raise AssertionError("there are none")
            assert isinstance(caught.value, cgrx.RejectedError)

    run_mock(main)


def test_after_an_error_every_stream_fails_with_it() -> None:
    """Also those subscribed to afterwards."""

    async def main() -> None:
        statuses = Statuses()
        async with Simulator(listen=False) as simulator:
            with raises(cgrx.RejectedError) as caught:
                async with feed_on(simulator) as feed:
                    statuses.watch(feed)
                    await rejected(simulator)
                    await trio.sleep_forever()
            assert record(statuses.feed.liquidations()).end is caught.value

    run_mock(main)


def test_an_error_of_the_feed_without_on_error_goes_to_the_status() -> None:
    """It is raised once, by the `async with`, and blamed on no subscriber."""

    async def main() -> None:
        statuses = Statuses()
        async with Simulator(listen=False) as simulator:
            with raises(cgrx.RejectedError):
                async with feed_on(simulator) as feed:
                    statuses.watch(feed)
                    feed.liquidations().subscribe(print)
                    await rejected(simulator)
                    await trio.sleep_forever()
            assert [type(each.error) for each in statuses.of(cgrx.StreamFailed)] == [cgrx.RejectedError]
            assert statuses.of(cgrx.SubscriberFailed) == []

    run_mock(main)


def test_a_bug_in_the_feed_ends_it_plain_too() -> None:
    """Never a silent reconnect: here a jitter that raises."""

    async def main() -> None:
        class Broken(random.Random):
            def uniform(self, a: float, b: float) -> float:
                raise ZeroDivisionError("a bug")

        async with Simulator(listen=False) as simulator:
            with raises(ZeroDivisionError, match="a bug"):
                async with feed_on(simulator, rng=Broken()) as feed:
                    await simulator.close_all()
                    await feed.run()

    run_mock(main)


# By cancellation


def test_a_cancellation_disposes_at_once() -> None:
    """Nothing completes, nothing is waited for: not even a closing handshake."""

    async def main() -> None:
        statuses = Statuses()
        async with Simulator(listen=False, faults=[NoPong()]) as simulator:
            seen, stage_results = Record(), list[Any]()
            with trio.move_on_after(5) as scope:
                async with feed_on(simulator) as feed:
                    statuses.watch(feed)
                    feed.liquidations().subscribe_signals(seen)
                    feed.liquidations().pipe(Count()).subscribe(stage_results.append)
                    await trio.sleep_forever()
            assert scope.cancelled_caught
            assert trio.current_time() == 5
            assert (seen.end, stage_results) == (None, [])
            await simulator.wait_connections(0)
            assert ended_with(simulator) == [1006]
            assert statuses.feed.state is cgrx.State.CLOSED
            assert statuses.completed

    run_mock(main)


def test_a_cancellation_cuts_an_orderly_close_short() -> None:
    """The streams have completed by then."""

    async def main() -> None:
        seen = Record()
        async with Simulator(listen=False) as simulator:
            with trio.move_on_after(2):
                async with feed_on(simulator, limits=cgrx.Limits(close_s=math.inf)) as feed:
                    feed.liquidations().subscribe_signals(seen)
                    simulator.script([Stall()])
                    await trio.sleep(1)
            assert trio.current_time() == 2
            assert seen.end == "completed"
            simulator.drop_all()

    run_mock(main)


def test_a_cancelled_aclose_goes_on_in_the_background() -> None:
    """It has been asked for."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            with trio.CancelScope() as scope:
                scope.cancel()
                await feed.aclose()
            assert scope.cancelled_caught
            await feed.run()
            await feed.aclose()
            assert ended_with(simulator) == [1000]

    run_mock(main)
