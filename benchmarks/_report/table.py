"""What a run shows in the terminal: a table for each case, with ratios and their intervals."""

import math
import statistics

from rich.console import Console
from rich.table import Table

from benchmarks._harness.results import CaseResult, Line, ScenarioResult
from benchmarks._harness.statistics import Estimate, estimate, ratios

RATIO = "times ours"
"""The title of the column with a rival's time divided by ours in the same round: above 1, cgrx is faster."""


def ratio(case: CaseResult, line: Line, ours: str) -> Estimate | None:
    """A rival's time divided by ours; None for cgrx itself and for a rival that is absent."""
    base = case.line(ours)
    if base is None or line.rival == ours or not line.values or 0 in base.values:
        return None
    return estimate(ratios(line.values, base.values))


def shown_number(value: float) -> str:
    """A number with three significant digits, without an exponent."""
    if not math.isfinite(value) or value == 0:
        return f"{value:g}"
    return f"{value:,.{max(0, 2 - math.floor(math.log10(abs(value))))}f}"


def shown_ratio(found: Estimate) -> str:
    """A ratio with its interval."""
    return f"{shown_number(found.median)} [{shown_number(found.low)}, {shown_number(found.high)}]"


def table(case: CaseResult, result: ScenarioResult) -> Table:
    """The table of a case, without the absent rivals."""
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
    """The names of the further figures of a case."""
    return tuple(dict.fromkeys(name for line in case.lines for name in line.also))


def shown_name(line: Line) -> str:
    """The name of a rival; limits are marked."""
    return f"{line.rival} (limit)" if line.role == "limit" else line.rival


def _cells(case: CaseResult, line: Line, ours: str, also: tuple[str, ...]) -> tuple[str, ...]:
    found = ratio(case, line, ours)
    spread = f"{shown_number(min(line.values))} - {shown_number(max(line.values))}"
    times = "" if found is None else shown_ratio(found)
    rest = (shown_number(statistics.median(line.also[name])) if name in line.also else "" for name in also)
    return (shown_name(line), shown_number(statistics.median(line.values)), spread, times, *rest)


def absences(case: CaseResult) -> list[str]:
    """The absent rivals of a case, each with the reason."""
    return [f"{line.rival}: {line.absent}" for line in case.lines if line.absent is not None]


def show(console: Console, result: ScenarioResult) -> None:
    """Print the tables of a scenario."""
    console.rule(f"{result.name}: {result.question}", align="left")
    for case in result.cases:
        console.print(table(case, result))
        for absence in absences(case):
            console.print(f"[dim]absent: {absence}")
        console.print()
    console.print(f"[dim]Medians. {RATIO}: of the rounds' ratios, with the interval of 95 %.\n")
