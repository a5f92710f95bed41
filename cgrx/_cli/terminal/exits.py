"""How a command ends: its exit codes, and the one line that says why."""

from collections.abc import Callable
from contextvars import ContextVar
from enum import IntEnum

from cgrx import API_KEY_VARIABLE, AddressError, AuthError, CgrxError, ConnectError, PlanError, RejectedError


class Exit(IntEnum):
    """The exit codes, as docs/cli.md lists them. A signal ends a command with 128 and its number."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    NO_EXTRA = 3  # also a literal in __main__.py, which runs where this module cannot be imported
    NO_KEY = 4
    KEY_REFUSED = 5
    PLAN = 6
    NO_CONNECTION = 7
    REFUSED = 8


class CommandError(CgrxError):
    """A command cannot go on: `exit` is its exit code, the message its last line."""

    def __init__(self, exit: Exit, message: str) -> None:  # noqa: A002 - the attribute's name
        super().__init__(message)
        self.exit = exit


whence: ContextVar[Callable[[str], str]] = ContextVar("whence", default=lambda _: "")
"""Takes the message about a mistake of the user, and returns where that is: `FILE:LINE: `, or nothing if in no file."""


def explain(error: CgrxError) -> tuple[Exit, str]:
    """The exit code and the line for an error that ended a command. The text may be the server's: escape it."""
    match error:
        case CommandError(exit=Exit.USAGE):
            return error.exit, f"{whence.get()(str(error))}{error}"
        case CommandError():
            return error.exit, str(error)
        case AuthError():
            return Exit.KEY_REFUSED, f"the server refused the API key in {API_KEY_VARIABLE} (HTTP {error.status})"
        case RejectedError():
            return Exit.KEY_REFUSED, f"{error}: most likely the API key is not valid"
        case PlanError():
            return Exit.PLAN, str(error)
        case ConnectError():
            attempts = f"{error.attempts} attempt" + ("s" if error.attempts != 1 else "")
            why = str(error.last) if error.last is not None else "no answer"
            return Exit.NO_CONNECTION, f"gave up after {error.timeout_s:g} s and {attempts}: {why}"
        case AddressError():
            return Exit.NO_CONNECTION, str(error)
        case _:
            return Exit.FAILED, str(error)
