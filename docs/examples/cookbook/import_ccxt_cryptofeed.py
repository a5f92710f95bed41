"""Trades that ccxt and cryptofeed have given, one JSON object a line, become a recording each.

With files of yours: their names in place of the samples. The two samples are the same two trades.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cgrx

CCXT = """\
{"timestamp": 1722816000123, "symbol": "BTC/USDT:USDT", "id": "1", "side": "buy", "price": 58012.5, "amount": 0.25, \
"cost": 14503.125, "info": {"e": "aggTrade", "s": "BTCUSDT"}}
{"timestamp": 1722816031007, "symbol": "BTC/USDT:USDT", "id": "2", "side": "sell", "price": 58009.1, "amount": 1.5, \
"cost": 87013.65, "info": {"e": "aggTrade", "s": "BTCUSDT"}}
"""  # json.dumps(trade) of what watch_trades() gives; more keys do no harm
CRYPTOFEED = """\
{"exchange": "BINANCE_FUTURES", "symbol": "BTC-USDT-PERP", "side": "buy", "amount": 0.25, "price": 58012.5, "id": "1", \
"type": null, "timestamp": 1722816000.123, "receipt_timestamp": 1722816000.1312}
{"exchange": "BINANCE_FUTURES", "symbol": "BTC-USDT-PERP", "side": "sell", "amount": 1.5, "price": 58009.1, "id": "2", \
"type": null, "timestamp": 1722816031.007, "receipt_timestamp": 1722816031.0158}
"""  # json.dumps(trade.to_dict(numeric_type=float) | {"receipt_timestamp": receipt_timestamp}) in a callback


def from_ccxt(trade: dict[str, Any]) -> dict[str, object]:
    """Of `ccxt.pro.binanceusdm`: the exchange stands nowhere in a trade, and its own symbol only in `info`."""
    symbol = trade["info"]["s"]
    return {
        "exchange": "Binance",
        "symbol": symbol,
        "base_asset": cgrx.Instrument.parse("Binance", symbol).base,
        "side": trade["side"],
        "price": trade["price"],
        "volume_usd": trade["cost"],
        "time_ms": trade["timestamp"],
    }


def from_cryptofeed(trade: dict[str, Any]) -> dict[str, object]:
    """Times are seconds; a symbol is base, quote and kind, here of a linear contract."""
    base, quote, _ = trade["symbol"].split("-")
    return {
        "exchange": {"BINANCE_FUTURES": "Binance"}[trade["exchange"]],
        "symbol": base + quote,
        "base_asset": base,
        "side": trade["side"],
        "price": trade["price"],
        "volume_usd": trade["price"] * trade["amount"],
        "time_ms": round(trade["timestamp"] * 1000),
        "received_ms": round(trade["receipt_timestamp"] * 1000),
    }


def converted(text: str, convert: Callable[[dict[str, Any]], dict[str, object]]) -> Iterator[str]:
    for line in text.splitlines():
        yield json.dumps(convert(json.loads(line))) + "\n"


with TemporaryDirectory() as temporary:
    for name, sample, convert in (("ccxt", CCXT, from_ccxt), ("cryptofeed", CRYPTOFEED, from_cryptofeed)):
        lines, recording = Path(temporary, f"{name}.jsonl"), Path(temporary, name)
        lines.write_text("".join(converted(sample, convert)), encoding="utf-8")
        imported = cgrx.import_jsonl(lines, recording, events="trades", received="received_ms")
        print(f"{name}: {imported.events} of {imported.rows} rows")
        for entry in cgrx.Recording(recording).entries():
            if isinstance(entry.said, cgrx.Batch):
                print(entry.said.received_ms, *entry.said.events)
