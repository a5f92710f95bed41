"""`--explain`: what the pipeline of the options keeps and delays, without running it."""

import re
import shlex

import pytest

import cgrx
from cgrx import API_KEY_VARIABLE
from cgrx import operators as ops
from cgrx._cli.app import run
from cgrx._cli.terminal.exits import Exit
from cgrx._cli.terminal.streams import Terminal
from tests.cli.terminals import Heard
from tests.house import plan


@pytest.fixture(autouse=True)
def _no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(API_KEY_VARIABLE, raising=False)


@pytest.mark.parametrize(
    ("command", "stages"),
    [
        ("demo --window 1m", (ops.tumbling("1m"),)),
        ("demo --window 1m --every 10s --running", (ops.sliding("1m", "10s", updates="1s"),)),
        (
            "watch liquidations --side long --min-volume 1M --exchange okx",
            (ops.side("long"), ops.min_volume(1e6), ops.exchange("okx")),
        ),
        ("watch trades Binance:BTCUSDT --min-volume 10k --window 5s", (ops.min_volume(1e4), ops.tumbling("5s"))),
        ("replay liquidations nowhere --side short", (ops.side("short"),)),
        ("replay trades nowhere --base-asset BTC --window 1h", (ops.base_asset("BTC"), ops.tumbling("1h"))),
    ],
)
def test_it_is_that_of_the_library(
    command: str, stages: tuple[ops.Stage[object, object], ...], capfd: pytest.CaptureFixture[str]
) -> None:
    """No key, no server and no recording is needed, for nothing runs."""
    assert run([*command.split(), "--explain"]) == Exit.DONE
    assert capfd.readouterr() == (f"{cgrx.explain(ops.pipeline(*stages))}\n", "")


def test_a_live_table_asks_for_updates(monkeypatch: pytest.MonkeyPatch) -> None:
    heard = Heard()

    def live(*_: object) -> Terminal:
        return heard.terminal(live=True)

    monkeypatch.setattr(Terminal, "of_process", live)
    assert run(["demo", "--window", "1m", "--explain"]) == Exit.DONE
    assert heard.text == f"{cgrx.explain(ops.tumbling('1m', updates='1s'))}\n"


def test_without_a_stage(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["watch", "liquidations", "--explain"]) == Exit.DONE
    assert capfd.readouterr() == ("no stage: events are shown as they come\n", "")


def test_the_example_of_the_documentation(capfd: pytest.CaptureFixture[str]) -> None:
    page = (plan.ROOT / "docs" / "cli" / "windows.md").read_text(encoding="utf-8")
    examples = re.findall(r"\$ cgrx ([^\n]* --explain)\n(.*?)```", page, re.DOTALL)
    assert len(examples) == 2
    for command, printed in examples:
        assert run(shlex.split(command)) == Exit.DONE
        assert capfd.readouterr().out == printed


@pytest.mark.parametrize("option", ["--window", "--top", "--cascades", "--join"])
def test_the_commands_of_the_documentation(option: str, capfd: pytest.CaptureFixture[str]) -> None:
    """What they ask for can be made."""
    page = "".join(path.read_text(encoding="utf-8") for path in (plan.ROOT / "docs" / "cli").glob("*.md"))
    commands = re.findall(rf"^\$ cgrx ((?:watch|replay|demo)[^\n|>]*{option} [^\n|>]*)", page, re.MULTILINE)
    right = [each for each in commands if "exchnage" not in each and "--explain" not in each]
    assert right
    for command in right:
        assert run([*shlex.split(command), "--explain"]) == Exit.DONE
        assert capfd.readouterr().err == ""
