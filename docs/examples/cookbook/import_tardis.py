"""A trades file of Tardis becomes a recording, and bars are made of it.

With a file of yours: its name in place of `sample`, such as binance-futures_trades_2024-08-05_BTCUSDT.csv.gz.
"""

import csv
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import cgrx
from cgrx import operators as ops

SAMPLE = """\
exchange,symbol,timestamp,local_timestamp,id,side,price,amount
binance-futures,BTCUSDT,1722816000123000,1722816000131207,5210001,buy,58012.5,0.25
binance-futures,BTCUSDT,1722816031007000,1722816031015833,5210002,sell,58009.1,1.5
binance-futures,BTCUSDT,1722816044500000,1722816044509121,5210003,unknown,58010,0.1
binance-futures,BTCUSDT,1722816075250000,1722816075258440,5210004,buy,58021.7,0.8
"""
EXCHANGES = {"binance-futures": "Binance", "bybit": "Bybit", "okex-swap": "OKX"}
"""What Tardis calls an exchange, and what CoinGlass calls it."""


def trades(file: Path) -> Iterator[dict[str, object]]:
    with gzip.open(file, "rt", encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            exchange, symbol = EXCHANGES[row["exchange"]], row["symbol"]
            yield {
                "base_asset": cgrx.Instrument.parse(exchange, symbol).base,
                "exchange": exchange,
                "symbol": symbol,
                "side": row["side"],
                "price": row["price"],
                "volume_usd": float(row["price"]) * float(row["amount"]),
                "time_ms": int(row["timestamp"]) // 1000,  # Tardis has microseconds
                "received_ms": int(row["local_timestamp"]) // 1000,
            }


def run(folder: Path) -> None:
    sample, lines, recording = folder / "sample.csv.gz", folder / "trades.jsonl", folder / "recording"
    sample.write_bytes(gzip.compress(SAMPLE.encode()))
    with lines.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(each) + "\n" for each in trades(sample))
    imported = cgrx.import_jsonl(lines, recording, events="trades", received="received_ms")
    print(f"{imported.events} of {imported.rows} rows")
    for reject in imported.rejects:
        print(f"row {reject.line}, {reject.path}: {reject.reason}")

    def bars(feed: cgrx.Feed) -> cgrx.EventStream[ops.Bar]:
        stream = feed.futures_trades("Binance", "BTCUSDT", min_volume=0)
        return stream.pipe(ops.tumbling("1m", ops.Bar, by=("exchange", "symbol")))

    for bar in cgrx.backtest(bars, recording).rows:
        print(bar.start_ms, bar.open, bar.high, bar.low, bar.close, f"{bar.volume:,.0f} USD, gap_ms={bar.gap_ms}")


with TemporaryDirectory() as temporary:
    run(Path(temporary))
