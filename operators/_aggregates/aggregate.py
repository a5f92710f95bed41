"""An aggregate as a value, and checks of the arguments that aggregates share.

An aggregate is a formula over primitives, see `formulas`. In the body of a `Row` it is a descriptor: `row.n` is
what the aggregate gives.
"""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, Literal, Never, Self, TypeAlias, TypeVar, overload

import attrs

from cgrx._model.events import EVENT_TYPES, SIDES, Event, Liquidation, LiquidationSide, Trade, TradeSide
from cgrx.operators._aggregates.formulas import Formula, Function
from cgrx.operators._aggregates.over_rows import fields_of, is_own
from cgrx.operators._aggregates.primitives import ALL, Guard, Keep, Primitive

R_co = TypeVar("R_co", covariant=True)

Side: TypeAlias = Literal["long", "short", "sell", "buy"] | LiquidationSide | TradeSide
"""`"long"`, `"short"`: of liquidations, the position; `"sell"`, `"buy"`: of trades, the taker."""
Amount: TypeAlias = Literal["price", "volume_usd"]
Number: TypeAlias = Literal["price", "volume_usd", "time_ms"]
Text: TypeAlias = Literal["exchange", "symbol", "base_asset"]

AMOUNTS = ("price", "volume_usd")
NUMBERS = ("price", "volume_usd", "time_ms")
TEXTS = ("exchange", "symbol", "base_asset")


@attrs.frozen(repr=False)
class Aggregate(Generic[R_co]):
    """A value to compute from the events of a window. It compares, hashes, pickles and prints as code.

    Examples:
        >>> agg.count(side="long")
        agg.count(side="long")
        >>> class Longs(ops.Row):
        ...     n = agg.count(side="long")
        >>> [row] = play(ops.tumbling("1m", Longs), [batch(liquidation("long"))])
        >>> row.n
        1
    """

    code: str
    """The code that makes it."""
    formula: Formula
    """What it means: how its result is computed from primitives."""
    kind: type[object] = float
    """The type of a result that is not None."""
    over_rows: Formula | None = None
    """What it means in a window over rows; None if it reads events alone."""

    @property
    def primitives(self) -> tuple[Primitive, ...]:
        """The running values that are kept for it while events come in."""
        return self.formula.primitives

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields of rows that it reads, in a window over rows."""
        return () if self.over_rows is None else fields_of(self.over_rows)

    @property
    def reads_rows(self) -> bool:
        """Whether it reads rows alone, not events."""
        return bool(fields_of(self.formula))

    @property
    def functions(self) -> tuple[Callable[..., object], ...]:
        """The user's Python functions in it, which cannot be compiled: those of `agg.custom`."""
        if not isinstance(self.formula, Function):
            return ()
        custom = [part for part in self.formula.of if isinstance(part, Keep)]
        return tuple(
            function for part in custom for function in (part.start, part.take, part.join, self.formula.function)
        )

    @property
    def event_types(self) -> frozenset[type[Event]] | None:
        """The types of event that it counts; None for all."""
        types = {part.guard.of for part in self.primitives}
        return None if None in types else frozenset(each for each in types if each is not None)

    # For type checkers: an aggregate in the body of a Row is a field of its instances. At run time `RowType` puts a
    # descriptor of its own in its place.
    @overload
    def __get__(self, row: None, owner: type) -> Self: ...
    @overload
    def __get__(self, row: object, owner: type) -> R_co: ...
    def __get__(self, row: object | None, owner: type) -> Self | R_co:
        if row is None:
            return self
        raise TypeError(f"{self!r} stands in the class {owner.__name__}, which is no cgrx.operators.Row")

    if TYPE_CHECKING:

        def __set__(self, row: object, value: Never) -> None: ...  # rows are frozen: nothing fits

    def __repr__(self) -> str:
        return self.code


def written(name: str, *arguments: object, **options: object) -> str:
    """The call that makes an aggregate, as code; options that are None are left out."""
    parts = [
        *map(_literal, arguments),
        *(f"{key}={_literal(each)}" for key, each in options.items() if each is not None),
    ]
    return f"agg.{name}({', '.join(parts)})"


def _literal(value: object) -> str:
    if isinstance(value, LiquidationSide | TradeSide):
        value = value.word
    if isinstance(value, str):
        return f'"{value}"'
    if value == math.inf:
        return "math.inf"
    return getattr(value, "__qualname__", None) or repr(value)


def filtered(name: str, side: Side | None, of: type[Event] | None) -> Guard:
    """The guard for `side=` and `of=`. A side belongs to one type of event, so it implies `of`.

    Raises:
        ValueError: `side` is none, or one of the other type of event than `of`.
        TypeError: `of` is no type of event.
    """
    kind: type[Liquidation | Trade] | None = Liquidation if of is Liquidation else Trade if of is Trade else None
    if kind is None and of is not None:
        raise TypeError(f"agg.{name}(of={of!r}) takes a type of event: Liquidation or Trade")
    if side is None:
        return Guard(kind)
    found = side if isinstance(side, LiquidationSide | TradeSide) else SIDES.get(str(side).lower())
    if found is None:
        raise ValueError(
            f'agg.{name}(side={side!r}) is none of "long", "short" (liquidations) and "buy", "sell" (trades)'
        )
    owner = EVENT_TYPES[type(found)]
    if kind not in (None, owner):
        others = " and ".join(_literal(each) for each in SIDES.values() if type(each) is not type(found))
        raise ValueError(
            f"agg.{name}(side={_literal(found)}, of={_literal(of)}): that is a side of {owner.__name__} events;"
            f" those of {_literal(of)} are {others}"
        )
    return Guard(owner, int(found))


def one_of(name: str, argument: str, value: object, accepted: tuple[str, ...], also: str = "") -> None:
    """Check the name of a field.

    Raises:
        ValueError: it is not among the accepted ones.
    """
    if value not in accepted:
        raise ValueError(f"agg.{name}({argument}={value!r}) takes {', '.join(repr(each) for each in accepted)}{also}")


def field_of(name: str, field: object, accepted: tuple[str, ...], guard: Guard, made: Formula | None) -> Formula | None:
    """What an aggregate of a field means of rows: `made`, unless it is of one side or type, which rows do not have.

    Raises:
        ValueError: the field is none of these, and cannot be one of rows.
    """
    if guard != ALL:
        one_of(name, "field", field, accepted)
        return None
    if not is_own(field):
        one_of(
            name, "field", field, accepted, ', or in a window over rows the name of a field of theirs, such as "volume"'
        )
    return made


def only_of_rows(name: str, argument: str, field: object, guard: Guard) -> None:
    """Check the name of a field of rows that no event has, of an aggregate that is not of one side or type.

    Raises:
        ValueError: it is none.
    """
    if not is_own(field):
        raise ValueError(f'agg.{name}({argument}={field!r}) takes the name of a number of the rows, such as "volume"')
    if guard != ALL:
        raise ValueError(f"agg.{name}({argument}={field!r}) reads rows, which have no side and are of no type of event")


def require_callables(name: str, **functions: Any) -> None:
    """Check that arguments can be called, and compared as parts of a value.

    Raises:
        TypeError: one cannot.
    """
    for argument, function in functions.items():
        if not callable(function) or getattr(type(function), "__hash__", None) is None:
            raise TypeError(f"agg.{name}({argument}={function!r}) takes a function, which must be hashable")
