"""`cgrx.aio.from_async`: async iterables of asyncio as observables."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, cast

import pytest

import cgrx
import cgrx.aio
from tests.hosts.asyncio_running import both_loops, run_asyncio, served, until

Loop = Callable[[], asyncio.AbstractEventLoop]


@both_loops
def test_an_async_iterable_of_asyncio_becomes_an_observable(loop: Loop) -> None:
    ended: list[str] = []

    async def numbers() -> AsyncIterator[int]:
        try:
            for n in range(3):
                await asyncio.sleep(0.001)
                yield n
        finally:
            await asyncio.sleep(0)
            ended.append("closed")

    async def main() -> list[int]:
        async with served() as server, cgrx.aio.connect(**server.access) as feed:
            source = cgrx.aio.from_async(numbers)
            got: list[int] = []
            done = asyncio.Event()
            source.subscribe(got.append, on_completed=done.set, scheduler=feed.scheduler)
            await done.wait()
            again: list[int] = []
            broken_off = cgrx.aio.from_async(numbers()).subscribe(again.append, scheduler=feed.scheduler)
            await until(lambda: bool(again))
            broken_off.dispose()
            await until(lambda: len(ended) == 2)
            return got

    assert run_asyncio(main, loop) == [0, 1, 2]


def test_what_an_observer_of_an_async_iterable_raises_ends_the_feed() -> None:
    async def numbers() -> AsyncIterator[int]:
        yield 1

    def refuse(_: int) -> None:
        raise KeyError("of an observer")

    async def main() -> None:
        async with served() as server, cgrx.aio.connect(**server.access) as feed:
            cgrx.aio.from_async(numbers).subscribe(refuse, scheduler=feed.scheduler)
            await feed.run()

    with pytest.raises(KeyError, match="of an observer"):
        run_asyncio(main)


def test_an_async_iterable_without_aclose_is_left_to_itself() -> None:
    class Numbers:
        def __init__(self) -> None:
            self.left = [3, 2, 1]

        def __aiter__(self) -> "Numbers":
            return self

        async def __anext__(self) -> int:
            if not self.left:
                raise KeyError("no more")
            return self.left.pop()

    async def main() -> list[object]:
        async with served() as server, cgrx.aio.connect(**server.access) as feed:
            told: list[object] = []
            done = asyncio.Event()

            def failed(error: Exception) -> None:
                told.append(repr(error))
                done.set()

            cgrx.aio.from_async(Numbers()).subscribe(told.append, failed, scheduler=feed.scheduler)
            await done.wait()
            return told

    assert run_asyncio(main) == [1, 2, 3, "KeyError('no more')"]


def test_a_task_of_from_async_that_its_loop_cancels_ends_quietly() -> None:
    async def forever() -> AsyncIterator[int]:
        await asyncio.sleep(60)
        yield 1

    async def main() -> None:
        async with served() as server, cgrx.aio.connect(**server.access) as feed:
            before, running = asyncio.all_tasks(), feed.scheduler.stats.tasks
            cgrx.aio.from_async(forever).subscribe(scheduler=feed.scheduler)
            await until(lambda: asyncio.all_tasks() > before)
            for task in asyncio.all_tasks() - before:
                task.cancel()
            await until(lambda: feed.scheduler.stats.tasks == running)
            assert feed.state is cgrx.State.CONNECTED

    run_asyncio(main)


def test_from_async_takes_what_that_of_trio_takes() -> None:
    with pytest.raises(TypeError, match="takes an async iterable"):
        cgrx.aio.from_async(cast("Any", [1, 2]))
