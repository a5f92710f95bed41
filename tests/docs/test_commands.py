"""The blocks of the pages that are not Python: each command line could be typed as it stands, and data parses."""

import ast
import importlib.util
import json
import re
import tomllib
from pathlib import Path

import duckdb
import pytest
from cyclopts import CycloptsError

from cgrx._cli import app as cli
from cgrx._cli.terminal.exits import Exit
from tests.docs import blocks, pages
from tests.docs.commands import Command, commands, fenced, fenced_in
from tests.house import plan

SHELL = {"console", "sh", "bash"}
LANGUAGES = SHELL | set(
    "csv dockerfile html ini javascript json nginx postgresql py pycon python sql text toml yaml".split(),
)
"""What a block may be. `text` is what a program prints, and is not looked at; `sql` is read by DuckDB; `pycon` comes
from docstrings, whose examples test_reference.py runs; `py` is Python with libraries that the tests do not have, so it
is only parsed."""

FOREIGN = set(
    """
    . cat cd cp crontab curl docker export git head jq kill ln ls mkdir notify-send podman psql redis-cli sed seq sleep
    source sudo systemctl tail ./tansu tee test timeout watch
    """.split()
)
"""Programs of others that a reader has, or is told to have."""

TOLD = re.compile(r"cgrx: .* See `cgrx [\w ]*--help`\.")
"""A mistake that a page shows."""

PROJECT = tomllib.loads((plan.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def on_pages() -> list[tuple[str, Command]]:
    """Every command line of every page, with where it stands."""
    return [
        (f"{blocks.name_of(page)}:{block.line}", command)
        for page in [*pages.markdown(), plan.ROOT / "CONTRIBUTING.md", plan.ROOT / "CHANGELOG.md"]
        for block in fenced(page)
        if block.language in SHELL
        for command in commands(block)
    ]


def fault(command: Command) -> str:
    """Why this cannot be typed, or nothing."""
    match command.words:
        case ["cgrx", *arguments] | ["python", "-m", "cgrx", *arguments]:
            return cgrx_fault(arguments, mistaken=TOLD.fullmatch(command.told) is not None)
        case ["python", "-m", "pip", "install", *arguments] | ["pip", "install", *arguments]:
            extras = {
                extra for word in arguments for part in re.findall(r"\[(.*)\]", word) for extra in part.split(",")
            }
            return " ".join(extras - set(PROJECT["optional-dependencies"]))
        case ["python", "-m", module, *_]:
            return "" if importlib.util.find_spec(module) else f"no module {module}"
        case ["python", script, *_] if script.endswith(".py"):
            return script_fault(script)
        case ["uvicorn", target, *_]:
            return script_fault(f"{target.partition(':')[0]}.py")
        case ["pytest", *arguments]:
            paths = [word.partition("::")[0] for word in arguments if word.startswith("tests/")]
            return " ".join(path for path in paths if not (plan.ROOT / path).exists())
        case ["nox", "-s", session, *_]:
            tree = ast.parse((plan.ROOT / "noxfile.py").read_text(encoding="utf-8"))
            sessions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
            return "" if session in sessions else f"no session {session}"
        case [program, *_] if program in FOREIGN:
            return ""
        case _:
            return f"{command.words[0]} is not known: if readers have it, name it in FOREIGN"


def cgrx_fault(arguments: list[str], *, mistaken: bool) -> str:
    """What the command line says against these arguments, without running anything."""
    try:
        cli.app.parse_args(arguments, exit_on_error=False, print_error=False)
    except CycloptsError as error:
        elsewhere = "--config" in arguments and "requires an argument" in str(error)  # the file has it
        return "" if mistaken or elsewhere else str(error)
    return "this is shown as a mistake, and is none" if mistaken else ""


def script_fault(script: str) -> str:
    """Whether it is one of the examples that the pages show."""
    names = {name for shown in pages.examples() for name in (shown, Path(shown).name, f"docs/examples/{shown}")}
    return "" if script in names else f"no example {script}"


@pytest.fixture(autouse=True)
def _no_file_of_options(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another test of this process may have run the program, which sets one."""
    monkeypatch.setattr(cli.app, "config", ())


def test_every_command_line_could_be_typed() -> None:
    """The program is there, its options parse, the extras, modules, files and sessions that it names exist."""
    found = on_pages()
    assert len(found) > 80
    assert [f"{where}: {command}: {why}" for where, command in found if (why := fault(command))] == []


def test_every_mistake_is_told_as_the_page_shows(capsys: pytest.CaptureFixture[str]) -> None:
    """These end before anything is opened."""
    shown = [command for _, command in on_pages() if TOLD.fullmatch(command.told)]
    assert shown
    for command in shown:
        assert cli.run(command.words[1:]) == Exit.USAGE
        assert capsys.readouterr().err.strip() == command.told


@pytest.mark.parametrize("page", pages.markdown(), ids=blocks.name_of)
def test_every_block_is_of_a_language_and_parses(page: Path) -> None:
    for block in fenced(page):
        where = f"{blocks.name_of(page)}:{block.line}"
        assert block.language in LANGUAGES, where
        match block.language:
            case "json":
                json.loads(block.source)
            case "toml":
                tomllib.loads(block.source)
            case "sql":
                assert duckdb.extract_statements(block.source), where
            case "python":
                assert not block.indent, (
                    f"{where}: blocks.py, which runs it, takes those alone that stand by themselves"
                )
                compile(block.source, where, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
            case "py":
                compile(block.source, where, "exec")
            case _:
                pass


PAGE = """
1.  A step:

    ```console
    $ export KEY=... && cgrx demo --seconds 1 | tail -n 2 > 'of the demo'   # shown
    cgrx: something
    $ A=1 python -m pip install "cgrx[none-such]" \\
        --quiet
    ```

```sh
cat > file.txt <<'END'
not a command
END
nox -s none-such; frobnicate --all
```

```text
$ no command
```
"""


def test_what_a_shell_would_start() -> None:
    first, second, third = fenced_in(Path("page.md"), PAGE)
    assert (first.line, first.language, third.language) == (5, "console", "text")
    found = [*commands(first), *commands(second)]
    assert [str(each) for each in found] == [
        "export KEY=...",
        "cgrx demo --seconds 1",
        "tail -n 2",
        "python -m pip install 'cgrx[none-such]' --quiet",
        "cat",
        "nox -s none-such",
        "frobnicate --all",
    ]
    assert [each.told for each in found] == [*["cgrx: something"] * 3, "", "", "", ""]
    assert [bool(fault(each)) for each in found] == [False, False, False, True, False, True, True]


@pytest.mark.parametrize(
    "line",
    [
        "cgrx demo --secnods 3",
        "cgrx frobnicate",
        "cgrx watch liquidations --side up",
        "python -m none_such",
        "python none_such.py",
        "uvicorn none_such:app",
        "pytest tests/none_such",
    ],
)
def test_what_could_not_be_typed(line: str) -> None:
    assert fault(Command(tuple(line.split()), ""))


def test_a_mistake_that_is_none() -> None:
    assert fault(Command(("cgrx", "demo"), "cgrx: Something is wrong. See `cgrx demo --help`."))
