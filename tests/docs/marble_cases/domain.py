"""Cascades, and running values."""

from cgrx.testing import liquidation, trade
from tests.docs.drawing import Case

BURST = {
    "a": liquidation("long", 40_000.0, exchange="Binance", price=60_000.0),
    "b": liquidation("long", 70_000.0, exchange="OKX", price=59_000.0),
    "c": liquidation("short", 20_000.0, exchange="Binance", price=59_500.0),
}
FLOW = {"a": trade("buy", 400.0), "b": trade("sell", 100.0), "c": trade("buy", 50.0, exchange="OKX")}
FORCED = {"a": liquidation("long", 500.0), "b": trade("sell", 2_000.0), "c": trade("buy", 300.0)}

CASCADES = 'ops.cascades("3s", min_volume=100_000, lateness="1s", idle="1s")'
WHOLE = {
    "base_asset": "BTC",
    "start_ms": 1000,
    "end_ms": 5001,
    "volume": 130_000.0,
    "count": 3,
    "exchanges": ("Binance", "OKX"),
    "first_price": 60_000.0,
    "last_price": 59_500.0,
}
DELTA = "ops.scan(lambda usd, trade: usd + trade.signed_volume_usd, 0.0"

CASES = (
    Case(
        "cascades",
        "One row for a burst that is large enough, when it is over.",
        CASCADES,
        ("^a-b-c----^-^",),
        "----------r--",
        BURST,
        results={"r": {**WHOLE, "complete": True}},
    ),
    Case(
        "cascades-small",
        "A run of liquidations below a threshold gives no row.",
        CASCADES,
        ("^a-c------^-^",),
        "-------------",
        BURST,
    ),
    Case(
        "cascades-crossed",
        "A first row on the very event that crosses the threshold, and the final one in the end.",
        'ops.cascades("3s", min_volume=100_000, emit="crossed", lateness="1s", idle="1s")',
        ("^a-b-c----^-^",),
        "---r------s--",
        BURST,
        results={
            "r": {"base_asset": "BTC", "start_ms": 1000, "end_ms": 3001, "volume": 110_000.0, "final": False},
            "s": {"base_asset": "BTC", "start_ms": 1000, "end_ms": 5001, "volume": 130_000.0, "final": True},
        },
    ),
    Case(
        "cascades-end",
        "On completion a cascade that goes on comes out, not final.",
        CASCADES,
        ("^a-b-c|",),
        "------(r|)",
        BURST,
        results={"r": {"start_ms": 1000, "end_ms": 5001, "volume": 130_000.0, "final": False}},
    ),
    Case("cascades-error", "On an error it does not.", CASCADES, ("^a-b-c#",), "------#", BURST),
    Case(
        "cascades-gap",
        "Something may have been missed within `gap` of a cascade, which could have been longer then.",
        CASCADES,
        ("^a-b-[-]---^-^",),
        "-----------r--",
        BURST,
        results={"r": {"start_ms": 1000, "end_ms": 3001, "volume": 110_000.0, "gap_ms": 2001, "complete": False}},
    ),
    Case(
        "scan",
        "A value that each event moves on: here the cumulative volume delta.",
        f"{DELTA})",
        ("a-(ab)--b|",),
        "r-(st)--u|",
        FLOW,
        results={"r": 400.0, "s": 800.0, "t": 700.0, "u": 600.0},
    ),
    Case(
        "scan-by",
        "A value for each exchange.",
        f'{DELTA}, by="exchange")',
        ("a-(ac)--b|",),
        "r-(st)--u|",
        FLOW,
        results={"r": ("Binance", 400.0), "s": ("Binance", 800.0), "t": ("OKX", 50.0), "u": ("Binance", 700.0)},
    ),
    Case("scan-error", "An error passes.", f"{DELTA})", ("a-b#",), "r-s#", FLOW, results={"r": 400.0, "s": 300.0}),
    Case(
        "forced",
        "Liquidations against trade flow, in one row.",
        "cgrx.merge(first, second).pipe(\n"
        '    ops.tumbling("4s", forced=agg.volume(of=Liquidation), sold=agg.volume(of=Trade, side="sell"))\n'
        ")",
        ("^-a-----^", "^b-c----^"),
        "--------r",
        FORCED,
        results={"r": {"start_ms": 0, "end_ms": 4000, "forced": 500.0, "sold": 2000.0, "complete": True}},
    ),
)
