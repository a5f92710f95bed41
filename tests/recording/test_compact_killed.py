"""A process that compacts a recording and is killed at any moment: the recording reads as before."""

import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cgrx import Recording, compact
from cgrx._recording.schema import SCHEMA
from tests.house.plan import ROOT
from tests.recording.test_compact import recorded


def rows_of(folder: Path) -> list[Any]:
    """All rows, as they are read one after the other and as a query."""
    rows = Recording(folder).to_arrow().cast(SCHEMA).to_pylist()
    assert Recording(folder).to_polars().collect().to_dicts() == rows
    return list(rows)


def kill(folder: Path, longest_step: int) -> int:
    """Kill compactions one moment after the other, some left out: how many; see `compacting`."""
    whole = recorded(folder / "whole", range(2))
    compact(whole)
    recorded(whole, range(2, 5), is_open=True)
    before = rows_of(whole)
    rng = random.Random(7)
    killed = moment = 0
    with subprocess.Popen(
        [sys.executable, "-m", "tests.recording.compacting"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        exit_code = -signal.SIGKILL
        while exit_code == -signal.SIGKILL:
            copy = Path(shutil.copytree(whole, folder / str(moment)))
            process.stdin.write(f"{moment} {copy}\n".encode())
            process.stdin.flush()
            exit_code = int(process.stdout.readline())
            assert rows_of(copy) == before
            compact(copy)
            assert rows_of(copy) == before
            assert sorted(path.suffix for path in copy.iterdir()) == ["", "", ".json", ".lock", ".open"]
            killed += exit_code == -signal.SIGKILL
            moment += rng.randint(1, longest_step)
        process.stdin.close()
        assert process.wait(30) == exit_code == 0
    return killed


@pytest.mark.thorough  # ten processes are killed
def test_killed_at_many_moments_it_reads_as_before(tmp_path: Path) -> None:
    """A real process, with a stretch from before and a part being written; then the next call ends the work."""
    assert kill(tmp_path, 19) >= 5


@pytest.mark.soak
def test_killed_at_every_moment_it_reads_as_before(tmp_path: Path) -> None:
    """The same, at each moment at which the disk is changed."""
    assert kill(tmp_path, 1) >= 50
