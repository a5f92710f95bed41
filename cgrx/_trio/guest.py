"""Trio as a guest of a running asyncio loop, in its thread: started with the first that joins, ended with the last.

    asyncio task ──► Guest.join() ──► TrioCall: a trio task for it ──► its result, or what it raised ──► guest.leave()

1. While a guest runs, `trio.lowlevel.in_trio_run()` is true for asyncio's tasks too: what tells them apart is the
   current task. Trio's synchronous functions work in both.
2. A guest must come to its end before its loop does: it is waited for, however often the waiting task is cancelled.
   Where a loop is shut down, a task of the guest's own gets the cancellation and ends it.
3. SIGINT stays with asyncio. Where `asyncio.run` does not handle it, it raises `KeyboardInterrupt` in the loop as ever,
   but never in the middle of a step of trio.
"""

import asyncio
import contextvars
from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary

import trio

from cgrx._trio.interruption import uninterrupted

T = TypeVar("T")


async def settled(future: "asyncio.Future[Any]", on_cancel: Callable[[], object]) -> bool:
    """Wait until a future is done, however often the task is cancelled; each time `on_cancel` is called.

    Returns whether the task was cancelled: then the caller raises `CancelledError`, or what matters more.
    """
    cancelled = False
    while not future.done():
        try:
            await asyncio.wait([future])
        except asyncio.CancelledError:
            cancelled = True
            on_cancel()
    return cancelled


def is_cancellation(error: BaseException) -> bool:
    """Whether trio cancels a task with this: alone, or as several of its children in a group."""
    members: tuple[BaseException, ...] = getattr(error, "exceptions", ())
    return all(map(is_cancellation, members)) if members else isinstance(error, trio.Cancelled)


class Guest:
    """The trio run of one asyncio loop. `join` gives it, and each `join` needs a `leave`."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._users = 0
        self._stop = trio.Event()
        self._done: asyncio.Future[None] = loop.create_future()
        with uninterrupted():  # trio takes SIGINT only where nobody else has
            trio.lowlevel.start_guest_run(
                self._stop.wait,
                run_sync_soon_threadsafe=self._soon,
                run_sync_soon_not_threadsafe=lambda step: loop.call_soon(self._go, step),
                done_callback=self._on_done,
                host_uses_signal_set_wakeup_fd=True,
            )
            self._keeper = loop.create_task(self._keep(), name="cgrx: trio as a guest")

    @staticmethod
    async def join() -> "Guest":
        """The guest of the running loop, kept until `leave`."""
        loop = asyncio.get_running_loop()
        while (guest := _GUESTS.get(loop)) is not None and guest._stop.is_set():
            await asyncio.wait([guest._keeper])
        if guest is None:
            guest = _GUESTS[loop] = Guest(loop)
        guest._users += 1
        return guest

    async def leave(self) -> bool:
        """End with the last user. Returns whether the task was cancelled meanwhile, as `settled`."""
        self._users -= 1
        if self._users:
            return False
        self._stop.set()
        return await settled(self._keeper, lambda: None)

    async def _keep(self) -> None:
        await settled(self._done, self._stop.set)
        self._done.result()

    def _go(self, step: Callable[[], object]) -> None:
        """Let trio take a step. Ctrl-C in its midst would break it, so it is raised behind it."""
        with uninterrupted():
            step()

    def _soon(self, step: Callable[[], object]) -> None:
        try:
            self._loop.call_soon_threadsafe(self._go, step)
        except RuntimeError:
            return  # the loop was closed without a chance to end the guest: nobody is left to run it for

    def _on_done(self, outcome: Any) -> None:
        _GUESTS.pop(self._loop, None)
        try:
            outcome.unwrap()
        except BaseException as error:  # noqa: BLE001 - raised by `_keep`
            self._done.set_exception(error)
        else:
            self._done.set_result(None)


_GUESTS: WeakKeyDictionary[asyncio.AbstractEventLoop, Guest] = WeakKeyDictionary()
"""One for each loop: trio runs at most once in a thread."""


class TrioCall(Generic[T]):
    """A trio function that runs for an asyncio task, which has joined the guest: `done` is its future."""

    def __init__(self, function: Callable[[], Awaitable[T]]) -> None:
        self._scope = trio.CancelScope()
        self.done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        trio.lowlevel.spawn_system_task(
            self._run, function, name=f"cgrx: {function!r}", context=contextvars.copy_context()
        )

    def cancel(self) -> None:
        """Cancel the function."""
        self._scope.cancel()

    async def finish(self) -> T:
        """Wait to its end. A cancellation of the task cancels the function, and is raised when that has ended.

        An error of the function goes before a cancellation, which then comes with the task's next await.
        """
        return self._told(await settled(self.done, self.cancel))

    def _told(self, cancelled: bool) -> T:
        error = None if self.done.cancelled() else self.done.exception()
        if cancelled and error is None:
            raise asyncio.CancelledError
        task = asyncio.current_task()
        if cancelled and task is not None:
            task.uncancel()
            asyncio.get_running_loop().call_soon(task.cancel)
        return self.done.result()

    async def _run(self, function: Callable[[], Awaitable[T]]) -> None:
        try:
            with self._scope:
                self.done.set_result(await function())
                return
            self.done.cancel()
        except BaseException as error:
            if not is_cancellation(error):
                self.done.set_exception(error)  # raised in the asyncio task
                return
            self.done.cancel()  # the guest ends first, where its loop is shut down
            raise


async def on_trio(function: Callable[[], Awaitable[T]]) -> T:
    """Await a trio function from a task of either loop: trio's own, or the asyncio loop that trio is a guest of."""
    if trio.lowlevel.in_trio_task():
        return await function()
    guest = await Guest.join()
    try:
        return await TrioCall(function).finish()
    finally:
        await guest.leave()
