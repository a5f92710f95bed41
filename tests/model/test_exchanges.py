"""One spelling for each known exchange."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgrx._model.exchanges import EXCHANGES, canonical_exchange

# As the official text and clients spell them: PROTOCOL's list, and that of docs.coinglass.com.
SPELLINGS = [
    ("Binance", "BINANCE", "binance"),
    ("Gate", "Gate.io", "GATE.IO", "gateio", "gate"),
    ("BitMEX", "Bitmex", "BITMEX"),
    ("OKX", "okx", "OKEx", "Okex"),
    ("HTX", "htx", "Huobi", "huobi"),
    ("dYdX", "DYDX", "dydx"),
    ("CoinEx", "Coinex", "COINEX"),
    ("Crypto.com", "crypto.com", "CRYPTO.COM"),
    ("ApeX Omni", "Apex omni", "apex"),
    ("Bybit", "ByBit"),
    ("Bitget", "BitGet"),
    ("Hyperliquid", "HyperLiquid"),
    ("KuCoin", "Kucoin"),
    ("WhiteBIT", "Whitebit"),
    ("EdgeX", "edgeX"),
]


@pytest.mark.parametrize("spellings", SPELLINGS, ids=lambda spellings: spellings[0])
def test_a_known_exchange_has_one_spelling(spellings: tuple[str, ...]) -> None:
    """The first of each row; it stays as it is."""
    assert {canonical_exchange(name) for name in spellings} == {spellings[0]}
    assert spellings[0] in EXCHANGES


@pytest.mark.parametrize("name", ["", "Nowhere", "binance ", "Binance US", "бинанс", "ﬁ"])
def test_an_unknown_one_stays_as_it_is(name: str) -> None:
    assert canonical_exchange(name) == name


@pytest.mark.parametrize("name", sorted(EXCHANGES))
def test_every_case_of_a_known_name_is_known(name: str) -> None:
    assert {canonical_exchange(spelled) for spelled in (name, name.lower(), name.upper(), name.swapcase())} == {name}


@given(st.text(max_size=10) | st.sampled_from([name for row in SPELLINGS for name in row]))
def test_a_spelling_is_final(name: str) -> None:
    """Twice gives the same as once, and a known name is recognised by being in the set."""
    once = canonical_exchange(name)
    assert canonical_exchange(once) == once
    assert once == name or once in EXCHANGES
