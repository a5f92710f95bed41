"""`run()`: trio for scripts and services. A table of what each signal does, and of how the process then ends.

    signal                   what it does                                     where main has ended
    -----------------------  -----------------------------------------------  ------------------------------------------
    the first                closes the open feeds; what they feed ends by    main's value is returned;
                             itself, and main goes on                         after SIGINT: KeyboardInterrupt
    the first, none is open  cancels main                                     SystemExit(0); KeyboardInterrupt
    a second, or `drain`     cancels main                                     SystemExit(128 + n); KeyboardInterrupt
    after the first
    a third, or `STOP_S`     ends the process, without any clean-up           exit status 128 + n
    after the second

Signals within `SAME_SIGNAL_S` of one that counted are the same request: `timeout` sends its signal to the process and
again to its group, and so do a shell and the kernel where a terminal goes away.
"""

import asyncio
import inspect
import os
import signal
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager, suppress
from types import FrameType, TracebackType
from typing import TypeVar, TypeVarTuple

import attrs
import trio

from cgrx._feed.log import logger
from cgrx._model.limits import DRAIN_S, SAME_SIGNAL_S, STOP_S
from cgrx._model.times import Duration, to_seconds
from cgrx._model.use_errors import InTrioError, NotInTrioError, ThreadError
from cgrx._trio.draining import DRAINING, Draining

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

SIGNALS = tuple(
    signal.Signals[name] for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK") if name in signal.Signals.__members__
)
"""Ctrl-C, a supervisor's request, a terminal that has gone; the last is Ctrl-Break, which Windows alone has."""


def run(
    main: Callable[[*Ts], Awaitable[T]],
    *args: *Ts,
    drain: Duration = DRAIN_S,
    on_signal: Callable[[int], object] | None = None,
    clock: trio.abc.Clock | None = None,
) -> T:
    """Run an async function on trio, and let signals end it in good order: `cgrx.run(main)`.

    SIGTERM, SIGINT (Ctrl-C), SIGHUP and, on Windows, Ctrl-Break close every feed that is open in `main`, as its
    `aclose()` does: open windows come out, streams complete, `async for` loops end, `feed.run()` returns, recorders
    write the rest, and the code behind all these runs. Where no feed is open, such as before the first connection,
    `main` is cancelled. `on_drain` adds what else is to end by itself.

    A second signal cancels `main` at once, and so does the first one when `drain` has passed. Two seconds later the
    process ends in any case, whatever shields itself from the cancellation; a third signal ends it before. Signals
    within half a second are one. A signal that the process ignores stays ignored, as SIGHUP under `nohup`.

    Args:
        main: the async function.
        *args: what it is called with.
        drain: how long `main` may take to end after the first signal; 7 s by default, with which a container ends
            before Docker kills it (10 s); `math.inf` for no limit.
        on_signal: called with the number of the first signal, in the thread of the loop, before anything is closed.
            What it raises cancels `main`, and is raised here.
        clock: of trio; `trio.testing.MockClock` in tests.

    Returns:
        What `main` returns, also after SIGTERM: a service that is stopped in good order exits with 0.

    Raises:
        KeyboardInterrupt: after SIGINT, when `main` has ended: a shell and a caller have to know that somebody broke
            it off. Where nobody catches it, the exit status is 130, and no traceback is printed.
        SystemExit: another signal has cancelled `main`. The exit status is 0 where no feed was open; 128 and the number
            of the signal (143 of SIGTERM) after a second signal, or after `drain`.
        InTrioError: called inside trio, where `await main()` does.
        NotInTrioError: called where asyncio's loop runs (Jupyter, FastAPI).
        ThreadError: called outside the main thread, the only one that Python gives signals to.
        TypeError, ValueError: an argument cannot be used. Whatever `main` raises.

    Examples:
        >>> async def main() -> str:
        ...     return "done"
        >>> cgrx.run(main)
        'done'
    """
    _require_function(main)
    _require_alone()
    ending = _Ending(to_seconds(drain, "drain"), on_signal)
    with ending.listening():
        returned = trio.run(ending.around, main, *args, clock=clock)
    if ending.failure is not None:
        raise ending.failure
    if ending.number == signal.SIGINT:
        raise _untold(KeyboardInterrupt())
    if not returned:
        raise SystemExit(ending.status)
    return returned[0]


def _require_function(main: object) -> None:
    if inspect.iscoroutine(main):
        main.close()  # else Python warns that nobody awaited it
        raise TypeError(f"cgrx.run() calls the function itself: cgrx.run({main.__name__}, ...), without parentheses")
    if not callable(main):
        raise TypeError(f"main={main!r} is no async function")


def _require_alone() -> None:
    """Refuse where another loop runs, or where no signal can be heard."""
    if trio.lowlevel.in_trio_task():
        raise InTrioError("cgrx.run() starts trio, which runs here already: await main()")
    if _in_asyncio():
        raise NotInTrioError(
            "cgrx.run() starts trio, and the loop of asyncio runs here (Jupyter, FastAPI): await main() with the names"
            " of cgrx.aio in it, which are those of cgrx"
        )
    if threading.current_thread() is not threading.main_thread():
        raise ThreadError(
            "cgrx.run() listens to signals, which Python gives to the main thread alone: in another one use"
            " trio.run(main), or cgrx.sync without any loop"
        )


def _in_asyncio() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


@attrs.define(eq=False)
class _Ending:
    """How one run ends: see the table above."""

    drain_s: float
    on_signal: Callable[[int], object] | None
    number: int = 0
    """The last signal that counted; 0 before the first."""
    status: int = 0
    """The exit status where main has no value to return."""
    failure: Exception | None = None
    """What something that was to be stopped has raised."""
    _at: float = 0.0
    """When that signal came."""
    _counted: int = 0
    """How many have; the end of `drain_s` is one."""
    _scope: trio.CancelScope = attrs.field(factory=trio.CancelScope, init=False)
    _draining: Draining = attrs.field(init=False)
    _token: trio.lowlevel.TrioToken | None = None
    _is_early: bool = False
    """The first signal has come before the token."""

    def __attrs_post_init__(self) -> None:
        self._draining = Draining(self._scope.cancel)

    @contextmanager
    def listening(self) -> Generator[None]:
        """Take the signals in the body, except those that the process ignores."""
        before = {each: signal.getsignal(each) for each in SIGNALS}
        taken = [each for each in SIGNALS if before[each] not in (signal.SIG_IGN, None)]  # None: not Python's to give
        for each in taken:
            signal.signal(each, self._on_signal)
        try:
            yield
        finally:
            for each in taken:
                signal.signal(each, before[each])

    async def around(self, main: Callable[[*Ts], Awaitable[T]], *args: *Ts) -> list[T]:
        """Main's value, or nothing where main was cancelled."""
        DRAINING.set(self._draining)
        with self._scope:
            self._token = trio.lowlevel.current_trio_token()
            if self._is_early:
                self._drain()
            awaitable: object = main(*args)
            if not isinstance(awaitable, Awaitable):
                raise TypeError(f"main={main!r} has returned {awaitable!r}, and is no async function")
            return [await awaitable]
        return []

    def _on_signal(self, number: int, _: FrameType | None) -> None:
        """Python calls this between any two instructions of the main thread: what it needs of trio is done by trio."""
        now = time.monotonic()
        if self.number and now - self._at < SAME_SIGNAL_S:
            return
        self.number, self._at = number, now
        self._counted += 1
        if self._counted > 2:
            self._end()
        if self._token is None:
            self._is_early = True
        else:
            with suppress(trio.RunFinishedError):
                self._token.run_sync_soon(self._drain if self._counted == 1 else self._stop)

    def _drain(self) -> None:
        trio.lowlevel.spawn_system_task(self._stop_after_drain)
        try:
            if self.on_signal is not None:
                self.on_signal(self.number)
            self._draining.ask()
        except Exception as error:  # noqa: BLE001 - of the user's code; raised by `run`
            self.failure = error
            self._scope.cancel()

    async def _stop_after_drain(self) -> None:
        await trio.sleep(self.drain_s)
        logger.warning("main has not ended within %g s of the signal: it is cancelled", self.drain_s)
        self._counted += 1
        self._stop()

    def _stop(self) -> None:
        self.status = 128 + self.number
        self._scope.cancel()
        trio.lowlevel.spawn_system_task(self._end_after_stop)

    async def _end_after_stop(self) -> None:
        await trio.sleep(STOP_S)
        self._end()

    def _end(self) -> None:
        os._exit(128 + self.number)


def _untold(interrupt: KeyboardInterrupt) -> KeyboardInterrupt:
    """Have Python print no traceback of this exception where nobody catches it."""
    if not isinstance(sys.excepthook, _Hook):
        sys.excepthook = _Hook(sys.excepthook)
    setattr(interrupt, _UNTOLD, True)
    return interrupt


_UNTOLD = "_cgrx_untold"


@attrs.frozen
class _Hook:
    """A `sys.excepthook` that passes over the exceptions of `_untold`. Python itself still dies of SIGINT."""

    before: Callable[[type[BaseException], BaseException, TracebackType | None], object]

    def __call__(self, kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
        if not hasattr(error, _UNTOLD):
            self.before(kind, error, traceback)
