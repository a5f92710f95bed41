"""What a run shows in the terminal: a table for each scenario, with ratios and how far they can be trusted."""

import math
import statistics

from rich.console import Console
from rich.table import Table

from benchmarks._results import CaseResult, Line, ScenarioResult
from benchmarks._statistics import Estimate, estimate, ratios

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


def shown_also(line: Line) -> str:
    """The medians of what else was measured."""
    return ", ".join(f"{name} {shown_number(statistics.median(values))}" for name, values in line.also.items())


def table(case: CaseResult, result: ScenarioResult) -> Table:
    """A case's."""
    shown = Table(title=case.case, title_justify="left", title_style="bold", box=None, pad_edge=False)
    shown.add_column("")
    for title in (result.unit, "spread", RATIO):
        shown.add_column(title, justify="right", no_wrap=True)
    shown.add_column("also", overflow="fold")
    for line in case.lines:
        shown.add_row(*_cells(case, line, result.ours))
    return shown


def _cells(case: CaseResult, line: Line, ours: str) -> tuple[str, ...]:
    name = f"{line.rival} (limit)" if line.role == "limit" else line.rival
    if line.absent is not None:
        return (f"[dim]{name}", "", "", "", f"[dim]absent: {line.absent}")
    found = ratio(case, line, ours)
    spread = f"{shown_number(min(line.values))} - {shown_number(max(line.values))}"
    times = "" if found is None else shown_ratio(found)
    return (name, shown_number(statistics.median(line.values)), spread, times, shown_also(line))


def show(console: Console, result: ScenarioResult) -> None:
    """Print it."""
    console.rule(f"{result.name}: {result.question}", align="left")
    for case in result.cases:
        console.print(table(case, result), "")
    console.print(f"[dim]Medians. {RATIO}: of the rounds' ratios, with the interval of 95 %.\n")
