"""The harness: rivals in processes of their own, compared before they are measured, taking turns, ended in any case."""

import multiprocessing
from collections.abc import Iterator
from itertools import pairwise

import attrs
import pytest

from benchmarks._harness.equality import UnequalError, equal, require_equal
from benchmarks._harness.results import CaseResult
from benchmarks._harness.rounds import Plan, run, steps
from benchmarks._harness.scenario import Scenario
from benchmarks._harness.worker import WorkerError
from tests.harness.scenario import Behaviour, Trial, scenario

PLAN = Plan(rounds=3)


@pytest.fixture(autouse=True)
def no_process_is_left() -> Iterator[None]:
    yield
    assert multiprocessing.active_children() == []


def only_case(wanted: Scenario[Trial], plan: Plan = PLAN) -> CaseResult:
    (found,) = run(wanted, plan, lambda _: None).cases
    return found


def test_rivals_take_turns_in_processes_of_their_own() -> None:
    told: list[str] = []
    wanted = scenario(Trial())
    (found,) = run(wanted, PLAN, told.append).cases
    ours, theirs = found.lines
    assert found.checked == 10
    assert (len(ours.values), len(theirs.values)) == (3, 3)
    # Every round is over before the next begins, and the one who was first is second in the next.
    rounds = list(zip(ours.also["at"], theirs.also["at"], strict=True))
    assert all(max(before) < min(after) for before, after in pairwise(rounds))
    assert [ours_at < theirs_at for ours_at, theirs_at in rounds] == [False, True, False]
    assert len(set(ours.also["pid"])) == len(set(theirs.also["pid"])) == 1
    assert set(ours.also["pid"]) != set(theirs.also["pid"])
    assert len(told) == steps(wanted, PLAN) == 2 * (1 + 3)


def test_a_fresh_process_for_each_measurement() -> None:
    found = only_case(scenario(Trial(), fresh=True), Plan(rounds=2))
    assert len({*found.lines[0].also["pid"], *found.lines[1].also["pid"]}) == 4


def test_a_quick_run_saves_the_fresh_processes() -> None:
    found = only_case(scenario(Trial(), fresh=True), Plan(rounds=2, quick=True))
    assert len(set(found.lines[0].also["pid"])) == 1


def test_a_rival_that_differs_stops_the_run() -> None:
    """No time of it is ever measured."""
    told: list[str] = []
    with pytest.raises(UnequalError, match=r"it differs: result 2 of ours is \(2, 4.0\), of theirs \(2, 4.28"):
        run(scenario(Trial("differs")), PLAN, told.append)
    assert len(told) == 2


def test_a_rival_that_cannot_is_absent_with_the_reason() -> None:
    """From that case alone: it takes part in the next."""
    trials = (Trial("is missing"), Trial("abstains"), Trial())
    missing, abstaining, agreeing = run(scenario(*trials), PLAN, lambda _: None).cases
    for case, why in ((missing, "a_library_that_nobody_has"), (abstaining, "it has no squares")):
        ours, theirs = case.lines
        assert len(ours.values) == 3
        assert theirs.values == ()
        assert why in (theirs.absent or "")
    assert [(len(line.values), line.absent) for line in agreeing.lines] == [(3, None)] * 2


@pytest.mark.parametrize(
    ("behaviour", "measuring", "why"),
    [
        ("is misspelled", False, "a_module_that_is_not_there"),
        ("raises", False, "it went wrong"),
        ("raises", True, "it went wrong"),
        ("dies", True, "died"),
    ],
)
def test_a_rival_that_fails_stops_the_run(behaviour: Behaviour, measuring: bool, why: str) -> None:
    with pytest.raises(WorkerError, match=f"(?s)theirs: .*{why}"):
        only_case(scenario(Trial(behaviour, measuring)))


@pytest.mark.thorough  # processes take seconds
def test_a_rival_that_hangs_is_ended() -> None:
    hanging = scenario(Trial("hangs", measuring=True), within_s=2.0)
    with pytest.raises(WorkerError, match="theirs: no answer to 'measure' within 2 s"):
        only_case(hanging)


def test_shares_of_rounds() -> None:
    """Two at least, so that there is a spread; a quick run is quick everywhere."""
    half = attrs.evolve(scenario(Trial()), share=0.5)
    assert [Plan(rounds).rounds_of(half) for rounds in (2, 4, 9)] == [2, 2, 4]
    assert Plan(2, quick=True).rounds_of(attrs.evolve(half, share=9.0)) == 2


def test_floats_are_equal_to_nine_digits_all_else_exactly() -> None:
    assert equal([(1, 0.1 + 0.2, "a")], [(1, 0.3, "a")])
    assert not equal([(1, 0.3)], [(1, 0.3000001)])
    assert not equal((1, 2), (1, 3))
    assert not equal((1, 2), (1, 2, 3))
    assert not equal("a", 1.0)


def test_too_few_results_differ_and_none_prove_nothing() -> None:
    with pytest.raises(UnequalError, match="result 1 of a is 2, of b 'nothing'"):
        require_equal("case", "a", [1, 2], "b", [1])
    with pytest.raises(UnequalError, match="no results at all"):
        require_equal("case", "a", [], "b", [])
