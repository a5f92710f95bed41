"""Each diagram of the documentation, run; and the drawing itself."""

import pytest

from cgrx.testing import marbles, trade
from tests.docs import drawing, marble_cases
from tests.docs.drawing import Case

ONE = {"a": trade()}


@pytest.mark.parametrize("case", marble_cases.CASES, ids=lambda case: case.name)
def test_what_comes_out(case: Case) -> None:
    assert drawing.run(case) == case.output


@pytest.mark.parametrize("case", marble_cases.CASES, ids=lambda case: case.name)
def test_the_output_follows_the_grammar(case: Case) -> None:
    """`marbles` refuses none: one who knows how inputs are written can read the outputs too."""
    marbles(case.output)


def test_no_two_have_one_name() -> None:
    names = [case.name for case in marble_cases.CASES]
    assert sorted(set(names)) == sorted(names)


def test_a_result_that_no_letter_stands_for() -> None:
    case = Case("made-up", "", "ops.map(lambda trade: trade.price)", ("a|",), "r|", ONE, results={"r": 1.0})
    with pytest.raises(AssertionError, match="made-up: no letter for 60000"):
        drawing.run(case)


def test_ticks_stand_below_each_other() -> None:
    case = Case(
        "made-up",
        "",
        "ops.count_bars(2, usd=agg.volume())",
        ("(aaaa)-a-|",),
        "(rr)---(s|)",
        ONE,
        {"a": 0.5},
        {"r": {"usd": 2e3}, "s": {"usd": 1e3}},
    )
    assert drawing.run(case) == case.output
    assert drawing.picture(case).splitlines() == [
        "ops.count_bars(2, usd=agg.volume())",
        "",
        "second  0",
        "in      (aaaa)-a-|",
        "out     (rr)  ---(s|)",
        "",
        "a = time_ms=500",
        "r = usd=2,000",
        "s = usd=1,000",
    ]
