"""Levels that a number passes, and silence after a result."""

from cgrx.testing import trade
from tests.docs.drawing import Case

PRICES = {"1": trade(price=100.0), "4": trade(price=400.0), "5": trade(price=500.0), "8": trade(price=800.0)}
SOLD = {"a": trade(volume_usd=300.0), "b": trade(volume_usd=400.0), "c": trade(volume_usd=100.0)}
ALERTS = {"a": trade(exchange="Binance"), "b": trade(exchange="OKX")}

UP = {"value": 500.0, "level": 500, "direction": "above"}
DOWN = {"value": 400.0, "level": 500, "direction": "below"}

CASES = (
    Case(
        "crosses",
        "One result at the crossing and one at the return.",
        'ops.crosses("price", above=500)',
        ("1-5-8-41|",),
        "--r---s-|",
        PRICES,
        results={"r": UP, "s": DOWN},
    ),
    Case(
        "crosses-both",
        "With a second level it is back only there: what moves to and fro between them gives nothing.",
        'ops.crosses("price", above=500, below=200)',
        ("1-5-4-5-41|",),
        "--r------s|",
        PRICES,
        results={"r": UP, "s": {"value": 100.0, "level": 200, "direction": "below"}},
    ),
    Case(
        "crosses-rows",
        "A window tells with a running row that its volume is large; the next one begins low.",
        'ops.pipeline(ops.tumbling("4s", updates="1s", lateness="1s", idle="1s"), ops.crosses("volume", above=500))',
        ("^ab^-c^---^|",),
        "---r--s----|",
        SOLD,
        results={
            "r": {"value": 700.0, "level": 500, "direction": "above"},
            "s": {"value": 100.0, "level": 500, "direction": "below"},
        },
    ),
    Case(
        "crosses-gap",
        "A gap passes and moves nothing.",
        'ops.crosses("price", above=500)',
        ("1-5[--]8-1|",),
        "--r[--]--s|",
        PRICES,
        results={"r": UP, "s": {"value": 100.0, "level": 500, "direction": "below"}},
        marks=True,
    ),
    Case(
        "crosses-error",
        "An error passes.",
        'ops.crosses("price", above=500)',
        ("1-5-#",),
        "--r-#",
        PRICES,
        results={"r": UP},
    ),
    Case(
        "cooldown",
        "The first, then silence; the next one brings the count of what was silenced.",
        'ops.cooldown("5s", by="exchange")',
        ("a-aab-a--b|",),
        "r---r-s--r|",
        ALERTS,
        results={"r": {"silenced": 0}, "s": {"silenced": 2}},
    ),
    Case(
        "cooldown-error",
        "An error passes.",
        'ops.cooldown("5s")',
        ("a-a-#",),
        "r---#",
        ALERTS,
        results={"r": {"silenced": 0}},
    ),
)
