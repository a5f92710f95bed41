"""The options of the commands on the pages: all of them are there, with the texts of the help."""

import re

import pytest

from cgrx._cli.app import app
from tests.docs import options, pages

COMMANDS = [name for name in app if not name.startswith("-")]


def asked_for() -> list[str]:
    found = [asked for page in pages.markdown() for asked in pages.asked_for(page.read_text(encoding="utf-8"))]
    return [what for kind, what in found if kind == "command"]


def test_every_command_is_on_a_page() -> None:
    assert sorted(asked_for()) == sorted({*COMMANDS, "service"})


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_is_told_with_its_text(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The help prints the same options; those that every command has stand on one page."""
    shown = options.tables(command) + options.tables("service")
    for name in [each for each in app[command] if not each.startswith("-")] or [""]:
        app([command, *([name] if name else []), "--help"], result_action="return_value")
        printed = capsys.readouterr().out
        told = {
            each for each in re.findall(r"--[a-z][a-z-]*[a-z]", printed) if not each.startswith(("--no-", "--empty-"))
        }
        assert [each for each in told - {"--help", "--version"} if f"`{each}" not in shown] == []
    assert "|  |" not in shown


def test_an_option_of_one_command_of_a_group_says_so() -> None:
    shown = options.tables("watch")
    assert "| `--cascades` | Of `liquidations`: show cascades in place of events" in shown
    assert shown.count("| `--side` |") == 2
    assert "| `--window` | Rows in place of events" in shown
    assert "By default `table`." in shown
