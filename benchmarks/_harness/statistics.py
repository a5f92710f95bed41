"""Medians, ratios within rounds, and how far both can be trusted."""

import math
import random
import statistics
from collections.abc import Sequence

import attrs

DRAWS = 2000
LEVEL = 0.95


@attrs.frozen
class Estimate:
    """A median with its interval at the level of `LEVEL`."""

    median: float
    low: float
    high: float


def quantile(values: Sequence[float], share: float) -> float:
    """The value that this share of the values does not exceed, interpolated between neighbours."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def bootstrap(values: Sequence[float], seed: int = 0) -> list[float]:
    """Medians of samples drawn from these with replacement; the same for the same seed."""
    chance = random.Random(seed)
    return [statistics.median(chance.choices(values, k=len(values))) for _ in range(DRAWS)]


def estimate(values: Sequence[float]) -> Estimate:
    """The median of the values, with the interval that the bootstrap gives."""
    drawn = bootstrap(values)
    rest = (1 - LEVEL) / 2
    return Estimate(statistics.median(values), quantile(drawn, rest), quantile(drawn, 1 - rest))


def ratios(theirs: Sequence[float], ours: Sequence[float]) -> list[float]:
    """Their time divided by ours, round by round."""
    return [their / our for their, our in zip(theirs, ours, strict=True)]


def slope(points: Sequence[tuple[float, float]]) -> float:
    """The exponent b of y = a * x**b: least squares on the logarithms. 0 is flat, 1 is linear."""
    xs, ys = [math.log(x) for x, _ in points], [math.log(y) for _, y in points]
    return statistics.linear_regression(xs, ys).slope
