"""Values that are kept up to a bound, and beyond it in a sketch.

Both forms depend on nothing but which values there are, and so does the choice between them: it is made by how many
different ones there are. So order, batching and merging leave no trace.

The sketches are of libraries. DDSketch, of the package ddsketch, by its authors, counts numbers in bins: Masson, Rim,
Lee: DDSketch, a fast and fully-mergeable quantile sketch with relative-error guarantees, VLDB 2019,
https://www.vldb.org/pvldb/vol12/p2195-masson.pdf. The theta sketch of Apache DataSketches keeps the least of the hashes
of all values: Dasgupta, Lang, Rhodes, Thaler: A framework for estimating stream expression cardinalities, ICDT 2016,
https://arxiv.org/abs/1510.01455. A t-digest depends on the order of values, the quantile sketches of DataSketches toss
coins, and what its HLL sketch says of one stream is not what it says of merged parts.
"""

import math
import sys
from abc import abstractmethod
from itertools import accumulate
from typing import Any, Protocol, Self, cast

import attrs

from cgrx.operators._aggregates.primitives import Primitive


class Sketch(Protocol):
    """What takes in values in bounded memory."""

    def add(self, val: Any, weight: float, /) -> None:
        """Take in a value, as if it came `weight` times."""
        ...

    def merge(self, sketch: Self, /) -> None:
        """Take in all that another one, made alike, has taken in."""
        ...


@attrs.define(eq=False)
class Bounded:
    """Values, and how often each came: all up to `most` different ones, then a sketch."""

    most: float
    size: float
    """What the sketch is made with."""
    counts: dict[Any, int] = attrs.Factory(dict[Any, int])
    """Empty once there is a sketch."""
    sketch: Any = None

    @abstractmethod
    def new_sketch(self) -> Sketch:
        """An empty one."""

    def add(self, value: Any, times: int = 1) -> None:
        """Take a value in."""
        if self.sketch is not None:
            self.sketch.add(value, times)
            return
        self.counts[value] = self.counts.get(value, 0) + times
        if len(self.counts) > self.most:
            self.sketch = self._summed_up()

    def merge(self, other: Self) -> None:
        """Take in what `other` has; that stays as it is."""
        for value, times in other.counts.items():
            self.add(value, times)
        if other.sketch is not None:
            if self.sketch is None:
                self.sketch = self._summed_up()
            self.sketch.merge(other.sketch)

    def _summed_up(self) -> Sketch:
        sketch = self.new_sketch()
        for value, times in self.counts.items():
            sketch.add(value, times)
        self.counts = {}
        return sketch


class _DDSketch(Protocol):
    count: float

    def get_quantile_value(self, quantile: float) -> float | None: ...


class Numbers(Bounded):
    """Numbers in their order. `size` is the relative error of the sketch."""

    __slots__ = ()

    def new_sketch(self) -> Sketch:
        return dd_sketch(self.size)

    def quantile(self, q: float) -> float | None:
        """The number of rank ⌊q(n - 1)⌋."""
        if self.sketch is None:
            ordered = sorted(self.counts)
            passed = list(accumulate(self.counts[value] for value in ordered))
            rank = q * (passed[-1] - 1) if passed else 0
            return next((value for value, until in zip(ordered, passed, strict=True) if until > rank), None)
        try:
            value = cast("_DDSketch", self.sketch).get_quantile_value(q)
        except OverflowError:  # the upper end of the last bin lies beyond the floats
            return sys.float_info.max
        return None if value is None else float(value)

    def median(self) -> float | None:
        """The number in the middle, or the mean of the two there."""
        lower = self.quantile(0.5)
        n = self._len()
        if lower is None or n % 2:
            return lower
        # A little above the upper rank, which no rounding then misses.
        upper = cast(float, self.quantile(min(1.0, (n / 2 + 0.25) / (n - 1))))
        return lower + (upper - lower) / 2

    def _len(self) -> float:
        return sum(self.counts.values()) if self.sketch is None else cast("_DDSketch", self.sketch).count


def dd_sketch(error: float) -> Sketch:
    """An empty DDSketch.

    Raises:
        ImportError: the package is not installed.
    """
    from ddsketch import DDSketch

    return cast(Sketch, DDSketch(error))


class Different(Bounded):
    """Values, to be counted once each. `size` is how many hashes the sketch keeps, as a power of two."""

    __slots__ = ()

    def new_sketch(self) -> Sketch:
        return Theta(int(self.size))

    def count(self) -> int:
        """How many different ones there are."""
        return len(self.counts) if self.sketch is None else cast(Theta, self.sketch).count()


class Theta:
    """A theta sketch: the 2**lg_k least hashes of all values, which say how densely hashes lie.

    The library updates one kind of sketch with values and another with sketches; here are both.

    Raises:
        ImportError: the package is not installed.
    """

    def __init__(self, lg_k: int) -> None:
        import datasketches  # type: ignore[import-untyped]  # pyright: ignore[reportMissingTypeStubs]  # it has none

        self._library: Any = datasketches
        self._lg_k = lg_k
        self._added = self._library.update_theta_sketch(lg_k)
        self._merged: Any = None

    def add(self, value: object, weight: float = 1) -> None:
        """Take in a value, however often it came."""
        # As code, because the library passes over an empty text and refuses one that is not UTF-8.
        self._added.update(repr(value))

    def merge(self, other: "Theta") -> None:
        """Take in the hashes of another one."""
        self._take(other._all())

    def count(self) -> int:
        """About how many different values there are."""
        estimate: float = self._all().get_estimate()
        return round(estimate)

    def _take(self, hashes: Any) -> None:
        if self._merged is None:
            self._merged = self._library.theta_union(self._lg_k)
        self._merged.update(hashes)

    def _all(self) -> Any:
        """The hashes: always those that are the least, so that nothing shows of the way by which they came."""
        self._added.trim()
        added = self._added.compact()
        if self._merged is None:
            return added
        both = self._library.theta_union(self._lg_k)
        both.update(self._merged.get_result())
        both.update(added)
        return both.get_result()

    def __reduce__(self) -> tuple[object, ...]:
        return Theta, (self._lg_k,), self._all().serialize()

    def __setstate__(self, hashes: bytes) -> None:
        self._take(self._library.compact_theta_sketch.deserialize(hashes))


@attrs.frozen
class Kept(Primitive):
    """The values of a field: a `Bounded`."""

    field: str
    state: type[Bounded]
    most: float
    """How many different ones are kept exactly."""
    size: float
    """What the sketch of more is made with."""

    @property
    def label(self) -> str:
        return f"{self.state.__name__.lower()}_{self.field}"

    @property
    def needs(self) -> tuple[str, ...]:
        return (self.field,)

    def slots(self, name: str) -> dict[str, str]:
        return {name: f"{self.state.__name__}({self.most!r}, {self.size!r})"}

    def add(self, name: str) -> list[str]:
        return [f"self.{name}.add({self.field})"]

    def merge(self, name: str) -> list[str]:
        return [f"self.{name}.merge(other.{name})"]

    def globals(self, name: str) -> dict[str, object]:
        return {self.state.__name__: self.state}


def bound(name: str, exact: float, least: int, most: float = math.inf) -> float:
    """The argument `exact` of an aggregate: how many different values it keeps.

    Raises:
        TypeError: no integer, and not math.inf.
        ValueError: less than `least`, or finite and more than `most`.
    """
    upto = "or more" if most == math.inf else f"to {most:,}"
    accepted = f"takes a number of values, {least} {upto}, or math.inf to keep all"
    if isinstance(exact, bool) or not (isinstance(exact, int) or exact == math.inf):
        raise TypeError(f"agg.{name}(exact={exact!r}) {accepted}")
    if exact < least or most < exact != math.inf:
        raise ValueError(f"agg.{name}(exact={exact!r}) {accepted}")
    return exact
