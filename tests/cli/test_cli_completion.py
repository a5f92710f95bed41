"""What a shell completes: asked of real shells, with the scripts that the command prints."""

import os
import shlex
import shutil
import subprocess
from contextlib import suppress
from functools import cache
from pathlib import Path

import pytest

from cgrx._cli.app import app, run
from cgrx._cli.completion import Shell, completion_script
from cgrx._cli.terminal.exits import Exit
from tests.choosing import one_in

pty = pytest.importorskip("pty", reason="there are no pseudo-terminals on this system")

BASH = shutil.which("bash")

ASKED: dict[str, set[str]] = {
    "cgrx ": {
        "watch",
        "replay",
        "alert",
        "board",
        "demo",
        "import",
        "record",
        "publish",
        "simulate",
        "compact",
        "verify",
        "completion",
    },
    "cgrx re": {"replay", "record"},
    "cgrx watch ": {"liquidations", "trades"},
    "cgrx alert ": {"liquidations", "trades"},
    "cgrx alert liquidations --dry-run a --res": {"--resolved"},
    "cgrx completion ": {"bash", "zsh", "fish"},
    "cgrx watch liquidations --side ": {"long", "short"},
    "cgrx watch trades Binance:BTCUSDT:10k --side ": {"buy", "sell"},
    "cgrx replay trades monday --format ": {"table", "jsonl", "csv"},
    "cgrx replay trades monday --format j": {"jsonl"},
    "cgrx demo --by ": {"base_asset", "exchange", "symbol", "side"},
    "cgrx demo --rate 5 --window 1m --by e": {"exchange"},
    "cgrx demo --top-by ": {"volume", "count", "buy_volume", "sell_volume", "delta"},
    "cgrx watch liquidations --join ": {"flow"},
    "cgrx watch trades a:b:1 --join ": set(),
    "cgrx replay liquidations monday --cas": {"--cascades", "--cascade-volume"},
    "cgrx import x --events ": {"liquidations", "trades"},
    "cgrx simulate --generation ": {"1", "2"},
    "cgrx board --large": {"--large-trade", "--large-liquidation"},
    "cgrx record --fl": {"--flush-every"},
    # A word that is the name of a command elsewhere is none here.
    "cgrx record liquidations --fl": {"--flush-every"},
    "cgrx replay liquidations demo watch --spe": {"--speed"},
    "cgrx watch --side": set(),
}


@cache
def script_for(shell: Shell) -> str:
    """It takes a second to write."""
    return completion_script(app, shell)


@pytest.mark.skipif(BASH is None, reason="there is no bash on this system")
def test_in_bash() -> None:
    """Commands, options, and the choices of options, one process for all."""
    ask = [
        f"COMP_WORDS=({' '.join(map(shlex.quote, line.split(' ')))}); COMP_CWORD={line.count(' ')}; COMPREPLY=()"
        '; _cgrx; echo "${COMPREPLY[*]}"'
        for line in ASKED
    ]
    program = "\n".join(["set -u", script_for("bash"), *ask])
    ran = subprocess.run([str(BASH), "--norc"], input=program, capture_output=True, text=True, timeout=30, check=True)
    assert ran.stderr == ""
    assert dict(zip(ASKED, (set(line.split()) for line in ran.stdout.splitlines()), strict=True)) == ASKED


@pytest.mark.parametrize(
    ("shell", "options", "setup", "tabulator"),
    [
        ("bash", ["--norc", "--noprofile", "-i"], "source {script}", "\t"),
        # Where a command takes more words, zsh first says what they are, and completes at the second stroke.
        ("zsh", ["-f", "-i"], "autoload -U compinit; compinit -D; source {script}", "\t\t"),
        ("fish", ["--no-config", "-i"], "source {script}", "\t"),
    ],
    ids=["bash", "zsh", "fish"],
)
def test_with_the_tabulator_key(shell: Shell, options: list[str], setup: str, tabulator: str, tmp_path: Path) -> None:
    """In an interactive shell: words that are typed in part are completed."""
    found = shutil.which(shell)
    if found is None:
        pytest.skip(f"there is no {shell} on this system")
    script, heard = tmp_path / f"cgrx.{shell}", tmp_path / "heard"
    script.write_text(script_for(shell), encoding="utf-8")
    echo = f"echo $argv > {heard}; exit" if shell == "fish" else f'echo "$@" > {heard}; exit'
    function = f"function cgrx; {echo}; end" if shell == "fish" else f"cgrx() {{ {echo}; }}"
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [found, *options],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        cwd=tmp_path,
        env=os.environ | {"TERM": "xterm", "HOME": str(tmp_path)},
    ) as process:
        os.close(theirs)
        lines = [function, setup.format(script=script), f"cgrx rec\tliquidations --fl{tabulator}5 --to x"]
        for line in lines:
            os.write(ours, f"{line}\n".encode())
        with suppress(OSError):  # Linux says so when the other side has closed
            while os.read(ours, 65_536):
                pass
        os.close(ours)
        process.wait(30)
    assert heard.read_text(encoding="utf-8").split() == ["record", "liquidations", "--flush-every", "5", "--to", "x"]


@pytest.mark.parametrize("shell", one_in(3, ["bash", "zsh", "fish"]))
def test_the_command_prints_the_script(shell: Shell, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["completion", shell]) == Exit.DONE
    out, err = capfd.readouterr()
    assert out == script_for(shell) + "\n"
    assert err == ""


def test_a_shell_without_a_script(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["completion", "csh"]) == Exit.USAGE
    err = capsys.readouterr().err
    assert all(word in err for word in ("csh", "bash", "zsh", "fish"))
