"""Comparing two runs: what is told apart, and what is not."""

import io

import pytest
from rich.console import Console

from benchmarks._harness.compare import Change, compare, show
from benchmarks._harness.results import RunResult
from benchmarks._harness.scenario import Point
from tests.harness.runs import case, run_of

OURS = (100.0, 101.0, 99.0, 100.0, 102.0, 98.0, 100.0)
THEIRS = (500.0, 505.0, 495.0, 500.0, 510.0, 490.0, 500.0)
OLD = run_of(case(OURS, THEIRS))


def scaled(values: tuple[float, ...], factor: float) -> tuple[float, ...]:
    return tuple(value * factor for value in values)


def only(old: RunResult, new: RunResult) -> Change:
    (change,) = compare(old, new)
    return change


def test_the_same_run_is_the_same() -> None:
    assert only(OLD, OLD).verdict == "same"


def test_a_slower_machine_is_no_regression() -> None:
    """Both take three times as long: the ratio stays."""
    assert only(OLD, run_of(case(scaled(OURS, 3), scaled(THEIRS, 3)))).verdict == "same"


def test_a_loss_of_a_fifth_is_told_with_its_interval() -> None:
    change = only(OLD, run_of(case(scaled(OURS, 1.2), THEIRS)))
    assert change.verdict == "slower"
    assert change.change.median == pytest.approx(1 / 1.2)
    assert change.change.low <= change.change.median <= change.change.high < 0.95


def test_a_gain_is_told_too() -> None:
    assert only(OLD, run_of(case(scaled(OURS, 0.5), THEIRS))).verdict == "faster"


def test_a_loss_within_the_spread_is_not_told() -> None:
    """Rounds that differ by a factor of three prove nothing about a fifth."""
    wild = (60.0, 180.0, 100.0, 70.0, 150.0, 90.0, 200.0)
    assert only(run_of(case(wild, THEIRS)), run_of(case(scaled(wild, 1.2), THEIRS))).verdict == "same"


def test_a_small_loss_is_not_told_however_sure() -> None:
    assert only(OLD, run_of(case(scaled(OURS, 1.03), THEIRS))).verdict == "same"


def test_growth_is_compared_with_the_first_point_of_its_axis() -> None:
    """Where there is no rival: what grows faster than it did has become slower."""

    def grown(last: float) -> RunResult:
        first = case(OURS, None, "10 keys", Point("keys", 10))
        return run_of(first, case(scaled(OURS, last), None, "1000 keys", Point("keys", 1000)))

    change = only(grown(1.0), grown(2.0))
    assert (change.case, change.against, change.verdict) == ("1000 keys", "10 keys", "slower")


@pytest.mark.parametrize(
    ("new", "why"),
    [
        (run_of(case(OURS, THEIRS), quick=True), "quick"),
        (run_of(case(OURS, None)), "nothing|no case"),
        (run_of(case(OURS, THEIRS, "another case")), "no case"),
    ],
)
def test_what_cannot_be_compared_is_refused(new: RunResult, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        compare(OLD, new)


def test_only_changes_are_listed() -> None:
    old = run_of(case(OURS, THEIRS), case(OURS, THEIRS, "the other case"))
    new = run_of(case(OURS, THEIRS), case(scaled(OURS, 2), THEIRS, "the other case"))
    shown = io.StringIO()
    show(Console(file=shown, width=160), compare(old, new))
    assert "the other case" in shown.getvalue()
    assert "slower" in shown.getvalue()
    assert "one case" not in shown.getvalue()
    assert "1 of 2 ratios are the same" in shown.getvalue()
