"""What a run leaves behind: JSON that reads back, a page with tables and plots, three quotes."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks._harness import results
from benchmarks._harness.scenario import Point
from benchmarks._harness.slopes import TOLERANCE, growths
from benchmarks._harness.statistics import slope
from benchmarks._harness.worker import load
from benchmarks._report import quotes, table
from benchmarks._report.page import page, write
from tests.harness.runs import case, run_of

RUN = run_of(case((2.0, 2.0, 4.0), (6.0, 6.0, 6.0)), case((1.0, 1.0, 1.0), None, "the other case"))


def on_axis(exponent: float, expected: float = 0.0) -> results.RunResult:
    sizes = (1.0, 10.0, 100.0)
    return run_of(
        *(case((50.0 * size**exponent,) * 2, None, f"{size:.0f} keys", Point("keys", size, expected)) for size in sizes)
    )


def test_a_run_reads_back_as_it_was_written(tmp_path: Path) -> None:
    results.save(RUN, tmp_path / "run.json")
    assert results.read(tmp_path / "run.json") == RUN


@pytest.mark.parametrize("text", ["", "{}", '{"scenarios": []}', "not json"])
def test_anything_else_is_refused_by_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "other.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"other\.json is no result of"):
        results.read(path)


def test_the_page_shows_ratios_with_their_intervals_and_who_is_absent() -> None:
    written = page(RUN, {"decode": "images/x.svg"})
    assert "| one case | ours | 2.00 |  | 2.00 |" in written
    assert "|  | theirs | 6.00 | 3.00 [1.50, 3.00] |" in written
    assert "- theirs: not installed" in written
    assert "![decode: How fast?](images/x.svg)" in written
    assert "at commit\n`abc`" in written
    assert "mean nothing" not in written


def test_a_run_on_a_busy_machine_says_so() -> None:
    runs = [run_of(case((1.0, 1.0), (2.0, 2.0)), busy=busy) for busy in (0.1, 1.5)]
    assert ["1.5 processes wanted each core" in page(each, {}) for each in runs] == [False, True]


def test_a_quick_run_says_that_its_figures_mean_nothing() -> None:
    assert "mean nothing" in page(run_of(case((1.0, 1.0), (2.0, 2.0)), quick=True), {})


@pytest.mark.parametrize(
    ("exponent", "expected", "verdict"),
    [
        (0.0, 0.0, "flat"),
        (0.05, 0.0, "flat"),
        (0.3, 0.0, "**grows faster than flat**"),
        (1.0, 1.0, "linear"),
        (1.3, 1.0, "**grows faster than linear**"),
    ],
)
def test_what_grows_faster_than_it_should_is_flagged(exponent: float, expected: float, verdict: str) -> None:
    result = on_axis(exponent, expected)
    (growth,) = growths(result.scenarios[0])
    assert growth.exponent == pytest.approx(exponent)
    assert growth.verdict == verdict
    assert f"| keys | 1 to 100 | {exponent:.2f} | {verdict} |" in page(result, {})


def test_what_small_sizes_cost_does_not_hide_what_grows() -> None:
    """Over all points this would be flat."""
    times = (1700.0, 700.0, 500.0, 800.0, 1000.0, 1700.0)
    cases = [case((time,) * 2, None, f"10^{n} keys", Point("keys", 10.0**n)) for n, time in enumerate(times)]
    (growth,) = growths(run_of(*cases).scenarios[0])
    assert slope(growth.points) < TOLERANCE < growth.exponent
    assert growth.flagged


@pytest.mark.thorough  # plots take seconds
def test_a_report_is_written_whole(tmp_path: Path) -> None:
    """The same run gives the same files; another one is written over it."""
    pytest.importorskip("matplotlib", reason="plots need the extra `bench`")
    write(on_axis(0.1), tmp_path / "a")
    for folder in ("a", "b"):
        write(RUN, tmp_path / folder)
    names = sorted(path.relative_to(tmp_path / "a").as_posix() for path in (tmp_path / "a").glob("**/*.*"))
    assert names == ["benchmarks.json", "benchmarks.md", "images/benchmarks-decode.svg"]
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    assert "images/benchmarks-decode.svg" in (tmp_path / "a" / "benchmarks.md").read_text()


def test_the_terminal_shows_the_same() -> None:
    shown = io.StringIO()
    table.show(Console(file=shown, width=120), RUN.scenarios[0])
    assert "3.00 [1.50, 3.00]" in shown.getvalue()
    assert "absent: theirs: not installed" in shown.getvalue()


@pytest.mark.parametrize(
    ("value", "shown"), [(0, "0"), (0.01234, "0.0123"), (1.005, "1.00"), (12.345, "12.3"), (123456.0, "123,456")]
)
def test_numbers_have_three_digits_and_no_exponent(value: float, shown: str) -> None:
    assert table.shown_number(value) == shown


def test_a_run_without_what_readme_quotes_is_refused() -> None:
    with pytest.raises(ValueError, match="no market: TCP, 20 channels of trades and liquidations"):
        quotes.lines(RUN)


@pytest.mark.parametrize("quote", quotes.QUOTES, ids=lambda quote: quote.what)
def test_readme_quotes_what_is_measured(quote: quotes.Quote) -> None:
    scenario = load(f"benchmarks.{quote.scenario}")
    assert quote.case in {case.name for case in scenario.cases(True)}
    assert quote.rival in {rival.name for rival in scenario.rivals}
