"""Runs a scenario: every rival in its own process, results compared first, then rounds in which all take turns."""

from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack, nullcontext
from typing import Any

import attrs

from benchmarks._harness.equality import require_equal
from benchmarks._harness.results import CaseResult, Line, ScenarioResult
from benchmarks._harness.scenario import AbsentError, Case, Results, Rival, Sample, Scenario
from benchmarks._harness.worker import Worker, worker


@attrs.frozen
class Plan:
    """How many rounds to run, and whether small."""

    rounds: int
    quick: bool = False

    def rounds_of(self, scenario: Scenario[Any]) -> int:
        """The rounds of a scenario: at least two, so that there is a spread."""
        return self.rounds if self.quick else max(2, round(self.rounds * scenario.share))

    def fresh(self, scenario: Scenario[Any]) -> bool:
        """Whether each measurement gets a new process; a quick run judges nothing and saves the time."""
        return scenario.fresh and not self.quick


def run(scenario: Scenario[Any], plan: Plan, step: Callable[[str], None]) -> ScenarioResult:
    """Run every case of a scenario; `step` is called with a line of text before each piece of work (see `steps`).

    Raises:
        UnequalError: two rivals made different results of a case.
        WorkerError: a rival failed or took too long.
    """
    with scenario.surroundings() as surroundings, ExitStack() as stack:
        workers = (
            {}
            if plan.fresh(scenario)
            else {each.name: stack.enter_context(_start(scenario, each, surroundings)) for each in scenario.rivals}
        )

        def opened(rival: Rival[Any]) -> Any:
            return _start(scenario, rival, surroundings) if plan.fresh(scenario) else nullcontext(workers[rival.name])

        cases = tuple(_run_case(scenario, case, plan, opened, step) for case in scenario.cases(plan.quick))
    return ScenarioResult(scenario.name, scenario.question, scenario.unit, scenario.ours, cases)


def steps(scenario: Scenario[Any], plan: Plan) -> int:
    """How often `run` calls its `step`."""
    return len(scenario.cases(plan.quick)) * len(scenario.rivals) * (1 + plan.rounds_of(scenario))


def _start(scenario: Scenario[Any], rival: Rival[Any], surroundings: Any) -> Any:
    return worker(scenario.module, rival.name, surroundings, scenario.within_s)


def _run_case(
    scenario: Scenario[Any],
    case: Case[Any],
    plan: Plan,
    opened: Callable[[Rival[Any]], Any],
    step: Callable[[str], None],
) -> CaseResult:
    where = f"{scenario.name}: {case.name}"
    absent: dict[str, str] = {}
    results: dict[str, Results] = {}
    for rival in scenario.rivals:
        step(f"{where}, {rival.name}")
        with opened(rival) as contestant:
            try:
                results[rival.name] = contestant.prepare(case)
            except AbsentError as error:
                absent[rival.name] = str(error)
    checked = _check(where, results)
    samples: dict[str, list[Sample]] = defaultdict(list)
    for number in range(plan.rounds_of(scenario)):
        for rival in scenario.rivals[:: 1 if number % 2 else -1]:
            step(f"{where}, {rival.name}")
            if rival.name not in absent:
                with opened(rival) as contestant:
                    samples[rival.name].append(_measure(contestant, case, plan.fresh(scenario)))
    lines = tuple(_line(each, samples[each.name], absent) for each in scenario.rivals)
    return CaseResult(case.name, lines, checked, case.point)


def _measure(contestant: Worker, case: Case[Any], fresh: bool) -> Sample:
    if fresh:
        contestant.prepare(case)
    return contestant.measure()


def _check(where: str, results: dict[str, Results]) -> int:
    """Require equal results of all rivals that have any; return how many results were compared."""
    given = [(name, each) for name, each in results.items() if each is not None]
    if not given:
        return 0
    (first, expected), *others = given
    for name, each in others:
        require_equal(where, first, expected, name, each)
    return len(expected)


def _line(rival: Rival[Any], samples: list[Sample], absent: dict[str, str]) -> Line:
    if rival.name in absent:
        return Line(rival.name, rival.role, absent=absent[rival.name])
    also = {name: tuple(each.also[name] for each in samples) for name in samples[0].also}
    return Line(rival.name, rival.role, tuple(each.value for each in samples), also)
