"""What misspelt names were meant to be, and that no name in use is ever asked about."""

import string
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgrx._model import spelling
from cgrx._model.channels import FuturesTrades, LiquidationOrders
from cgrx._model.exchanges import EXCHANGES, SPELLINGS, TABLE, Exchange, canonical_exchange
from cgrx._model.instruments import Instrument
from cgrx._model.spelling import (
    Doubt,
    doubts,
    hint,
    nearest_assets,
    nearest_exchanges,
    nearest_of_any,
    nearest_symbols,
)
from tests.recordings import LIQUIDATIONS, REQUIRED, TRADES, Recording

# Exchanges that ccxt lists and CoinGlass does not: https://docs.ccxt.com/Exchange-Markets.
OTHERS = """
    Alpaca, Backpack, Bequant, BigONE, BIT.TEAM, Bit2C, bitbank, Bitbns, bitFlyer, Bithumb, BitoPro, Bitrue, Bitso,
    BitTrade, Bitvavo, Blockchain.com, BloFin, BtcBox, BTCTurk, BTSE, Bullish, BYDFi, CEX.IO, Coincheck, CoinMate,
    CoinOne, Coins.ph, CoinSpot, Cryptomus, DeepCoin, Derive, DigiFinex, FMFW.io, Foxbit, Binance US, Bybit EU, Gate EU,
    Bybit Indonesia, BTC Markets, Delta Exchange, Coinbase Exchange
"""


@st.composite
def typos(draw: st.DrawFn) -> tuple[str, str]:
    """A known name, and the same with one letter wrong, missing, too many, or swapped with the next."""
    name = draw(st.sampled_from(sorted(EXCHANGES)))
    at = draw(st.integers(0, len(name) - 1))
    letter = draw(st.sampled_from(string.ascii_letters))
    before, here, after = name[:at], name[at], name[at + 1 :]
    swapped = before + after[:1] + here + after[1:]
    return name, draw(
        st.sampled_from([before + letter + after, before + after, before + letter + here + after, swapped])
    )


@given(typos())
def test_every_typo_of_one_letter_is_told(pair: tuple[str, str]) -> None:
    """Unless it makes a known spelling, as of OKX it can make OKEX."""
    name, typo = pair
    if canonical_exchange(typo) in EXCHANGES:
        assert nearest_exchanges(typo) == ()
    else:
        assert name in nearest_exchanges(typo)


@given(st.sampled_from(sorted(SPELLINGS)), st.data())
def test_no_known_spelling_is_told(spelled: str, data: st.DataObject) -> None:
    """Nor one in other case."""
    written = "".join(data.draw(st.sampled_from([each.lower(), each.upper()])) for each in spelled)
    assert nearest_exchanges(written) == ()


@pytest.mark.parametrize(
    "name", [*map(str.strip, OTHERS.split(",")), "", "Nowhere", "бинанс", "Binance" * 10, "A", "?"]
)
def test_nothing_is_asked_about_another_exchange(name: str) -> None:
    """CoinGlass may list it one day."""
    assert nearest_exchanges(name) == ()


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("Binnance", ("Binance",)),
        ("binance futures", ("Binance",)),
        ("binanceusdm", ("Binance",)),
        ("krakenfutures", ("Kraken",)),
        ("Kraken-Perp", ("Kraken",)),
        ("B inance", ("Binance",)),
        ("Gate-io", ("Gate",)),
        ("gateo", ("Gate",)),
        ("Huoby", ("HTX",)),
        ("cryptocom", ("Crypto.com",)),
        ("crypto_com", ("Crypto.com",)),
        ("Hyper Liquid", ("Hyperliquid",)),
        ("Hiperliqid", ("Hyperliquid",)),
        ("Biybit", ("Bybit",)),
        ("Bitmix", ("BitMEX",)),
        ("OX", ("OKX",)),
        ("ApexOmni", ("ApeX Omni",)),
    ],
)
def test_the_nearest_exchanges(name: str, nearest: tuple[str, ...]) -> None:
    """Case, spaces, punctuation, former names and what ccxt adds make no difference."""
    assert nearest_exchanges(name) == nearest


def test_no_more_than_three_are_named() -> None:
    """The nearest first."""
    assert nearest_exchanges("Bitfine")[0] == "Bitfinex"
    assert all(len(nearest_exchanges(a + b + c)) <= 3 for a in "htocx" for b in "kmx" for c in "xe")


@pytest.mark.parametrize(
    ("exchange", "symbol", "nearest"),
    [
        ("OKX", "BTCUSDT", "BTC-USDT-SWAP"),
        ("OKX", "BTC-USDT", "BTC-USDT-SWAP"),
        ("okx", "btc-usdt-swap", "BTC-USDT-SWAP"),
        ("OKX", "BTCUSDT_250627", "BTC-USDT-250627"),
        ("Binance", "btcusdt", "BTCUSDT"),
        ("Binance", "BTC-USDT", "BTCUSDT"),
        ("Binance", "BTCUSD", "BTCUSD_PERP"),
        ("Binance", "BTC/USDT", "BTCUSDT"),
        ("Binance", "BTC/USDT:USDT", "BTCUSDT"),
        ("Gate", "BTCUSDT", "BTC_USDT"),
        ("HTX", "BTC_USDT", "BTC-USDT"),
        ("BitMEX", "BTCUSD", "XBTUSD"),
        ("Bitget", "BTC-USDT", "BTCUSDT_UMCBL"),
    ],
)
def test_a_symbol_in_another_form(exchange: str, symbol: str, nearest: str) -> None:
    assert nearest_symbols(exchange, symbol) == (nearest,)


@pytest.mark.parametrize(
    ("exchange", "symbol"),
    [
        ("Binance", "1000PEPEUSDT"),
        ("Binance", "1000000MOGUSDT"),
        ("Binance", "币安人生USDT"),
        ("Binance", "ETHBTC"),
        ("Binance", "???"),
        ("Binance", "BTCUSDT_250631"),
        ("Binance", "BTCUSDT" * 10),
        ("Binance", "btcusdt" * 10),
        ("Bybit", "SHIB1000USDT"),
        ("Bybit", "BTCPERP"),
        ("Bybit", "BTC-27DEC24"),
        ("Bitget", "BTCUSDT"),
        ("Deribit", "BTC-PERPETUAL"),
        ("Hyperliquid", "XYZ:GOLD-USD"),
        ("Nowhere", "BTC/USDT"),
    ],
)
def test_no_question_about_a_symbol_that_may_be_in_use(exchange: str, symbol: str) -> None:
    """It has a form of the exchange's, cannot be read, or how the exchange writes such contracts is not known."""
    assert nearest_symbols(exchange, symbol) == ()


@pytest.mark.parametrize("known", TABLE, ids=lambda known: known.name)
def test_the_forms_of_the_table_are_never_asked_about(known: Exchange) -> None:
    """Perpetual contracts and futures, in each form. Each row has a source."""
    assert known.source.startswith("https://")
    for forms, expiry in ((known.perpetuals, None), (known.futures, date(2025, 6, 27))):
        for quote, templates in forms.items():
            for asset in ("BTC", "ETH", "1INCH"):
                base = known.own_assets.get(asset, asset)
                for template in templates:
                    symbol = template.format(base=base, quote=quote, expiry=expiry)
                    assert doubts(FuturesTrades(known.name, symbol, 0)) == ()
                    assert Instrument.parse(known.name, symbol).base == asset


ASSETS = st.sampled_from(("", "X" * 60, *"BTC 1INCH 1000PEPE SHIB1000 1MBABYDOGE USDT XUSD 币安 e".split()))
ENDINGS = st.sampled_from(["", "USD1", *sorted({each for several in spelling._ENDINGS.values() for each in several})])


@given(st.sampled_from(TABLE), ASSETS | st.text("ABU0-_:", max_size=6), ENDINGS)
def test_a_plain_symbol_is_one_of_the_forms(known: Exchange, asset: str, ending: str) -> None:
    """What is not asked about after a glance is not asked about after reading the symbol."""
    symbol = asset + ending
    if spelling._is_plain(known.name, symbol):
        if spelling._ENDINGS[known.name]:
            assert symbol in spelling._spellings(known.name, symbol) or len(symbol) > spelling._LONGEST
        assert not spelling.nearest_exchanges(known.name)
        assert not spelling.nearest_symbols(known.name, symbol)


@REQUIRED
@pytest.mark.parametrize("recording", [LIQUIDATIONS, TRADES], ids=lambda recording: recording.file)
def test_nothing_that_was_recorded_is_asked_about(recording: Recording) -> None:
    """Every instrument and asset of the real recordings."""
    for exchange, symbol, asset in {(line["exName"], line["symbol"], line["baseAsset"]) for line in recording.lines()}:
        assert doubts(FuturesTrades(exchange, symbol, 0)) == ()
        assert nearest_of_any(symbol) == ()
        assert nearest_assets(asset) == ()


def test_exchange_and_symbol_are_asked_about_together() -> None:
    """The form of the symbol is that of the exchange that was probably meant."""
    assert doubts(FuturesTrades("OKXX", "BTCUSDT", 0)) == (
        Doubt("OKXX", ("OKX",)),
        Doubt("BTCUSDT", ("BTC-USDT-SWAP",)),
    )
    assert doubts(FuturesTrades("Binance", "BTCUSDT", 0)) == ()
    assert doubts(LiquidationOrders()) == ()
    assert str(Doubt("Binnance", ("Binance",))) == "'Binnance': did you mean Binance?"
    assert str(Doubt("x", ("A", "B"))) == "'x': did you mean A or B?"


@pytest.mark.parametrize(
    ("exchange", "symbol", "expected"),
    [
        ("OKX", "BTCUSDT", "OKX spells this BTC-USDT-SWAP"),
        ("Binnance", "BTCUSDT", "CoinGlass spells this exchange Binance"),
        ("BINANCE", "BTCUSDT", "CoinGlass spells this exchange Binance"),
        ("Huobi", "BTCUSDT", "CoinGlass spells this exchange HTX; HTX spells this BTC-USDT"),
        ("Bitget", "BTCUSDT", "Bitget spells this BTCUSDT_UMCBL"),
        ("Binance", "BTCUSDT", None),
        ("Nowhere", "BTCUSDT", None),
    ],
)
def test_a_silent_channel_gets_the_usual_spelling_as_a_hint(exchange: str, symbol: str, expected: str | None) -> None:
    """Also in place of another known one, about which nothing was asked before."""
    assert hint(FuturesTrades(exchange, symbol, 0)) == expected


def test_a_channel_without_a_name_of_yours_gets_no_hint() -> None:
    assert hint(LiquidationOrders()) is None


@pytest.mark.parametrize(
    ("symbol", "nearest"),
    [
        ("BTC/USDT", ("BTCUSDT", "BTC-USDT", "BTC_USDT", "BTC-USDT-SWAP", "BTCUSDT_UMCBL", "XBTUSDT")),
        ("BTC/USDC:USDC", ("BTCUSDC", "BTC-USDC-SWAP")),
        ("BTC/KRW", ()),
        ("BTCUSDT", ()),
        ("BTC", ()),
        ("/", ()),
    ],
)
def test_a_pair_with_a_slash_is_no_exchange_s(symbol: str, nearest: tuple[str, ...]) -> None:
    assert sorted(nearest_of_any(symbol)) == sorted(nearest)


@pytest.mark.parametrize(
    ("asset", "nearest"),
    [
        ("BTCUSDT", ("BTC",)),
        ("btcusdc", ("BTC",)),
        ("BTC-USD", ("BTC",)),
        ("BTC/USDT", ("BTC",)),
        ("BTC_USDT", ("BTC",)),
        ("1000PEPEUSDT", ("PEPE",)),
        ("BTC", ()),
        ("WBTC", ()),
        ("STETH", ()),
        ("FRXUSD", ()),
        ("USDT", ()),
        ("1000SATS", ()),
        ("币安人生", ()),
    ],
)
def test_a_symbol_in_place_of_an_asset(asset: str, nearest: tuple[str, ...]) -> None:
    assert nearest_assets(asset) == nearest
