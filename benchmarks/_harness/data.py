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

import attrs

from cgrx._model.events import Event, Liquidation, LiquidationSide, Trade, TradeSide
from cgrx._wire.codec import encode_frame
from cgrx.testing import symbol_of

RECORDINGS = Path(__file__).resolve().parents[3] / "shared" / "data"
START_MS = 1_725_416_318_379
CHANNEL = "futures_trades@Binance_BTCUSDT@0"
MARKETS = (("BTC", "BTCUSDT"), ("ETH", "ETHUSDT"), ("BTC", "BTCUSD_PERP"), ("ETH", "ETHUSD_PERP"))
EXCHANGES = ("Binance", "OKX", "Bybit", "Bitget", "Hyperliquid")
ASSETS = ("BTC", "ETH", "SOL", "1000PEPE")
LIQUIDATIONS = "liquidationOrders"
CLOSING_MS = 600_000
MEAN_GAP_MS = 14
"""Between two trades: some 70 a second, as the recordings have."""


def generated_trades(
    count: int, seed: int = 7, exchange: str = "Binance", markets: tuple[tuple[str, str], ...] = MARKETS
) -> list[Trade]:
    """Trades of four symbols or others, a tenth of them up to 76 ms behind their neighbours, as merged feeds are."""
    chance = random.Random(seed)
    trades: list[Trade] = []
    time_ms = START_MS
    for _ in range(count):
        time_ms += int(chance.expovariate(1 / MEAN_GAP_MS))
        asset, symbol = chance.choice(markets)
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
    """A trade of the trade channel, or a liquidation of a few assets and exchanges; its numbers are drawn anew."""
    asset, exchange, symbol = "BTC", "Binance", "BTCUSDT"
    if event_type is Liquidation:
        asset, exchange = chance.choice(ASSETS), chance.choice(EXCHANGES)
        symbol = f"{asset}USDT"
    side: Any = (LiquidationSide if event_type is Liquidation else TradeSide)(chance.choice((1, 2)))
    price, volume = round(chance.lognormvariate(8, 2), 2) + 0.01, round(chance.lognormvariate(6, 2), 5) + 0.01
    time_ms = START_MS + chance.randrange(1000)
    return event_type(asset, exchange, symbol, side, price, volume, time_ms)


@attrs.frozen
class Market:
    """What a feed carries: trades of so many instruments, and the liquidations of all."""

    instruments: int

    @property
    def named(self) -> list[tuple[str, str, str]]:
        """Asset, exchange and symbol of each instrument; the exchanges take turns."""
        listed = [(f"COIN{at // len(EXCHANGES)}", EXCHANGES[at % len(EXCHANGES)]) for at in range(self.instruments)]
        return [(asset, exchange, symbol_of(exchange, asset)) for asset, exchange in listed]

    @property
    def channels(self) -> list[str]:
        """Their channels, and that of the liquidations last."""
        return [*(f"futures_trades@{exchange}_{symbol}@0" for _, exchange, symbol in self.named), LIQUIDATIONS]

    def events(self, count: int) -> list[tuple[str, Event]]:
        """Events with their channels, in order of arrival: some 500 a second, one in twenty a liquidation.

        The n-th instrument trades a n-th as often as the first. Each exchange is 20 ms later than the one before it, so
        events are in order within a channel of trades, and not between them.
        """
        chance = random.Random(13)
        named, channels = self.named, self.channels
        weights = [1 / (at + 1) for at in range(self.instruments)]
        drawn: list[tuple[int, str, Event]] = []
        time_ms = START_MS
        for at in chance.choices(range(self.instruments), weights, k=count):
            time_ms += 1 + int(chance.expovariate(1))
            of = named[at]
            price, volume = round(100 * chance.uniform(0.99, 1.01), 2), round(chance.lognormvariate(6, 2), 4) + 0.01
            side = chance.choice((1, 2))
            if chance.random() < 0.05:
                event: Event = Liquidation(*of, LiquidationSide(side), price, volume, time_ms)
                channel = LIQUIDATIONS
            else:
                event, channel = Trade(*of, TradeSide(side), price, volume, time_ms), channels[at]
            drawn.append((time_ms + 20 * EXCHANGES.index(of[1]), channel, event))
        return [(channel, event) for _, channel, event in sorted(drawn, key=lambda each: each[0])]

    def closing(self, after: list[tuple[str, Event]]) -> list[tuple[str, Event]]:
        """One more trade of each instrument, ten minutes later: behind it every window has closed."""
        time_ms = max(event.time_ms for _, event in after) + CLOSING_MS
        return [
            (channel, Trade(*of, TradeSide.BUY, 1.0, 1.0, time_ms))
            for channel, of in zip(self.channels, self.named, strict=False)
        ]


def market_frames(count: int, instruments: int) -> list[bytes]:
    """Messages of one event each, those that close the windows last and above the count."""
    market = Market(instruments)
    events = market.events(count)
    return [encode_frame(channel, [event]) for channel, event in events + market.closing(events)]


def trade_frames(count: int, events_each: int) -> list[bytes]:
    """Messages of the trade channel, which has one symbol."""
    trades = generated_trades(count * events_each, markets=MARKETS[:1])
    return [encode_frame(CHANNEL, trades[start : start + events_each]) for start in range(0, len(trades), events_each)]
