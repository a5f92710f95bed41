"""What a filter asks of an event, as data: the loop over events reads it, and so do engines that work on columns.

    min_volume(1000).condition    ->   Condition("volume_usd", ">=", 1000)
    exchange("binance").condition ->   Condition("exchange", "in", ("binance",))

An engine that cannot compare texts as `accepts` does may call `accepts` once for each distinct text of the column.
"""

from abc import abstractmethod
from collections.abc import Callable, Iterable
from typing import Any, Literal, TypeAlias

import attrs

from cgrx._model.exchanges import canonical_exchange
from cgrx._streams.about import STATELESS, About
from cgrx._streams.predicates import Predicate
from cgrx._streams.running import Elementwise, Running, filter_step
from cgrx._streams.stream import Stage

Comparison: TypeAlias = Literal["==", ">=", "<=", "in"]


def _fold_exchange(value: str) -> str:
    return canonical_exchange(value).casefold()


FOLDS: dict[str, Callable[[str], str]] = {
    "exchange": _fold_exchange,
    "symbol": str.casefold,
    "base_asset": str.casefold,
}
"""The form in which the texts of a field are compared."""

MEMO_SIZE = 4096
"""How many distinct texts a filter remembers the answer for, per subscription."""


@attrs.frozen
class Condition:
    """A field of an event, compared with a value."""

    field: str
    """The name of a field of an event, and of the column that holds it."""
    comparison: Comparison
    """`"in"` is for texts alone: the field's text, folded, is one of those in `value`."""
    value: float | tuple[str, ...]
    """A number (of a side: as on the wire); for `"in"` the folded texts."""

    def accepts(self, value: Any) -> bool:
        """Whether an event with this value of the field passes."""
        match self.comparison:
            case "==":
                return bool(value == self.value)
            case ">=":
                return bool(value >= self.value)
            case "<=":
                return bool(value <= self.value)
            case _:
                return FOLDS[self.field](value) in self.value  # type: ignore[operator]  # here it holds texts, see `value`

    @property
    def predicate(self) -> Predicate:
        """The condition as an expression for the loop over events."""
        if self.comparison == "in":
            return Predicate(f"{{0}}[e.{self.field}]", (_Answers(self),))
        return Predicate(f"e.{self.field} {self.comparison} {{0}}", (self.value,))


class _Answers(dict[str, bool]):
    """Which texts meet a condition, computed once for each distinct one and then looked up."""

    def __init__(self, condition: Condition) -> None:
        super().__init__()
        self._condition = condition

    def __missing__(self, value: str) -> bool:
        if len(self) >= MEMO_SIZE:
            self.clear()
        answer = self[value] = self._condition.accepts(value)
        return answer


class Conditional(Stage[Any, Any]):
    """A stage that keeps the events that meet its condition, and no others."""

    __slots__ = ()

    @property
    @abstractmethod
    def condition(self) -> Condition:
        """What it asks of an event."""

    @property
    def predicate(self) -> Predicate:
        """The condition as an expression for the loop over events, with fresh state."""
        return self.condition.predicate

    @property
    def about(self) -> About:
        return STATELESS

    def start(self) -> Running[Any, Any]:
        return Elementwise(filter_step((self, self.predicate)))


def leading_conditions(stages: Iterable[Stage[Any, Any]]) -> tuple[Condition, ...]:
    """What a chain of stages asks of every event before anything else of it sees the event."""
    found: list[Condition] = []
    for stage in stages:
        if not isinstance(stage, Conditional):
            break
        found.append(stage.condition)
    return tuple(found)


def is_one_of(field: str, texts: tuple[str, ...]) -> Condition:
    """The condition that the text of a field is one of these, however it is spelled."""
    return Condition(field, "in", tuple(sorted({FOLDS[field](text) for text in texts})))
