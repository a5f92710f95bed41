"""The events and frames that rivals are given: generated ones, the same in every run, or real recordings.

Each process makes its own from the same seed. The recordings are not part of the repository: they lie beside it in
`shared/data`. Where that folder is missing, the cases that need it are left out, and the report says so.
"""

import gzip
import json
import random
from functools import cache
from pathlib import Path
from typing import Any

from cgrx._model.events import Event, Liquidation, LiquidationSide, Trade, TradeSide
from cgrx._wire.codec import encode_frame

RECORDINGS = Path(__file__).resolve().parents[3] / "shared" / "data"
START_MS = 1_725_416_318_379
CHANNEL = "futures_trades@Binance_BTCUSDT@0"
MARKETS = (("BTC", "BTCUSDT"), ("ETH", "ETHUSDT"), ("BTC", "BTCUSD_PERP"), ("ETH", "ETHUSD_PERP"))
EXCHANGES = ("Binance", "OKX", "Bybit", "Bitget", "Hyperliquid")
ASSETS = ("BTC", "ETH", "SOL", "1000PEPE")
MEAN_GAP_MS = 14
"""Between two trades: some 70 a second, as the recordings have."""


def generated_trades(count: int, seed: int = 7, exchange: str = "Binance") -> list[Trade]:
    """Trades of four symbols, a tenth of them up to 76 ms behind their neighbours, as merged feeds are."""
    chance = random.Random(seed)
    trades: list[Trade] = []
    time_ms = START_MS
    for _ in range(count):
        time_ms += int(chance.expovariate(1 / MEAN_GAP_MS))
        asset, symbol = chance.choice(MARKETS)
        price = round((60_000 if asset == "BTC" else 2600) * chance.uniform(0.99, 1.01), 1)
        volume = round(chance.lognormvariate(6, 2), 4) + 0.01
        disorder = chance.randrange(76) if chance.random() < 0.1 else 0
        side = TradeSide(chance.choice((1, 2)))
        trades.append(Trade(asset, exchange, symbol, side, price, volume, time_ms - disorder))
    return trades


@cache
def recorded_trades() -> tuple[Trade, ...]:
    """Every fill of BTC and ETH on Binance over ten minutes.

    Raises:
        FileNotFoundError: the recordings are not there; see `RECORDINGS`.
    """
    with gzip.open(RECORDINGS / "futures_trades.jsonl.gz", "rt", encoding="utf-8") as lines:
        raw = [json.loads(line) for line in lines]
    return tuple(
        Trade(e["baseAsset"], e["exName"], e["symbol"], TradeSide(e["side"]), e["price"], e["volUsd"], e["time"])
        for e in raw
    )


def has_recordings() -> bool:
    """Whether the recordings lie beside the repository."""
    return RECORDINGS.is_dir()


def origin() -> str:
    """Where `any_trades` are from, for the names of cases."""
    return "recorded" if has_recordings() else "generated"


def any_trades(count: int) -> list[Trade]:
    """The first of the recorded trades; where the recordings are not there, generated ones."""
    return list(recorded_trades()[:count]) if has_recordings() else generated_trades(count)


def generated_event(event_type: type[Event], chance: random.Random) -> Event:
    """An event of one of a few assets and exchanges; its numbers are drawn anew."""
    asset = chance.choice(ASSETS)
    side: Any = (LiquidationSide if event_type is Liquidation else TradeSide)(chance.choice((1, 2)))
    price, volume = round(chance.lognormvariate(8, 2), 2) + 0.01, round(chance.lognormvariate(6, 2), 5) + 0.01
    time_ms = START_MS + chance.randrange(1000)
    return event_type(asset, chance.choice(EXCHANGES), f"{asset}USDT", side, price, volume, time_ms)


def trade_frames(count: int, events_each: int) -> list[bytes]:
    """Messages of the trade channel."""
    trades = generated_trades(count * events_each)
    return [encode_frame(CHANNEL, trades[start : start + events_each]) for start in range(0, len(trades), events_each)]
