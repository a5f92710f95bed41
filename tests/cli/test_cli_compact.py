"""`cgrx compact` and `cgrx verify`: words and exit codes."""

import io
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import attrs
import pytest
from rich.console import Console

from cgrx import Recording
from cgrx._cli.app import run
from cgrx._cli.commands.compact import compact_recordings
from cgrx._cli.commands.verify import verify_recordings
from cgrx._cli.terminal.exits import Exit
from cgrx._cli.terminal.streams import Terminal
from cgrx._recording import finished_part
from cgrx._recording.writer import write_recording
from tests.cli.terminals import Heard, exit_code_of
from tests.recording.test_compact import recorded
from tests.recording.test_compact import said as said_in

Captured = pytest.CaptureFixture[str]


def said(capsys: Captured, *arguments: object, exit_code: int = Exit.DONE) -> list[str]:
    """What a command says, line by line."""
    assert run([*map(str, arguments)]) == exit_code
    out, err = capsys.readouterr()
    assert not out
    return str(err).splitlines()


def test_compact_and_verify(tmp_path: Path, capsys: Captured) -> None:
    """A recording where it is, and two days joined."""
    days = [recorded(tmp_path / "a", range(3)), recorded(tmp_path / "b", range(5, 7))]
    (line,) = said(capsys, "compact", days[0], "--by", "channel")
    assert line.startswith(f"cgrx: {days[0]}: 3 parts by channel, 21 rows of 3 channels, ")
    assert said(capsys, "compact", days[0]) == [f"cgrx: {days[0]} is by channel already"]
    (line,) = said(capsys, "compact", *days, "--to", tmp_path / "c")
    assert line.startswith(f"cgrx: {tmp_path / 'c'}: 5 parts by channel, 35 rows of 3 channels, ")
    lines = said(capsys, "verify", tmp_path / "c", days[1])
    assert lines == [
        f"cgrx: {tmp_path / 'c'}: 35 rows of 5 parts read, nothing is damaged",
        f"cgrx: {days[1]}: 14 rows of 2 parts read, nothing is damaged",
    ]


def test_damage_is_told(tmp_path: Path, capsys: Captured) -> None:
    folder = recorded(tmp_path, range(2))
    part = folder / "part-00000001.parquet"
    part.write_bytes(part.read_bytes()[:-1])
    lines = said(capsys, "verify", folder, exit_code=Exit.FAILED)
    assert str(part) in lines[0]
    assert lines[-1] == f"cgrx: {folder}: 7 rows of 1 part read, 1 problem"


Command = Callable[[Path, Terminal], Awaitable[int]]

INTERRUPTED: list[tuple[Command, str]] = [
    (lambda folder, terminal: compact_recordings([folder], None, terminal), "the recording is as it was"),
    (lambda folder, terminal: verify_recordings([folder], terminal), "interrupted"),
]


@pytest.mark.parametrize(("command", "words"), INTERRUPTED)
def test_a_bar_and_a_signal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Command, words: str) -> None:
    """While it works a terminal shows a bar; a signal ends it, and the recording is as it was."""

    class Interrupting(io.StringIO):
        def write(self, text: str) -> int:
            if not self.tell():
                signal.raise_signal(signal.SIGINT)
            return super().write(text)

    monkeypatch.setattr(finished_part, "GROUP_ROWS", 14)
    write_recording(tmp_path, [entry for second in range(500) for entry in said_in(second)])
    heard = Heard()
    console = Console(file=Interrupting(), force_terminal=True, width=80, color_system=None)
    terminal = attrs.evolve(heard.terminal(), bar=console)
    assert exit_code_of(lambda: command(tmp_path, terminal)) == 130
    assert words in heard.last_words
    assert Recording(tmp_path).events == 1500
    assert not list(tmp_path.glob("by-channel*"))


def test_what_cannot_be_done(tmp_path: Path, capsys: Captured) -> None:
    """One line, and the exit code of the command line or of a failure."""
    folder = recorded(tmp_path / "a", range(2))
    (line,) = said(capsys, "compact", folder, "--to", folder, exit_code=Exit.USAGE)
    assert "is one of the recordings" in line
    (line,) = said(capsys, "compact", tmp_path / "none", exit_code=Exit.FAILED)
    assert "there is no recording here" in line
    (tmp_path / "file").touch()
    (line,) = said(capsys, "compact", folder, "--to", tmp_path / "file", exit_code=Exit.FAILED)
    assert "File exists" in line
    (line,) = said(capsys, "compact", folder, "--by", "day", exit_code=Exit.USAGE)
    assert "day" in line
