"""What aggregates of rows keep of more than sums: their values in order, and means weighed by age.

The order of rows is that of their windows (start, end, key), not that in which they come. A window has few rows, so
their values are kept; merged parts share what they hold, so that the overlapping parts of `ops.rolling` cost a
reference each.
"""

import math
from itertools import accumulate, pairwise
from typing import Any

import attrs

from cgrx.operators._aggregates.bounded import Numbers
from cgrx.operators._aggregates.decayed import HalfLives
from cgrx.operators._aggregates.formulas import Formula, Function
from cgrx.operators._aggregates.over_rows import RowPart


class Path:
    """Values in the order of their rows. State: each value with the place of its row."""

    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._held: tuple[Any, ...] = ()
        """A pair of such, or a longer tuple: a place, and the value behind it. Frozen, so that it may be shared."""

    def add(self, place: tuple[Any, ...], value: float) -> None:
        """Take in the value of a row."""
        self._held = self._held, (*place, value)

    def merge(self, other: "Path") -> None:
        """Take in what `other` has; that stays as it is."""
        self._held = self._held, other._held

    def values(self) -> list[float]:
        """The values in order."""
        return [placed[-1] for placed in self._placed()]

    def quantile(self, q: float) -> float | None:
        """The value of rank ⌊q(n - 1)⌋, by size."""
        return self._numbers().quantile(q)

    def median(self) -> float | None:
        """The value in the middle by size, or the mean of the two there."""
        return self._numbers().median()

    def max_drawdown(self) -> float | None:
        """The largest fall from a value to a later one, as a share of the former."""
        values = self.values()
        if not _are_prices(values):
            return None
        return max((peak - value) / peak for value, peak in zip(values, accumulate(values, max), strict=True))

    def realised_volatility(self) -> float | None:
        """The root of the sum of the squared logarithmic returns."""
        values = self.values()
        if len(values) < 2 or not _are_prices(values):
            return None
        return math.hypot(*(_log_return(before, after) for before, after in pairwise(values)))

    def _numbers(self) -> Numbers:
        numbers = Numbers(math.inf, 0)
        for value in self.values():
            numbers.add(value)
        return numbers

    def _placed(self) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = []
        rest = [self._held]
        while rest:
            held = rest.pop()
            if len(held) == 2:
                rest += held
            elif held:
                found.append(held)
        return sorted(found)

    def __reduce__(self) -> tuple[object, ...]:
        return _path, (self._placed(),)  # pairs of pairs lie deeper than pickle goes


def _path(placed: list[tuple[Any, ...]]) -> Path:
    found = Path()
    for *place, value in placed:
        found.add(tuple(place), value)
    return found


def _are_prices(values: list[float]) -> bool:
    return bool(values) and all(0 < value < math.inf for value in values)


def _log_return(before: float, after: float) -> float:
    change = (after - before) / before
    # Of a small change the logarithms would agree in most of their digits, and their difference keep few.
    return math.log1p(change) if abs(change) < 0.5 else math.log(after) - math.log(before)


@attrs.frozen
class RowPath(RowPart):
    """The values of the field in the order of rows: a `Path`."""

    @property
    def label(self) -> str:
        return f"path_{self.field}"

    def slots(self, name: str) -> dict[str, str]:
        return {name: "Path()"}

    def take(self, name: str) -> list[str]:
        return [f"self.{name}.add(event._place, value)"]

    def merge(self, name: str) -> list[str]:
        return [f"self.{name}.merge(other.{name})"]

    def globals(self, name: str) -> dict[str, object]:
        return {"Path": Path}


@attrs.frozen
class RowDecayed(RowPart):
    """The sums of the field with their weights, by the end of each row: a `HalfLives`."""

    half_life_ms: int

    @property
    def label(self) -> str:
        return f"decayed_{self.field}"

    def slots(self, name: str) -> dict[str, str]:
        return {name: f"HalfLives({self.half_life_ms})"}

    def take(self, name: str) -> list[str]:
        return [f"self.{name}.add(event.end_ms, event._units_of({self.field!r}))"]

    def merge(self, name: str) -> list[str]:
        return [f"self.{name}.merge(other.{name})"]

    def globals(self, name: str) -> dict[str, object]:
        return {"HalfLives": HalfLives}


def quantile(field: str, q: float) -> Formula:
    """A quantile of a field."""
    return Function(Path.quantile, (RowPath(field),), (q,))


def median(field: str) -> Formula:
    """The median of a field."""
    return Function(Path.median, (RowPath(field),))


def max_drawdown(field: str) -> Formula:
    """The largest fall of a field."""
    return Function(Path.max_drawdown, (RowPath(field),))


def realised_volatility(field: str) -> Formula:
    """The realised volatility of a field."""
    return Function(Path.realised_volatility, (RowPath(field),))


def ewm(field: str, half_life_ms: int) -> Formula:
    """The exponentially weighted mean of a field."""
    return Function(HalfLives.mean, (RowDecayed(field, half_life_ms),))
