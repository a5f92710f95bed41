"""The command in processes of its own: pipes, a terminal, signals. Few, for each starts an interpreter."""

import json
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cgrx._cli.terminal.exits import Exit

pytest.importorskip("pty", reason="there are no pseudo-terminals on this system")

from tests.cli.screens import COMMAND, ENVIRONMENT, on_screen

LIMIT_S = 30.0


def completed(*arguments: str, command: tuple[str, ...] = COMMAND) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        (*command, *arguments), capture_output=True, text=True, timeout=LIMIT_S, check=False, env=ENVIRONMENT
    )


@contextmanager
def simulator(*arguments: str) -> Generator[tuple["subprocess.Popen[str]", str]]:
    """A running `cgrx simulate`, and its URL."""
    command = (*COMMAND, "simulate", "--port", "0", "--seconds", str(LIMIT_S), *arguments)
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT) as process:
        assert process.stderr is not None
        try:
            yield process, process.stderr.readline().split()[2]
        finally:
            process.kill()


@pytest.mark.thorough  # processes take seconds
def test_the_demo_in_a_pipe() -> None:
    """Plain lines and the summary; what was sent was received."""
    ran = completed("demo", "--seconds", "1", "--rate", "300")
    assert ran.returncode == Exit.DONE
    summary = {line.split()[0]: line.split()[1] for line in ran.stdout.splitlines() if line[0] in "srl"}
    assert summary["sent"] == summary["received"] != "0"
    assert summary["lost"] == "0"
    assert "\x1b" not in ran.stdout + ran.stderr
    assert "Traceback" not in ran.stderr


@pytest.mark.thorough  # processes take seconds
@pytest.mark.parametrize(("columns", "rows", "term"), [(40, 4, "xterm"), (100, 30, "dumb")])
def test_small_and_dumb_terminals(columns: int, rows: int, term: str) -> None:
    """A narrow one gets what fits; one that cannot be drawn on gets lines. Neither gets a colour with NO_COLOR."""
    more = {"TERM": term, "NO_COLOR": "1"}
    with on_screen("demo", "--seconds", "0.5", columns=columns, rows=rows, **more) as screen:
        assert screen.end() == Exit.DONE
        assert ("\x1b[?1049h" in screen.text) is (term != "dumb")
        assert "\x1b[3" not in screen.text
        assert "sent  " in screen.text


@pytest.mark.thorough  # processes take seconds
def test_a_reader_that_has_had_enough() -> None:
    """As `| head -n 1` does: no word, no traceback, exit code 0. SIGTERM ends the simulator."""
    with simulator("--rate", "500") as (server, url):
        watching = subprocess.Popen(
            (*COMMAND, "watch", "liquidations", "--url", url, "--format", "jsonl"),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=ENVIRONMENT,
        )
        assert watching.stdout is not None
        assert watching.stderr is not None
        with watching.stdout, watching.stderr:
            assert json.loads(watching.stdout.readline())["kind"] == "liquidation"
            watching.stdout.close()
            assert watching.wait(LIMIT_S) == Exit.DONE
            words = [line.split(maxsplit=2)[2].strip() for line in watching.stderr]
            assert words == ["connected", "listening to liquidationOrders"]
        server.terminate()
        assert server.wait(LIMIT_S) == 143
        assert server.stderr is not None
        assert "Traceback" not in server.stderr.read()


@pytest.mark.thorough  # processes take seconds
def test_without_the_extra() -> None:
    """One line, and no traceback."""
    program = "import sys; sys.modules['rich'] = None; from cgrx.__main__ import main; sys.exit(main())"
    ran = completed("demo", command=(sys.executable, "-c", program))
    assert ran.returncode == Exit.NO_EXTRA
    assert ran.stderr == 'cgrx: the command line needs rich: python -m pip install "cgrx[cli]"\n'


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full on this system")
def test_a_full_disk() -> None:
    with open("/dev/full", "wb") as full:  # noqa: PTH123 - a device, for the file descriptor
        ran = subprocess.run(
            (*COMMAND, "demo", "--seconds", "0.5"),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=LIMIT_S,
            check=False,
            env=ENVIRONMENT,
        )
    assert ran.returncode == Exit.FAILED
    assert ran.stderr.splitlines()[-1] == "cgrx: cannot write to standard output: No space left on device"
