"""The reference: the names that the facades hand on, and the examples in their docstrings.

An example stands behind `Examples:` on a line of its own, indented, and looks as in a terminal: `>>> 1 + 1`. It is two
to eight lines long, of 80 columns at most so that a page shows them whole, and comes before the arguments. The reader
has typed what stands in `IMPORTS`, which the pages show; anything else an example imports itself. `await`, `async with`
and `async for` may stand at its top, as in `python -m asyncio`: in trio, or in asyncio in `cgrx.aio`. Such a statement
runs alone, on the real clock. The folder is an empty one.

Expected output may be broken over lines where it has a space, and `...` stands for anything.
"""

import ast
import asyncio
import contextlib
import doctest
import inspect
import io
import re
import sys
import traceback
from collections.abc import Coroutine, Iterator
from functools import cache
from pathlib import Path
from types import CodeType
from typing import Any
from unittest import mock

import attrs

from tests.house import plan
from tests.support import LIMIT_S, run

FACADES = (
    "cgrx",
    "cgrx.aio",
    "cgrx.sync",
    "cgrx.operators",
    "cgrx.operators.agg",
    "cgrx.sinks",
    "cgrx.metrics",
    "cgrx.engines.spark",
    "cgrx.testing",
)
IMPORTS = """\
import cgrx
from cgrx import operators as ops
from cgrx.operators import agg
from cgrx.testing import alive, batch, gap, liquidation, trade
from cgrx.testing import marbles, play, to_marbles
"""
ACCEPTED = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
SECTION = re.compile(r"^Examples:\n(?:(?:    .*)?\n)*?    >>> ", re.MULTILINE)


@attrs.frozen
class Docstring:
    """One docstring, and where it stands."""

    path: Path
    line: int
    """Of its first line in the file, from 1."""
    text: str
    """Without the indentation that its lines share."""

    @property
    def examples(self) -> list[doctest.Example]:
        """What it says that a reader can type, with what that prints."""
        return doctest.DocTestParser().get_examples(self.text, self.path.name)


@attrs.frozen
class Entry:
    """A name that a facade hands on."""

    facade: str
    name: str
    docstrings: tuple[Docstring, ...]
    """Its own, if it has one; and those of what is in it, such as methods."""

    @property
    def shown(self) -> bool:
        """Whether its own docstring has a section of examples."""
        return bool(self.docstrings) and SECTION.search(f"{self.docstrings[0].text}\n") is not None

    def __str__(self) -> str:
        return f"{self.facade}.{self.name}"


def entries() -> list[Entry]:
    """Every public name."""
    return [Entry(facade, name, docstrings(facade, name)) for facade in FACADES for name in names(facade)]


def names(facade: str) -> list[str]:
    """What a facade hands on or defines, in order."""
    found: list[str] = []
    for node in _tree(_file(facade)).body:
        if isinstance(node, ast.ImportFrom):
            found += [alias.name for alias in node.names if alias.asname == alias.name]
            # `sync_sinks as sinks`: a module under another name.
            found += [alias.asname for alias in node.names if alias.asname and alias.name.endswith(f"_{alias.asname}")]
        else:
            found += [name for name in _defined(node) if not name.startswith("_")]
    return found


def shown_on(page: Path) -> list[str]:
    """The names that a page of the reference asks mkdocstrings for, in order."""
    return re.findall(r"^::: (\S+)$", page.read_text(encoding="utf-8"), re.MULTILINE)


def sentence(name: str) -> str:
    """What the docstring of a name says first."""
    module, _, own = name.rpartition(".")
    paragraph = docstrings(module, own)[0].text.partition("\n\n")[0]
    return re.split(r"(?<=[.:]) (?=[A-Z])", " ".join(paragraph.split()))[0]


def docstrings(module: str, name: str) -> tuple[Docstring, ...]:
    """That of a name, wherever it is defined, and those of what is in it."""
    with contextlib.suppress(FileNotFoundError):
        path = _file(f"{module}.{name}")
        return tuple(_of(path, _tree(path)))
    path = _file(module)
    body = _tree(path).body
    for node, behind in reversed([*zip(body, [*body[1:], None], strict=True)]):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                if (alias.asname or alias.name) == name:
                    return docstrings(node.module, alias.name)
        elif name in _defined(node):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                return tuple(each for inside in ast.walk(node) for each in _of(path, inside))
            return tuple(_in(path, behind))
    raise LookupError(f"{module} has no {name}")


def faults(docstring: Docstring, *, in_asyncio: bool) -> Iterator[str]:
    """Run the examples of a docstring in order, as one session, and tell what does not come out as it says."""
    names: dict[str, Any] = {"__name__": "__main__"}
    exec(IMPORTS, names)
    for example in docstring.examples:
        options = ACCEPTED | sum(option for option, on in example.options.items() if on)
        if options & doctest.SKIP:
            continue
        printed = _printed(example.source, names, in_asyncio=in_asyncio)
        want = example.want if example.exc_msg is None else example.exc_msg
        if not doctest.OutputChecker().check_output(want, printed, options):
            place = f"{docstring.path}:{docstring.line + example.lineno}"
            yield f"{place}: {example.source}expected:\n{want}got:\n{printed}"


def _printed(source: str, names: dict[str, Any], *, in_asyncio: bool) -> str:
    """What a statement prints, or the line with which its exception ends."""
    printed = io.StringIO()
    code = compile(source, "<example>", "single", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    with contextlib.redirect_stdout(printed), mock.patch.object(sys, "displayhook", _show):
        try:
            _run(code, names, in_asyncio=in_asyncio)
        except Exception as error:  # noqa: BLE001  # an example may show any
            return traceback.format_exception_only(error)[-1]
    return printed.getvalue()


def _run(code: CodeType, names: dict[str, Any], *, in_asyncio: bool) -> None:
    made: Coroutine[Any, Any, None] = eval(code, names)
    if not code.co_flags & inspect.CO_COROUTINE:
        return

    async def main() -> None:
        await made

    if in_asyncio:
        asyncio.run(asyncio.wait_for(main(), LIMIT_S))
    else:
        run(main)


def _show(value: object) -> None:
    """As a terminal does, without keeping the value as `_`."""
    if value is not None:
        print(repr(value))  # noqa: T201  # what an example prints is what is looked at


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _file(module: str) -> Path:
    path = plan.ROOT.joinpath(*module.split("."))
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    if not path.exists():
        raise FileNotFoundError(path)
    return path


def _defined(node: ast.stmt) -> list[str]:
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            return [] if name == "__all__" else [name]
        case _:
            return []


def _of(path: Path, node: ast.AST) -> Iterator[Docstring]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Module):
        yield from _in(path, node.body[0])


def _in(path: Path, node: ast.stmt | None) -> Iterator[Docstring]:
    match node:
        case ast.Expr(value=ast.Constant(value=str(text), lineno=line)):
            yield Docstring(path, line, inspect.cleandoc(text))
        case _:
            pass
