"""What the tests of Spark share: a market of several channels with faults in it, as a recording and as records."""

import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import cgrx
from cgrx import (
    Alive,
    Batch,
    Channel,
    Dropped,
    Event,
    FuturesTrades,
    Gap,
    LiquidationOrders,
    LiquidationSide,
    Record,
    TradeSide,
)
from cgrx import operators as ops
from cgrx._recording.entry import Recorded
from cgrx._recording.writer import RecordingWriter
from cgrx._shards.record import Numbering
from tests.feed.feeding import START_MS

BTC = FuturesTrades("Binance", "BTCUSDT", 0)
OKX = FuturesTrades("OKX", "BTC-USDT-SWAP", 0)
ETH = FuturesTrades("Binance", "ETHUSDT", 0)
LIQUIDATIONS = LiquidationOrders()
PAIRS = [("Binance", "BTCUSDT"), ("Binance", "ETHUSDT"), ("OKX", "BTC-USDT-SWAP")]
CHANNELS: tuple[Channel, ...] = (BTC, OKX, ETH)
LATENESS_MS = 200


def bars(feed: cgrx.Feed, channel: Channel) -> cgrx.EventStream[Any]:
    """Bars of one channel, which a backtest computes in columns."""
    return feed.channel(channel).pipe(ops.tumbling("10s", ops.Bar, by=("exchange", "symbol")))


def seconds(feed: cgrx.Feed, channel: Channel) -> cgrx.EventStream[Any]:
    """Bars of one channel, of a second each."""
    window = ops.tumbling("1s", ops.Bar, by=("exchange", "symbol"), lateness=f"{LATENESS_MS}ms")
    return feed.channel(channel).pipe(window)


def across(feed: cgrx.Feed, *channels: Channel) -> cgrx.EventStream[Any]:
    """A pipeline of several channels. With its function a backtest runs event by event, so that sums are equal too."""
    streams: list[cgrx.EventStream[Event]] = [feed.channel(channel) for channel in channels]
    return cgrx.merge(*streams).where(always).pipe(ops.tumbling("10s", by="base_asset"))


def always(_: object) -> bool:
    return True


def entries(seconds: int, seed: int = 1, channels: Sequence[Channel] = CHANNELS) -> list[Recorded]:
    """What a feed says: trades, proofs, and now and then a gap or a loss."""
    draw = random.Random(seed)
    found = [Recorded(channel, Gap(channel, 0, START_MS, "the subscription begins")) for channel in channels]
    for at_ms in range(START_MS, START_MS + seconds * 1000, 250):
        for channel in channels:
            if draw.random() < 0.5:
                found.append(Recorded(channel, Batch(channel, at_ms, tuple(_events(draw, channel, at_ms)))))
            if draw.random() < 0.005:
                found.append(Recorded(channel, Gap(channel, at_ms - 400, at_ms - 100, "a cut")))
            if draw.random() < 0.005:
                found.append(Recorded(channel, Dropped(channel, 2, "malformed")))
        if at_ms % 1000 == 0:
            found += [Recorded(channel, Alive("cgrx", at_ms)) for channel in channels]
    return found


def _events(draw: random.Random, channel: Channel, at_ms: int) -> Iterator[Event]:
    for _ in range(draw.randint(1, 4)):
        exchange, symbol = draw.choice(PAIRS)
        sides: Any = LiquidationSide
        if isinstance(channel, FuturesTrades):
            exchange, symbol, sides = channel.exchange, channel.symbol, TradeSide
        yield channel.event_type(
            base_asset=symbol[:3],
            exchange=exchange,
            symbol=symbol,
            side=draw.choice(list(sides)),
            price=round(draw.uniform(100, 101), 3),
            volume_usd=round(draw.expovariate(1e-4), 2) + 0.01,
            time_ms=at_ms - draw.randint(0, 1500),
        )


def record(folder: Path, said: Sequence[Recorded]) -> Path:
    """A recording of it."""
    with RecordingWriter(folder) as writer:
        for entry in said:
            writer.append(entry)
    return folder


def records(said: Sequence[Recorded], session: str = "a1") -> list[Record]:
    """The same as records, whose channels end as they do in a backtest."""
    numbering = Numbering(session)
    found = [
        numbering.record(each.channel.name, each.said)
        for each in said
        if each.channel is not None and not isinstance(each.said, cgrx.Status)
    ]
    channels = dict.fromkeys(each.channel for each in said if each.channel)
    return found + [numbering.record(channel.name, cgrx.End()) for channel in channels]
