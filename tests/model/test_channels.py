"""A channel as a value and as its name on the wire."""

import math
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgrx._model.channels import Channel, FuturesTrades, LiquidationOrders, parse_channel
from cgrx._model.events import Liquidation, Trade

parts = st.text(min_size=1, max_size=12).filter(lambda text: "@" not in text)
exchanges = parts.filter(lambda text: "_" not in text)
volumes = st.floats(min_value=0, allow_infinity=False) | st.integers(0, 10**12)


@pytest.mark.parametrize(
    ("channel", "name"),
    [
        (LiquidationOrders(), "liquidationOrders"),
        (FuturesTrades("Binance", "BTCUSDT", 10_000), "futures_trades@Binance_BTCUSDT@10000"),
        (FuturesTrades("OKX", "BTC-USDT-SWAP", 0), "futures_trades@OKX_BTC-USDT-SWAP@0"),
        (FuturesTrades("Gate", "BTC_USDT", 0.5), "futures_trades@Gate_BTC_USDT@0.5"),
        (FuturesTrades("ApeX Omni", "BTC-USDT", 1e15), "futures_trades@ApeX Omni_BTC-USDT@1000000000000000"),
        (FuturesTrades("Hyperliquid", "XYZ:GOLD-USD", 1), "futures_trades@Hyperliquid_XYZ:GOLD-USD@1"),
        (FuturesTrades("Binance", "币安人生USDT", 1), "futures_trades@Binance_币安人生USDT@1"),
    ],
    ids=str,
)
def test_names(channel: Channel, name: str) -> None:
    """The exchange ends at the first `_`, the volume begins after the last `@`."""
    assert channel.name == name
    assert parse_channel(name) == channel


@given(exchanges, parts, volumes)
def test_every_name_reads_back(exchange: str, symbol: str, min_volume: float) -> None:
    channel = FuturesTrades(exchange, symbol, min_volume)
    assert parse_channel(channel.name) == channel


@pytest.mark.parametrize(
    ("name", "channel"),
    [
        ("liquidation_orders", LiquidationOrders()),
        ("futures_trades@Binance_BTCUSDT@10000.0", FuturesTrades("Binance", "BTCUSDT", 10_000)),
        ("futures_trades@Binance_BTCUSDT@1e4", FuturesTrades("Binance", "BTCUSDT", 10_000)),
    ],
)
def test_other_spellings_of_a_name(name: str, channel: Channel) -> None:
    assert parse_channel(name) == channel


@pytest.mark.parametrize(
    "name",
    [
        "",
        "LiquidationOrders",
        "liquidationOrders ",
        "futures_trades",
        "futures_trades@",
        "futures_trades@Binance_BTCUSDT",
        "futures_trades@Binance@10000",
        "futures_trades@_BTCUSDT@10000",
        "futures_trades@Binance_@10000",
        "futures_trades@Binance_BTC@USDT@10000",
        "futures_trades@Binance_BTCUSDT@",
        "futures_trades@Binance_BTCUSDT@many",
        "futures_trades@Binance_BTCUSDT@-1",
        "futures_trades@Binance_BTCUSDT@nan",
        "futures_trades@Binance_BTCUSDT@inf",
        "spot_trades@Binance_BTCUSDT@10000",
        "futures_ticker@Binance_BTCUSDT",
    ],
)
def test_names_of_no_channel(name: str) -> None:
    """The error holds the name."""
    with pytest.raises(ValueError) as caught:
        parse_channel(name)
    assert repr(name) in str(caught.value)


@pytest.mark.parametrize("exchange", ["", "Bin_ance", "Bin@nce"])
def test_an_exchange_that_cannot_stand_in_a_name(exchange: str) -> None:
    with pytest.raises(ValueError, match=f"exchange='{exchange}' cannot stand .* nor hold '@' or '_'"):
        FuturesTrades(exchange, "BTCUSDT", 0)


@pytest.mark.parametrize("symbol", ["", "BTC@USDT"])
def test_a_symbol_that_cannot_stand_in_a_name(symbol: str) -> None:
    with pytest.raises(ValueError, match=f"symbol='{symbol}' cannot stand .* nor hold '@'$"):
        FuturesTrades("Binance", symbol, 0)


@pytest.mark.parametrize("min_volume", [-1, -0.01, math.nan, math.inf, -math.inf, 10**400])
def test_a_volume_that_is_none(min_volume: float) -> None:
    with pytest.raises(
        ValueError, match=r"min_volume=.* takes a finite number of US dollars, 0 or more, such as 10_000"
    ):
        FuturesTrades("Binance", "BTCUSDT", min_volume)


@pytest.mark.parametrize("min_volume", ["10k", "10000", b"1", None, [1]])
def test_a_volume_that_is_no_number(min_volume: Any) -> None:
    """A text neither, although `float` reads some: the error says what is taken."""
    with pytest.raises(TypeError, match=r"min_volume=.* takes a number of US dollars, 0 or more, such as 10_000"):
        FuturesTrades("Binance", "BTCUSDT", min_volume)


def test_channels_are_values() -> None:
    """Equal by their parts, whatever number type the volume came as; usable as keys, picklable."""
    one, other = FuturesTrades("Binance", "BTCUSDT", 10_000), FuturesTrades("Binance", "BTCUSDT", 1e4)
    assert {one: 1, LiquidationOrders(): 2} == {other: 1, LiquidationOrders(): 2}
    assert pickle.loads(pickle.dumps(one)) == one != FuturesTrades("Binance", "BTCUSDT", 1)


def test_each_channel_knows_its_event() -> None:
    assert (LiquidationOrders.event_type, FuturesTrades.event_type) == (Liquidation, Trade)
