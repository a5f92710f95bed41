"""What the kinds of windows say to the running form that they extend: of a row, and of a window that is still open."""

from typing import Any, Protocol, TypeAlias

from cgrx.operators._rows.row import Row

Quality: TypeAlias = tuple[int | None, int, int, bool, bool]
"""The last values of a row: `gap_ms`, `dropped`, `late`, `final`, `complete`."""


class Movable(Protocol):
    """An open window whose start may still change, and with it the identity of its rows."""

    given: Row | None
    """The running row that was given of it last."""


OpenRow: TypeAlias = tuple[int, tuple[Any, ...], int, tuple[object, ...], Movable | None]
"""A window that is still open: its end, key fields, start, aggregates so far, and itself where its start may change."""
