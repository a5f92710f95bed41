"""The notebooks of docs/: small, without outputs, and what they show when a real kernel runs them."""

import json
import os
import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from nbclient import NotebookClient

from tests.house import plan
from tests.notebook.test_html import text

FOLDER = plan.ROOT / "docs" / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
LIMIT_S = 60
nbformat: Any = import_module("nbformat")  # it has no types


def name_of(path: Path) -> str:
    return path.name


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name_of)
def test_it_is_committed_without_outputs(path: Path) -> None:
    """They would change with every run, and hide what the code gives now."""
    written = json.loads(path.read_text(encoding="utf-8"))
    nbformat.validate(written)
    assert path.stat().st_size < 20_000
    for cell in written["cells"]:
        assert cell.get("outputs", []) == []
        assert cell.get("execution_count") is None


class Executed:
    """A notebook after a kernel has run it; its cells by their ids."""

    def __init__(self, name: str, folder: Path) -> None:
        notebook: Any = nbformat.read(FOLDER / name, as_version=4)
        # The kernel imports this tree, as the tests do, and writes nothing into it.
        environment = {**os.environ, "PYTHONPATH": str(plan.ROOT), "IPYTHONDIR": str(folder), "TMPDIR": str(folder)}
        client: Any = NotebookClient(notebook, timeout=LIMIT_S, resources={"metadata": {"path": str(folder)}})
        client.execute(env=environment)
        self._cells: dict[str, Any] = {cell.id: cell for cell in notebook.cells}

    def html(self, cell: str) -> str:
        """What it shows as HTML, the last of it."""
        shown = [
            output.data["text/html"] for output in self._cells[cell].outputs if "text/html" in output.get("data", {})
        ]
        found: str = shown[-1]
        return found

    def printed(self, cell: str) -> str:
        """What it prints."""
        return "".join(output.text for output in self._cells[cell].outputs if output.output_type == "stream")


def said(html: str) -> str:
    class Shown:
        def _repr_html_(self) -> str:
            return html

    return text(Shown())


def counts(printed: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", printed)))


@pytest.mark.thorough  # a kernel takes seconds
def test_a_live_session(tmp_path: Path) -> None:
    """The charts follow while other cells run, on asyncio and in a thread, and show the end."""
    session = Executed("live.ipynb", tmp_path)
    for chart, meanwhile in (("live", "meanwhile"), ("sync", "work")):
        assert "completed" in said(session.html(chart))
        assert "times in UTC" in said(session.html(chart))
        before, after = counts(session.printed(meanwhile))
        assert after > before
    assert "from (UTC)" in said(session.html("meanwhile"))
    for feed in ("feed", "sync-feed"):
        assert said(session.html(feed)).startswith("Feed: connected")
    assert "vega" in session.html("close")
    assert "Binance" in said(session.html("end"))


@pytest.mark.thorough  # a kernel and a whole notebook take ten seconds
def test_a_backtest_and_a_sweep(tmp_path: Path) -> None:
    """What is missing between the recordings is seen."""
    executed = Executed("backtest.ipynb", tmp_path)
    assert "ran in | part | columns | futures_trades@Binance_BTCUSDT@0" in said(executed.html("run"))
    assert "INCOMPLETE: gap" in executed.html("plot")
    assert "windows incomplete: hatched" in executed.html("plot")
    assert said(executed.html("sweep")).count("10000") == 1
