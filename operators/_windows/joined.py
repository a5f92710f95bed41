"""What a join gives, what it is told, and an item while it waits."""

from collections.abc import Hashable
from typing import Any, Generic, Literal, TypeAlias, TypeVar

import attrs
import msgspec

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


class Held(msgspec.Struct, eq=False, gc=False):  # it is made for each item, too; no item knows of it
    """An item that waits for its answer."""

    item: Any
    time_ms: int
    key: Hashable
    received_ms: int
    number: int
    looked: bool = False
    """Whether it waits for the first of its key."""
    answered: bool = False
