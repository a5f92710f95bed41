"""What symbols say, and how other exchanges spell them."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgrx._model.instruments import Instrument


@pytest.mark.parametrize(
    ("exchange", "symbol", "instrument"),
    [
        ("Binance", "BTCUSDT", Instrument("Binance", "BTC", "USDT", margin="linear")),
        ("BINANCE", " btcusdt ", Instrument("Binance", "BTC", "USDT", margin="linear")),
        ("Binance", "BTCUSD_PERP", Instrument("Binance", "BTC", "USD", margin="inverse")),
        ("Binance", "BNBUSD_PERP", Instrument("Binance", "BNB", "USD", margin="inverse")),
        (
            "Binance",
            "BTCUSD_250627",
            Instrument("Binance", "BTC", "USD", "future", "inverse", date(2025, 6, 27)),
        ),
        (
            "Gate.io",
            "BTC_USDT_20250627",
            Instrument("Gate", "BTC", "USDT", "future", "linear", date(2025, 6, 27)),
        ),
        ("Bitget", "BTCUSDT_UMCBL", Instrument("Bitget", "BTC", "USDT", margin="linear")),
        ("Bitget", "BTCUSD_DMCBL", Instrument("Bitget", "BTC", "USD", margin="inverse")),
        ("Gate", "BTC_USDT", Instrument("Gate", "BTC", "USDT", margin="linear")),
        ("OKX", "BTC-USDT-SWAP", Instrument("OKX", "BTC", "USDT", margin="linear")),
        ("OKX", "BTC-USD-SWAP", Instrument("OKX", "BTC", "USD", margin="inverse")),
        ("OKX", "BTC-USD-250627", Instrument("OKX", "BTC", "USD", "future", "inverse", date(2025, 6, 27))),
        ("dYdX", "BTC-USD", Instrument("dYdX", "BTC", "USD", margin="linear")),
        ("Nowhere", "BTC-USD", Instrument("Nowhere", "BTC", "USD")),
        ("Nowhere", "BTC-KRW", Instrument("Nowhere", "BTC", "KRW")),
        ("Binance", "ETHBTC", Instrument("Binance", "ETH", "BTC")),
        ("Deribit", "BTC_USDC-PERPETUAL", Instrument("Deribit", "BTC", "USDC", margin="linear")),
        ("Crypto.com", "BTCUSD-PERP", Instrument("Crypto.com", "BTC", "USD")),
        ("BitMEX", "XBTUSD", Instrument("BitMEX", "BTC", "USD", margin="inverse")),
        ("Nowhere", "XBTUSD", Instrument("Nowhere", "XBT", "USD")),
        ("Aster", "BTCUSD1", Instrument("Aster", "BTC", "USD1", margin="linear")),
        ("Binance", "USDCUSDT", Instrument("Binance", "USDC", "USDT", margin="linear")),
        ("Binance", "1000PEPEUSDT", Instrument("Binance", "PEPE", "USDT", margin="linear", multiplier=1000)),
        ("Bybit", "10000SATSUSDT", Instrument("Bybit", "SATS", "USDT", margin="linear", multiplier=10_000)),
        ("Bybit", "SHIB1000USDT", Instrument("Bybit", "SHIB", "USDT", margin="linear", multiplier=1000)),
        ("Binance", "1000000MOGUSDT", Instrument("Binance", "MOG", "USDT", margin="linear", multiplier=1_000_000)),
        (
            "Binance",
            "1MBABYDOGEUSDT",
            Instrument("Binance", "BABYDOGE", "USDT", margin="linear", multiplier=1_000_000),
        ),
        ("Binance", "1INCHUSDT", Instrument("Binance", "1INCH", "USDT", margin="linear")),
        ("Binance", "1000USDT", Instrument("Binance", "1000", "USDT", margin="linear")),
        ("Binance", "1000XUSDT", Instrument("Binance", "X", "USDT", margin="linear", multiplier=1000)),
        ("Binance", "币安人生USDT", Instrument("Binance", "币安人生", "USDT", margin="linear")),
        ("Hyperliquid", "XYZ:GOLD-USD", Instrument("Hyperliquid", "GOLD", "USD", margin="linear", venue="XYZ")),
    ],
    ids=str,
)
def test_symbols_that_are_read(exchange: str, symbol: str, instrument: Instrument) -> None:
    """Every form of the protocol's list, and what stands near them."""
    assert Instrument.parse(exchange, symbol) == instrument


@pytest.mark.parametrize(
    "symbol",
    [
        "",
        " ",
        "BTC",
        "USDT",
        "BTC-",
        "-USDT",
        "BTC--USDT",
        "BTC/USDT",
        "BTC USDT",
        "BTC-PERPETUAL",
        "BTC-27JUN25",
        "BTC-250627",
        "BTC-USDT-SWAP-X",
        "BTC-USDT-NOW",
        "BTC-12345-SWAP",
        "A:B:BTC-USDT",
        ":BTC-USDT",
        "BTC_TOOLONG",
    ],
)
def test_symbols_that_are_not(symbol: str) -> None:
    """It says which, whose, and what it can read."""
    with pytest.raises(ValueError, match="known forms are such as 'BTCUSDT'") as caught:
        Instrument.parse("okx", symbol)
    assert f"cannot read the symbol {symbol!r} of OKX" in str(caught.value)


@pytest.mark.parametrize("day", ["250230", "251301", "20250631", "250600"])
def test_days_that_do_not_exist(day: str) -> None:
    with pytest.raises(ValueError, match=f"cannot read the symbol 'BTCUSD_{day}' of Binance: there is no day {day}"):
        Instrument.parse("Binance", f"BTCUSD_{day}")


@given(st.text(max_size=20) | st.text("BTCUSD1250627_-:", max_size=20))
def test_any_text_is_read_or_refused(symbol: str) -> None:
    """With a ValueError and no other; what is read has a base and a quote, and is spelled without a fault."""
    try:
        instrument = Instrument.parse("Binance", symbol)
    except ValueError:
        return
    assert instrument.base
    assert instrument.quote
    assert (instrument.kind == "future") is (instrument.expiry is not None)
    spelled = instrument.spell("Binance")
    assert spelled is None or Instrument.parse("Binance", spelled) == instrument


USUAL = [
    ("Aster", "BTCUSDT", "1000PEPEUSDT"),
    (
        "Binance",
        "BTCUSDT",
        "BTCUSDC",
        "BTCUSD_PERP",
        "BTCUSD_250627",
        "ETHUSDT_250627",
        "1000PEPEUSDT",
        "10000SATSUSDT",
    ),
    ("BingX", "BTC-USDT"),
    ("BitMEX", "XBTUSDT", "XBTUSD", "ETHUSD"),
    ("Bitget", "BTCUSDT_UMCBL", "BTCUSD_DMCBL"),
    ("Bybit", "BTCUSDT", "BTCUSD"),
    ("CoinEx", "BTCUSDT", "BTCUSD"),
    ("dYdX", "BTC-USD"),
    ("Gate", "BTC_USDT", "BTC_USD"),
    ("HTX", "BTC-USDT", "BTC-USD"),
    ("MEXC", "BTC_USDT", "BTC_USD"),
    ("OKX", "BTC-USDT-SWAP", "BTC-USDC-SWAP", "BTC-USD-SWAP", "BTC-USDT-250627", "BTC-USD-250627"),
]


@pytest.mark.parametrize(("exchange", "symbol"), [(row[0], symbol) for row in USUAL for symbol in row[1:]])
def test_the_usual_spelling_reads_back(exchange: str, symbol: str) -> None:
    instrument = Instrument.parse(exchange, symbol)
    assert instrument.spell(exchange) == symbol
    assert instrument.spell(exchange.upper()) == symbol


@pytest.mark.parametrize(
    ("typed", "exchange", "spelling"),
    [
        (("OKX", "BTCUSDT"), "OKX", "BTC-USDT-SWAP"),
        (("Binance", "BTC-USDT-SWAP"), "Binance", "BTCUSDT"),
        (("HTX", "btcusdt"), "HTX", "BTC-USDT"),
        (("Binance", "BTCUSD_PERP"), "OKX", "BTC-USD-SWAP"),
        (("Binance", "ETHUSD_250627"), "OKX", "ETH-USD-250627"),
        (("OKX", "BTC-USD-SWAP"), "BitMEX", "XBTUSD"),
        (("BitMEX", "XBTUSDT"), "gate.io", "BTC_USDT"),
        (("Nowhere", "BTC-USD"), "Bybit", "BTCUSD"),
        (("Binance", "币安人生USDT"), "MEXC", "币安人生_USDT"),
    ],
    ids=str,
)
def test_spelled_for_another_exchange(typed: tuple[str, str], exchange: str, spelling: str) -> None:
    """For the hint that a silent channel comes with."""
    assert Instrument.parse(*typed).spell(exchange) == spelling


@pytest.mark.parametrize(
    ("typed", "exchange"),
    [
        (("Binance", "BTCUSDT"), "Nowhere"),
        (("Binance", "BTCUSDT"), "dYdX"),
        (("Binance", "ETHBTC"), "Binance"),
        (("Binance", "BTCUSD_250627"), "Bybit"),
        (("dYdX", "BTC-USD"), "OKX"),
        (("Binance", "BTCUSD_PERP"), "dYdX"),
        (("Binance", "1000PEPEUSDT"), "OKX"),
        (("Binance", "1MBABYDOGEUSDT"), "Binance"),
        (("Bybit", "SHIB1000USDT"), "Bybit"),
        (("Hyperliquid", "XYZ:GOLD-USD"), "dYdX"),
    ],
    ids=str,
)
def test_where_the_spelling_cannot_be_told(typed: tuple[str, str], exchange: str) -> None:
    """Unknown exchange, quote not traded there, dollars against coins, or a multiplier that is written otherwise."""
    assert Instrument.parse(*typed).spell(exchange) is None
