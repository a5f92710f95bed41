"""Formulas: how the result of an aggregate is computed from primitives, as data that any engine can read.

    agg.vwap()   ->   Ratio(sum of volume_usd, sum of base)
    agg.delta()  ->   Total(2 * sum of volume_usd of buys - sum of volume_usd)

A primitive is a running value over events (see `primitives`); a formula makes the result of such values. Accumulators
get the source text for exact integers from here; an engine that reads columns has a rule for each kind of formula.
"""

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from math import inf
from typing import Any, TypeAlias

import attrs

from cgrx._model.events import Event
from cgrx.operators._aggregates.bounded import Kept
from cgrx.operators._aggregates.decayed import Decayed
from cgrx.operators._aggregates.exact import BITS, amount, quotient, root
from cgrx.operators._aggregates.primitives import (
    Count,
    Distinct,
    EdgeEvent,
    EdgePrice,
    Extreme,
    Primitive,
    Sum,
    SumBy,
    Top,
)
from cgrx.operators._aggregates.shares import Shares

Write: TypeAlias = Callable[[Primitive], str]
"""The source that reads a primitive."""
Name: TypeAlias = Callable[[Callable[..., object]], str]
"""A name for a function in the source."""


@attrs.frozen
class Formula:
    """A result, given the values of some primitives."""

    @property
    @abstractmethod
    def primitives(self) -> tuple[Primitive, ...]:
        """The primitives that it reads, in order."""

    @abstractmethod
    def source(self, read: Write, name: Name) -> str:
        """The result as source text."""

    def quick(self, read: Write, name: Name) -> str:
        """The same with fewer calls; it may raise `OverflowError`, and `source` must then be asked."""
        return self.source(read, name)

    def units(self, read: Write) -> str | None:
        """The exact sum of which the result is the rounded one, in units, as source text; None if it is no sum."""
        return None


@attrs.frozen
class Value(Formula):
    """The value of a primitive as it is: a count, the price of the first or the last event."""

    of: Count | EdgePrice

    @property
    def primitives(self) -> tuple[Primitive, ...]:
        return (self.of,)

    def source(self, read: Write, name: Name) -> str:
        return read(self.of)


Terms: TypeAlias = tuple[tuple[int, Sum], ...]
"""A sum of multiples: integer factors, each with the sum that it multiplies."""


def _written(terms: Terms, read: Write) -> str:
    text = ""
    for factor, part in terms:
        sign = (" - " if factor < 0 else " + ") if text else "-" * (factor < 0)
        text += f"{sign}{read(part)}" if abs(factor) == 1 else f"{sign}{abs(factor)} * {read(part)}"
    return text


def _factor(terms: Terms, read: Write) -> str:
    return _written(terms, read) if len(terms) == 1 and terms[0][0] == 1 else f"({_written(terms, read)})"


def _parts(terms: Iterable[tuple[int, Primitive]]) -> tuple[Primitive, ...]:
    return tuple(part for _, part in terms)


@attrs.frozen
class Total(Formula):
    """A sum, or a difference of sums: 0.0 without events."""

    terms: Terms

    @property
    def primitives(self) -> tuple[Primitive, ...]:
        return _parts(self.terms)

    def source(self, read: Write, name: Name) -> str:
        return f"{name(amount)}({_written(self.terms, read)})"

    def quick(self, read: Write, name: Name) -> str:
        return f"{_factor(self.terms, read)} * UNIT"

    def units(self, read: Write) -> str | None:
        return _written(self.terms, read)


@attrs.frozen
class Ratio(Formula):
    """A sum divided by a sum, or by a number of events: None where the divisor is 0."""

    dividend: Terms
    divisor: Terms | Count

    @property
    def primitives(self) -> tuple[Primitive, ...]:
        below = (self.divisor,) if isinstance(self.divisor, Count) else _parts(self.divisor)
        return tuple(dict.fromkeys((*_parts(self.dividend), *below)))

    def source(self, read: Write, name: Name) -> str:
        return f"{name(quotient)}({_written(self.dividend, read)}, {self._by(read)})"

    def quick(self, read: Write, name: Name) -> str:
        below = f"({self._by(read)})" if isinstance(self.divisor, Count) else _factor(self.divisor, read)
        return f"{_factor(self.dividend, read)} / {below} if {below} else None"

    def _by(self, read: Write) -> str:
        return f"{read(self.divisor)} << {BITS}" if isinstance(self.divisor, Count) else _written(self.divisor, read)


@attrs.frozen
class Deviation(Formula):
    """The standard deviation of a population of numbers, from their count, sum and sum of squares: None without any."""

    events: Count
    total: Sum
    squares: Sum

    @property
    def primitives(self) -> tuple[Primitive, ...]:
        return self.events, self.total, self.squares

    def source(self, read: Write, name: Name) -> str:
        return f"{name(_deviation)}({', '.join(map(read, self.primitives))})"


@attrs.frozen
class Found(Formula):
    """The least or the greatest value: None without events."""

    of: Extreme

    @property
    def primitives(self) -> tuple[Primitive, ...]:
        return (self.of,)

    def source(self, read: Write, name: Name) -> str:
        return f"{name(_found)}({read(self.of)})"


@attrs.frozen
class Field(Formula):
    """A field of the first or the last event: None without events."""

    of: EdgeEvent
    field: str

    @property
    def primitives(self) -> tuple[Primitive, ...]:
        return (self.of,)

    def source(self, read: Write, name: Name) -> str:
        return f"{name(_field)}({read(self.of)}, {self.field!r})"


@attrs.frozen
class Events(Formula):
    """The largest events, a tuple of them."""

    of: Top

    @property
    def primitives(self) -> tuple[Primitive, ...]:
        return (self.of,)

    def source(self, read: Write, name: Name) -> str:
        return f"tuple({read(self.of)})"


@attrs.frozen
class Names(Formula):
    """The distinct texts, a sorted tuple."""

    of: Distinct

    @property
    def primitives(self) -> tuple[Primitive, ...]:
        return (self.of,)

    def source(self, read: Write, name: Name) -> str:
        return f"tuple(sorted({read(self.of)}))"


@attrs.frozen
class Parts(Formula):
    """Each name's share of a sum, sorted by name."""

    of: SumBy

    @property
    def primitives(self) -> tuple[Primitive, ...]:
        return (self.of,)

    def source(self, read: Write, name: Name) -> str:
        return f"{name(_shares)}({read(self.of)})"


@attrs.frozen
class Spread(Formula):
    """(greatest - least ratio of two sums by name) / (ratio of the two whole sums): None without events."""

    dividends: SumBy
    divisors: SumBy

    @property
    def primitives(self) -> tuple[Primitive, ...]:
        return self.dividends, self.divisors

    def source(self, read: Write, name: Name) -> str:
        return f"{name(_spread)}({read(self.dividends)}, {read(self.divisors)})"


@attrs.frozen
class DecayedMean(Formula):
    """The mean weighted by age: None without events."""

    of: Decayed

    @property
    def primitives(self) -> tuple[Primitive, ...]:
        return (self.of,)

    def source(self, read: Write, name: Name) -> str:
        return f"{read(self.of)}.mean()"


@attrs.frozen
class Quantile(Formula):
    """Of n numbers in order that of rank ⌊q(n - 1)⌋: None without events."""

    of: Kept
    q: float

    @property
    def primitives(self) -> tuple[Primitive, ...]:
        return (self.of,)

    def source(self, read: Write, name: Name) -> str:
        return f"{read(self.of)}.quantile({self.q!r})"


@attrs.frozen
class Median(Formula):
    """The number in the middle, or the mean of the two there: None without events."""

    of: Kept

    @property
    def primitives(self) -> tuple[Primitive, ...]:
        return (self.of,)

    def source(self, read: Write, name: Name) -> str:
        return f"{read(self.of)}.median()"


@attrs.frozen
class DistinctCount(Formula):
    """How many different values there are."""

    of: Kept

    @property
    def primitives(self) -> tuple[Primitive, ...]:
        return (self.of,)

    def source(self, read: Write, name: Name) -> str:
        return f"{read(self.of)}.count()"


@attrs.frozen
class Function(Formula):
    """The result of a Python function of the values: no engine but this one can compute it."""

    function: Callable[..., Any]
    of: tuple[Primitive, ...]
    arguments: tuple[object, ...] = ()
    """What it gets besides."""

    @property
    def primitives(self) -> tuple[Primitive, ...]:
        return self.of

    def source(self, read: Write, name: Name) -> str:
        return f"{name(self.function)}({', '.join([*map(read, self.of), *map(repr, self.arguments)])})"


def _deviation(events: int, total: int, squares: int) -> float | None:
    if not events:
        return None
    return root(events * squares - total * total, events * events << 2 * BITS)


_INFINITE = (inf, -inf)


def _found(value: float) -> float | None:
    return None if value in _INFINITE else value


def _field(event: Event | None, field: str) -> object:
    return None if event is None else getattr(event, field)


def _shares(sums: Mapping[str, int]) -> Shares:
    total = sum(sums.values())
    shares = ((name, quotient(part, total)) for name, part in sorted(sums.items()))
    return Shares(tuple((name, share) for name, share in shares if share is not None))


def _spread(dividends: Mapping[str, int], divisors: Mapping[str, int]) -> float | None:
    # Fractions, because a difference of rounded prices would keep few digits of a small spread.
    ratios = [Fraction(dividends[name], divisors[name]) for name in dividends if divisors[name]]
    total = sum(dividends.values())
    if not ratios or not total:
        return None
    spread = (max(ratios) - min(ratios)) * sum(divisors.values()) / total
    return quotient(spread.numerator, spread.denominator)
