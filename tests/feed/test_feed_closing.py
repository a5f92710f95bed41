"""How a feed ends in good order: by `aclose()` or by its body; what comes out, and in which order."""

from typing import Any

import pytest
import trio

import cgrx
from cgrx._simulator.faults import HangConnect, Refuse, Stall
from cgrx._simulator.journal import Ended
from cgrx._simulator.simulator import Simulator
from tests.feed.feeding import Count, Statuses, feed_on, raises, record
from tests.simulator.simulating import liquidation
from tests.support import run_mock


def ended_with(simulator: Simulator) -> list[int]:
    return [entry.code for entry in simulator.log if isinstance(entry, Ended)]


# In good order


@pytest.mark.parametrize("how", ["aclose", "leave", "raise"])
def test_streams_complete_with_what_stages_still_hold_then_the_connection_closes(how: str) -> None:
    """Whichever way the body ends: the results of `on_end`, completion, and a real closing handshake."""

    async def main() -> None:
        statuses = Statuses()
        async with Simulator(listen=False) as simulator:
            got: list[Any] = []
            open_at_completion: list[int] = []

            def on_completed() -> None:
                got.append("completed")
                open_at_completion.append(simulator.stats.connections)

            try:
                async with feed_on(simulator) as feed:
                    statuses.watch(feed)
                    feed.liquidations().pipe(Count()).subscribe(got.append, on_completed=on_completed)
                    await trio.sleep(1)
                    await simulator.send([liquidation(1), liquidation(2)])
                    await trio.sleep(1)
                    if how == "aclose":
                        await feed.aclose()
                        assert got == [2, "completed"]
                        assert feed.state is cgrx.State.CLOSED
                    elif how == "raise":
                        raise LookupError("the body's")
            except LookupError:
                assert how == "raise"
            assert got == [2, "completed"]
            assert open_at_completion == [1], "before the connection was closed"
            await simulator.wait_connections(0)
            assert ended_with(simulator) == [1000]
            assert statuses.completed
            assert statuses.all[-1] == cgrx.Ended(statuses.all[-1].at_ms, None)
            assert trio.current_time() == 2

    run_mock(main)


def test_everything_can_be_asked_after_the_end() -> None:
    """Streams complete at once, counters stay, closing and waiting return."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator:
            async with feed_on(simulator) as feed:
                record(feed.liquidations())
                await trio.sleep(1)
                await simulator.send(liquidation(1))
                await trio.sleep(1)
            await feed.aclose()
            await feed.run()
            assert record(feed.liquidations()).end == "completed"
            assert (feed.stats.events, feed.stats.subscribers, feed.state) == (1, 1, cgrx.State.CLOSED)
            late = Statuses(feed)
            assert [type(status) for status in late.all] == [cgrx.Ended]
            assert late.completed

    run_mock(main)


def test_closing_twice_or_from_several_tasks_is_closing_once() -> None:
    """None of them cuts the closing handshake of another short."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            async with trio.open_nursery() as nursery:
                for _ in range(3):
                    nursery.start_soon(feed.aclose)
                    nursery.start_soon(feed.run)
            await feed.aclose()
            await simulator.wait_connections(0)
            assert ended_with(simulator) == [1000]

    run_mock(main)


def test_a_server_that_does_not_answer_is_waited_for_three_seconds() -> None:
    """The shutdown is bounded; streams complete before it."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            seen = record(feed.liquidations())
            await trio.sleep(1)
            simulator.script([Stall()])
            await trio.sleep(1)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(feed.aclose)
                await feed.run()
                assert (trio.current_time(), seen.end) == (2, "completed")
            assert trio.current_time() == 5

    run_mock(main)


def test_closing_interrupts_a_pause() -> None:
    """However long the server asked to wait."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            simulator.script([Refuse(how=429, retry_after=300)])
            await simulator.close_all()
            await trio.sleep(10)
            states = [feed.state]
            await feed.aclose()
            states.append(feed.state)
            assert trio.current_time() == 10
            assert states == [cgrx.State.RECONNECTING, cgrx.State.CLOSED]

    run_mock(main)


def test_closing_interrupts_an_attempt() -> None:
    """In the middle of a connect that hangs."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            simulator.script([HangConnect()])
            await simulator.close_all()
            await trio.sleep(5)
            await feed.aclose()
            assert trio.current_time() == 5

    run_mock(main)


def test_closing_from_a_status_of_the_attempt_ends_it_before_it_begins() -> None:
    """Nothing is dialled any more."""

    async def main() -> None:
        async with trio.open_nursery() as nursery, Simulator(listen=False) as simulator, feed_on(simulator) as feed:

            def close(status: object) -> None:
                if isinstance(status, cgrx.Connecting):
                    nursery.start_soon(feed.aclose)

            feed.status.subscribe(close)
            await simulator.close_all()
            await feed.run()
            assert feed.stats.connections <= 2
            await feed.aclose()
            await simulator.wait_connections(0)

    run_mock(main)


# By the body


def test_an_exception_of_the_body_leaves_as_it_is() -> None:
    """The same object, with its own cause and no other context."""

    async def main() -> None:
        cause, error = KeyError("why"), LookupError("the body's")
        async with Simulator(listen=False) as simulator:
            with pytest.raises(LookupError) as caught:
                async with feed_on(simulator):
                    raise error from cause
            assert caught.value is error
            assert caught.value.__cause__ is cause

    run_mock(main)


def test_a_group_of_the_body_s_own_leaves_as_it_is() -> None:
    """Its own nursery made it."""

    async def fail() -> None:
        raise LookupError("a task's")

    async def main() -> None:
        seen: list[BaseException] = []
        async with Simulator(listen=False) as simulator:
            with raises(ExceptionGroup) as caught:
                async with feed_on(simulator):
                    try:
                        async with trio.open_nursery() as nursery:
                            nursery.start_soon(fail)
                    except ExceptionGroup as group:
                        seen.append(group)
                        raise
            assert caught.value is seen[0]

    run_mock(main)


def test_an_exception_of_the_body_comes_before_one_at_the_end() -> None:
    """A subscriber that raises on completion is in the status; the body's error leaves."""

    async def main() -> None:
        statuses = Statuses()
        async with Simulator(listen=False) as simulator:

            def fail() -> None:
                raise ValueError("at the end")

            with raises(LookupError):
                async with feed_on(simulator) as feed:
                    statuses.watch(feed)
                    feed.liquidations().subscribe(None, None, fail)
                    raise LookupError("the body's")
            assert [str(each.error) for each in statuses.of(cgrx.SubscriberFailed)] == ["at the end"]

    run_mock(main)
