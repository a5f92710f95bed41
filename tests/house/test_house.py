"""The rules of the house that a machine can hold: where modules stand, what is public, how it is packaged."""

import ast
import importlib
import inspect
import re
import subprocess
import tomllib
from collections.abc import Iterable, Iterator
from graphlib import TopologicalSorter
from importlib import metadata
from pathlib import Path
from typing import TypeVar

import pytest
from setuptools import find_packages  # type: ignore[import-untyped]  # it ships no types

import cgrx
import cgrx.operators
from tests.docs import reference
from tests.house import plan

MODULES = tuple(plan.modules())
KNOWN = frozenset(module.name for module in MODULES)
PURE = tuple(module for module in MODULES if module.is_pure)
PACKAGES = tuple(module for module in MODULES if module.path.name == "__init__.py")
PUBLIC = (
    "cgrx",
    "cgrx.aio",
    "cgrx.engines",
    "cgrx.engines.spark",
    "cgrx.metrics",
    "cgrx.sinks",
    "cgrx.operators",
    "cgrx.operators.agg",
    "cgrx.sync",
    "cgrx.testing",
)
FACADES = tuple(name for name in PUBLIC if name in KNOWN)
FOLDERS = ("cgrx", "operators", "tests", "benchmarks", "docs", ".ci")
SOURCES = (
    plan.ROOT / "noxfile.py",
    *(path for folder in FOLDERS for path in sorted((plan.ROOT / folder).glob("**/*.py"))),
)
TOP_LEVEL = {
    *(".ci", ".gitattributes", ".gitignore", "constraints.txt", "MANIFEST.in", "mkdocs.yml", "noxfile.py"),
    *("CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "README.md", "pyproject.toml"),
    *("cgrx", "operators", "tests", "benchmarks", "docs", "deploy"),
}
LONGEST_FILE = 400
F = TypeVar("F")

MARKER = re.compile(
    r"#\s*(?P<kind>noqa|type:\s*ignore|pyright:\s*ignore|pragma:\s*no\s+(?:cover|branch))\b"
    r"(?P<codes>:\s*[A-Z]+\d+(?:,\s*[A-Z]+\d+)*|\[[^\]]*\])?"
)


@pytest.fixture(scope="module", autouse=True)
def _forget_trees() -> Iterator[None]:
    """Of all modules they are half a million objects, through which each collection of garbage would walk."""
    yield
    plan.parsed.cache_clear()


def of(name: str, source: str) -> plan.Module:
    """A module that exists only in this test."""
    return plan.Module(name, Path("made-up.py"), source)


def name_of(value: plan.Module | Path | str) -> str:
    if isinstance(value, plan.Module):
        return value.name
    return str(value.relative_to(plan.ROOT)) if isinstance(value, Path) else value


def faults(found: Iterable[tuple[str, list[F]]]) -> dict[str, list[F]]:
    """What was found, by the name of the file or module, where anything was."""
    return {name: each for name, each in found if each}


# --- packaging ------------------------------------------------------------------------------------------------------


def test_operators_are_one_folder_under_one_name() -> None:
    """The link and the mapping both lead to operators/ at the top of the repository."""
    assert Path(cgrx.operators.__file__).resolve() == plan.ROOT / "operators" / "__init__.py"


def test_the_top_level_is_what_it_is() -> None:
    """What is committed there; a file that some run has left is not."""
    listed = subprocess.run(["git", "ls-files"], check=False, cwd=plan.ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip(f"no list of what is committed: {listed.stderr.strip()}")
    assert {name.split("/")[0] for name in listed.stdout.splitlines()} == TOP_LEVEL


def test_no_generic_top_level_name_is_installed() -> None:
    """`operators` reaches site-packages inside `cgrx` only."""
    assert "cgrx" not in metadata.packages_distributions().get("operators", [])


def test_every_package_is_found() -> None:
    """setuptools finds folders that hold an `__init__.py`, no others: one without would be missing from the wheel."""
    project = tomllib.loads((plan.ROOT / "pyproject.toml").read_text())
    found = find_packages(str(plan.ROOT), **project["tool"]["setuptools"]["packages"]["find"])
    assert {module.name for module in PACKAGES} == set(found)
    assert {module.name.rpartition(".")[0] for module in MODULES if module not in PACKAGES} <= set(found)


# --- the picture ----------------------------------------------------------------------------------------------------


def test_the_table_is_read_downwards() -> None:
    """Each room uses only rooms above it in the table, so imports go one way and make no circle."""
    seen: set[str] = set()
    for room, used in plan.ROOMS.items():
        assert set(used) <= seen, f"{room} uses rooms that stand below it in ROOMS: {set(used) - seen}"
        seen.add(room)


def test_rooms_import_what_the_table_says() -> None:
    """No more, or the table would be broken; no less, or the picture that is drawn from it would lie."""
    used: dict[str, set[str]] = {room: set() for room in plan.ROOMS}
    for module in MODULES:
        used[module.room] |= plan.rooms_used(module, plan.imports(module, KNOWN))
    assert used == {room: set(allowed) for room, allowed in plan.ROOMS.items()}


@pytest.mark.parametrize("module", [each for each in PACKAGES if each.name not in PUBLIC], ids=name_of)
def test_a_room_is_introduced(module: plan.Module) -> None:
    """The `__init__.py` of a room is one docstring: what it is for, what it may import, in which order to read it."""
    (only,) = module.tree.body
    assert isinstance(only, ast.Expr)
    purpose, may, reading = (ast.get_docstring(module.tree) or "").split("\n\n", 2)
    used = plan.ROOMS[module.room]
    assert purpose.endswith(".")
    assert " ".join(may.split()).startswith(
        f"May import {', '.join(f'`{room}`' for room in used)}." if used else "Imports nothing of cgrx."
    )
    assert {f"`{path.stem}`" for path in module.path.parent.glob("[!_]*.py")} <= set(re.findall(r"`\w+`", reading))


def test_the_pure_rooms_are_pure() -> None:
    """No clock, timer, thread, chance or I/O: everything that moves an operator arrives as a signal."""
    assert faults((module.name, plan.brings_in(module, plan.imports(module, KNOWN))) for module in PURE) == {}


def test_no_circles() -> None:
    """Modules of one floor may use each other, in one direction."""
    graph = {module.name: plan.imports(module, KNOWN) & KNOWN for module in MODULES}
    assert set(TopologicalSorter(graph).static_order()) == KNOWN


@pytest.mark.parametrize(
    ("source", "rooms"),
    [
        ("from cgrx._feed.session import Session", {"_feed"}),
        ("import cgrx", {"cgrx"}),
        ("from cgrx._feed import session as hidden", {"_feed"}),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from cgrx._trio.clock import WallClock", {"_trio"}),
        ("def late():\n    import cgrx._trio.clock", {"_trio"}),
        ("from cgrx.operators._windows.grid import Grid\nimport attrs", set[str]()),
    ],
)
def test_an_import_is_seen(source: str, rooms: set[str]) -> None:
    """Wherever it stands in the file, and however it is spelled."""
    module = of("cgrx.operators._windows.made_up", source)
    assert plan.rooms_used(module, plan.imports(module, KNOWN)) == rooms


def test_a_module_without_a_room_is_seen() -> None:
    with pytest.raises(LookupError, match=r"cgrx\._cellar\.barrel has no room yet"):
        plan.room_of("cgrx._cellar.barrel")


@pytest.mark.parametrize(
    ("source", "faults"),
    [
        ("import trio", ["trio"]),
        ("from time import monotonic", ["time.monotonic"]),
        ("def stamp():\n    import random", ["random"]),
        ("from reactivex import timer", ["reactivex.timer"]),
        ("from reactivex.scheduler import TimeoutScheduler", ["reactivex.scheduler.TimeoutScheduler"]),
        ("from datetime import datetime\nmade = datetime.now()", ["now() in line 2"]),
        ("lines = open('x')", ["open() in line 1"]),
        ("import math, re\nfrom collections.abc import Callable\nfrom reactivex import Observable", []),
    ],
)
def test_an_impure_import_is_seen(source: str, faults: list[str]) -> None:
    module = of("cgrx.operators._rows.made_up", source)
    assert plan.brings_in(module, plan.imports(module, KNOWN)) == faults


# --- what is public -------------------------------------------------------------------------------------------------


def test_all_other_modules_are_private() -> None:
    assert {name for name in KNOWN if not any(part.startswith("_") for part in name.split("."))} == set(FACADES)


@pytest.mark.parametrize("module", PACKAGES, ids=name_of)
def test_a_facade_only_hands_names_on(module: plan.Module) -> None:
    """`__init__.py` holds a docstring, imports and dunder names: no code of its own."""
    for node in module.tree.body:
        match node:
            case ast.Expr(value=ast.Constant()) | ast.Import() | ast.ImportFrom():
                continue
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                assert re.fullmatch(r"__\w+__", name), f"line {node.lineno} defines {name}"
            case _:
                pytest.fail(f"line {node.lineno} is code")


@pytest.mark.parametrize("module", PACKAGES, ids=name_of)
def test_a_facade_says_that_it_hands_on(module: plan.Module) -> None:
    """Each import of ours is spelled `X as X`: type checkers and the reference take no other for public."""
    silent = [
        alias.name
        for node in module.tree.body
        if isinstance(node, ast.ImportFrom) and plan.is_ours(node.module or "")
        for alias in node.names
        if alias.asname != alias.name
    ]
    assert silent == []


@pytest.mark.parametrize("facade", FACADES)
def test_public_names_are_documented(facade: str) -> None:
    """Every class and function that a facade offers has a docstring, and so has every public method of the classes."""
    silent: list[str] = []
    for name, value in vars(importlib.import_module(facade)).items():
        if name.startswith("_") or not (inspect.isclass(value) or inspect.isroutine(value)):
            continue
        members = vars(value).items() if inspect.isclass(value) and plan.is_ours(value.__module__) else ()
        methods = [
            (f"{name}.{member}", method)
            for member, method in members
            if not member.startswith("_") and (inspect.isfunction(method) or isinstance(method, property))
        ]
        silent.extend(where for where, thing in ((name, value), *methods) if not (thing.__doc__ or "").strip())
    assert silent == []


@pytest.mark.parametrize("facade", FACADES)
def test_public_names_are_in_the_reference(facade: str) -> None:
    """It is one of those whose names tests/docs/test_reference.py looks for; `cgrx.engines` has none of its own."""
    assert facade in (*reference.FACADES, "cgrx.engines")


# --- how it reads ---------------------------------------------------------------------------------------------------


def test_no_file_has_two_ideas() -> None:
    lines = {name_of(path): len(path.read_text(encoding="utf-8").splitlines()) for path in SOURCES}
    assert {name: count for name, count in lines.items() if count > LONGEST_FILE} == {}


def unexplained(text: str) -> list[int]:
    """The lines that silence a checker with no reason.

    The reason stands behind the marker, or on a comment line above; once a file has given it for a marker, the same
    marker needs no other.
    """
    lines = text.splitlines()
    explained: set[str] = set()
    found: list[int] = []
    for number, line in enumerate(lines, start=1):
        markers = {marker[0] for marker in MARKER.finditer(line)}
        if markers <= explained:
            continue
        behind = MARKER.sub("", line[line.index("#") :])
        above = lines[number - 2].strip() if number > 1 else ""
        if re.search(r"\w+ \w+", behind) or above.startswith("#"):
            explained |= markers
        else:
            found.append(number)
    return found


def test_every_exception_has_its_reason() -> None:
    """Beside each `noqa`, `type: ignore`, `pyright: ignore` and `pragma: no cover` it says why."""
    others = (path for path in SOURCES if path.name != "test_house.py")
    assert faults((name_of(path), unexplained(path.read_text(encoding="utf-8"))) for path in others) == {}


def test_an_exception_without_reason_is_seen() -> None:
    text = (
        "import a  # noqa: F401\n"
        "import b  # noqa: F401 - hands the name on\n"
        "c = d  # type: ignore[misc]  # pyright: ignore[reportX]\n"
        "e = f  # type: ignore[misc]  # its stubs are wrong\n"
        "# The stubs of this library are wrong.\n"
        "g = h  # type: ignore[misc]\n"
        "if i:  # pragma: no cover\n"
        "import j  # noqa: F401\n"
    )
    assert unexplained(text) == [1, 3, 7]


def test_every_package_that_ci_installs_has_its_hashes() -> None:
    """Of the very version that constraints.txt names."""
    pinned = [line for line in (plan.ROOT / "constraints.txt").read_text().splitlines() if line and line[0] != "#"]
    hashed = re.findall(
        r"^(\S+==\S+) \\\n    --hash=sha256:", (plan.ROOT / ".ci" / "hashes.txt").read_text(), re.MULTILINE
    )
    assert {canonical(pin) for pin in pinned} == {canonical(pin) for pin in hashed}


def canonical(pin: str) -> str:
    """A name and a version; names are the same whatever separates their words."""
    name, version = pin.split("==")
    return f"{re.sub(r'[-_.]+', '-', name).lower()}=={version}"
