"""The command line of the benchmarks: what there is, and running it."""

import os
import shlex
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal, TypeAlias, get_args

from cyclopts import App, Parameter
from cyclopts.validators import Number
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from benchmarks._harness import results
from benchmarks._harness.compare import compare as compare_runs
from benchmarks._harness.compare import show as show_changes
from benchmarks._harness.equality import UnequalError
from benchmarks._harness.results import RunResult, ScenarioResult
from benchmarks._harness.rounds import Plan, run, steps
from benchmarks._harness.worker import WorkerError, load
from benchmarks._report.table import show as show_scenario

Name: TypeAlias = Literal[
    "market",
    "channels",
    "wire",
    "hosts",
    "decode",
    "pipelines",
    "recording",
    "replay",
    "backtest",
    "jobs",
    "delivery",
    "shards",
    "board",
    "latency",
    "growth",
    "recovery",
    "start",
]
SCENARIOS: tuple[Name, ...] = get_args(Name)
QUICK_ROUNDS = 2
WIDTH = 140
"""Of what goes into a file or a pipe, columns."""

app = App(
    name="python -m benchmarks",
    help="Ratios between cgrx and its rivals, each in its own process, taking turns; results are compared first.",
    default_parameter=Parameter(negative=()),
    result_action="return_value",
    version_flags=[],
)


@app.default
def list_command() -> int:
    """Say which scenarios there are."""
    listed = Table("scenario", "question", box=None)
    for name in SCENARIOS:
        listed.add_row(name, load(f"benchmarks.{name}").question)
    Console().print(listed, "\n`python -m benchmarks run [SCENARIO ...]` runs them; see `run --help`.")
    return 0


@app.command(name="run")
def run_command(
    *names: Name,
    quick: bool = False,
    rounds: Annotated[int, Parameter(validator=Number(gte=2))] = 5,
    json: Path | None = None,
    report: Path | None = None,
    compare: Path | None = None,
) -> int:
    """Run scenarios and print their ratios.

    Args:
        names: Which; all of them by default.
        quick: Small cases and two rounds: that everything runs and all rivals agree, not how fast they are.
        rounds: How often each rival is measured in each case, the others between; scenarios whose rounds are long take
            fewer.
        json: Write every sample to this file.
        report: Write a page with tables and plots, and every sample, into this folder; `docs` for the one in there.
        compare: Tell what has changed since the run of this file, and end with 1 if anything has become slower.

    Raises:
        ValueError: the file is no earlier run, or none to compare with.
        UnequalError: two rivals have made something different of the same input.
        WorkerError: a rival has failed.
    """
    earlier = None if compare is None else results.read(compare)
    result = _run(names or SCENARIOS, Plan(QUICK_ROUNDS if quick else rounds, quick))
    if json is not None:
        results.save(result, json)
    if report is not None:
        from benchmarks._report import page  # with matplotlib, which a run without a report can do without

        page.write(result, report)
    if earlier is None:
        return 0
    changes = compare_runs(earlier, result)
    show_changes(Console(), changes)
    return int(any(change.verdict == "slower" for change in changes))


def _run(names: Sequence[Name], plan: Plan) -> RunResult:
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    started, clock = datetime.now(tz=UTC), time.perf_counter()  # noqa: TID251 - the moment is part of the report
    busy = results.load_average() / (os.cpu_count() or 1)
    scenarios = [load(f"benchmarks.{name}") for name in names]
    found: list[ScenarioResult] = []
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("", total=sum(steps(scenario, plan) for scenario in scenarios))
        for scenario in scenarios:
            found.append(run(scenario, plan, lambda what: progress.update(bar, advance=1, description=what)))
            show_scenario(console, found[-1])
    return RunResult(
        command=shlex.join(["python", "-m", "benchmarks", *sys.argv[1:]]),
        started=started.isoformat(timespec="seconds"),
        seconds=time.perf_counter() - clock,
        quick=plan.quick,
        machine=results.machine(),
        busy=busy,
        versions=results.versions(),
        scenarios=tuple(found),
    )


def main() -> int:
    """Run the command line: 0, 1 where something has become slower, 2 where the run means nothing."""
    try:
        code = app(sys.argv[1:])
    except (UnequalError, WorkerError, ValueError, OSError) as error:
        Console(stderr=True).print(f"[red]{type(error).__name__}:[/] {escape(str(error))}")
        return 2
    return code if isinstance(code, int) else 0


if __name__ == "__main__":
    sys.exit(main())
