"""The window that a command's options ask for, and what stands behind it."""

from collections.abc import Callable
from typing import Any, Literal, TypeAlias, get_args

import attrs

from cgrx import operators as ops
from cgrx._cli.view.flows import FlowJoin

Key: TypeAlias = Literal["base_asset", "exchange", "symbol", "side"]
"""A field by which rows can be kept apart."""

KEYS: tuple[Key, ...] = get_args(Key)

RankField: TypeAlias = Literal["volume", "count", "buy_volume", "sell_volume", "delta"]
"""A number by which rows can be ranked."""

_UPDATES = "1s"
"""How often a running row may be updated, in event time."""


@attrs.frozen
class Windowing:
    """A window that was asked for."""

    of: Callable[..., ops.Stage[Any, ops.Row]]
    """Makes it, of the class of rows and `updates=`."""
    step_ms: int
    """From the beginning of one to that of the next; a day for all that follow a calendar, 1 for cascades."""
    longest: str
    """The longest that one can be."""
    row: type[ops.Row]
    """`ops.Bar` with its key where that fixes the instrument, else `ops.Flow`; `ops.Cascade` for cascades."""
    running: bool = False
    """Whether rows that are not final become lines too."""
    words: str = ""
    """The window described for people, such as "1m by exchange, symbol"."""
    zone: str = "UTC"
    """Whose days they begin with."""
    top: int | None = None
    """How many rows of each window are shown; None for all."""
    top_by: RankField = "volume"
    """Which are shown, and in which order within a window."""
    join: FlowJoin | None = None
    """The flow beside each row."""

    def stage(self, *, updates: bool) -> ops.Stage[Any, ops.Row]:
        """The window; with `updates` it gives running rows too."""
        return self.of(self.row, updates=_UPDATES if updates else None)

    def leaders(self) -> tuple[ops.Stage[Any, Any], ...]:
        """What keeps the leaders of each window, behind it; nothing where all are shown."""
        return () if self.top is None else (ops.top(self.top, self.top_by),)

    @property
    def only_final(self) -> bool:
        """Whether what stands behind the window takes final rows alone."""
        return self.top is not None or self.join is not None

    @property
    def shown(self) -> type[ops.Row]:
        """The class of the rows that are shown."""
        return self.row if self.join is None else self.join.row
