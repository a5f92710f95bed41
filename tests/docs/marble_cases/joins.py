"""Each item of a stream with the latest of another."""

from cgrx.testing import liquidation, trade
from tests.docs.drawing import Case

PAIR = {"a": liquidation(), "1": trade(price=1.0), "2": trade(price=2.0), "3": trade(price=3.0), "4": trade(price=4.0)}
JOIN = 'first.pipe(ops.latest_of(second, by="base_asset", max_age="5s", lateness="1s", idle="1s"))'
HOLD = JOIN.replace('max_age="5s"', 'max_age="5s", missing="hold"')

CASES = (
    Case(
        "latest_of",
        "`a` waits until nothing earlier can come of the other stream, and comes with the latest as of its time.",
        JOIN,
        ("^---a---^--^", "^1-2--3-^--^"),
        "--------r---",
        PAIR,
        results={"r": {"age_ms": 1000, "quality": "known"}},
    ),
    Case(
        "latest_of-late",
        "By event time, not by arrival: `3` happened before `a`.",
        JOIN,
        ("^---a---^--^", "^1-2--3-^--^"),
        "--------r---",
        PAIR,
        {"3": 3.5},
        results={"r": {"age_ms": 500, "quality": "known"}},
    ),
    Case(
        "latest_of-old",
        "What is older than `max_age` counts as none.",
        JOIN,
        ("^------a--^-^", "^1---------^^"),
        "-----------r-",
        PAIR,
        results={"r": {"latest": None, "age_ms": None, "quality": "none"}},
    ),
    Case(
        "latest_of-gap",
        "Behind a gap in the other stream it is unknown whether that is the latest.",
        JOIN,
        ("^------a--^-^", "^--1-[]-^--^^"),
        "----------r--",
        PAIR,
        results={"r": {"age_ms": 4000, "quality": "unknown"}},
    ),
    Case(
        "latest_of-hold",
        'With `missing="hold"` an item waits for the first of its key.',
        HOLD,
        ("^---a------^-^", "^-----1----^-^"),
        "-----------r--",
        PAIR,
        results={"r": {"age_ms": -2000, "quality": "known"}},
    ),
    Case(
        "latest_of-end",
        "On completion of the stream what is held waits for the other one.",
        JOIN,
        ("^---a|", "^1-2---3-4-|"),
        "-------(r|)",
        PAIR,
        results={"r": {"age_ms": 1000, "quality": "known"}},
    ),
    Case(
        "latest_of-error",
        "On an error of either, what is held goes out as unknown.",
        JOIN,
        ("^---a-#", "^1-2---"),
        "------(r#)",
        PAIR,
        results={"r": {"age_ms": 1000, "quality": "unknown"}},
    ),
)
