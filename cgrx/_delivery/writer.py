"""What a sink asks of the system behind it: three calls, and three kinds of failure.

SinkUnavailableError   away, slow, or asks to wait: the same batch is written again, over a new connection
SinkDataError          the data is refused: the batch is halved until the refused item is alone
SinkRefusedError       the user or the shape is refused: raised on entering, later held as the first
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

import attrs

from cgrx._model.data_errors import SinkDataError, SinkRefusedError, SinkUnavailableError

Write = Callable[[Sequence[Any]], Awaitable[object]]
"""A user's own sink: an async function of a batch, which returns when all of it has arrived.

Examples:
    >>> async def write(batch):
    ...     for row in batch:
    ...         print(row.asdict())
    >>> mine: cgrx.sinks.Write = write
"""

_ABOUT_DATA = (ValueError, TypeError, LookupError, ArithmeticError)
"""What Python raises about data. What else a writer raises is held: nothing is given up for a reason not understood."""


class Writer(Protocol):
    """One connection to a system, opened again after each failure. One task calls it, one call at a time."""

    @property
    def name(self) -> str:
        """What and where, for people, without a secret: `"postgres bars at db.example:5432"`."""
        ...

    async def open(self, types: frozenset[type]) -> None:
        """Connect, and check what can be checked; `types` are the classes of items that will come, as far as known."""
        ...

    async def write(self, batch: Sequence[Any], /) -> None:
        """Write a batch, and return when the system has acknowledged all of it."""
        ...

    async def close(self) -> None:
        """Let go of the connection, in whatever state it is."""
        ...


def require_function(write: object) -> None:
    """Check a user's function.

    Raises:
        TypeError: it is none.
    """
    if not callable(write):
        raise TypeError(f"write={write!r} is no function: give a function of a batch")


@attrs.frozen
class FunctionWriter:
    """A user's own function as a writer."""

    function: Write
    name: str

    async def write(self, batch: Sequence[Any], /) -> None:
        """Call the function."""
        await self.function(batch)

    async def open(self, types: frozenset[type]) -> None:
        """Nothing is known of what the function does."""

    async def close(self) -> None:
        """As above."""


def as_sink_error(error: Exception) -> SinkUnavailableError | SinkRefusedError | SinkDataError:
    """What a writer raised, as one of the three kinds."""
    if isinstance(error, SinkUnavailableError | SinkRefusedError | SinkDataError):
        return error
    kind = SinkDataError if isinstance(error, _ABOUT_DATA) else SinkUnavailableError
    made = kind(f"{type(error).__name__}: {error}")
    made.__cause__ = error
    return made
