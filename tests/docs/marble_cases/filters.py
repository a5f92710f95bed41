"""Filters, and functions of one event."""

from cgrx.testing import liquidation, trade
from tests.docs.drawing import Case

SIDES = {"a": liquidation("long"), "b": liquidation("short")}
SIZES = {"a": trade(volume_usd=900.0), "b": trade(volume_usd=10_000.0), "c": trade(volume_usd=25_000.0)}
PLACES = {"a": trade(exchange="Binance"), "b": trade(exchange="OKX"), "c": trade(exchange="Bybit")}
PRICES = {"a": trade(price=100.0), "b": trade(price=0.0), "c": trade(price=50.0)}

CASES = (
    Case("side", "One side only.", 'ops.side("long")', ("a-(abb)--b-a|",), "a-a----a|", SIDES),
    Case(
        "side-marks",
        "Marks keep their place: the gap, the loss and the proofs belong to what comes out too.",
        'ops.side("long")',
        ("[^]b-(a~)-b^-(b|)",),
        "[^]--(a~)--^-|",
        SIDES,
        marks=True,
    ),
    Case("side-error", "An error passes.", 'ops.side("long")', ("a-b-a-#",), "a---a-#", SIDES),
    Case("side-empty", "Without events nothing comes out.", 'ops.side("long")', ("----|",), "----|", SIDES),
    Case(
        "min_volume",
        "An event of exactly that volume passes.",
        "ops.min_volume(10_000)",
        ("a-b-(ac)-|",),
        "--b-c-|",
        SIZES,
    ),
    Case(
        "max_volume",
        "An event of exactly that volume passes here too.",
        "ops.max_volume(10_000)",
        ("a-b-(ac)-|",),
        "a-b-a-|",
        SIZES,
    ),
    Case(
        "exchange",
        "Any of several names, in any spelling.",
        'ops.exchange("okx", "BYBIT")',
        ("a-b-c-a-|",),
        "--b-c---|",
        PLACES,
    ),
    Case(
        "where",
        "Any function of an event.",
        "ops.where(lambda trade: trade.price > 60)",
        ("a-c-a-|",),
        "a---a-|",
        PRICES,
    ),
    Case(
        "where-raises",
        "A function that raises: what came before in the batch goes out first.",
        "ops.where(lambda trade: 1 / trade.price > 0)",
        ("a-(cab)-a|",),
        "a-(ca#)",
        PRICES,
    ),
    Case(
        "map",
        "Another value for each event.",
        "ops.map(lambda trade: trade.price * 2)",
        ("a-(ac)-|",),
        "x-(xy)-|",
        PRICES,
        results={"x": 200.0, "y": 100.0},
    ),
    Case(
        "foreign",
        "A reactivex operator sees single events, and there are no marks behind it.",
        "lambda stream: stream.pipe(rx.filter(lambda event: event.side.name == 'LONG'))",
        ("[^]b-(aa~)-^-|",),
        "-----(aa)---|",
        SIDES,
        marks=True,
    ),
)
