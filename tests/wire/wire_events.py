"""Events and frames for the tests of the codec: made by hand, and by hypothesis."""

import json
from typing import Any

from hypothesis import strategies as st

from cgrx._model.channels import FuturesTrades, LiquidationOrders
from cgrx._model.events import LATEST_MS, Event, Liquidation, LiquidationSide, Trade, TradeSide
from cgrx._model.exchanges import EXCHANGES, canonical_exchange
from cgrx._wire.codec import Frame, Message, decode

NOW_MS = 1_725_416_318_392
LIQUIDATIONS = "liquidationOrders"
TRADES = "futures_trades@Binance_BTCUSDT@10000"

FIRST: dict[str, Any] = {
    "baseAsset": "BTC",
    "exName": "Binance",
    "price": 56738.00,
    "side": 2,
    "symbol": "BTCUSDT",
    "time": 1725416318379,
    "volUsd": 3858.18400,
}
"""The event of the official page, in names of the first generation."""

SECOND: dict[str, Any] = {
    "base_asset": "BTC",
    "exchange": "Binance",
    "price": 56738.00,
    "side": 2,
    "symbol": "BTCUSDT",
    "time": 1725416318379,
    "volume_usd": 3858.18400,
}
"""The same in names of the second."""

LIQUIDATION = Liquidation("BTC", "Binance", "BTCUSDT", LiquidationSide.SHORT, 56738.0, 3858.184, 1725416318379)
TRADE = Trade("BTC", "Binance", "BTCUSDT", TradeSide.BUY, 56738.0, 3858.184, 1725416318379)


def frame(*events: object, channel: str = LIQUIDATIONS, **extra: object) -> bytes:
    """A frame as `json` writes it: NaN as NaN, lone surrogates as escapes."""
    return json.dumps({"channel": channel, "data": events, **extra}).encode()


def decoded(*events: object, channel: str = LIQUIDATIONS) -> Frame:
    """What `decode` makes of such a frame."""
    return as_frame(decode(frame(*events, channel=channel)))


def as_frame(message: Message) -> Frame:
    """The message, which must be a frame."""
    assert isinstance(message, Frame), message
    return message


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
"""Any text that UTF-8 can hold."""

names = st.sampled_from(sorted(EXCHANGES)) | texts.map(canonical_exchange)
amounts = st.floats(min_value=0, exclude_min=True, allow_infinity=False)
times = st.integers(0, LATEST_MS)

liquidations = st.builds(Liquidation, texts, names, texts, st.sampled_from(LiquidationSide), amounts, amounts, times)
trades = st.builds(Trade, texts, names, texts, st.sampled_from(TradeSide), amounts, amounts, times)

channel_names = st.builds(
    FuturesTrades,
    st.sampled_from(["Binance", "ApeX Omni", "Crypto.com"]),
    st.sampled_from(["BTCUSDT", "BTC_USDT", "BTC-USDT-SWAP", "币安人生USDT"]),
    st.sampled_from([0, 0.5, 10_000, 1e15]),
).map(lambda channel: channel.name)


@st.composite
def framed(draw: st.DrawFn) -> tuple[str, tuple[Event, ...]]:
    """A channel's name and events of its type."""
    if draw(st.booleans()):
        name = draw(st.sampled_from([LiquidationOrders().name, "liquidation_orders"]))
        return name, tuple(draw(st.lists(liquidations, max_size=4)))
    return draw(channel_names), tuple(draw(st.lists(trades, max_size=4)))


def wire_dict(event: Event, generation: int) -> dict[str, Any]:
    """An event as the server writes it, spelled out here so that no table of the codec is trusted."""
    asset, exchange, volume = (
        ("baseAsset", "exName", "volUsd") if generation == 1 else ("base_asset", "exchange", "volume_usd")
    )
    return {
        asset: event.base_asset,
        exchange: event.exchange,
        "price": event.price,
        "side": int(event.side),
        "symbol": event.symbol,
        "time": event.time_ms,
        volume: event.volume_usd,
    }
