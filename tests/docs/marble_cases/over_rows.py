"""Stages behind a window, which work on its rows."""

from cgrx.testing import trade
from tests.docs.drawing import Case

ONE = {"a": trade()}
KEYS = {
    "a": trade(exchange="Binance", volume_usd=200.0),
    "b": trade(exchange="Bybit", volume_usd=900.0),
    "c": trade(exchange="OKX", volume_usd=500.0),
}
SIZES = {"1": trade(volume_usd=100.0), "2": trade(volume_usd=200.0), "6": trade(volume_usd=600.0)}

NESTED = """ops.pipeline(
    ops.tumbling("2s", n=agg.count(), lateness="0s", idle="0s"),
    ops.tumbling("4s", n=agg.sum("n"), rows=agg.count(), lateness="0s"),
)"""

CASES = (
    Case(
        "over-rows",
        "A longer window closes with the last of its shorter ones.",
        NESTED,
        ("^aaa-a",),
        "-----r",
        ONE,
        results={"r": {"start_ms": 0, "end_ms": 4000, "n": 3, "rows": 2, "complete": True}},
    ),
    Case(
        "over-rows-quiet",
        "The last shorter window had no event: the longer one closes by the same proof of life.",
        NESTED,
        ("^a--^",),
        "----r",
        ONE,
        results={"r": {"start_ms": 0, "end_ms": 4000, "n": 1, "rows": 1, "complete": True}},
    ),
    Case(
        "over-rows-gap",
        "A gap in which no shorter window had an event makes the longer one incomplete.",
        NESTED,
        ("^a[]^",),
        "----r",
        ONE,
        results={"r": {"start_ms": 0, "end_ms": 4000, "n": 1, "gap_ms": 1000, "complete": False}},
    ),
    Case(
        "rolling",
        "The first row of a key gives nothing.",
        'ops.pipeline(ops.tumbling("1s", lateness="0s", idle="0s"), ops.rolling(2, mean=agg.mean("volume")))',
        ("^1262-",),
        "---rs-",
        SIZES,
        results={
            "r": {"start_ms": 1000, "end_ms": 3000, "mean": 150.0, "complete": True},
            "s": {"start_ms": 2000, "end_ms": 4000, "mean": 400.0, "complete": True},
        },
    ),
    Case(
        "top",
        "Of three keys the two with the greatest volume.",
        'ops.pipeline(ops.tumbling("4s", by="exchange", lateness="0s", idle="0s"), ops.top(2, "volume"))',
        ("^abc^",),
        "----(rs)",
        KEYS,
        results={"r": {"exchange": "Bybit", "volume": 900.0}, "s": {"exchange": "OKX", "volume": 500.0}},
    ),
)
