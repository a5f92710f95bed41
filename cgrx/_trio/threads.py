"""Reaching the thread of a trio loop from another one."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

import trio

from cgrx._model.limits import ANSWER_S

T = TypeVar("T")

REACHABLE: trio.lowlevel.RunVar[bool] = trio.lowlevel.RunVar("cgrx: reachable", False)
"""Whether the feeds of a trio run take calls from other threads and hand them over: those of `cgrx.sync` do."""


def ask(token: trio.lowlevel.TrioToken, question: Callable[[], T], what: str) -> T:
    """The answer of `question`, which runs in the loop's thread; at once where this is that thread.

    Where the loop has ended nothing changes any more, and `question` runs here.

    Raises:
        TimeoutError: there is no answer within `ANSWER_S`; `what` names the question.
    """
    if trio.lowlevel.in_trio_run() and trio.lowlevel.current_trio_token() is token:
        return question()
    answer: Future[T] = Future()

    def reply() -> None:
        try:
            answer.set_result(question())
        except Exception as error:  # noqa: BLE001 - raised by `result`, in the thread that asked
            answer.set_exception(error)

    try:
        token.run_sync_soon(reply)
    except trio.RunFinishedError:
        return question()
    try:
        return answer.result(ANSWER_S)
    except TimeoutError:
        if answer.done():  # the question's own
            raise
        raise TimeoutError(
            f"{what}: no answer within {ANSWER_S:g} s, something blocks the thread of the feed's event loop"
        ) from None


def tell(token: trio.lowlevel.TrioToken, action: Callable[[], object]) -> None:
    """Let `action` run in the loop's thread, soon; never where the loop has ended."""
    try:
        token.run_sync_soon(action)
    except trio.RunFinishedError:
        return
