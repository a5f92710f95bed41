"""A rule of a strategy and its tests, without a network and without waiting: `pytest test_rule.py`.

On the real feed: `feed.liquidations().pipe(rule).subscribe(...)`.
"""

import pytest

from cgrx import operators as ops
from cgrx.testing import liquidation, marbles, play


def decide(cascade: ops.Cascade) -> str:
    """Buy behind forced sales, unless a part of them was not seen."""
    return "buy" if cascade.complete else "wait"


rule = ops.pipeline(
    ops.side("long"),
    ops.cascades("3s", min_volume=500_000),
    ops.map(decide, of=ops.Cascade),
)

EVENTS = {"a": liquidation("long", 300_000), "b": liquidation("long", 400_000), "s": liquidation("short", 900_000)}

# A character is a second. ^ proves the connection alive, [ ] is a gap, ~ a lost event, | the end.
CASES: list[tuple[str, str, list[str]]] = [
    ("two within three seconds   ", "^---a--b----------^|", ["buy"]),
    ("four seconds apart         ", "^---a---b---------^|", []),
    ("one of them is a short     ", "^---a--s----------^|", []),
    ("the connection was lost    ", "^---a[]b----------^|", ["wait"]),
    ("an event is known to be lost", "^---a~-b----------^|", ["wait"]),
    ("it is not over yet         ", "^---a--b--", []),
    ("the feed ends meanwhile    ", "^---a--b--|", ["wait"]),
]


@pytest.mark.parametrize(("what", "line", "decisions"), CASES)
def test_rule(what: str, line: str, decisions: list[str]) -> None:
    assert play(rule, marbles(line, EVENTS)) == decisions, what


if __name__ == "__main__":
    for what, line, _ in CASES:
        print(f"{what.strip():29} {line:21} {' '.join(play(rule, marbles(line, EVENTS))) or '-'}")
