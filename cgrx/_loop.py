"""The event loop that cgrx needs, and the sentence that says so where it is missing."""

import trio

from cgrx._errors import NotInTrioError


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
