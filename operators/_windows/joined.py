"""What a join gives, what it is told, and an item while it waits."""

from collections.abc import Hashable
from typing import Any, Generic, Literal, TypeAlias, TypeVar

import attrs

from cgrx._model.signals import Alive
from cgrx.operators._stages.items import Carried

T_co = TypeVar("T_co", covariant=True)
U_co = TypeVar("U_co", covariant=True)

JoinQuality: TypeAlias = Literal["known", "none", "unknown"]


class Joined(Carried[T_co], Generic[T_co, U_co], frozen=True):
    """An event or a row, with the latest of another stream as of its time.

    Examples:
        >>> long, short = liquidation("long"), liquidation("short")
        >>> found = ops.Joined(long, short, age_ms=3_000, quality="known")
        >>> found.item.side.word, found.latest.side.word, found.age_ms
        ('long', 'short', 3000)
    """

    latest: U_co | None
    """The latest of the same key, however it came; None if there is none, or only an older one than `max_age`."""
    age_ms: int | None
    """How much earlier that is than the item, milliseconds of event time; below 0 where the item was held for it."""
    quality: JoinQuality
    """`"known"`: it is the latest. `"none"`: there is none. `"unknown"`: the other stream has a gap since, or from the
    time before, or may still say something; so there may be a later one than `latest`."""


@attrs.frozen(kw_only=True)
class JoinTerms:
    """The arguments of `latest_of`, but for the other stream."""

    by: tuple[str, ...]
    max_age_ms: float
    holds: bool
    lateness_ms: int
    idle_ms: int
    max_keys: float
    max_held: float


@attrs.define(eq=False)
class Period:
    """Items that came without a proof of life between them, and the proofs that came behind them."""

    open: int = 0
    """How many of the items have no answer yet."""
    proofs: dict[str, Alive] = attrs.field(factory=dict[str, Alive])
    """The latest of each origin: it says what earlier ones said."""


@attrs.define(eq=False)
class Waiting:
    """That an item waits for the first of its key."""

    time_ms: int
    """The item's own time."""
    answered: bool = False


Held: TypeAlias = tuple[int, int, Any, Hashable, int, Period, Waiting | None]
"""An item that waits for its answer: when that is due, its number, the item, its key, when it was received, the period
that it came in, and whether it waits for the first of its key. A tuple, since one is made for each item."""
