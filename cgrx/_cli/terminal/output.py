"""Standard output for data: whole lines, written off the event loop, so that a slow reader stops nothing else.

While a reader does not read, the write waits in its thread and the loop goes on: pings are answered and Ctrl-C works.
Writes bypass Python's buffer: the interpreter flushes it at exit, and an abandoned write must not hold its lock then.
"""

import math
import threading
from collections.abc import Callable

import trio

from cgrx._cli.terminal.exits import CommandError, Exit

GRACE_S = 1.0
"""How long a write may still take once the command ends."""


_LOOK_AGAIN_S = 0.01


class ReaderGoneError(CommandError):
    """Nobody reads standard output any more, as behind `| head`: the command ends without a message."""

    def __init__(self) -> None:
        super().__init__(Exit.DONE, "")


class Output:
    """Writes to a raw binary stream (`write` may take less than it is given)."""

    def __init__(self, write: Callable[[bytes], int | None]) -> None:
        self._write = write
        self._deadline = math.inf
        self._scope: trio.CancelScope | None = None

    async def write(self, data: bytes) -> None:
        """Write everything, even when cancelled, so that lines stay whole; the deadline of `finish_by` ends the wait.

        Raises:
            ReaderGoneError: nobody reads.
            CommandError: the write failed, or the reader took nothing until the deadline.
        """
        with trio.CancelScope(shield=True, deadline=self._deadline) as scope:
            self._scope = scope
            try:
                await trio.to_thread.run_sync(self._write_all, data, abandon_on_cancel=True)
            except BrokenPipeError:
                raise ReaderGoneError from None
            except OSError as error:
                raise CommandError(Exit.FAILED, f"cannot write to standard output: {error.strerror}") from error
            finally:
                self._scope = None
        if scope.cancelled_caught:
            raise CommandError(Exit.FAILED, "the reader of standard output takes nothing: the last lines are lost")

    def finish_by(self, deadline: float) -> None:
        """Give up writing at this time of trio's clock. A later call replaces the deadline."""
        self._deadline = deadline
        if self._scope is not None:
            self._scope.deadline = deadline

    def _write_all(self, data: bytes) -> None:
        while data:
            written = self._write(data)
            if written is None:  # somebody else made the terminal or the pipe non-blocking, and it is full
                threading.Event().wait(_LOOK_AGAIN_S)
            else:
                data = data[written:]
