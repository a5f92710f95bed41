"""One spelling for each known exchange, whatever case or older name the server used.

Source of the names: https://docs.coinglass.com/reference/exchanges-and-symbols.
"""

# fmt: off
EXCHANGES = frozenset({
    "ApeX Omni", "Aster", "Binance", "BingX", "Bitfinex", "Bitget", "BitMEX", "Bitstamp", "Bitunix", "Bybit", "CME",
    "Coinbase", "CoinEx", "Crypto.com", "Deribit", "Drift", "dYdX", "EdgeX", "Extended", "Gate", "Gemini", "HTX",
    "Hyperliquid", "Kraken", "KuCoin", "LBank", "Lighter", "MEXC", "OKX", "Paradex", "tradeXYZ", "Upbit", "WhiteBIT",
})
# fmt: on
"""The known exchanges, each in the spelling that events carry."""

_OTHER_NAMES = {"gate.io": "Gate", "gateio": "Gate", "huobi": "HTX", "okex": "OKX", "apex": "ApeX Omni"}

_SPELLING = {name.casefold(): name for name in EXCHANGES} | _OTHER_NAMES


def canonical_exchange(name: str) -> str:
    """The one spelling of a known exchange (`"BINANCE"` -> `"Binance"`, `"Gate.io"` -> `"Gate"`).

    Events and channels carry this spelling, so use it for an exchange that a user typed. An unknown name comes back as
    it is. Costs one lookup and keeps no state.
    """
    return _SPELLING.get(name.casefold(), name)
