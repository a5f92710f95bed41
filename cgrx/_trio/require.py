"""The event loop that cgrx needs, and the sentences that say where it is missing, or in the way."""

import trio

from cgrx._model.errors import InTrioError, NotInTrioError


def require_trio(what: str) -> trio.lowlevel.TrioToken:
    """The token of the running trio loop.

    Raises:
        NotInTrioError: none runs in this thread; `what` names what needed it.
    """
    if not trio.lowlevel.in_trio_run():
        raise NotInTrioError(
            f"{what} needs a running trio loop, and asyncio's (Jupyter, FastAPI) is not one: start with"
            " trio.run(main), in a thread of its own where another loop runs"
        )
    return trio.lowlevel.current_trio_token()


def require_no_trio(what: str) -> None:
    """Refuse to block a trio loop.

    Raises:
        InTrioError: a trio loop runs in this thread; `what` names what would block it.
    """
    if trio.lowlevel.in_trio_run():
        raise InTrioError(
            f"{what} blocks, and a trio loop runs in this thread: give it a thread of its own, as in"
            f" await trio.to_thread.run_sync({what.partition('(')[0]}, ...)"
        )
