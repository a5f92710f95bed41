"""Which event loop runs here, and the sentences that say which of `cgrx`, `cgrx.aio` and `cgrx.sync` belongs to it."""

import asyncio

import trio

from cgrx._model.use_errors import InTrioError, NotInAsyncioError, NotInTrioError
from cgrx._streams.observable import in_asyncio_task


def require_trio(what: str) -> trio.lowlevel.TrioToken:
    """The token of the trio loop whose task runs here.

    Raises:
        NotInTrioError: none does; `what` names what needed it, such as `connect()`.
    """
    if trio.lowlevel.in_trio_task():
        return trio.lowlevel.current_trio_token()
    if in_asyncio_task():
        raise NotInTrioError(f"{what} needs trio, and asyncio (Jupyter, FastAPI) runs here: use cgrx.aio")
    raise NotInTrioError(f"{what} needs a running trio loop: start one with cgrx.run(main), or use cgrx.sync without")


def require_asyncio(what: str) -> asyncio.AbstractEventLoop:
    """The running loop of asyncio.

    Raises:
        NotInAsyncioError: none runs in this thread; `what` names what needed it, such as `cgrx.aio.connect()`.
    """
    if trio.lowlevel.in_trio_task():
        raise NotInAsyncioError(f"{what} needs asyncio, and trio runs here: use {plain(what)}")
    return running_loop(what)


def running_loop(what: str) -> asyncio.AbstractEventLoop:
    """The same, also for a task of trio that is a guest of that loop."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        raise NotInAsyncioError(
            f"{what} needs a running asyncio loop: start one with asyncio.run(main()), or use"
            f" {plain(what, 'cgrx.sync.')} without"
        ) from None


def require_no_trio(what: str) -> None:
    """Refuse to block a trio loop, with a function that starts one itself: one thread runs one at most.

    Raises:
        InTrioError: a trio loop runs in this thread; `what` names what would block it, such as `cgrx.backtest()`.
    """
    if trio.lowlevel.in_trio_run():
        thread = "trio.to_thread.run_sync" if trio.lowlevel.in_trio_task() else "asyncio.to_thread"
        raise InTrioError(
            f"{what} blocks, and a trio loop runs in this thread: give it a thread of its own, as in"
            f" await {thread}({what.partition('(')[0]}, ...)"
        )


def require_blockable(what: str) -> None:
    """Refuse to block a task of trio.

    Raises:
        InTrioError: one runs here; `what` names what would block it, such as `cgrx.sync.connect()`.
    """
    if trio.lowlevel.in_trio_task():
        raise InTrioError(f"{what} blocks, and trio runs here: use {plain(what)}")


def plain(what: str, prefix: str = "cgrx.") -> str:
    """The same call on another host: `cgrx.aio.connect()` -> `cgrx.connect()`."""
    return prefix + what.rpartition(".")[2]
