"""A run as a page: `benchmarks.md`, its plots in `images/`, and every sample in `benchmarks.json`."""

import inspect
import statistics
from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks._harness import results
from benchmarks._harness.results import CaseResult, RunResult, ScenarioResult
from benchmarks._harness.slopes import MEMORY, growths
from benchmarks._harness.worker import load
from benchmarks._report import plots
from benchmarks._report.table import RATIO, absences, also_names, ratio, shown_name, shown_number, shown_ratio

PAGE = "benchmarks.md"
DATA = "benchmarks.json"
BUSY = 0.25
"""Load average per core above which the page says that other programs used the machine."""


def write(result: RunResult, folder: Path) -> None:
    """Write the page, its plots and its samples, replacing those of an earlier run."""
    (folder / "images").mkdir(parents=True, exist_ok=True)
    pictures: dict[str, str] = {}
    for scenario in result.scenarios:
        name = f"images/benchmarks-{scenario.name}.svg"
        if plots.draw(scenario, folder / name):
            pictures[scenario.name] = name
    (folder / PAGE).write_text(page(result, pictures), encoding="utf-8")
    results.save(result, folder / DATA)


def page(result: RunResult, pictures: dict[str, str]) -> str:
    """The whole page."""
    parts = [_head(result), *(_scenario(each, pictures.get(each.name)) for each in result.scenarios)]
    return "\n\n".join(parts) + "\n"


def _head(result: RunResult) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in result.versions.items() if name != "commit")
    machine = ", ".join(f"{name}: {value}" for name, value in result.machine.items())
    notes = "".join(f"\n**{note}**\n" for note in _notes(result))
    return f"""# Benchmarks

<!-- Written by the command below; do not edit. -->
{notes}
Written by `{result.command}` on {result.started[:10]}, in {result.seconds / 60:.0f} minutes, at commit
`{result.versions.get("commit", "unknown")}`. Every sample is in [{DATA}]({DATA}), to be compared with a run of your
own: `python -m benchmarks run --compare docs/{DATA}`.

Each rival runs in a process of its own, on the same input, and its results were compared with all others' before any
time counted. Rivals take turns, round by round. The figures are medians of the rounds; "{RATIO}" is the median of what
a rival took divided by what cgrx took in the same round, with its interval of 95 % (bootstrap): **above 1 cgrx is the
faster one**. A limit does less than is asked, and shows what nobody can beat.

- {machine}
- {versions}"""


def _notes(result: RunResult) -> Iterable[str]:
    if result.quick:
        yield "A quick run: it shows that everything runs, and its figures mean nothing."
    if result.busy > BUSY:
        yield (
            f"Other programs used this machine: {result.busy:.1f} processes wanted each core before the run began."
            " Latencies, and times by the clock on the wall, tell of them too; ratios are wider than they need be."
        )


def _scenario(scenario: ScenarioResult, picture: str | None) -> str:
    parts = [f"## {scenario.name}", f"**{scenario.question}**", _how(scenario.name)]
    if picture is not None:
        parts.append(f"![{scenario.name}: {scenario.question}]({picture})")
    if any(case.point for case in scenario.cases):
        parts.append(_slopes(scenario))
    also = list(dict.fromkeys(name for case in scenario.cases for name in also_names(case)))
    titles = ["case", "", scenario.unit, RATIO, *also]
    parts.append(_table(titles, (row for case in scenario.cases for row in _rows(case, scenario.ours, also))))
    absent = dict.fromkeys(f"- {absence}" for case in scenario.cases for absence in absences(case))
    if absent:
        parts.append("Absent where it is not in the table:\n\n" + "\n".join(absent))
    compared = sum(case.checked for case in scenario.cases)
    if compared:
        parts.append(f"{compared:,} results of each rival were compared.")
    return "\n\n".join(parts)


def _how(name: str) -> str:
    """The docstring of the scenario's module, without the question."""
    module = inspect.getmodule(load(f"benchmarks.{name}").cases)
    return (inspect.getdoc(module) or "").partition("\n\n")[2].strip()


def _rows(case: CaseResult, ours: str, also: Sequence[str]) -> Iterable[list[str]]:
    named = False
    for line in case.lines:
        if not line.values:
            continue
        found = ratio(case, line, ours)
        rest = [shown_number(statistics.median(line.also[name])) if name in line.also else "" for name in also]
        times = "" if found is None else shown_ratio(found)
        yield ["" if named else case.case, shown_name(line), shown_number(statistics.median(line.values)), times, *rest]
        named = True


def _slopes(scenario: ScenarioResult) -> str:
    rows = [
        [
            growth.axis,
            f"{growth.points[0][0]:,.0f} to {growth.points[-1][0]:,.0f}",
            f"{growth.exponent:.2f}",
            growth.verdict,
            f"{growth.memory_mib[0]:.1f} to {growth.memory_mib[-1]:.1f}",
            f"{growth.bytes_each:,.1f}",
        ]
        for growth in growths(scenario)
    ]
    return _table(["axis", "from, to", "exponent", "verdict", MEMORY, "bytes for each one more"], rows)


def _table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [titles, ["---" if number < 2 else "---:" for number in range(len(titles))], *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
