"""The blocks of Python on the pages, as modules for the type checkers: `python -m tests.docs.blocks` runs both, strict.

A reader's editor checks what is copied from a page, so every block must pass. Each becomes a module in which the block
stands at its own lines, so that an error names a line of the page. At its top the module imports what every page takes
for granted, and what earlier blocks of the page have made. A block that awaits is the body of an async function.

`nox -s types` runs this, not pytest: `pip install ".[test]"` brings no type checker.
"""

import ast
import json
import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from subprocess import PIPE
from tempfile import TemporaryDirectory

import attrs

from tests.docs import pages
from tests.house import plan

PYTHON = re.compile(r"^```python\n(?P<source>.*?)^```$", re.DOTALL | re.MULTILINE)
GRANTED = {
    "cgrx": "import cgrx",
    "trio": "import trio",
    "ops": "from cgrx import operators as ops",
    "feed": "from granted import feed",
}
"""What a page may use without an import, and how its modules get it."""
GRANTED_FEED = "import cgrx\n\nfeed: cgrx.Feed\n"


@attrs.frozen
class Block:
    """One block of Python on a page."""

    page: Path
    line: int
    """Of its first line on the page, from 1."""
    source: str

    @property
    def module(self) -> str:
        """The name of its module, unlike any other."""
        return re.sub(r"\W", "_", f"{name_of(self.page).removesuffix('.md')}_{self.line}").lower()

    @property
    def awaits(self) -> bool:
        """Whether it runs only inside an async function."""
        return any(_awaits(node) for node in ast.parse(self.source).body)

    @property
    def makes(self) -> dict[str, str]:
        """The names that the blocks after it can use, each with the import that gets it.

        What is made inside an async function stays there.
        """
        if self.awaits:
            return {}
        made: dict[str, str] = {}
        for node in ast.parse(self.source).body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                start = f"from {node.module} " if isinstance(node, ast.ImportFrom) else ""
                made |= {_bound(alias): f"{start}import {ast.unparse(alias)}" for alias in node.names}
            else:
                match node:
                    case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                        names = {name}
                    case _:
                        names = set(_stored(node))
                made |= {name: f"from {self.module} import {name}" for name in names}
        return made

    @property
    def lacks(self) -> set[str]:
        """The names that it reads and does not make."""
        tree = ast.parse(self.source)
        read = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
        imported = {_bound(node) for node in ast.walk(tree) if isinstance(node, ast.alias)}
        arguments = {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
        return read - set(_stored(tree)) - imported - arguments


def name_of(page: Path) -> str:
    """`docs/feed.md`."""
    return page.relative_to(plan.ROOT).as_posix()


def blocks(page: Path) -> list[Block]:
    """The blocks of a page in order, without the files of docs/examples that it shows: those are checked as files."""
    text = pages.blank_files(page.read_text(encoding="utf-8"))
    found = PYTHON.finditer(text)
    return [Block(page, text.count("\n", 0, each.start("source")) + 1, each["source"]) for each in found]


def modules(of_page: Sequence[Block]) -> Iterator[tuple[str, str]]:
    """The name and the source of a module for each block of one page."""
    known = dict(GRANTED)
    for block in of_page:
        head, body = "; ".join(known[name] for name in sorted(block.lacks & set(known))), block.source
        if block.awaits:
            head, body = f"{head}\nasync def block() -> None:", textwrap.indent(body, "    ")
        yield block.module, head + "\n" * (block.line - 1 - head.count("\n")) + body
        known |= block.makes


def _bound(alias: ast.alias) -> str:
    return alias.asname or alias.name


def _awaits(node: ast.AST) -> bool:
    if isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef | ast.Lambda):
        return False
    if isinstance(node, ast.Await | ast.AsyncWith | ast.AsyncFor):
        return True
    return any(_awaits(child) for child in ast.iter_child_nodes(node))


def _stored(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.Name(id=name, ctx=ast.Store()):
                yield name
            case _:
                pass


STUBS = plan.ROOT / "tests" / "stubs"
"""The types of pyspark, as far as cgrx uses it."""


def check(folder: Path) -> list[str]:
    """Write all modules into the folder, run each checker once over them, and return their errors, by page and line."""
    page_of: dict[str, Path] = {}
    for page in pages.markdown():
        for module, source in modules(blocks(page)):
            (folder / f"{module}.py").write_text(source, encoding="utf-8")
            page_of[module] = page
    (folder / "granted.py").write_text(GRANTED_FEED, encoding="utf-8")
    settings = {
        "typeCheckingMode": "strict",
        "pythonVersion": "3.11",
        "extraPaths": [str(plan.ROOT)],
        "stubPath": str(STUBS),
        "reportUnusedVariable": False,  # in the async functions, which are ours: on the page these names are global
    }
    (folder / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    cache = plan.ROOT / ".mypy_cache" / "docs"
    commands = (
        ["mypy", "--strict", "--config-file=", "--no-error-summary", f"--cache-dir={cache}", "."],
        ["pyright", "--pythonpath", sys.executable],
    )
    # The path tells where `cgrx` is: checkers do not follow the import hook of an editable install.
    environment = {**os.environ, "MYPYPATH": os.pathsep.join((str(plan.ROOT), str(STUBS)))}
    # Both at the same time, for each keeps one processor busy.
    runs = [
        subprocess.Popen(
            [sys.executable, "-m", *command], cwd=folder, env=environment, stdout=PIPE, stderr=PIPE, text=True
        )
        for command in commands
    ]
    faults: list[str] = []
    for command, run in zip(commands, runs, strict=True):
        told, complained = run.communicate()
        if run.returncode != 0:
            faults.append(f"{command[0]}:\n{in_pages(told, page_of, folder)}{complained}")
    return faults


def in_pages(text: str, page_of: Mapping[str, Path], folder: Path) -> str:
    """What a checker says, with the name of the page in place of a module's file."""

    def page(found: re.Match[str]) -> str:
        return f"{name_of(page_of[found[1]])}:" if found[1] in page_of else found[0]

    return re.sub(rf"(?<![\w/])(?:{re.escape(str(folder))}/)?(\w+)\.py:", page, text)


if __name__ == "__main__":
    with TemporaryDirectory() as written:
        found = check(Path(written).resolve())
    sys.exit("\n".join(found) or 0)
