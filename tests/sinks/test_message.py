"""`cgrx.sinks.message`: events, rows and alerts as one line of text."""

import pytest

import cgrx
from cgrx import operators as ops
from cgrx.operators import agg
from cgrx.sinks import message
from cgrx.testing import batch, liquidation, play, trade

NOON = 1_706_702_580_000
"""2024-01-31 12:03 UTC."""


class Burst(ops.Row):
    """Forced sells or buys."""

    base_asset: str
    side: cgrx.LiquidationSide
    volume = agg.volume()
    exchanges = agg.exchanges()


class Spread(ops.Row):
    """A row without a volume."""

    trades = agg.count()
    spread = agg.dispersion()
    venues = agg.exchanges()


class Names(ops.Row):
    """A row without numbers."""

    exchanges = agg.exchanges()


BTC = {"base_asset": "BTC", "side": cgrx.LiquidationSide.LONG, "start_ms": NOON, "end_ms": NOON + 60_000}


def burst(**values: object) -> Burst:
    return Burst(**{**BTC, "volume": 5_230_000.4, "exchanges": ("Binance", "Bybit", "OKX")} | values)


def crossing(row: object, field: str = "volume", value: float = 5_230_000.4) -> ops.Crossing[object]:
    return ops.Crossing(row, field, value, 5_000_000.0, "above")


# Events


def test_a_liquidation() -> None:
    event = liquidation("short", 1_234_567.8, time="12.5s", price=60_123.4)
    expected = "BTC: short liquidated 1,234,568 USD at 60,123.40, Binance BTCUSDT, 1970-01-01 00:00:12 UTC"
    assert message(event) == expected


@pytest.mark.parametrize(("side", "word"), [(cgrx.TradeSide.BUY, "bought"), (cgrx.TradeSide.SELL, "sold")])
def test_a_trade(side: cgrx.TradeSide, word: str) -> None:
    event = trade(side, 999.25, price=1.5)
    assert message(event) == f"BTC: {word} 999.25 USD at 1.5000, Binance BTCUSDT, 1970-01-01 00:00 UTC"


def test_a_small_price_keeps_its_digits() -> None:
    assert "at 0.0000123457, " in message(trade(price=0.0000123456789))


# Rows


def test_the_sum_the_window_and_the_exchanges() -> None:
    expected = "BTC: longs liquidated 5,230,000 USD in 1 m from 2024-01-31 12:03 UTC, Binance, Bybit, OKX"
    assert message(burst()) == expected


@pytest.mark.parametrize(
    ("quality", "text"),
    [
        ({"gap_ms": 2100}, "; INCOMPLETE: gap 2.1 s"),
        ({"gap_ms": None, "dropped": 3, "late": 1}, "; INCOMPLETE: gaps unknown, 3 dropped, 1 late so far"),
        ({"final": False}, "; window still open"),
        ({"final": False, "gap_ms": 900}, "; window still open, INCOMPLETE: gap 900 ms"),
        ({"withdrawn": True}, "; withdrawn"),
    ],
)
def test_what_it_is_not(quality: dict[str, object], text: str) -> None:
    assert message(burst(**quality)) == message(burst()) + text


@pytest.mark.parametrize(
    ("length_ms", "text"),
    [(500, "0.5 s"), (4001, "4.0 s"), (90_000, "90 s"), (14_400_000, "4 h"), (86_400_000, "1 d")],
)
def test_the_length_of_a_window(length_ms: int, text: str) -> None:
    assert f" USD in {text} from " in message(burst(end_ms=NOON + length_ms))


def test_many_exchanges_are_counted() -> None:
    names = tuple(f"x{at:02}" for at in range(12))
    assert message(burst(exchanges=names)).endswith(", x09, 2 more exchanges")


def test_words_of_the_caller_say_what_is_counted() -> None:
    assert message(burst(), what="forced sells").startswith("BTC: forced sells 5,230,000 USD in 1 m")
    assert message(ops.Cooled(burst(), 0), what="forced sells").startswith("BTC: forced sells 5,230,000 USD")


def test_a_bar_shows_its_price() -> None:
    bars = ops.tumbling("1m", ops.Bar, by=("exchange", "symbol"))
    assert message(play(bars, [batch(trade("buy", 2500.0, price=3_000.5))])[0]) == (
        "Binance BTCUSDT: volume 2,500 USD in 1 m from 1970-01-01 00:00 UTC, price 3,000.50;"
        " window still open, INCOMPLETE: gaps unknown"
    )


def test_a_cascade_shows_its_dominant_side() -> None:
    mostly = liquidation("long", 9_000.0), liquidation("short", 1_000.0)
    assert message(play(ops.cascades(), [batch(*mostly)])[0]) == (
        "BTC: volume 10,000 USD in 0.0 s from 1970-01-01 00:00 UTC, mostly longs, Binance, price 60,000.00;"
        " window still open, INCOMPLETE: gaps unknown"
    )
    even = liquidation("long", 5_000.0), liquidation("short", 5_000.0)
    assert "mostly" not in message(play(ops.cascades(), [batch(*even)])[0])


def test_a_row_without_a_volume_shows_all_its_numbers() -> None:
    row = Spread(start_ms=NOON, end_ms=NOON + 1000, trades=12, spread=0.00123456789, venues=("OKX",))
    assert message(row) == "trades 12 in 1 s from 2024-01-31 12:03 UTC, spread 0.00123457"


def test_a_row_without_numbers() -> None:
    row = Names(start_ms=NOON, end_ms=NOON + 1000, exchanges=("OKX",))
    assert message(row) == "events in 1 s from 2024-01-31 12:03 UTC, OKX"


# Alerts


def test_the_level() -> None:
    assert message(crossing(burst(final=False, gap_ms=2100))) == (
        "BTC: longs liquidated 5,230,000 USD in 1 m from 2024-01-31 12:03 UTC (above 5,000,000), Binance, Bybit,"
        " OKX; window still open, INCOMPLETE: gap 2.1 s"
    )


def test_of_another_number() -> None:
    row = ops.Crossing(burst(), "largest_gap", 0.25, 0.125, "below")
    assert message(row).startswith(
        "BTC: largest_gap 0.25 in 1 m from 2024-01-31 12:03 UTC (below 0.125), longs liquidated 5,230,000 USD,"
    )


def test_of_an_event() -> None:
    event = trade(price=510.0)
    assert message(ops.Crossing(event, "price", 510.0, 500.0, "above")) == f"{message(event)} (above 500)"


def test_of_the_return() -> None:
    back = ops.Crossing(burst(volume=1_000.0), "volume", 1_000.0, 5_000_000.0, "below", back=True)
    assert "liquidated 1,000 USD in 1 m from 2024-01-31 12:03 UTC (back below 5,000,000), " in message(back)


def test_what_was_silenced() -> None:
    assert message(ops.Cooled(crossing(burst()), 0)) == message(crossing(burst()))
    assert message(ops.Cooled(crossing(burst()), 2)).endswith("OKX; 2 more since the last message")


def test_what_a_join_adds_is_left_out() -> None:
    joined = ops.Joined[Burst, cgrx.Trade](burst(), None, None, "none")
    assert message(joined) == message(burst())


# Text


def test_a_text_is_made_one_line() -> None:
    assert message(" a \n\tb\r\u2028c\x1b[31m \u202e\u200b ") == r"a b c\x1b[31m \u202e\u200b"


def test_names_from_the_server_are_escaped_and_cut() -> None:
    text = message(trade(symbol="BTC\n\u202eUSDT", exchange="x" * 100))
    assert f", {'x' * 59}… BTC \\u202eUSDT, " in text


def test_another_item_is_refused() -> None:
    with pytest.raises(TypeError, match="no text for dict: give text="):
        message({})
