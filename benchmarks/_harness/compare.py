"""Has anything become slower since an earlier run, as far as ratios can tell?

Times of two runs cannot be compared: the machine was busy in another way. So ratios are: what a rival took divided by
what cgrx took in the same run; on an axis along which something grows, what the first point took divided by what each
other point took. A change is the new ratio divided by the old one, with the interval that the bootstrap of both gives.
It counts only where that interval lies beyond `MARGIN`, because processes differ a little for no reason.
"""

from collections.abc import Iterator
from typing import Literal, TypeAlias

import attrs
from rich.console import Console
from rich.table import Table

from benchmarks._harness.results import RunResult, ScenarioResult
from benchmarks._harness.statistics import LEVEL, Estimate, bootstrap, estimate, quantile, ratios
from benchmarks._report.table import shown_number, shown_ratio

MARGIN = 0.05

Verdict: TypeAlias = Literal["slower", "faster", "same"]
Compared: TypeAlias = tuple[str, str, str]
"""Scenario, case, and the rival or first point whose time is divided by ours."""


@attrs.frozen
class Change:
    """One ratio then and now."""

    scenario: str
    case: str
    against: str
    old: Estimate
    new: Estimate
    change: Estimate
    """New to old: below 1, ours has lost ground."""

    @property
    def verdict(self) -> Verdict:
        """`slower` or `faster` where the interval leaves no doubt, else `same`."""
        if self.change.high < 1 - MARGIN:
            return "slower"
        return "faster" if self.change.low > 1 + MARGIN else "same"


def compare(old: RunResult, new: RunResult) -> list[Change]:
    """The change of every ratio that both runs have measured.

    Raises:
        ValueError: one was quick and the other was not, or they have nothing in common.
    """
    if old.quick != new.quick:
        raise ValueError("a quick run is compared with a quick one only: their cases differ in size")
    then, now = dict(_found(old)), dict(_found(new))
    changes = [_change(compared, then[compared], found) for compared, found in now.items() if compared in then]
    if not changes:
        raise ValueError("the two runs have no case with the same rivals in common")
    return changes


def _found(result: RunResult) -> Iterator[tuple[Compared, list[float]]]:
    for scenario in result.scenarios:
        yield from _found_in(scenario)


def _found_in(scenario: ScenarioResult) -> Iterator[tuple[Compared, list[float]]]:
    firsts: dict[str, tuple[str, tuple[float, ...]]] = {}
    for case in scenario.cases:
        ours = case.line(scenario.ours)
        if ours is None:
            continue
        for line in case.lines:
            if line.values and line.rival != scenario.ours:
                yield (scenario.name, case.case, line.rival), ratios(line.values, ours.values)
        if case.point is not None:
            first, values = firsts.setdefault(case.point.axis, (case.case, ours.values))
            if first != case.case:
                yield (scenario.name, case.case, first), ratios(values, ours.values)


def _change(compared: Compared, old: list[float], new: list[float]) -> Change:
    was, now = estimate(old), estimate(new)
    drawn = [there / here for there, here in zip(bootstrap(new, seed=1), bootstrap(old, seed=2), strict=True)]
    rest = (1 - LEVEL) / 2
    change = Estimate(now.median / was.median, quantile(drawn, rest), quantile(drawn, 1 - rest))
    return Change(*compared, was, now, change)


def show(console: Console, changes: list[Change]) -> None:
    """Print the ratios that have changed, and how many have not."""
    changed = [change for change in changes if change.verdict != "same"]
    table = Table(title="since the earlier run", title_justify="left", box=None, pad_edge=False)
    for title in ("scenario", "case", "against", "then", "now", "change", ""):
        table.add_column(title)
    for change in sorted(changed, key=lambda change: change.change.median):
        estimates = (shown_ratio(each) for each in (change.old, change.new, change.change))
        table.add_row(change.scenario, change.case, change.against, *estimates, change.verdict)
    if changed:
        console.print(table)
    same = len(changes) - len(changed)
    console.print(
        f"{same} of {len(changes)} ratios are the same, within {shown_number(MARGIN * 100)} % and their spread"
    )
