"""Context managers of trio for the tasks of asyncio, and how these tasks wait for events.

    async with held ──► a trio task enters the manager ──► the body, in the asyncio task ──► the trio task leaves it

What happens to one side happens to the other, as if both were one task of trio: a cancelled body cancels the trio task;
where that is cancelled, since a feed has failed, the body is. What the manager raises leaves the `async with`, plain.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, suppress
from types import TracebackType
from typing import Any, Generic, TypeVar

import trio
from reactivex import abc

from cgrx._trio.guest import Guest, TrioCall, settled
from cgrx._trio.iterate import push_all
from cgrx._trio.require import running_loop

T = TypeVar("T")


class Held(AbstractAsyncContextManager[T], Generic[T]):
    """A context manager of trio, entered and left by a task of asyncio.

    Args:
        open_it: makes the manager; called in a task of trio.
    """

    def __init__(self, open_it: Callable[[], AbstractAsyncContextManager[T]]) -> None:
        self._open = open_it
        self._left = trio.Event()
        self._leaving = False
        self._interrupted = False  # the body has been cancelled, since the manager's own body was

    async def __aenter__(self) -> T:
        task = asyncio.current_task()
        assert task is not None
        self._task = task
        self._cancelling = task.cancelling()
        self._loop = asyncio.get_running_loop()
        self._entered: asyncio.Future[T] = self._loop.create_future()
        self._guest = await Guest.join()
        self._call = TrioCall(self._hold)
        try:
            await asyncio.wait((self._entered, self._call.done), return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError as cancelled:
            await self._leave(cancelled)
            raise
        if self._entered.done():
            return self._entered.result()
        await self._leave(None)
        raise asyncio.CancelledError  # nothing went wrong: the guest has ended first, with its loop

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._leave(error)

    async def _leave(self, error: BaseException | None) -> None:
        """Leave the manager, and raise what goes before `error`, which the body ended with."""
        self._leaving = True
        unnoticed = self._interrupted and not isinstance(error, asyncio.CancelledError) and await _was_cancelled()
        cancelled = self._take_back() if unnoticed else False
        cancel = _nothing if self._interrupted else self._call.cancel  # what has failed ends by itself
        if error is not None and not isinstance(error, Exception):
            cancel()
        self._left.set()
        cancelled |= await settled(self._call.done, cancel)
        cancelled |= await self._guest.leave()
        failure = self._failure()
        if self._interrupted:
            others = self._task.uncancel() > self._cancelling
            if failure is not None and not others and isinstance(error, asyncio.CancelledError):
                raise failure from None
        if error is None and failure is not None:
            raise failure
        if error is None and cancelled:
            raise asyncio.CancelledError

    def _take_back(self) -> bool:
        """The body has ended by itself, before it was interrupted. Returns whether others have cancelled the task."""
        self._interrupted = False
        return self._task.uncancel() > self._cancelling

    def _failure(self) -> BaseException | None:
        return None if self._call.done.cancelled() else self._call.done.exception()

    async def _hold(self) -> None:
        async with self._open() as value:
            self._entered.set_result(value)
            try:
                await self._left.wait()
            except trio.Cancelled:
                self._loop.call_soon(self._interrupt)
                with trio.CancelScope(shield=True):
                    await self._left.wait()
                if self._interrupted:
                    raise
                # The body has ended by itself, without an await in between: it has handled what went wrong.

    def _interrupt(self) -> None:
        if self._task.done():  # it has never left, and is gone
            self._left.set()
        elif not self._leaving:
            self._interrupted = True
            self._task.cancel()


def _nothing() -> None:
    pass


async def _was_cancelled() -> bool:
    """Take a cancellation that is due, if one is."""
    try:
        await asyncio.sleep(0)
    except asyncio.CancelledError:
        return True
    return False


class AsyncioParking:
    """How the tasks of asyncio wait for events."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: deque[asyncio.Future[None]] = deque()

    def __bool__(self) -> bool:
        return bool(self._waiting)

    async def park(self) -> None:
        """Wait until woken."""
        waiting: asyncio.Future[None] = self._loop.create_future()
        self._waiting.append(waiting)
        try:
            await waiting
        except asyncio.CancelledError:
            if not waiting.cancelled():
                self.unpark(count=1)  # woken and cancelled in one moment: the event is another task's
            raise

    def unpark(self, *, count: int) -> None:
        """Wake this many tasks, the one that has waited longest first."""
        while count and self._waiting:
            waiting = self._waiting.popleft()
            if not waiting.cancelled():
                waiting.set_result(None)
                count -= 1

    def unpark_all(self) -> None:
        """Wake all tasks."""
        self.unpark(count=len(self._waiting))

    async def pause(self) -> None:
        """Nothing: a task of asyncio notices a cancellation where it waits, or passes its turn."""

    async def pass_turn(self) -> None:
        """Notice a cancellation, and let other tasks run."""
        await asyncio.sleep(0)


async def in_asyncio_task(coroutine: Coroutine[Any, Any, T], what: str) -> T:
    """Run a coroutine of asyncio for a task of trio: as a task, whose end it awaits. `what` needs asyncio for it.

    Raises:
        asyncio.CancelledError: the task was cancelled by somebody else, as where the loop is shut down.
    """
    task = running_loop(what).create_task(coroutine)
    over = trio.Event()
    task.add_done_callback(lambda _: over.set())
    try:
        await over.wait()
    except trio.Cancelled:
        task.cancel()
        with trio.CancelScope(shield=True):
            await over.wait()
        if not task.cancelled():
            task.result()  # what it raised goes before
        raise
    return task.result()


async def push(source: AsyncIterable[T], observer: abc.ObserverBase[T]) -> None:
    """Hand on what an async iterable of asyncio gives."""
    with suppress(asyncio.CancelledError):
        await in_asyncio_task(_iterated(source, observer), "cgrx.aio.from_async()")


async def _iterated(source: AsyncIterable[T], observer: abc.ObserverBase[T]) -> None:
    iterator = aiter(source)
    try:
        await push_all(iterator, observer)
    finally:
        if isinstance(iterator, AsyncGenerator):
            await iterator.aclose()
