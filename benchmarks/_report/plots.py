"""The pictures of a report: ratios as bars, latencies by percentile, growth on logarithmic axes. SVG, without dates."""

import statistics
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from textwrap import fill
from typing import Any, cast

from benchmarks._harness.results import CaseResult, ScenarioResult
from benchmarks._harness.slopes import growths
from benchmarks._harness.statistics import Estimate
from benchmarks._report.table import RATIO, ratio

PERCENTILES = ("p50", "p99", "p99_9", "max")
COLOURS = ("#00796b", "#c2185b", "#1976d2", "#f57c00", "#7b1fa2", "#455a64", "#9e9d24", "#5d4037")
LIMIT = "#9e9e9e"
TITLE_COLUMNS = 44
"""As wide as a panel."""
STYLE: Any = {
    "svg.hashsalt": "cgrx",  # the same run gives the same file
    "svg.fonttype": "none",  # text stays text: smaller, and to be searched
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.constrained_layout.use": True,
}


def draw(result: ScenarioResult, path: Path) -> bool:
    """Write the picture of a scenario; return False if there is nothing to draw."""
    if any(case.point for case in result.cases):
        with _figure(path, len(growths(result)), 2.6) as panels:
            _growth(result, panels)
    elif any(set(PERCENTILES) - {"p99"} <= set(line.also) for case in result.cases for line in case.lines):
        with _figure(path, len(result.cases), 2.6) as panels:
            _latency(result, panels)
    else:
        compared = [case for case in result.cases if _ratios(case, result.ours)]
        if not compared:
            return False
        with _figure(path, len(compared), 0.7 + 0.22 * max(len(case.lines) for case in compared)) as panels:
            for panel, case in zip(panels, compared, strict=True):
                _bars(case, result, panel)
    return True


@contextmanager
def _figure(path: Path, panels: int, height: float) -> Generator[list[Any], None, None]:
    """Panels, two in a row."""
    import matplotlib as mpl  # here, so that all the rest of the harness runs without it
    from matplotlib import pyplot

    mpl.use("svg")

    with cast("Any", mpl).rc_context(STYLE):
        rows = -(-panels // 2)
        figure: Any
        axes: Any
        figure, axes = pyplot.subplots(rows, 2, figsize=(9.5, height * rows), squeeze=False)
        flat: list[Any] = list(axes.flat)
        for unused in flat[panels:]:
            unused.set_visible(False)
        yield flat[:panels]
        figure.savefig(path, metadata={"Date": None})
        pyplot.close(figure)


def _plain(value: float, _: object) -> str:
    return f"{value:,.10g}"


def _logarithmic(panel: Any, which: str, values: Sequence[float]) -> None:
    """A logarithmic axis of at least a decade, so that a flat line looks flat, with plain numbers at the decades."""
    from matplotlib.ticker import FuncFormatter, NullFormatter

    low, high = min(values) / 1.5, max(values) * 1.5
    widened = max(1.0, (10 * low / high) ** 0.5)
    getattr(panel, f"set_{which}scale")("log")
    getattr(panel, f"set_{which}lim")(low / widened, high * widened)
    axis = getattr(panel, f"{which}axis")
    axis.set_major_formatter(FuncFormatter(_plain))
    axis.set_minor_formatter(NullFormatter())


def _ratios(case: CaseResult, ours: str) -> list[tuple[str, Estimate]]:
    found = [(line.rival, ratio(case, line, ours)) for line in case.lines]
    return [(rival, each) for rival, each in found if each is not None]


def _bars(case: CaseResult, result: ScenarioResult, panel: Any) -> None:
    """One bar per rival, as long as its time divided by ours."""
    limits = {line.rival for line in case.lines if line.role == "limit"}
    found = _ratios(case, result.ours)[::-1]
    medians = [each.median for _, each in found]
    errors = [[each.median - each.low for _, each in found], [each.high - each.median for _, each in found]]
    colours = [LIMIT if name in limits else COLOURS[int(each.median < 1)] for name, each in found]
    # Bars start at 1, our time: to the right a rival is slower, to the left it is faster.
    panel.barh([name for name, _ in found], [median - 1 for median in medians], left=1, color=colours, height=0.7)
    panel.errorbar(medians, range(len(found)), xerr=errors, fmt="none", ecolor="#333333", elinewidth=1)
    _logarithmic(panel, "x", [*medians, 1.0])
    panel.axvline(1, color="#333333", linewidth=0.8)
    panel.set_title(fill(case.case, TITLE_COLUMNS), fontsize=8.5)
    panel.set_xlabel(f"{RATIO} (log)")


def _latency(result: ScenarioResult, panels: list[Any]) -> None:
    """Percentiles of all clients, a panel for each rate."""
    for panel, case in zip(panels, result.cases, strict=True):
        for colour, line in zip(COLOURS, case.lines, strict=False):
            if line.values:
                also = {**line.also, "p99": line.values}
                values = [statistics.median(also[name]) for name in PERCENTILES]
                panel.plot(
                    [p.replace("_", ".") for p in PERCENTILES], values, marker="o", color=colour, label=line.rival
                )
        _logarithmic(panel, "y", list(panel.dataLim.intervaly))
        panel.set_title(case.case, fontsize=9)
        panel.set_ylabel("us")
        panel.grid(axis="y", alpha=0.3)
    handles, labels = panels[0].get_legend_handles_labels()
    panels[0].figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False)


def _growth(result: ScenarioResult, panels: list[Any]) -> None:
    """Time per event along each axis."""
    for panel, growth in zip(panels, growths(result), strict=True):
        xs, ys = zip(*growth.points, strict=True)
        panel.plot(xs, ys, marker="o", color=COLOURS[0])
        panel.set_xscale("log")
        _logarithmic(panel, "y", ys)
        panel.set_title(f"{growth.axis}: exponent {growth.exponent:.2f}", fontsize=9)
        panel.set_xlabel(growth.axis)
        panel.set_ylabel(result.unit)
        panel.grid(alpha=0.3)
