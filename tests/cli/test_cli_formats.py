"""Events as lines: fields and their order, exactly one line for each event, whatever the server put into it."""

import csv
import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgrx._cli.view.event_text import FIELDS, FormatName, event_formats
from cgrx._model.events import Liquidation, LiquidationSide, Trade, TradeSide

TRADE = Trade("BTC", "Binance", "BTCUSDT", TradeSide.BUY, 60_123.4, 12_345.67, 1_704_110_400_007)
LIQUIDATION = Liquidation("ETH", "OKX", "ETH-USDT-SWAP", LiquidationSide.LONG, 2_500.0, 0.5, 1_704_110_400_000)

TEXTS = st.text(max_size=30)


def lines(format_name: FormatName, *events: Trade | Liquidation) -> str:
    chosen = event_formats()[format_name]
    return chosen.header + chosen.lines(events).decode()


def test_jsonl() -> None:
    """The documented fields in the documented order."""
    assert lines("jsonl", TRADE) == (
        '{"kind":"trade","base_asset":"BTC","exchange":"Binance","symbol":"BTCUSDT","side":"buy","price":60123.4,'
        '"volume_usd":12345.67,"time_ms":1704110400007}\n'
    )
    assert json.loads(lines("jsonl", LIQUIDATION)) == LIQUIDATION.asdict()
    assert tuple(LIQUIDATION.asdict()) == FIELDS


def test_csv() -> None:
    """A header, then rows."""
    assert lines("csv", LIQUIDATION, TRADE) == (
        "kind,base_asset,exchange,symbol,side,price,volume_usd,time_ms\n"
        "liquidation,ETH,OKX,ETH-USDT-SWAP,long,2500.0,0.5,1704110400000\n"
        "trade,BTC,Binance,BTCUSDT,buy,60123.4,12345.67,1704110400007\n"
    )


FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)", "=cmd|' /C calc'!A0", "\uff1d1+1")


@pytest.mark.parametrize("text", FORMULAS)
def test_formulas_are_escaped_where_that_is_asked_for(text: str) -> None:
    """By an apostrophe, in the columns of texts alone; otherwise texts are as the server sent them."""
    event = Trade(text, text, text, TradeSide.SELL, 1.0, 2.5, 0)
    (escaped,) = csv.DictReader(io.StringIO(event_formats(escape_formulas=True)["csv"].header + line(event)))
    (plain,) = csv.DictReader(io.StringIO(lines("csv", event)))
    for field in ("exchange", "symbol", "base_asset"):
        assert (escaped[field], plain[field]) == (f"'{text}", text)
    assert {name: value for name, value in escaped.items() if value == plain[name]}.keys() == {
        "kind", "side", "price", "volume_usd", "time_ms"
    }  # fmt: skip


@pytest.mark.parametrize("text", ["\t=1+1", "\r=1+1", "\n=1+1", "BTC-USDT", "1+1", "", "'=1"])
def test_what_is_no_formula_is_as_it_was(text: str) -> None:
    """Tabs and line ends before one are written as escapes, with or without the switch."""
    event = Trade(text, text, text, TradeSide.SELL, 1.0, 2.5, 0)
    assert event_formats()["csv"].header + line(event) == lines("csv", event)


def line(event: Trade) -> str:
    """The event as csv with formulas escaped."""
    return event_formats(escape_formulas=True)["csv"].lines([event]).decode()


def test_plain_lines() -> None:
    assert lines("table", TRADE, LIQUIDATION) == (
        "2024-01-01 12:00:00.007  trade        Binance      BTCUSDT           buy       60,123.40        12,346 USD\n"
        "2024-01-01 12:00:00.000  liquidation  OKX          ETH-USDT-SWAP     long       2,500.00          0.50 USD\n"
    )


@given(exchange=TEXTS, symbol=TEXTS)
def test_jsonl_loses_nothing(exchange: str, symbol: str) -> None:
    """What cannot be printed is an escape of JSON, so a reader gets back what the server sent."""
    line = lines("jsonl", Trade("BTC", exchange, symbol, TradeSide.SELL, 1.0, 1.0, 0))
    read: dict[str, Any] = json.loads(line)
    assert (read["exchange"], read["symbol"]) == (exchange, symbol)
    assert line.removesuffix("\n").isprintable()


@given(exchange=TEXTS, symbol=TEXTS)
def test_csv_is_one_row_of_printable_text(exchange: str, symbol: str) -> None:
    """Commas and quotes are quoted; line breaks and control characters are escaped."""
    text = lines("csv", Trade("BTC", exchange, symbol, TradeSide.SELL, 1.0, 1.0, 0))
    header, row = csv.reader(io.StringIO(text))
    read = dict(zip(header, row, strict=True))
    assert read["exchange"].isprintable()
    if exchange.isprintable():
        assert read["exchange"] == exchange
    assert text.count("\n") == 2


@pytest.mark.parametrize("format_name", ["table", "jsonl", "csv"])
def test_no_escape_sequence_passes(format_name: FormatName) -> None:
    """In no format, for any of them may end on a terminal."""
    evil = Trade("B\x07", "Bin\x1b]0;title\x07ance", 'a\u202e"\x9b1A\nb\r', TradeSide.BUY, 1.0, 1.0, 0)
    text = lines(format_name, evil)
    assert text.replace("\n", "").isprintable()
    assert len(text.splitlines()) == (2 if format_name == "csv" else 1)
