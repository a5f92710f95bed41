"""How the figure grows along an axis: the fitted exponent, and whether it is as expected."""

import statistics
from itertools import groupby

import attrs

from benchmarks._harness.results import CaseResult, ScenarioResult
from benchmarks._harness.statistics import slope

TOLERANCE = 0.1
"""An exponent may exceed the expected one by this much: a factor of 2 in time over a factor of 1000 in size."""
MEMORY = "grown_mib"
FLAT_MIB = 1.0


@attrs.frozen
class Growth:
    """One axis."""

    axis: str
    points: tuple[tuple[float, float], ...]
    """Size, and the median of the figure."""
    expected: float
    memory_mib: tuple[float, ...]
    """Memory that the run added at its peak, for each size, MiB."""

    @property
    def exponent(self) -> float:
        """Fitted from the fastest point on: fixed costs, felt at small sizes, must not hide growth at large ones."""
        times = [time for _, time in self.points]
        fastest = times.index(min(times))
        return slope(self.points[fastest:] if fastest < len(times) - 1 else self.points)

    @property
    def flagged(self) -> bool:
        """Whether the figure grows faster than expected."""
        return self.exponent > self.expected + TOLERANCE

    @property
    def bytes_each(self) -> float:
        """Bytes of memory per unit along the axis, from the smallest size to the largest."""
        (least, _), (most, _) = self.points[0], self.points[-1]
        return (self.memory_mib[-1] - self.memory_mib[0]) * 2**20 / (most - least)

    @property
    def verdict(self) -> str:
        """In words."""
        wanted = "flat" if self.expected == 0 else "linear"
        return f"**grows faster than {wanted}**" if self.flagged else wanted


def growths(result: ScenarioResult) -> list[Growth]:
    """Every axis of a scenario."""
    on_axis = [(case.point.axis, case) for case in result.cases if case.point is not None]
    return [_growth(axis, [case for _, case in cases], result.ours) for axis, cases in groupby(on_axis, lambda e: e[0])]


def _growth(axis: str, cases: list[CaseResult], ours: str) -> Growth:
    points: list[tuple[float, float]] = []
    memory: list[float] = []
    expected = 0.0
    for case in cases:
        line = case.line(ours)
        assert line is not None
        assert case.point is not None
        points.append((case.point.at, statistics.median(line.values)))
        memory.append(statistics.median(line.also.get(MEMORY, (0.0,))))
        expected = case.point.expected
    return Growth(axis, tuple(points), expected, tuple(memory))
