"""Sums in which an event counts half as much for each half-life that it is older than the latest.

The weight of an event at time t is 2 ** (t / half_life). Of the exponent the whole part is a shift of integers, and the
rest a factor from 1 to 2; so the sums of each half-life of the clock are kept on their own, as integers, and put
together when they are read. Nothing overflows, however long the span, and order, batching and merging leave no trace.
"""

from math import trunc

import attrs

from cgrx.operators._aggregates.exact import BITS, quotient
from cgrx.operators._aggregates.primitives import ADDENDS, Primitive

SPAN = 128
"""Sums that are so many half-lives behind the latest are left out: 2 ** -128 is 3e-39."""
_MANTISSA = float(1 << 52)
"""Makes an integer of a float from 1 to 2 and loses nothing."""


@attrs.define(eq=False)
class HalfLives:
    """Weighted sums for each half-life of the clock that has events, at most twice `SPAN`."""

    half_life_ms: int
    sums: dict[int, tuple[int, int]] = attrs.Factory(dict[int, tuple[int, int]])
    """The half-life by number: the sum of weighted values, in units, and that of weights."""

    def add(self, time_ms: int, value_units: int) -> None:
        """Take an event in."""
        at, into_ms = divmod(time_ms, self.half_life_ms)
        weight = trunc(2.0 ** (into_ms / self.half_life_ms) * _MANTISSA)
        self._add(at, weight * value_units, weight)

    def merge(self, other: "HalfLives") -> None:
        """Take in what `other` has; that stays as it is."""
        for at, (above, below) in other.sums.items():
            self._add(at, above, below)

    def mean(self) -> float | None:
        """The weighted mean."""
        if not self.sums:
            return None
        oldest = max(self.sums) - SPAN
        kept = [(at - oldest, *sums) for at, sums in self.sums.items() if at >= oldest]
        above = sum(value << shift for shift, value, _ in kept)
        below = sum(weight << shift for shift, _, weight in kept)
        return quotient(above, below << BITS)

    def _add(self, at: int, above: int, below: int) -> None:
        found = self.sums.get(at)
        if found is not None:
            self.sums[at] = (found[0] + above, found[1] + below)
            return
        self.sums[at] = (above, below)
        if len(self.sums) > 2 * SPAN:
            oldest = max(self.sums) - SPAN
            self.sums = {each: sums for each, sums in self.sums.items() if each >= oldest}


@attrs.frozen
class Decayed(Primitive):
    """The sums of a field with their weights: a `HalfLives`."""

    field: str
    half_life_ms: int

    @property
    def label(self) -> str:
        return f"decayed_{self.field}"

    @property
    def needs(self) -> tuple[str, ...]:
        return "time_ms", ADDENDS[self.field][1]

    def slots(self, name: str) -> dict[str, str]:
        return {name: f"HalfLives({self.half_life_ms})"}

    def add(self, name: str) -> list[str]:
        return [f"self.{name}.add(time_ms, {ADDENDS[self.field][0]})"]

    def merge(self, name: str) -> list[str]:
        return [f"self.{name}.merge(other.{name})"]

    def globals(self, name: str) -> dict[str, object]:
        return {"HalfLives": HalfLives}
