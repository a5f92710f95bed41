"""The figures of the benchmarks: medians, intervals, ratios within rounds, slopes."""

import statistics

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks._harness.statistics import bootstrap, estimate, quantile, ratios, slope
from tests.support import examples

VALUES = st.lists(st.floats(1.0, 1e6), min_size=1, max_size=12)


@settings(max_examples=examples(25))
@given(VALUES)
def test_an_interval_holds_the_median_and_lies_within_the_values(values: list[float]) -> None:
    found = estimate(values)
    assert found.median == statistics.median(values)
    assert min(values) <= found.low <= found.median <= found.high <= max(values)


def test_the_interval_is_as_wide_as_the_rounds_differ() -> None:
    """One outlier of seven does not move it; when half of the rounds say something else, it says so."""
    calm = estimate([2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 9.0])
    torn = estimate([2.0, 2.0, 2.0, 4.0, 4.0, 4.0])
    assert (calm.low, calm.high) == (2.0, 2.0)
    assert (torn.low, torn.high) == (2.0, 4.0)


def test_the_bootstrap_draws_the_same_each_time() -> None:
    values = [1.0, 2.0, 3.0, 5.0]
    assert bootstrap(values, seed=3) == bootstrap(values, seed=3)
    assert bootstrap(values, seed=3) != bootstrap(values, seed=4)


@pytest.mark.parametrize(("share", "expected"), [(0.0, 1.0), (0.5, 2.5), (1.0, 4.0), (0.25, 1.75)])
def test_quantiles_lie_between_neighbours(share: float, expected: float) -> None:
    assert quantile([4.0, 1.0, 3.0, 2.0], share) == expected


def test_ratios_are_taken_round_by_round() -> None:
    """A machine that halves its speed for a round changes no ratio."""
    assert ratios([10.0, 20.0, 10.0], [5.0, 10.0, 5.0]) == [2.0, 2.0, 2.0]


@given(st.floats(-1.0, 2.0), st.floats(0.1, 100.0))
def test_a_power_law_is_found_again(exponent: float, factor: float) -> None:
    points = [(size, factor * size**exponent) for size in (1.0, 10.0, 100.0, 1000.0)]
    assert slope(points) == pytest.approx(exponent, abs=1e-9)
