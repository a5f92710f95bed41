"""What a run shows in the terminal: a table for each scenario, with ratios and how far they can be trusted."""

import math
import statistics

from rich.console import Console
from rich.table import Table

from benchmarks._harness.results import CaseResult, Line, ScenarioResult
from benchmarks._harness.statistics import Estimate, estimate, ratios

RATIO = "times ours"
"""What a rival took, divided by what ours took in the same round: above 1 we are faster."""


def ratio(case: CaseResult, line: Line, ours: str) -> Estimate | None:
    """Of a rival that took part, to ours."""
    base = case.line(ours)
    if base is None or line.rival == ours or not line.values or 0 in base.values:
        return None
    return estimate(ratios(line.values, base.values))


def shown_number(value: float) -> str:
    """To three digits, without an exponent."""
    if not math.isfinite(value) or value == 0:
        return f"{value:g}"
    return f"{value:,.{max(0, 2 - math.floor(math.log10(abs(value))))}f}"


def shown_ratio(found: Estimate) -> str:
    """With its interval."""
    return f"{shown_number(found.median)} [{shown_number(found.low)}, {shown_number(found.high)}]"


def table(case: CaseResult, result: ScenarioResult) -> Table:
    """A case's; those who have no part in it stand below."""
    also = also_names(case)
    shown = Table(title=case.case, title_justify="left", title_style="bold", box=None, pad_edge=False)
    shown.add_column("")
    for title in (result.unit, "spread", RATIO, *also):
        shown.add_column(title, justify="right", no_wrap=True)
    for line in case.lines:
        if line.values:
            shown.add_row(*_cells(case, line, result.ours, also))
    return shown


def also_names(case: CaseResult) -> tuple[str, ...]:
    """What else was measured."""
    return tuple(dict.fromkeys(name for line in case.lines for name in line.also))


def shown_name(line: Line) -> str:
    """A rival's, limits marked."""
    return f"{line.rival} (limit)" if line.role == "limit" else line.rival


def _cells(case: CaseResult, line: Line, ours: str, also: tuple[str, ...]) -> tuple[str, ...]:
    found = ratio(case, line, ours)
    spread = f"{shown_number(min(line.values))} - {shown_number(max(line.values))}"
    times = "" if found is None else shown_ratio(found)
    rest = (shown_number(statistics.median(line.also[name])) if name in line.also else "" for name in also)
    return (shown_name(line), shown_number(statistics.median(line.values)), spread, times, *rest)


def absences(case: CaseResult) -> list[str]:
    """Who has no part in a case, and why."""
    return [f"{line.rival}: {line.absent}" for line in case.lines if line.absent is not None]


def show(console: Console, result: ScenarioResult) -> None:
    """Print it."""
    console.rule(f"{result.name}: {result.question}", align="left")
    for case in result.cases:
        console.print(table(case, result))
        for absence in absences(case):
            console.print(f"[dim]absent: {absence}")
        console.print()
    console.print(f"[dim]Medians. {RATIO}: of the rounds' ratios, with the interval of 95 %.\n")
