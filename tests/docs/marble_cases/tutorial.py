"""Why a window waits: the two stories of the tutorial that differ in one proof of life."""

from cgrx.testing import trade
from tests.docs.drawing import Case

PAIR = {"b": trade(exchange="Binance"), "o": trade(exchange="OKX")}
WINDOW = 'ops.tumbling("5s", lateness="1s", idle="2s")'
ROW = {"start_ms": 0, "end_ms": 5000, "count": 3, "complete": True}

CASES = (
    Case(
        "tutorial-waits",
        "OKX might still speak of the first five seconds, until it speaks of the tenth.",
        WINDOW,
        ("^bob-b-b--o",),
        "----------r",
        PAIR,
        results={"r": ROW},
    ),
    Case(
        "tutorial-proven",
        "The proof at second 8 shows that it has nothing to say.",
        WINDOW,
        ("^bob-b-b^--",),
        "--------r--",
        PAIR,
        results={"r": ROW},
    ),
)
