"""Runs of the benchmarks by hand: samples as they might have been measured."""

from benchmarks._harness.results import CaseResult, Line, RunResult, ScenarioResult
from benchmarks._harness.scenario import Point


def case(
    ours: tuple[float, ...], theirs: tuple[float, ...] | None, name: str = "one case", point: Point | None = None
) -> CaseResult:
    """A case of two rivals with these samples; None: the other one was absent."""
    other = Line("theirs", "rival", absent="not installed") if theirs is None else Line("theirs", "rival", theirs)
    return CaseResult(name, (Line("ours", "ours", ours, {"wall_ns": ours}), other), checked=10, point=point)


def run_of(*cases: CaseResult, quick: bool = False, busy: float = 0.0) -> RunResult:
    """A run of these cases."""
    result = ScenarioResult("decode", "How fast?", "ns", "ours", cases)
    machine, versions = {"cores": "2"}, {"commit": "abc"}
    return RunResult("a command", "2026-01-01T00:00:00+00:00", 60.0, quick, machine, busy, versions, (result,))
