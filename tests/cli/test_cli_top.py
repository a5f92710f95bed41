"""`--top`: of each window the rows with the greatest numbers, as lines, data and in the live table."""

import csv
import io
import json
from collections import defaultdict
from pathlib import Path

import pytest

from cgrx._cli.app import run
from cgrx._cli.terminal.exits import Exit
from cgrx._cli.view.row_board import RowBoard
from cgrx._model.events import Event
from cgrx._recording.writer import write_recording
from cgrx.testing import Generator
from tests.cli.rows import BARS, bar
from tests.replay.replaying import L, alive, at, events, gap

Captured = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Event]]:
    """A recording of half a minute of a simulated market, and its liquidations."""
    generator = Generator(seed=5, rate=60, start_ms=at(0))
    found: list[Event] = [each for each, _ in zip(generator, range(1_800), strict=False) if each.kind == "liquidation"]
    said = [gap(-30), *(events((each.time_ms - at(0)) / 1000, each, channel=L) for each in found), alive(60)]
    folder = tmp_path_factory.mktemp("top") / "recording"
    write_recording(folder, said)
    return folder, found


@pytest.mark.parametrize("by", ["volume", "count"])
def test_the_leaders_of_each_window(made: tuple[Path, list[Event]], by: str, capsys: Captured) -> None:
    """Those that a sort gives, the greatest first."""
    folder, found = made
    arguments = ["replay", "liquidations", str(folder), "--window", "5s", "--by", "base_asset", "--top", "2"]
    assert run([*arguments, "--top-by", by, "--format", "jsonl"]) == Exit.DONE
    out, err = capsys.readouterr()
    rows = [json.loads(line) for line in out.splitlines()]
    totals: dict[int, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for each in found:
        totals[each.time_ms // 5_000 * 5_000][each.base_asset] += each.volume_usd if by == "volume" else 1
    expected = {
        start: sorted(assets, key=lambda asset: (-round(assets[asset], 6), asset))[:2]
        for start, assets in totals.items()
    }
    leaders: dict[int, list[str]] = defaultdict(list)
    for row in rows:
        leaders[row["start_ms"]].append(row["base_asset"])
    assert len(leaders) > 4
    assert leaders == {start: expected[start] for start in leaders}
    assert f", {len(rows)} rows" in err


def test_as_lines_and_csv(made: tuple[Path, list[Event]], capsys: Captured) -> None:
    arguments = ["replay", "liquidations", str(made[0]), "--window", "5s", "--by", "base_asset", "--top", "1"]
    assert run([*arguments, "--format", "csv"]) == Exit.DONE
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert len({row["start_ms"] for row in rows}) == len(rows) > 4
    assert run(arguments) == Exit.DONE
    assert [line.split()[2] for line in capsys.readouterr().out.splitlines()[1:]] == [row["base_asset"] for row in rows]


def test_the_live_table_shows_the_leaders_of_open_windows_too() -> None:
    """Until the window is closed for all; then the others of it are gone."""
    board = RowBoard(top=2)
    for minute in (0, 1):
        for volume, exchange in enumerate(("A", "B", "C"), 1):
            board.add(bar(minute, exchange=exchange, volume=volume, final=False))
    assert [(row.start_ms, row["exchange"]) for row in board.shown(9)] == [
        (bar(minute).start_ms, exchange) for minute in (1, 0) for exchange in ("C", "B")
    ]
    assert len(board.open_rows()) == 4
    board.add(bar(0, exchange="C", volume=3))
    board.add(bar(0, exchange="B", volume=2))
    assert [(row.final, row["exchange"]) for row in board.shown(9)] == [
        (False, "C"),
        (False, "B"),
        (True, "C"),
        (True, "B"),
    ]
    assert len(board.running) == 3


def test_ranked_by_another_number() -> None:
    board = RowBoard(top=1, top_by="count")
    for exchange, count in (("A", 2), ("B", 3), ("C", 1)):
        values = bar(exchange=exchange, volume=10.0 - count, final=False).asdict() | {"count": count}
        board.add(BARS.row(**values))
    assert [row["exchange"] for row in board.shown(9)] == ["B"]
