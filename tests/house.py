"""The plan of the house: which module stands on which floor, and what may be carried in.

The picture is in docs/index.md. A new module of cgrx/ gets its place in `FLOORS`; everything in operators/ stands
on the floor `operators` and needs no entry.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]

GROUND = ("_events", "_errors", "_durations", "_exchanges", "_instruments", "_channels", "_signals")

FLOORS: tuple[tuple[str, ...], ...] = (
    GROUND,
    # The Observable that carries signals, and the running form of stages.
    ("_about", "_predicates", "_running", "_observers", "_fans", "_chained", "_streams"),
    ("operators",),
    # What tells the time, and what the rest is bounded by.
    ("_loop", "_clock", "_limits"),
    # The protocol: no I/O.
    ("_messages", "_lenient", "_codec", "_address", "_handshake", "_frames", "_backoff", "_status"),
    # Bytes on trio.
    ("_tls", "_wire", "_transport"),
    ("_agenda", "_scheduler"),
    ("_log", "_pressure", "_hub", "_session"),
    ("_feed_base", "_supervisor", "_live", "_feed"),
    ("_inbox", "_bridge"),
    (
        "_recorded",
        "_recording_extra",
        "_recording_arrow",
        "_recording_status",
        "_recording_schema",
        "_recording_frames",
        "_recording_manifest",
        "_recording_wanted",
        "_recording_summary",
        "_recording_open",
        "_recording_finished",
        "_recording_writer",
        "_recording",
        "_recorder",
    ),
    ("_import_rows", "_import_entries", "_import"),
    ("_moments", "_replay_source", "_replay_columns", "_replay_joint", "_replay_time", "_replay"),
    (
        "_plan",
        "_columnar_source",
        "_columnar_recording",
        "_columnar_values",
        "_columnar_dedupe",
        "_columnar_order",
        "_columnar_ledger",
        "_columnar_quality",
        "_columnar_windows",
        "_columnar_rows",
        "_columnar",
        "_backtest",
    ),
    ("__init__",),
    # For tests and trials, the user's and ours.
    ("_pipe", "_faults", "_generator", "_sources", "_samples", "_playing", "_marbles"),
    (
        "_simulator_frames",
        "_simulator_gate",
        "_simulator_line",
        "_simulator_log",
        "_simulator_moments",
        "_simulator_peer",
        "_simulator_routes",
        "_simulator_script",
        "_simulator_server",
        "_simulator",
        "testing",
    ),
    # The command line. `__main__` works without its extra, to say what is missing.
    (
        "_cli_text",
        "_cli_terminal",
        "_cli_formats",
        "_cli_columns",
        "_cli_picture",
        "_cli_windows",
        "_cli_row_board",
        "_cli_rows",
        "_cli_row_table",
        "_cli_contents",
        "_cli_exits",
        "_cli_output",
        "_cli_tasks",
        "_cli_reports",
        "_cli_table",
        "_cli_screen",
        "_cli_board",
        "_cli_viewer",
        "_cli_arguments",
        "_cli_faults",
        "_cli_demo",
        "_cli_bar",
        "_cli_import",
        "_cli_replay",
        "_cli_watch",
        "_cli_record",
        "_cli_simulate",
        "_cli",
        "__main__",
    ),
)
"""From low to high. A module may import from lower floors and from its own, as long as no circle arises."""

PURE_STDLIB = frozenset(
    "abc array bisect collections contextlib copy copyreg datetime decimal enum fractions functools heapq inspect"
    " itertools linecache math numbers operator re reprlib statistics string struct sys textwrap types typing warnings"
    " weakref".split()
)
"""What the ground floor and the operators may use of the standard library: no clock, no thread, no chance, no I/O."""

PURE_THIRD_PARTY = frozenset({"attrs", "msgspec", "reactivex", "ddsketch", "pandas", "polars"})
"""The last three are extras, imported where they are asked for."""

CLOCKS_IN_PURE_MODULES = ("reactivex.scheduler", "reactivex.timer", "reactivex.interval")

OUTSIDE_NAMES = frozenset({"open", "print", "input", "exec", "eval"})
"""Builtins that reach out of a pure module: files, the terminal, other code."""

OUTSIDE_METHODS = frozenset({"now", "utcnow", "today"})
"""Methods that read the system's clock."""

GENERATES_CODE = frozenset({"cgrx.operators._accumulators", "cgrx._predicates"})
"""Where `exec` and `eval` have their place: code is written for a row's aggregates, as attrs writes classes."""


class Module(NamedTuple):
    """One source file of the package: its dotted name, where it is, what it says."""

    name: str
    path: Path
    tree: ast.Module

    @property
    def floor_name(self) -> str:
        """Its name in `FLOORS`."""
        return floor_name(self.name)


def floor_name(dotted: str) -> str:
    """`cgrx` -> `__init__`, `cgrx._feed` -> `_feed`, `cgrx.operators._rows` -> `operators`."""
    return dotted.partition(".")[2].partition(".")[0] or "__init__"


def read(name: str, path: Path) -> Module:
    return Module(name, path, ast.parse(path.read_text(encoding="utf-8"), str(path)))


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


def reaches_up(module: Module, imported: set[str]) -> list[str]:
    """The imports of ours that stand on a higher floor than the module itself."""
    height = {name: level for level, floor in enumerate(FLOORS) for name in floor}
    here = height[module.floor_name]
    return sorted(name for name in imported if is_ours(name) and height[floor_name(name)] > here)


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
