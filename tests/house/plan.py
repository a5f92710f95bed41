"""The plan of the house: which room may import which, as a table, and what may be carried into the pure ones.

A room is a folder of cgrx/ or operators/, or a public module. A new one gets its line in `ROOMS`, from which
docs/house.md is drawn.
"""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]

ROOMS: dict[str, tuple[str, ...]] = {
    "_extras": (),
    "_own_folder": (),
    "_model": (),
    "_wire": ("_model",),
    "_streams": ("_model",),
    "_recording": ("_extras", "_model"),
    "operators._aggregates": ("_model",),
    "operators.agg": ("operators._aggregates",),
    "operators._rows": ("_model", "operators._aggregates", "operators.agg"),
    "operators._stages": ("_model", "_streams", "operators._aggregates", "operators._rows"),
    "operators._windows": (
        "_model",
        "_streams",
        "operators._aggregates",
        "operators.agg",
        "operators._rows",
        "operators._stages",
    ),
    "operators": ("_streams", "operators._rows", "operators._stages", "operators._windows"),
    "_trio": ("_model", "_streams"),
    "_feed": ("_extras", "_model", "_wire", "_streams", "_recording", "_trio"),
    "_replay": ("_model", "_streams", "_recording", "_trio", "_feed"),
    "_delivery": ("_extras", "_own_folder", "_model", "_streams", "operators._rows", "_trio", "_feed"),
    "_sinks": (
        "_extras",
        "_model",
        "_wire",
        "_streams",
        "_recording",
        "operators._rows",
        "operators._stages",
        "_trio",
        "_delivery",
    ),
    "sinks": ("_model", "_delivery", "_sinks"),
    "_importing": ("_extras", "_model", "_wire", "_recording"),
    "_backtest": (
        "_extras",
        "_model",
        "_streams",
        "_recording",
        "operators._aggregates",
        "operators._rows",
        "operators._stages",
        "operators._windows",
        "_trio",
        "_feed",
        "_replay",
    ),
    "_shards": (
        "_model",
        "_streams",
        "operators._rows",
        "operators._windows",
        "_replay",
        "_backtest",
    ),
    "_log": (
        "_extras",
        "_model",
        "_streams",
        "_recording",
        "_trio",
        "_feed",
        "_replay",
        "_delivery",
        "_sinks",
        "_shards",
    ),
    "_hosts": ("_model", "_streams", "_trio", "_feed", "_replay", "_delivery", "_sinks", "_log"),
    "_spark": (
        "_extras",
        "_model",
        "_streams",
        "_shards",
        "operators._rows",
        "operators._stages",
        "_trio",
        "_feed",
        "_sinks",
        "_backtest",
    ),
    "engines": ("_spark",),
    "_resuming": ("_extras", "_own_folder", "_model", "_streams", "_feed", "_shards"),
    "_plot": ("_model", "operators._rows"),
    "_notebook": ("_model", "operators._rows", "_plot"),
    "_board": (
        "_extras",
        "_model",
        "_streams",
        "operators._aggregates",
        "operators.agg",
        "operators._windows",
        "operators",
        "_trio",
        "_feed",
        "_replay",
        "_sinks",
    ),
    "aio": ("_hosts",),
    "sync": ("_trio", "_hosts", "_backtest"),
    "cgrx": (
        "_model",
        "_streams",
        "_recording",
        "operators._rows",
        "operators._stages",
        "_trio",
        "_feed",
        "_replay",
        "_log",
        "_hosts",
        "_importing",
        "_backtest",
        "_shards",
        "_resuming",
        "_notebook",
        "_plot",
        "_board",
        "sinks",
        "aio",
        "sync",
    ),
    "_metrics": ("_extras", "_model", "_streams", "_trio", "_feed", "_delivery"),
    "metrics": ("_metrics",),
    "_simulator": ("_model", "_wire", "_trio"),
    "_testing": ("_model", "_streams"),
    "testing": ("_simulator", "_testing"),
    "_cli.terminal": ("cgrx", "testing"),
    "_cli.view": ("operators", "operators.agg", "sinks", "cgrx", "_plot", "_cli.terminal"),
    "_cli.commands": ("engines", "operators", "sinks", "metrics", "cgrx", "testing", "_cli.terminal", "_cli.view"),
    "_cli": ("engines", "operators", "cgrx", "testing", "_cli.terminal", "_cli.view", "_cli.commands"),
    "__main__": ("_cli",),
}
"""Each room, and the rooms that it imports, from low to high: a room may only use those above it in this table.

`cgrx` and `operators` are the facades; a name without a folder, such as `testing`, is a module of its own.
"""

PURE_ROOMS = ("_model", "_streams", "operators")
"""Rooms without clock, timer, thread, chance or I/O; `operators` with all that is in it."""

KNOWS_SCHEDULERS = "cgrx._streams.observable"
"""The one module of a pure room that names reactivex's schedulers: to refuse those that start threads."""

PURE_STDLIB = frozenset(
    "abc array bisect collections contextlib contextvars copy copyreg datetime decimal difflib enum fractions functools"
    " heapq html inspect itertools linecache math numbers operator re reprlib statistics string struct sys textwrap"
    " types typing warnings weakref zoneinfo".split()
)
"""What the pure rooms may use of the standard library: no clock, no thread, no chance, no I/O.

`zoneinfo` reads files, which hold the rules of time zones: data, as the tables of a module are, and no state of the
machine. They are read when a window is built or started, and not for an event.
"""

PURE_THIRD_PARTY = frozenset(
    {"attrs", "msgspec", "reactivex", "datasketches", "ddsketch", "pandas", "polars", "pyarrow", "typing_extensions"}
)
"""Five are extras, imported where they are asked for; `typing_extensions` is imported by type checkers alone."""

CLOCKS_IN_PURE_MODULES = ("reactivex.scheduler", "reactivex.timer", "reactivex.interval")

OUTSIDE_NAMES = frozenset({"open", "print", "input", "exec", "eval"})
"""Builtins that reach out of a pure module: files, the terminal, other code."""

OUTSIDE_METHODS = frozenset({"now", "utcnow", "today"})
"""Methods that read the system's clock."""

GENERATES_CODE = frozenset({"cgrx.operators._aggregates.accumulators", "cgrx._streams.predicates"})
"""Where `exec` and `eval` have their place: code is written for a row's aggregates, as attrs writes classes."""


class Module(NamedTuple):
    """One source file of the package: its dotted name, where it is, what it says."""

    name: str
    path: Path
    source: str

    @property
    def tree(self) -> ast.Module:
        """The same, parsed."""
        return parsed(self.source)

    @property
    def room(self) -> str:
        """Its room, a key of `ROOMS`."""
        return room_of(self.name)

    @property
    def is_pure(self) -> bool:
        """Whether it stands in one of the pure rooms."""
        return self.room.partition(".")[0] in PURE_ROOMS and self.name != KNOWS_SCHEDULERS


def room_of(dotted: str) -> str:
    """`cgrx._feed.session` -> `_feed`, `cgrx._cli.view.columns` -> `_cli.view`, `cgrx` -> `cgrx`.

    Raises:
        LookupError: the module stands in no room of the table.
    """
    name = dotted.removeprefix("cgrx.")
    while name not in ROOMS:
        name, dot, _ = name.rpartition(".")
        if not dot:
            raise LookupError(
                f"{dotted} has no room yet: add it to ROOMS in tests/house/plan.py, below all that it imports"
            )
    return name


@cache
def parsed(source: str) -> ast.Module:
    """Not before a test asks: every process of a run collects the tests, and most run none of those that ask."""
    return ast.parse(source)


def read(name: str, path: Path) -> Module:
    return Module(name, path, path.read_text(encoding="utf-8"))


def modules() -> Iterator[Module]:
    """Every module that is installed, operators/ under its installed name."""
    for folder, package in (("cgrx", "cgrx"), ("operators", "cgrx.operators")):
        for path in sorted((ROOT / folder).glob("**/*.py")):
            if folder == "cgrx" and path.is_relative_to(ROOT / "cgrx" / "operators"):
                continue
            parts = path.relative_to(ROOT / folder).with_suffix("").parts
            yield read(".".join((package, *(part for part in parts if part != "__init__"))), path)


def imports(module: Module, known: frozenset[str]) -> set[str]:
    """The dotted names it imports anywhere: inside functions and under TYPE_CHECKING too.

    `from x import y` counts as `x.y` where that is one of the `known` modules, or comes from outside cgrx.
    """
    found: set[str] = set()
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            source = node.module or ""
            for alias in node.names:
                dotted = f"{source}.{alias.name}"
                found.add(dotted if dotted in known or not is_ours(source) else source)
    return found


def is_ours(dotted: str) -> bool:
    return dotted.partition(".")[0] == "cgrx"


def rooms_used(module: Module, imported: set[str]) -> set[str]:
    """The other rooms of which it imports something."""
    return {room_of(name) for name in imported if is_ours(name)} - {module.room}


def floors() -> dict[str, int]:
    """The floor of each room: one above the highest room that it imports, 0 for those that import none."""
    found: dict[str, int] = {}
    for room, used in ROOMS.items():
        found[room] = 1 + max((found[each] for each in used), default=-1)
    return found


def brings_in(module: Module, imported: set[str]) -> list[str]:
    """What a pure module must not use: foreign modules that are not on the lists, and calls that reach out."""
    faults = [
        name
        for name in imported
        if not is_ours(name)
        and (
            name.partition(".")[0] not in PURE_STDLIB | PURE_THIRD_PARTY
            or any(name == clock or name.startswith(f"{clock}.") for clock in CLOCKS_IN_PURE_MODULES)
        )
    ]
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call):
            is_method = isinstance(node.func, ast.Attribute)
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in ("exec", "eval") and module.name in GENERATES_CODE:
                continue
            if called in (OUTSIDE_METHODS if is_method else OUTSIDE_NAMES):
                faults.append(f"{called}() in line {node.lineno}")
    return sorted(faults)
