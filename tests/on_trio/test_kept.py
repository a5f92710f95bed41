"""A context manager that one task enters and another one leaves."""

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
import trio

from cgrx._trio.kept import Kept
from tests.support import run_mock


def test_a_manager_is_left_by_the_task_that_has_entered_it() -> None:
    tasks: list[object] = []

    @asynccontextmanager
    async def manager() -> AsyncGenerator[str]:
        tasks.append(trio.lowlevel.current_task())
        async with trio.open_nursery():  # which no other task may leave
            try:
                yield "value"
            finally:
                tasks.append(trio.lowlevel.current_task())

    async def main() -> None:
        kept = Kept(manager())
        assert await kept.enter() == "value"
        async with trio.open_nursery() as nursery:
            nursery.start_soon(kept.leave)
        assert len(tasks) == 2
        assert tasks[0] is tasks[1]

    run_mock(main)


def test_what_entering_raises_is_raised() -> None:
    class Manager(AbstractAsyncContextManager[None]):
        async def __aenter__(self) -> None:
            raise KeyError("mine")

        async def __aexit__(self, *_: object) -> None:
            pytest.fail("it was entered")

    async def main() -> None:
        kept = Kept(Manager())
        with pytest.raises(KeyError, match="mine"):
            await kept.enter()
        await kept.leave()

    run_mock(main)


def test_what_is_raised_later_ends_it() -> None:
    @asynccontextmanager
    async def manager() -> AsyncGenerator[None]:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_fail)
            yield

    async def _fail() -> None:
        await trio.sleep(1)
        raise KeyError("mine")

    async def main() -> None:
        kept = Kept(manager())
        await kept.enter()
        await trio.sleep(2)
        await kept.leave()

    run_mock(main)


def test_a_cancelled_entering_leaves_nothing_behind() -> None:
    ended: list[str] = []

    class Manager(AbstractAsyncContextManager[None]):
        async def __aenter__(self) -> None:
            try:
                await trio.sleep_forever()
            finally:
                ended.append("ended")

        async def __aexit__(self, *_: object) -> None:
            pytest.fail("it was entered")

    async def main() -> None:
        kept = Kept(Manager())
        with trio.move_on_after(1):
            await kept.enter()
        await kept.leave()
        assert ended == ["ended"]

    run_mock(main)
