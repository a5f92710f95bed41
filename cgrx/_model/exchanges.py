"""The known exchanges: one spelling for each, whatever case or older name is used, and how it writes its symbols.

The table is data, a row for each exchange, with the source of the row. CoinGlass's lists change as exchanges come and
go, so a name that is not here is no mistake by itself.
"""

from typing import Literal, TypeAlias

import attrs

Margin: TypeAlias = Literal["linear", "inverse"]
Forms: TypeAlias = dict[str, tuple[str, ...]]
"""By quote, how the contracts are written: the usual form first, then others that are in use."""

_LIST = "https://docs.coinglass.com/reference/exchanges-and-symbols"
_FORMER_LIST = "https://docs.coinglass.com/v4.0-zh/reference/supported-exchanges.md"
_COINS = "https://docs.coinglass.com/v4.0-zhtw/reference/trading-market"
_CLIENT = "https://github.com/vzaranee/coinglass-mcp"

_JOINED, _DASHED, _UNDERSCORED, _SWAP = "{base}{quote}", "{base}-{quote}", "{base}_{quote}", "{base}-{quote}-SWAP"


def _all(form: str, *quotes: str) -> Forms:
    return dict.fromkeys(quotes, (form,))


@attrs.frozen
class Exchange:
    """What is known of an exchange."""

    name: str
    """In the spelling that events carry, which is CoinGlass's."""
    source: str = _LIST
    """Where its symbols are shown; where they are not known, where its name is listed."""
    other_names: tuple[str, ...] = ()
    """Its former names, and what others call it; lower case.

    Sources: https://docs.ccxt.com/Exchange-Markets, https://github.com/dinamic/ccxt/blob/master/pro-tests.json.
    """
    perpetuals: Forms = attrs.field(factory=dict[str, tuple[str, ...]])
    """How it writes its perpetual contracts; empty where that is not known."""
    futures: Forms = attrs.field(factory=dict[str, tuple[str, ...]])
    """How it writes contracts that expire."""
    usd_margin: Margin | None = None
    """What contracts quoted in USD are margined in where it has one kind only: the coin, or dollars."""
    multiplier_first: bool = False
    """Whether the multiplier of small coins stands in front. Others have it behind, or none at all."""
    own_assets: dict[str, str] = attrs.field(factory=dict[str, str])
    """Assets that it calls by a name of its own."""


TABLE = (
    Exchange("ApeX Omni", other_names=("apex",)),
    Exchange(
        "Aster", "https://github.com/cj4c0b1/aster-lik-dash", perpetuals=_all(_JOINED, "USDT"), multiplier_first=True
    ),
    Exchange(
        "Binance",
        _COINS,
        perpetuals=_all(_JOINED, "USDT", "USDC") | _all("{base}{quote}_PERP", "USD"),
        futures=_all("{base}{quote}_{expiry:%y%m%d}", "USDT", "USD"),
        usd_margin="inverse",
        multiplier_first=True,
    ),
    Exchange("BingX", "https://hexdocs.pm/bingex/Bingex.Swap.html", perpetuals=_all(_DASHED, "USDT")),
    Exchange("Bitfinex"),
    Exchange(
        "Bitget",
        _CLIENT,
        perpetuals={"USDT": ("{base}{quote}_UMCBL", _JOINED), "USD": ("{base}{quote}_DMCBL", _JOINED)},
        usd_margin="inverse",
    ),
    Exchange(
        "BitMEX",
        "https://npmjs.com/package/%40strong-roots-capital%2Fbitmex-list-active-instruments",
        perpetuals=_all(_JOINED, "USDT", "USD"),
        usd_margin="inverse",
        own_assets={"BTC": "XBT"},
    ),
    Exchange("Bitstamp"),
    Exchange("Bitunix"),
    Exchange("Bybit", _CLIENT, perpetuals=_all(_JOINED, "USDT", "USD"), usd_margin="inverse"),
    Exchange("CME"),
    Exchange("Coinbase"),
    Exchange(
        "CoinEx",
        "https://docs.coinex.com/api/v2/zh/futures/market/http/list-market",
        perpetuals=_all(_JOINED, "USDT", "USD"),
        usd_margin="inverse",
    ),
    Exchange("Crypto.com"),
    Exchange("Deribit"),
    Exchange("Drift"),
    Exchange(
        "dYdX",
        "https://docs.dydx.exchange/developers/clients/indexer_client",
        perpetuals=_all(_DASHED, "USD"),
        usd_margin="linear",
    ),
    Exchange("EdgeX"),
    Exchange("Extended"),
    Exchange(
        "Gate",
        _CLIENT,
        other_names=("gate.io", "gateio"),
        perpetuals=_all(_UNDERSCORED, "USDT", "USD"),
        usd_margin="inverse",
    ),
    Exchange("Gemini", _FORMER_LIST),
    Exchange(
        "HTX",
        _CLIENT,
        other_names=("huobi",),
        perpetuals=_all(_DASHED, "USDT", "USD"),
        usd_margin="inverse",
    ),
    Exchange("Hyperliquid", usd_margin="linear"),
    Exchange("Kraken"),
    Exchange("KuCoin"),
    Exchange("LBank"),
    Exchange("Lighter"),
    Exchange("MEXC", _CLIENT, perpetuals=_all(_UNDERSCORED, "USDT", "USD"), usd_margin="inverse"),
    Exchange(
        "OKX",
        _COINS,
        other_names=("okex",),
        perpetuals=_all(_SWAP, "USDT", "USDC", "USD"),
        futures=_all("{base}-{quote}-{expiry:%y%m%d}", "USDT", "USD"),
        usd_margin="inverse",
    ),
    Exchange("Paradex"),
    Exchange("tradeXYZ"),
    Exchange("Upbit"),
    Exchange("WhiteBIT"),
)
"""The known exchanges, by name without regard to case."""

EXCHANGES = frozenset(each.name for each in TABLE)
"""Their names, each in the spelling that events carry."""

_BY_NAME = {each.name: each for each in TABLE}

SPELLINGS = {spelled: each.name for each in TABLE for spelled in (each.name.casefold(), *each.other_names)}
"""Every known spelling in lower case, and the name that it stands for."""


def canonical_exchange(name: str) -> str:
    """The one spelling of a known exchange (`"BINANCE"` -> `"Binance"`, `"Gate.io"` -> `"Gate"`).

    Events and channels carry this spelling, so use it for an exchange that a user typed. An unknown name comes back as
    it is. Costs one lookup and keeps no state.

    Examples:
        >>> (
        ...     cgrx.canonical_exchange("binance"),
        ...     cgrx.canonical_exchange("gate.io"),
        ...     cgrx.canonical_exchange("Nowhere"),
        ... )
        ('Binance', 'Gate', 'Nowhere')
    """
    return SPELLINGS.get(name.casefold(), name)


def known_exchange(name: str) -> Exchange:
    """What is known of the exchange with this canonical name; of an unknown one, its name alone."""
    return _BY_NAME.get(name) or Exchange(name, "")
