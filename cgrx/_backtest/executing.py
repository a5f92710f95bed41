"""Calls that an executor makes, in this process, in others or on other machines, and what becomes of each."""

import pickle
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, as_completed
from typing import Any, TypeAlias

from cgrx._recording.recording import Recording
from cgrx._replay.playlist import Playlist, Recordings

Recorded: TypeAlias = tuple[Recordings, Sequence[str] | None, int | None, int | None]
"""What is replayed, as values that another machine can open: the arguments of `Playlist.of`."""


def require_executor(executor: object) -> None:
    """Refuse what is none.

    Raises:
        TypeError: it is no executor.
    """
    if executor is not None and not isinstance(executor, Executor):
        raise TypeError(f"executor={executor!r} is no concurrent.futures.Executor, such as ProcessPoolExecutor()")


def executed(
    executor: Executor, calls: Sequence[tuple[Any, ...]], on_done: Callable[[int, Any], object]
) -> tuple[Any, ...]:
    """What each call returned, or the exception that it ended with, in order.

    Args:
        executor: makes them.
        calls: a function and its arguments each.
        on_done: is called with the place of a call and what it gave, as soon as it has.

    Raises:
        Exception: what `on_done` raises. Calls that have not begun are given up then.
    """
    futures: dict[Future[Any], int] = {}
    done: dict[int, Any] = {}

    def finish(at: int, outcome: Any) -> None:
        done[at] = outcome
        on_done(at, outcome)

    try:
        for at, call in enumerate(calls):
            try:
                futures[executor.submit(*call)] = at
            except Exception as error:  # noqa: BLE001 - an executor that takes no calls any more
                finish(at, error)
        for future in as_completed(futures):
            try:
                outcome = future.result()
            except Exception as error:  # noqa: BLE001 - what cannot be pickled, or a process that ended
                outcome = error
            finish(futures[future], outcome)
    finally:
        for future in futures:
            future.cancel()
    return tuple(done[at] for at, _ in enumerate(calls))


def recorded(playlist: Playlist) -> Recorded:
    """A recording is opened again where it is read: it may be another machine."""
    logs = [log.folder if isinstance(log, Recording) else log for log in playlist.logs]
    selection = playlist.selection
    names = None if selection.channels is None else [channel.name for channel in selection.channels]
    return logs, names, selection.start_ms, selection.end_ms


def sendable(error: Exception) -> Exception:
    """The error, or one that says the same where its class does not pickle."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:  # noqa: BLE001 - whatever its class does
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error
