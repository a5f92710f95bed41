"""How feeds of `cgrx.aio` end: failures, cancellations in any order, Ctrl-C, and a loop that is shut down."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest

import cgrx
import cgrx.aio
from cgrx import operators as ops
from cgrx._hosts.on_asyncio import AsyncioParking, Held
from cgrx._simulator.faults import HangConnect
from cgrx._trio.guest import Guest, TrioCall
from tests.hosts.asyncio_running import both_loops, run_asyncio, served

Loop = Callable[[], asyncio.AbstractEventLoop]


class BrokenError(Exception):
    """What a subscriber raises in these tests."""


def raise_broken(_: object) -> None:
    raise BrokenError("by a subscriber")


async def with_a_failing_feed(body: Callable[[cgrx.Feed], Awaitable[None]]) -> None:
    """The feed fails while the body waits."""
    async with served() as server, cgrx.aio.connect(**server.access) as feed:
        feed.liquidations().subscribe(raise_broken)
        await server.send(1.0)
        await body(feed)


# Refusals


@both_loops
def test_a_refusal_is_raised_plain(loop: Loop) -> None:
    async def main() -> None:
        async with served(keys=["another-key"]) as server:
            with pytest.raises(cgrx.AuthError, match="401"):
                async with cgrx.aio.connect(**server.access):
                    pytest.fail("it was entered")

    run_asyncio(main, loop)


@both_loops
def test_trouble_that_may_pass_is_waited_for_so_long(loop: Loop) -> None:
    async def main() -> None:
        with pytest.raises(cgrx.ConnectError, match=r"no connection within 0\.05 s"):
            async with cgrx.aio.connect(url="ws://127.0.0.1:1", api_key="unused-key", connect_timeout="50ms"):
                pytest.fail("it was entered")

    run_asyncio(main, loop)


# A feed that fails


@both_loops
def test_a_feed_that_fails_cancels_the_body_and_raises_what_ended_it(loop: Loop) -> None:
    async def main() -> None:
        task = asyncio.current_task()
        assert task is not None
        with pytest.raises(BrokenError):
            await with_a_failing_feed(lambda _: asyncio.sleep(60))
        assert task.cancelling() == 0
        await asyncio.sleep(0)

    run_asyncio(main, loop)


@both_loops
def test_a_body_that_handles_what_run_raises_is_left_alone(loop: Loop) -> None:
    async def handle(feed: cgrx.Feed) -> None:
        with pytest.raises(BrokenError):
            await feed.run()

    run_asyncio(lambda: with_a_failing_feed(handle), loop)


def test_a_body_that_goes_on_after_a_failure_is_cancelled_at_its_next_await() -> None:
    async def go_on(feed: cgrx.Feed) -> None:
        with pytest.raises(BrokenError):
            await feed.run()
        await asyncio.sleep(60)

    with pytest.raises(BrokenError):
        run_asyncio(lambda: with_a_failing_feed(go_on))


def test_the_error_of_a_body_goes_before_that_of_the_feed() -> None:
    async def fail(_: cgrx.Feed) -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            raise KeyError("mine") from None

    with pytest.raises(KeyError, match="mine"):
        run_asyncio(lambda: with_a_failing_feed(fail))


def test_a_body_that_swallows_the_cancellation_gets_the_failure_on_leaving() -> None:
    async def swallow(_: cgrx.Feed) -> None:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(60)

    with pytest.raises(BrokenError):
        run_asyncio(lambda: with_a_failing_feed(swallow))


def test_a_body_that_ends_before_it_notices_leaves_the_failure_to_the_feed() -> None:
    """Which raises it, unless `run` has told it."""

    async def main() -> list[int]:
        task = asyncio.current_task()
        assert task is not None
        async with served() as server:
            held = Held(lambda: cgrx.connect(**server.access))
            async with held:
                held._interrupt()  # as a feed that fails does; nothing is awaited behind it
            held = Held(lambda: cgrx.connect(**server.access))
            with pytest.raises(KeyError):
                await _left_with(held)
        return [task.cancelling()]

    async def _left_with(held: Held[cgrx.Feed]) -> None:
        async with held:
            held._interrupt()
            raise KeyError

    assert run_asyncio(main) == [0]


def test_an_iteration_raises_what_ended_the_feed() -> None:
    async def iterate(feed: cgrx.Feed) -> None:
        async with cgrx.aio.stream(feed.liquidations()) as received:
            async for _ in received:
                pass
            told.append("not reached")

    told: list[str] = []
    with pytest.raises(BrokenError):
        run_asyncio(lambda: with_a_failing_feed(iterate))
    assert told == []


# Cancellation


@both_loops
def test_a_cancelled_body_disposes_at_once(loop: Loop) -> None:
    """Nothing comes out of open windows, as on trio."""
    told: list[object] = []

    async def watch(entered: asyncio.Event) -> None:
        async with served() as server, cgrx.aio.connect(**server.access) as feed:
            rows = feed.liquidations().pipe(ops.tumbling("1h"))
            rows.subscribe(told.append, told.append, lambda: told.append("completed"))
            await server.send(1.0)
            entered.set()
            await asyncio.sleep(60)

    async def main() -> None:
        entered = asyncio.Event()
        task = asyncio.create_task(watch(entered))
        await entered.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run_asyncio(main, loop)
    assert told == []


@both_loops
def test_a_time_out_around_a_feed_is_a_time_out(loop: Loop) -> None:
    async def main() -> None:
        async with served() as server:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05), cgrx.aio.connect(**server.access) as feed:
                    await feed.run()
            task = asyncio.current_task()
            assert task is not None
            assert task.cancelling() == 0

    run_asyncio(main, loop)


def test_a_time_out_inside_leaves_the_feed_as_it_is() -> None:
    async def main() -> float:
        async with (
            served() as server,
            cgrx.aio.connect(**server.access) as feed,
            cgrx.aio.stream(feed.liquidations()) as received,
        ):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.02):
                    await anext(received)
            await server.send(3.0)
            return (await anext(received)).volume_usd

    assert run_asyncio(main) == 3.0


@both_loops
def test_a_cancelled_connect_leaves_nothing(loop: Loop) -> None:
    async def main() -> None:
        async with served(faults=[HangConnect()]) as server:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05), cgrx.aio.connect(**server.access):
                    pytest.fail("it was entered")

    run_asyncio(main, loop)


def test_a_task_that_is_cancelled_while_it_leaves_ends_all_the_same() -> None:
    """The closing handshake that a server never answers is cut short."""

    async def leave(entered: asyncio.Event, left: asyncio.Event) -> None:
        async with served() as server, cgrx.aio.connect(**server.access):
            entered.set()
            await left.wait()

    async def main() -> None:
        entered, left = asyncio.Event(), asyncio.Event()
        task = asyncio.create_task(leave(entered, left))
        await entered.wait()
        left.set()
        await asyncio.sleep(0)
        for _ in range(3):
            task.cancel()
            await asyncio.sleep(0)
        with pytest.raises(asyncio.CancelledError):
            await task

    run_asyncio(main)


def test_a_cancellation_of_run_leaves_the_feed_open() -> None:
    async def main() -> float:
        async with served() as server, cgrx.aio.connect(**server.access) as feed:
            running = asyncio.create_task(feed.run())
            await asyncio.sleep(0.01)
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
            async with cgrx.aio.stream(feed.liquidations()) as received:
                await server.send(4.0)
                return (await anext(received)).volume_usd

    assert run_asyncio(main) == 4.0


def test_a_task_that_is_woken_and_cancelled_in_one_moment_passes_the_event_on() -> None:
    async def main() -> list[str]:
        parking = AsyncioParking(asyncio.get_running_loop())
        woken: list[str] = []

        async def wait(name: str) -> None:
            await parking.park()
            woken.append(name)

        first, second, third = (asyncio.create_task(wait(name)) for name in ("first", "second", "third"))
        await asyncio.sleep(0)
        second.cancel()
        await asyncio.sleep(0)
        parking.unpark(count=1)
        first.cancel()
        await asyncio.wait([first, second, third])
        assert not parking
        return woken

    assert run_asyncio(main) == ["third"]


def test_an_error_goes_before_a_cancellation_that_comes_with_it() -> None:
    """The task gets both: the error first, the cancellation at its next await."""

    async def main() -> None:
        guest = await Guest.join()

        async def fail() -> None:
            raise BrokenError("now")

        async def both() -> list[str]:
            told: list[str] = []
            call = TrioCall(fail)
            task = asyncio.current_task()
            assert task is not None
            call.done.add_done_callback(lambda _: task.cancel())
            with pytest.raises(BrokenError):
                await call.finish()
            told.append("the error")
            try:
                await asyncio.sleep(1)
            except asyncio.CancelledError:
                told.append("the cancellation")
            return told

        assert await asyncio.create_task(both()) == ["the error", "the cancellation"]
        await guest.leave()

    run_asyncio(main)
