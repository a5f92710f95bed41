"""What aggregates mean of rows: primitives that read the fields of rows, and formulas of these.

A window over rows computes `agg.max("high")` from the field `high` of the rows beneath. A field that is None, such as
the price of a window without events, or NaN is passed over. Sums stay integers in units (see `exact`): where the field
of the row is itself a sum, its row hands on the integer and not the rounded float (`Row._units_of`), so that the hour
of minutes is the hour of events to the byte.
"""

from abc import abstractmethod
from typing import Any, TypeAlias

import attrs

from cgrx.operators._aggregates.exact import BITS, amount, quotient, root
from cgrx.operators._aggregates.formulas import Formula, Function, Name, Write
from cgrx.operators._aggregates.primitives import FIELDS, Primitive

_Placed: TypeAlias = tuple[tuple[Any, ...], Any] | None
"""A value, and the place of its row in the order of rows: by start, end and key."""


@attrs.frozen
class RowPart(Primitive):
    """A running value of one field of the rows."""

    field: str

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that it reads."""
        return (self.field,)

    def add(self, name: str) -> list[str]:
        return [f"value = event.{self.field}", "if value is not None and value == value:", *_inside(self.take(name))]

    @abstractmethod
    def take(self, name: str) -> list[str]:
        """The lines that take in `value`, which is not None."""


@attrs.frozen
class RowCount(RowPart):
    """How many rows have the field: int."""

    @property
    def label(self) -> str:
        return f"count_{self.field}"

    def slots(self, name: str) -> dict[str, str]:
        return {name: "0"}

    def take(self, name: str) -> list[str]:
        return [f"self.{name} += 1"]

    def merge(self, name: str) -> list[str]:
        return [f"self.{name} += other.{name}"]


@attrs.frozen
class RowSum(RowPart):
    """An exact sum, of the field or of its square: int in units, or in units squared."""

    squared: bool = False

    @property
    def label(self) -> str:
        return f"sum_{self.field}{'_squared' if self.squared else ''}"

    def slots(self, name: str) -> dict[str, str]:
        return {name: "0"}

    def take(self, name: str) -> list[str]:
        return [f"self.{name} += event._units_of({self.field!r}){' ** 2' if self.squared else ''}"]

    def merge(self, name: str) -> list[str]:
        return [f"self.{name} += other.{name}"]


@attrs.frozen
class RowProduct(RowPart):
    """An exact sum of the field times a weight, of the rows that have both: int in units squared."""

    weight: str

    @property
    def label(self) -> str:
        return f"sum_{self.field}_times_{self.weight}"

    @property
    def fields(self) -> tuple[str, ...]:
        return self.field, self.weight

    def slots(self, name: str) -> dict[str, str]:
        return {name: "0"}

    def take(self, name: str) -> list[str]:
        return [
            f"if event.{self.weight} is not None:",
            f"    self.{name} += event._units_of({self.field!r}) * event._units_of({self.weight!r})",
        ]

    def merge(self, name: str) -> list[str]:
        return [f"self.{name} += other.{name}"]


@attrs.frozen
class RowWeight(RowProduct):
    """An exact sum of the weights of the rows that have both: int in units."""

    @property
    def label(self) -> str:
        return f"sum_{self.weight}_with_{self.field}"

    def take(self, name: str) -> list[str]:
        return [f"if event.{self.weight} is not None:", f"    self.{name} += event._units_of({self.weight!r})"]


@attrs.frozen
class RowWhole(RowPart):
    """Whether all values were integers: bool. Then so is their sum."""

    @property
    def label(self) -> str:
        return f"whole_{self.field}"

    def slots(self, name: str) -> dict[str, str]:
        return {name: "True"}

    def take(self, name: str) -> list[str]:
        return [f"self.{name} = self.{name} and type(value) is int"]

    def merge(self, name: str) -> list[str]:
        return [f"self.{name} = self.{name} and other.{name}"]


@attrs.frozen
class RowExtreme(RowPart):
    """The least or the greatest value, None before any."""

    greatest: bool

    @property
    def label(self) -> str:
        return f"{'max' if self.greatest else 'min'}_{self.field}"

    def slots(self, name: str) -> dict[str, str]:
        return {name: "None"}

    def take(self, name: str) -> list[str]:
        return [f"if self.{name} is None or value {self._beyond} self.{name}:", f"    self.{name} = value"]

    def merge(self, name: str) -> list[str]:
        return [
            f"value = other.{name}",
            f"if value is not None and (self.{name} is None or value {self._beyond} self.{name}):",
            f"    self.{name} = value",
        ]

    @property
    def _beyond(self) -> str:
        return ">" if self.greatest else "<"


@attrs.frozen
class RowEdge(RowPart):
    """The value of the first or the last row that has one, behind its place; None before any."""

    last: bool

    @property
    def label(self) -> str:
        return f"{'last' if self.last else 'first'}_{self.field}"

    def slots(self, name: str) -> dict[str, str]:
        return {name: "None"}

    def take(self, name: str) -> list[str]:
        return ["placed = (event._place, value)", *self._take(name)]

    def merge(self, name: str) -> list[str]:
        return [
            f"placed = other.{name}",
            "if placed is not None:",
            *_inside(self._take(name)),
        ]

    def _take(self, name: str) -> list[str]:
        beyond = ">" if self.last else "<"
        return [f"if self.{name} is None or placed {beyond} self.{name}:", f"    self.{name} = placed"]


@attrs.frozen
class RowTotal(Formula):
    """A sum: 0 without rows."""

    of: RowSum
    whole: RowWhole

    @property
    def primitives(self) -> tuple[Primitive, ...]:
        return self.of, self.whole

    def source(self, read: Write, name: Name) -> str:
        return f"{name(_total)}({read(self.of)}, {read(self.whole)})"

    def units(self, read: Write) -> str | None:
        return read(self.of)


@attrs.frozen
class Rank(Formula):
    """The place of the last value among all. What is kept is the last value: `ops.rolling` knows the others."""

    of: RowEdge

    @property
    def primitives(self) -> tuple[Primitive, ...]:
        return (self.of,)

    def source(self, read: Write, name: Name) -> str:
        return f"{name(_value)}({read(self.of)})"


def _inside(lines: list[str]) -> list[str]:
    return [f"    {line}" for line in lines]


def total(field: str) -> Formula:
    """The sum of a field."""
    return RowTotal(RowSum(field), RowWhole(field))


def mean(field: str, weight: str | None = None) -> Formula:
    """The mean of a field, each row counting the same, or by another field."""
    if weight is None:
        return Function(_mean, (RowSum(field), RowCount(field)))
    return Function(_weighted, (RowProduct(field, weight), RowWeight(field, weight)))


def deviation(field: str) -> Formula:
    """The standard deviation of a field."""
    return Function(_deviation, (RowCount(field), RowSum(field), RowSum(field, True)))


def extreme(field: str, greatest: bool) -> Formula:
    """The least or the greatest value of a field."""
    return Function(_same, (RowExtreme(field, greatest),))


def edge(field: str, last: bool) -> Formula:
    """A field of the first or the last row."""
    return Function(_value, (RowEdge(field, last),))


def change(field: str) -> Formula:
    """The last value of a field minus the first."""
    return Function(_change, (RowEdge(field, False), RowEdge(field, True)))


def zscore(field: str) -> Formula:
    """How many standard deviations the last value of a field is from the mean."""
    return Function(_zscore, (RowCount(field), RowSum(field), RowSum(field, True), RowEdge(field, True)))


def rank(field: str) -> Formula:
    """How many of the values of a field are at most the last one."""
    return Rank(RowEdge(field, True))


def fields_of(formula: Formula) -> tuple[str, ...]:
    """The fields of rows that a formula reads."""
    parts = [part.fields for part in formula.primitives if isinstance(part, RowPart)]
    return tuple(dict.fromkeys(field for fields in parts for field in fields))


def is_own(field: object) -> bool:
    """Whether it could name a field of rows that events do not have."""
    return isinstance(field, str) and field.isidentifier() and not field.startswith("_") and field not in FIELDS


def _same(value: Any) -> Any:
    return value


def _value(placed: _Placed) -> Any:
    return None if placed is None else placed[1]


def _total(in_units: int, whole: bool) -> float:
    return in_units >> BITS if whole else amount(in_units)


def _mean(in_units: int, count: int) -> float | None:
    return quotient(in_units, count << BITS)


def _weighted(products: int, weights: int) -> float | None:
    return quotient(products, weights << BITS)


def _deviation(count: int, in_units: int, squares: int) -> float | None:
    return root(count * squares - in_units * in_units, count * count << 2 * BITS) if count else None


def _change(first: _Placed, last: _Placed) -> Any:
    return None if first is None or last is None else last[1] - first[1]


def _zscore(count: int, in_units: int, squares: int, last: _Placed) -> float | None:
    spread = count * squares - in_units * in_units
    if last is None or not spread:
        return None
    value = last[1].as_integer_ratio()
    above = count * value[0] * (1 << BITS) - in_units * value[1]
    size = root(above * above, value[1] * value[1] * spread)
    return size if above > 0 else -size
