"""Change one thing at a time in the core and see whether a test fails: `python -m tests.mutants`, in `nox -s mutants`.

    python -m tests.mutants                                  every file of FILES, some hours
    python -m tests.mutants cgrx/_streams/reordering.py      these alone

Works on a copy of what git tracks, so the tree stays as it is. Prints for each file how many changes no test noticed,
and those as diffs. docs/mutants.md says which of them do not matter, and why.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs

ROOT = Path(__file__).parents[1]

QUICK_STREAMS = tuple(
    f"tests/streams/test_{name}.py" for name in ("stage", "fusion", "fusion_stages", "chained", "streams")
)
"""The tests of streams without the properties."""

QUICK_WINDOWS = tuple(
    f"tests/windows/test_{name}.py"
    for name in (
        "watermark",
        "wrong_clocks",
        "windows",
        "windows_sliding",
        "windows_running",
        "windows_bounds",
        "windows_values",
        "sessions",
        "bars",
        "cascades",
    )
)
"""The tests of windows without the properties and oracles, which take a minute for each change."""

HUB = tuple(f"tests/feed/test_{name}.py" for name in ("subscriptions", "subscriptions_turns", "subscriptions_counters"))
"""The tests of the hub of a feed, without a feed around it."""

FILES: dict[str, tuple[str, ...]] = {
    "cgrx/_streams/chain.py": QUICK_STREAMS,
    "cgrx/_streams/merging.py": ("tests/streams/test_merge.py",),
    "cgrx/_streams/offset.py": ("tests/streams/test_offset.py",),
    **dict.fromkeys(
        ("cgrx/_streams/order_merging.py", "cgrx/_streams/order_terms.py", "cgrx/_streams/ordering.py"),
        ("tests/streams/test_ordering.py", "tests/streams/test_ordering_ends.py", "tests/feed/test_feed_across.py"),
    ),
    "cgrx/_streams/reordering.py": (
        "tests/streams/test_ordering.py",
        "tests/streams/test_ordering_ends.py",
        "tests/streams/test_ordering_wrong_times.py",
        "tests/streams/test_ordering_properties.py",
    ),
    "cgrx/_streams/running.py": ("tests/streams/test_stage.py", "tests/streams/test_fusion.py", "tests/operators"),
    "cgrx/_streams/sharing.py": ("tests/streams/test_share.py",),
    "cgrx/_feed/backoff.py": ("tests/feed/test_backoff.py",),
    "cgrx/_feed/lines.py": HUB,
    "cgrx/_feed/session.py": tuple(
        f"tests/feed/test_{name}.py"
        for name in ("session", "session_end", "feed_subscriptions", "feed_proof", "feed_input")
    ),
    "cgrx/_feed/subscriptions.py": HUB,
    "operators/_windows/panes.py": ("tests/windows/test_panes.py", "tests/windows/test_windows_sliding.py"),
    "operators/_windows/clocks.py": QUICK_WINDOWS,
    "operators/_windows/watermark.py": QUICK_WINDOWS,
    "operators/_windows/grid_running.py": QUICK_WINDOWS,
    "operators/_windows/window_running.py": QUICK_WINDOWS,
}
"""What is changed, and the tests that should notice: those of its room, the quick ones before the thorough."""

LEFT_OUT = (
    r"core/RemoveDecorator",  # `@property`, `@attrs.frozen`: the file cannot be imported, which every test notices
    r"core/ReplaceUnaryOperator_(Delete_USub|USub_).*",  # in subscripts and types mostly
    r"core/ReplaceBinaryOperator_(?!Add_Sub|Sub_Add|Mul_Div|FloorDiv_Mul).*",  # most are type errors at once
    r"core/ReplaceComparisonOperator_(?!Lt_LtE|LtE_Lt|Gt_GtE|GtE_Gt|Eq_NotEq|NotEq_Eq|Is_IsNot|IsNot_Is).*",
)
"""Kinds of change that a test notices in any case, or that say the same as another one of the same place."""


@attrs.frozen
class Outcome:
    """One change, and whether a test failed by it."""

    survived: bool
    diff: str


def run(path: str, tests: tuple[str, ...], tree: Path) -> list[Outcome]:
    """Try every change of a file in a copy of the tree."""
    pytest = f"{sys.executable} -m pytest -x -q -n0 -p no:cacheprovider {' '.join(tests)}"
    config, session = tree / "mutants.toml", tree / "mutants.sqlite"
    config.write_text(
        f"""
[cosmic-ray]
module-path = {json.dumps(path)}
timeout = 120.0
excluded-modules = []
test-command = {json.dumps(pytest)}
[cosmic-ray.distributor]
name = "local"
[cosmic-ray.filters.operators-filter]
exclude-operators = {json.dumps(LEFT_OUT)}
"""
    )
    env = os.environ | {"PYTHONPATH": str(tree)}
    commands: tuple[list[str | Path], ...] = (
        ["cosmic-ray", "init", "--force", config, session],
        ["cr-filter-operators", session, config],
        ["cosmic-ray", "baseline", config],
        ["cosmic-ray", "exec", config, session],
    )
    for command in commands:
        subprocess.run(command, cwd=tree, check=True, env=env, stdout=subprocess.DEVNULL)
    dumped = subprocess.run(["cosmic-ray", "dump", session], cwd=tree, check=True, capture_output=True, text=True)
    return list(_outcomes(dumped.stdout))


def _outcomes(dumped: str) -> Iterator[Outcome]:
    for line in dumped.splitlines():
        _, result = json.loads(line)
        details: dict[str, Any] = result or {}
        if details.get("worker_outcome") == "normal":
            yield Outcome(details["test_outcome"] == "survived", details["diff"])


def copy_of_the_tree(to: Path) -> None:
    """What git tracks, as it is now."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True)
    for name in filter(None, listed.stdout.split("\0")):
        target = to / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target, follow_symlinks=False)


def main(paths: list[str]) -> None:
    for path in paths or list(FILES):
        with tempfile.TemporaryDirectory() as folder:
            copy_of_the_tree(Path(folder))
            outcomes = run(path, FILES[path], Path(folder))
        survivors = [each for each in outcomes if each.survived]
        told = [f"## {path}: {len(outcomes)} changes, {len(survivors)} that no test noticed"]
        told += [f"```diff\n{each.diff.strip()}\n```" for each in survivors]
        sys.stdout.write("\n\n".join(told) + "\n\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
