"""What a name was probably meant to be: exchanges and symbols that look misspelt, and the nearest that are known.

    Binnance, B inance, binance futures   ->  Binance          an exchange that is nearly a known one
    BTCUSDT of OKX, BTC/USDT of OKX       ->  BTC-USDT-SWAP    a symbol in another form than the exchange's

These are questions, never errors: a server may list more than the table of `exchanges` knows. So nothing is asked about
a name that is far from every known one, nor about any known spelling (`BINANCE`, `Gate.io`). Only once a channel stays
silent is the usual spelling worth a hint. All of it is computed once for each name, never for an event.
"""

import re

import attrs

from cgrx._model.channels import Channel, FuturesTrades
from cgrx._model.exchanges import EXCHANGES, SPELLINGS, TABLE, canonical_exchange
from cgrx._model.instruments import Instrument

_LONGEST = 40
"""Nothing is asked about a longer text, which bounds the work."""
_NEAREST = 3
"""How many exchanges are named at the most."""
_LONG = 9
"""From this length on a known name may be two edits away, below it one."""

_MARKETS = ("perpetual", "futures", "perp", "swap", "usdm", "coinm")
"""What others add to an exchange's name for its derivatives, as in `binanceusdm` or `krakenfutures`.

Source: https://docs.ccxt.com/Exchange-Markets.
"""


def _folded(name: str) -> str:
    """Only what letters and digits say: `Crypto com`, `cryptocom` and `Crypto.com` are the same."""
    return "".join(filter(str.isalnum, name.casefold()))


_BASE = "{base}"
_ENDINGS = {
    each.name: tuple(
        form.removeprefix(_BASE).format(quote=quote)
        for quote, forms in each.perpetuals.items()
        for form in forms
        if form.startswith(_BASE)
    )
    for each in TABLE
    if not each.own_assets
}
"""By exchange, what stands behind the asset in the symbols of its perpetual contracts."""

_PLAIN = {
    exchange: re.compile(rf"[A-Z][A-Z0-9]*(?<!000)(?:{'|'.join(map(re.escape, endings))})" if endings else "(?s:.*)")
    for exchange, endings in _ENDINGS.items()
}
"""By exchange, the symbols that nothing is asked about: an asset of plain letters and digits without a multiplier,
behind it one of the endings; any symbol where no form is known."""

_FOLDED = {_folded(spelled): name for spelled, name in SPELLINGS.items()}


@attrs.frozen
class Doubt:
    """A name that is probably misspelt, and the nearest names that are known; at least one."""

    name: str
    nearest: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.name!r}: did you mean {' or '.join(self.nearest)}?"


class SpellingWarning(UserWarning):
    """A filter is given a name that is probably misspelt; the filter is made all the same.

    Cause:
        `ops.exchange`, `ops.symbol` or `ops.base_asset` was called with a name that is one or two letters away from a
        known one.

    Remedy:
        Write the nearest name, where that is what you meant. An exchange that cgrx does not know yet can be told from a
        misspelt one by nobody but you: `warnings.simplefilter("ignore", cgrx.SpellingWarning)` turns it off.

    Examples:
        >>> import warnings
        >>> with warnings.catch_warnings(record=True, action="always") as caught:
        ...     filtered = ops.exchange("Binnance")
        >>> print(caught[0].category.__name__, caught[0].message)
        SpellingWarning exchange: 'Binnance': did you mean Binance?
    """


def nearest_exchanges(name: str) -> tuple[str, ...]:
    """The known exchanges that the name of an unknown one is close to, the nearest first; mostly none."""
    if canonical_exchange(name) in EXCHANGES or len(name) > _LONGEST:
        return ()
    folded = _folded(name)
    for market in _MARKETS:
        folded = folded.removesuffix(market)
    found: dict[str, int] = {}
    for spelled, known in _FOLDED.items():
        most = 2 if len(spelled) >= _LONG else 1
        edits = _edits(folded, spelled, most)
        if edits <= most:
            found[known] = min(edits, found.get(known, edits))
    return tuple(sorted(found, key=lambda known: (found[known], known))[:_NEAREST])


def nearest_symbols(exchange: str, symbol: str) -> tuple[str, ...]:
    """How an exchange writes the contract of a symbol that has not the form of its symbols; mostly none."""
    spellings = _spellings(exchange, symbol)
    return () if symbol in spellings else spellings[:1]


def doubts(channel: Channel) -> tuple[Doubt, ...]:
    """What in a channel is probably misspelt: its exchange, its symbol, or both."""
    if not isinstance(channel, FuturesTrades) or _is_plain(channel.exchange, channel.symbol):
        return ()
    exchanges = nearest_exchanges(channel.exchange)
    symbols = nearest_symbols(exchanges[0] if exchanges else channel.exchange, channel.symbol)
    found = ((channel.exchange, exchanges), (channel.symbol, symbols))
    return tuple(Doubt(name, nearest) for name, nearest in found if nearest)


def hint(channel: Channel) -> str | None:
    """How else a channel that stays silent may have to be spelled; None where it is spelled as usual.

    Unlike `doubts` it also names the usual one of several known spellings.
    """
    if not isinstance(channel, FuturesTrades):
        return None
    usual = (*nearest_exchanges(channel.exchange), canonical_exchange(channel.exchange))[0]
    hints = [] if usual == channel.exchange else [f"CoinGlass spells this exchange {usual}"]
    symbol = next(iter(_spellings(usual, channel.symbol)), channel.symbol)
    hints += [] if symbol == channel.symbol else [f"{usual} spells this {symbol}"]
    return "; ".join(hints) or None


def nearest_of_any(symbol: str) -> tuple[str, ...]:
    """How the known exchanges write a pair that is written with a slash, as none of them does; else none."""
    if "/" not in symbol:
        return ()
    found = (spelled for known in TABLE for spelled in _spellings(known.name, symbol)[:1])
    return tuple(sorted(dict.fromkeys(found), key=lambda spelled: (len(spelled), spelled)))


def nearest_assets(asset: str) -> tuple[str, ...]:
    """The asset of a symbol that stands where the name of an asset belongs; none for anything else.

    Assets that end in another's name, such as WBTC or FRXUSD, are no symbols.
    """
    read = _read("", asset)
    if read is None or (asset.isalnum() and read.quote not in ("USDT", "USDC")):
        return ()
    return (read.base,)


def _is_plain(exchange: str, symbol: str) -> bool:
    """Whether nothing is asked about either: so of nearly all channels, at a tenth of the price."""
    plain = _PLAIN.get(exchange)
    return plain is not None and plain.fullmatch(symbol) is not None


def _spellings(exchange: str, symbol: str) -> tuple[str, ...]:
    read = _read(exchange, symbol)
    return () if read is None else read.spellings(exchange)


def _read(exchange: str, symbol: str) -> Instrument | None:
    """The instrument of a symbol, also where it is written as ccxt does (`BTC/USDT:USDT`); None where unreadable.

    Source: https://docs.rs/ccxt-exchanges/0.1.5/ccxt_exchanges/bitget/symbol.
    """
    if len(symbol) > _LONGEST:
        return None
    pair = symbol.partition(":")[0].replace("/", "-") if "/" in symbol else symbol
    try:
        return Instrument.parse(exchange, pair)
    except ValueError:
        return None


def _edits(one: str, other: str, most: int) -> int:
    """How many letters are wrong, missing, too many, or swapped with the next; `most + 1` where surely more.

    It is the distance of optimal string alignment: https://en.wikipedia.org/wiki/Damerau-Levenshtein_distance.
    """
    if abs(len(one) - len(other)) > most:
        return most + 1
    older: list[int] = []
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        older, before, row = before, row, [i]
        for j, wanted in enumerate(other, 1):
            edits = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != wanted))
            if i > 1 and j > 1 and (letter, one[i - 2]) == (other[j - 2], wanted):
                edits = min(edits, older[j - 2] + 1)
            row.append(edits)
    return row[-1]
