"""Trio in a thread of its own, for code without an event loop: started with the first that joins, ended with the last.

    user's thread ──► TrioThread.join() ──► Task: a trio task for it; the thread waits ──► leave()

A thread that waits can be interrupted (Ctrl-C): what it waits for is cancelled, and comes to its end before the
interruption is raised. Between its waits, what belongs together is `uninterrupted`.
"""

import math
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import CancelledError, Future, wait
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from types import TracebackType
from typing import Any, Generic, TypeVar

import trio

from cgrx._model.limits import INTERRUPT_S
from cgrx._model.times import Duration, to_seconds
from cgrx._trio.guest import is_cancellation
from cgrx._trio.interruption import uninterrupted
from cgrx._trio.require import require_blockable
from cgrx._trio.threads import REACHABLE, tell

T = TypeVar("T")
U = TypeVar("U")


def is_done(future: "Future[Any]", within_s: float = math.inf) -> bool:
    """Wait until a future is done, this many seconds at most; whether it is. Ctrl-C ends the waiting."""
    until = time.monotonic() + within_s
    while not future.done():
        left_s = until - time.monotonic()
        if left_s <= 0:
            return False
        wait([future], min(left_s, INTERRUPT_S))
    return True


class TrioThread:
    """The thread with the trio run of all feeds of `cgrx.sync`, so that their streams can be merged.

    `join` gives it, and each `join` needs a `leave`.
    """

    def __init__(self) -> None:
        self._users = 0
        self._stop = trio.Event()
        started: Future[trio.lowlevel.TrioToken] = Future()
        self._thread = threading.Thread(target=trio.run, args=(self._main, started), name="cgrx", daemon=True)
        self._thread.start()
        self.token = started.result()

    @staticmethod
    def join() -> "TrioThread":
        """The thread, kept until `leave`."""
        with _SHARED.lock:
            thread = _SHARED.thread = _SHARED.thread or TrioThread()
            thread._users += 1
            return thread

    def leave(self) -> None:
        """End with the last user."""
        with uninterrupted():
            with _SHARED.lock:
                self._users -= 1
                if self._users:
                    return
                _SHARED.thread = None
            tell(self.token, self._stop.set)
        while self._thread.is_alive():
            self._thread.join(INTERRUPT_S)

    def call(self, function: Callable[[], Awaitable[T]], what: str, timeout: Duration = math.inf) -> T:
        """Call an async function in a task of trio, and wait for what it returns or raises.

        Raises:
            TimeoutError: it has not ended within `timeout`, and has been cancelled; `what` names it.
            InTrioError: called in a task of trio, such as by a subscriber: that would wait for itself.
        """
        require_blockable(what)
        timeout_s = to_seconds(timeout, "timeout")
        task = Task(self, function)
        try:
            if not is_done(task.done, timeout_s):
                raise TimeoutError(f"{what} has not ended within {timeout_s:g} s")
        except BaseException:
            task.cancel()
            task.settle()
            raise
        return task.done.result()

    async def _main(self, started: "Future[trio.lowlevel.TrioToken]") -> None:
        REACHABLE.set(True)
        started.set_result(trio.lowlevel.current_trio_token())
        await self._stop.wait()


class _Shared:
    """The one thread of the process, while somebody uses it."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.thread: TrioThread | None = None


_SHARED = _Shared()


class Task(Generic[T]):
    """An async function that runs in the thread of trio. `done` gets what it returns or raises."""

    def __init__(self, thread: TrioThread, function: Callable[[], Awaitable[T]]) -> None:
        self.done: Future[T] = Future()
        self._token = thread.token
        self._function = function
        self._scope = trio.CancelScope()
        tell(self._token, lambda: trio.lowlevel.spawn_system_task(self._run, name=f"cgrx: {function!r}"))

    def cancel(self) -> None:
        """Cancel it, soon."""
        tell(self._token, self._scope.cancel)

    def settle(self) -> BaseException | None:
        """Wait until it has ended, and return what it raised, if anything but a cancellation.

        An interruption cancels it, and is raised when it has ended.
        """
        with uninterrupted(self.cancel):
            is_done(self.done)
        error = self.done.exception()
        return None if isinstance(error, CancelledError) else error

    async def _run(self) -> None:
        try:
            with self._scope:
                self.done.set_result(await self._function())
                return
            self.done.set_exception(CancelledError())
        except BaseException as error:
            if not is_cancellation(error):
                self.done.set_exception(error)
                return
            self.done.set_exception(CancelledError())  # the thread ends first
            raise


class Entered(AbstractContextManager[U], Generic[T, U]):
    """A context manager of trio, entered and left by a thread without a loop.

    Args:
        open_it: makes the manager; called in a task of trio.
        face: makes of its value what the thread gets.
    """

    def __init__(
        self, open_it: Callable[[], AbstractAsyncContextManager[T]], face: Callable[[T, TrioThread], U]
    ) -> None:
        self._open = open_it
        self._face = face
        self._left = trio.Event()
        self._value: Future[T] = Future()
        self._entered: tuple[TrioThread, Task[None]] | None = None

    def __enter__(self) -> U:
        try:
            with uninterrupted():
                thread = TrioThread.join()
                self._entered = thread, Task(thread, self._hold)
            is_done(self._value)
            return self._face(self._value.result(), thread)
        except BaseException:
            self._leave(cancelling=True)
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        failure = self._leave(cancelling=error is not None and not isinstance(error, Exception))
        if error is None and failure is not None:
            raise failure

    def _leave(self, *, cancelling: bool) -> BaseException | None:
        if self._entered is None:  # interrupted before
            return None
        thread, task = self._entered
        with uninterrupted(task.cancel):
            try:
                if cancelling:
                    task.cancel()
                tell(thread.token, self._left.set)
                return task.settle()
            finally:
                thread.leave()

    async def _hold(self) -> None:
        try:
            async with self._open() as value:
                self._value.set_result(value)
                try:
                    await self._left.wait()
                except trio.Cancelled:
                    # A feed that fails cancels its body. The thread cannot be cancelled: it learns of the failure where
                    # it waits for events or for the end of the feed, or else when it leaves.
                    with trio.CancelScope(shield=True):
                        await self._left.wait()
        except BaseException as error:
            if not self._value.done():
                self._value.set_exception(error)
            raise
