"""What a filter asks of the fields of an event: the one meaning that readers of files and compilers share.

    side("long")               side == 1
    min_volume(250_000)        volume_usd >= 250_000
    exchange("okx", "bybit")   exchange, folded, is one of {"okx", "bybit"}

A filter that has no such form (a Python function) is no condition, and what stands behind it is none either: who
skips events by conditions must skip none that the filter would have seen.
"""

from collections.abc import Callable, Iterable
from typing import Any, Literal

import attrs

from cgrx._streams import Stage
from cgrx.operators._filters import FOLDS, SIDES, MaxVolume, MinVolume, OneOf, Side


@attrs.frozen
class Equals:
    """The field is this number."""

    field: Literal["side"]
    value: int


@attrs.frozen
class AtLeast:
    """The field is at least so much."""

    field: Literal["volume_usd"]
    value: float


@attrs.frozen
class AtMost:
    """The field is at most so much."""

    field: Literal["volume_usd"]
    value: float


@attrs.frozen
class OneOfTexts:
    """The field, folded, is one of these texts, which are folded already."""

    field: Literal["exchange", "symbol", "base_asset"]
    folded: frozenset[str]
    fold: Callable[[str], str]

    def accepts(self, text: str) -> bool:
        """Whether a text of the field is wanted."""
        return self.fold(text) in self.folded


Condition = Equals | AtLeast | AtMost | OneOfTexts


def condition(stage: Stage[Any, Any]) -> Condition | None:
    """What a filter asks of an event's fields; None for a stage that is no such filter."""
    match stage:
        case Side(wanted=wanted):
            return Equals("side", int(SIDES[wanted]))
        case MinVolume(usd=usd):
            return AtLeast("volume_usd", usd)
        case MaxVolume(usd=usd):
            return AtMost("volume_usd", usd)
        case OneOf(field=field, names=names):
            fold = FOLDS[field]
            return OneOfTexts(field, frozenset(map(fold, names)), fold)
        case _:
            return None


def leading_conditions(stages: Iterable[Stage[Any, Any]]) -> tuple[Condition, ...]:
    """What a chain of stages asks of every event before anything else sees it."""
    found: list[Condition] = []
    for stage in stages:
        asked = condition(stage)
        if asked is None:
            break
        found.append(asked)
    return tuple(found)
