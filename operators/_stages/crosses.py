"""Thresholds: a result where a number of a key passes a level, and one where it is back."""

import math
from collections.abc import Callable, Hashable, Sequence
from typing import Any, Generic, Literal, TypeAlias, TypeVar, cast, overload

import attrs
from reactivex import Observable

from cgrx._model.times import NEVER
from cgrx._model.use_errors import TooManyKeysError
from cgrx._streams.about import About
from cgrx._streams.functions import check_type
from cgrx._streams.running import Elementwise, Interrupted, Running, Step, noted
from cgrx._streams.stream import EventStream, EventTypes, Stage, require_types
from cgrx.operators._rows.row import Row
from cgrx.operators._stages.arguments import MAX_KEYS, flag, key_bound, max_keys_as_code
from cgrx.operators._stages.items import (
    Carried,
    Names,
    check_types,
    innermost,
    key_as_code,
    key_reader,
    names,
    number_reader,
    too_many,
)

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

Direction: TypeAlias = Literal["above", "below"]


class Crossing(Carried[T_co], Generic[T_co], frozen=True):
    """A number that has passed a level; `item` is the event or the row that brought it there.

    Examples:
        >>> events = batch(trade(price=61_000, exchange="OKX"))
        >>> [crossing] = play(ops.crosses("price", above=60_000), [events])
        >>> crossing.item.exchange, crossing.field, crossing.value, crossing.direction
        ('OKX', 'price', 61000, 'above')
    """

    field: str
    """The name of the number."""
    value: float
    """What it is now."""
    level: float
    """The level that it has passed."""
    direction: Direction
    """On which side of the level it is now."""
    back: bool = False
    """Whether that is the side on which its key began: the return."""


@attrs.frozen(repr=False)
class Crosses(Stage[Any, Crossing[Any]]):
    """See `crosses`."""

    field: str
    above: float | None
    below: float | None
    by: Names
    of: type | None = attrs.field(validator=check_type)
    max_keys: float
    begins: Direction
    returns: bool = attrs.field(validator=lambda _, attribute, value: flag(value, attribute.name))

    def __call__(self, source: Observable[T]) -> EventStream[Crossing[T]]:
        return cast("EventStream[Crossing[T]]", super().__call__(source))

    def event_types(self, incoming: EventTypes) -> EventTypes:
        def check(kind: type[object]) -> None:
            number_reader(self, kind, self.field)
            key_reader(self, kind, self.by)

        check_types(require_types(self, self.of, incoming), check)
        return frozenset({Crossing})

    def start(self) -> Running[Any, Any]:
        watching = _Watching(self)
        return Elementwise(Step(self, watching.apply, memory=watching))

    @property
    def about(self) -> About:
        return About(
            state="for each key the side it is on",
            bound=self.max_keys,
            beyond=TooManyKeysError.__name__,
            delay_ms=0,
        )

    def __repr__(self) -> str:
        levels = (("above", self.above), ("below", self.below))
        parts = [repr(self.field), *(f"{name}={level!r}" for name, level in levels if level is not None)]
        if self.begins != _quiet_side(self.above):
            parts.append(f"begins={self.begins!r}")
        if not self.returns:
            parts.append("returns=False")
        return f"crosses({', '.join(parts + key_as_code(self.by, self.of) + max_keys_as_code(self.max_keys))})"


def _quiet_side(above: float | None) -> Direction:
    return "above" if above is None else "below"


@overload
def crosses(
    field: str,
    *,
    above: float | None = None,
    below: float | None = None,
    by: str | Sequence[str] | None = None,
    begins: Direction | None = None,
    returns: bool = True,
    max_keys: float = ...,
) -> Crosses: ...
@overload
def crosses(
    field: str,
    *,
    above: float | None = None,
    below: float | None = None,
    by: str | Sequence[str] | None = None,
    of: type[T],
    begins: Direction | None = None,
    returns: bool = True,
    max_keys: float = ...,
) -> Stage[T, Crossing[T]]: ...
def crosses(
    field: str,
    *,
    above: float | None = None,
    below: float | None = None,
    by: str | Sequence[str] | None = None,
    of: type | None = None,
    begins: Direction | None = None,
    returns: bool = True,
    max_keys: float = MAX_KEYS,
) -> Stage[Any, Crossing[Any]]:
    """One result where a number passes a level, and one where it is back: 1 event or row -> 0 or 1 `Crossing`.

        in                                     1-5-4-1-5---     the values of one key
        crosses("volume", above=5)             --a-b---a---     a: "above", b: "below"
        crosses("volume", above=5, below=2)    --a---b-a---

    Examples:
        >>> prices = (59_000, 61_000, 60_500, 58_000)
        >>> events = batch(*(trade(price=price) for price in prices))
        >>> for crossing in play(ops.crosses("price", above=60_000), [events]):
        ...     print(crossing.value, crossing.direction, crossing.level, crossing.back)
        61000 above 60000 False
        58000 below 60000 True

    With `above` alone the number is above when it is at least that, with `below` alone it is below when it is at most
    that, and back when it is not. With both it is above from `above` on, and only at `below` or less below again: what
    moves to and fro between them gives no results (hysteresis). Each key begins on the quiet side: below, or above
    where `below` stands alone. So the first value of a key gives a result if it is beyond the level. A result that
    tells that the number is back on the quiet side says so (`back`).

        feed.liquidations().pipe(
            ops.tumbling("1m", by="base_asset", updates="1s"), ops.crosses("volume", above=1_000_000)
        )

    The rows of a key follow each other, from one window to the next. Where a window gives running rows its number
    begins low again: the first row of the next window below the level is the return. Running rows tell of a crossing
    as soon as there is one. A row that comes after one of a later window of its key, as final rows do, is only looked
    at if nothing of its window or of a later one was beyond the level; it may then bring the crossing, never the
    return.

    A number that is None, such as the mean of nothing, or NaN is passed over, and so is a withdrawn row; the row that
    takes its place is looked at as one of the latest window of its key. Nothing is forgotten at a gap; rows that
    are not complete count as others do, and say so themselves in `item`. Order is kept; marks, completion and errors
    pass.

    Args:
        field: a number of the rows, such as `"volume"` or a property of yours; of events `"price"`, `"volume_usd"`,
            `"time_ms"` or `"signed_volume_usd"`. Of a result such as `Crossing` the number of its `item`.
        above: the upper level, in the unit of the field.
        below: the lower level; under `above` where both are given.
        by: a number is followed for each key: `"base_asset"`, `"exchange"`, `"symbol"` or `"side"`, or several in a
            tuple, which rows must have as key fields; `()` for all together. By default the key fields of a row;
            events are all of one key.
        of: the type of event or row it takes, for the type checker and for an early error; any by default. A pipeline
            that begins with this stage needs it for its types.
        begins: the quiet side, where it is another one: `begins="above"` with both levels tells of what is `below`,
            and that it is back at `above`.
        returns: False leaves the returns out.
        max_keys: how many keys there may be; `math.inf` for no bound. A key stays once it has come.

    State: for each key on which side it is.

    Raises:
        ValueError: no level is given, one that is not finite, or `below` that is not under `above`; `begins` beyond the
            only level; an unknown field in `by`, `max_keys` below 1. For a field that the event or the row lacks: where
            the stream is known to carry such, when applied to it; else through `on_error`, at the first one.
        TypeError: an argument of another type; `of` is no type.
        TooManyKeysError: through `on_error`: there are more than `max_keys` keys.
    """
    if not isinstance(field, str):
        raise TypeError(f"field={field!r} takes the name of a number, such as 'volume' of a row or 'price' of an event")
    if above is None and below is None:
        raise ValueError(f"crosses({field!r}) needs a level: above=, below= or both")
    upper, lower = _level(above, "above"), _level(below, "below")
    if upper is not None and lower is not None and lower >= upper:
        raise ValueError(
            f"below={below!r} is not under above={above!r}: the number is above from `above` on, until it is at `below`"
        )
    return Crosses(field, upper, lower, names(by), of, key_bound(max_keys), _side(begins, upper, lower), returns)


def _side(value: object, above: float | None, below: float | None) -> Direction:
    if value is None:
        return _quiet_side(above)
    sides: tuple[Direction, ...] = ("below", "above")
    for side, level in zip(sides, (above, below), strict=True):
        if value == side and level is not None:
            return side
    raise ValueError(f"begins={value!r} takes 'below' where above= is given, and 'above' where below= is")


def _level(value: object, name: str) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{name}={value!r} takes a number, in the unit of the field")
    if not math.isfinite(value):
        raise ValueError(f"{name}={value!r} takes a finite number, in the unit of the field")
    return value


@attrs.define(eq=False)
class _Side:
    """Where a key is. Events are of no window: for them all times are the same."""

    is_above: bool
    start_ms: int = NEVER
    """Where the latest window begins of which a row has been looked at."""
    beyond_ms: int = NEVER
    """Where the latest window begins of which a row was beyond the level."""

    def forget(self, start_ms: int) -> None:
        """There is no such window. The row that comes in its place, and may begin earlier, follows at once."""
        if self.start_ms == start_ms:
            self.start_ms = NEVER
        if self.beyond_ms == start_ms:
            self.beyond_ms = NEVER


class _Watching:
    """The sides of one subscription, by key."""

    def __init__(self, stage: Crosses) -> None:
        self._stage = stage
        self._sides: dict[Hashable, _Side] = {}
        self._readers: dict[type[object], tuple[Callable[[Any], Any], Callable[[Any], Hashable]]] = {}
        self._quiet = stage.begins == "above"
        """Whether a key that has passed no level is above."""

    def state(self) -> object:
        return self._sides

    def take_up(self, state: object) -> None:
        self._sides = cast("dict[Hashable, _Side]", state)

    def apply(self, items: Sequence[Any]) -> list[Any]:
        results: list[Any] = []
        for item in items:
            try:
                crossing = self._look(item)
            except Exception as error:
                raise Interrupted(results, noted(error, self._stage, item)) from error
            if crossing is not None:
                results.append(crossing)
        return results

    def _look(self, item: Any) -> Crossing[Any] | None:
        kind = cast("type[object]", type(item))
        readers = self._readers.get(kind)
        if readers is None:
            stage = self._stage
            readers = number_reader(stage, kind, stage.field), key_reader(stage, kind, stage.by)
            self._readers[kind] = readers
        value = readers[0](item)
        if value is None or value != value:  # NaN alone differs from itself
            return None
        side = self._side(readers[1](item))
        row = innermost(item)
        if isinstance(row, Row) and row.withdrawn:
            side.forget(row.start_ms)
            return None
        is_above = self._is_above(value, side.is_above)
        if not self._counts(row, side, is_above) or is_above == side.is_above:
            return None
        side.is_above = is_above
        stage = self._stage
        back = is_above == self._quiet
        if back and not stage.returns:
            return None
        near, far = (stage.above, stage.below) if is_above else (stage.below, stage.above)
        level = cast(float, far if near is None else near)
        return Crossing(item, stage.field, value, level, "above" if is_above else "below", back)

    def _side(self, key: Hashable) -> _Side:
        side = self._sides.get(key)
        if side is None:
            if len(self._sides) >= self._stage.max_keys:
                raise too_many(self._stage.max_keys, key)
            side = self._sides[key] = _Side(self._quiet)
        return side

    def _is_above(self, value: float, was_above: bool) -> bool:
        """Whether a value is above, for a key that was or was not before."""
        above, below = self._stage.above, self._stage.below
        if above is None or (was_above and below is not None):
            return value > cast(float, below)
        return value >= above

    def _counts(self, row: object, side: _Side, is_above: bool) -> bool:
        """Whether a row counts: one of an earlier window only where it alone is beyond the level."""
        start_ms = row.start_ms if isinstance(row, Row) else 0
        is_beyond = is_above != self._quiet
        if start_ms < side.start_ms and not (is_beyond and side.is_above == self._quiet and start_ms > side.beyond_ms):
            return False
        side.start_ms = max(side.start_ms, start_ms)
        if is_beyond:
            side.beyond_ms = max(side.beyond_ms, start_ms)
        return True
