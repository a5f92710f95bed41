"""The window that a command's options ask for, and the class of its rows."""

from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeAlias, cast, get_args

import attrs

from cgrx import operators as ops

Key: TypeAlias = Literal["base_asset", "exchange", "symbol", "side"]
"""A field by which rows can be kept apart."""

KEYS: tuple[Key, ...] = get_args(Key)

_UPDATES = "1s"
"""How often a running row may be updated, in event time."""


@attrs.frozen
class Windowing:
    """A window that was asked for."""

    of: Callable[..., ops.Stage[Any, ops.Row]]
    """Makes it, of the class of rows and `updates=`."""
    step_ms: int
    """From the beginning of one to that of the next; a day for all that follow a calendar."""
    row: type[ops.Row]
    """`ops.Bar` with its key where that fixes the instrument, else `ops.Flow`."""
    running: bool = False
    """Whether rows that are not final become lines too."""
    words: str = ""
    """The window described for people, such as "1m by exchange, symbol"."""
    zone: str = "UTC"
    """Whose days they begin with."""

    def stage(self, *, updates: bool) -> ops.Stage[Any, ops.Row]:
        """The window; with `updates` it gives running rows too."""
        return self.of(self.row, updates=_UPDATES if updates else None)


def row_type(keys: Sequence[str]) -> type[ops.Row]:
    """`ops.Bar` with these key fields where they fix the instrument, else `ops.Flow` with them."""
    row = ops.Bar if {"exchange", "symbol"} <= set(keys) else ops.Flow
    if not keys:
        return row
    # As `class Flow(ops.Flow): exchange: str` declares them.
    body = {"__doc__": row.__doc__, "__annotations__": dict.fromkeys(keys, str)}
    return cast("type[ops.Row]", type(row.__name__, (row,), body))
