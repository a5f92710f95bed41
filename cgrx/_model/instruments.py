"""What an exchange's symbol says: which contract it is, and how another exchange would spell it.

Symbols are each exchange's own. Read are these forms, in either case, with any base (non-ASCII too):

    BTCUSDT  1000PEPEUSDT  BTCUSD_PERP  BTCUSD_250627  BTCUSDT_UMCBL     a pair in one piece, perhaps with a suffix
    BTC_USDT  BTC-USD  BTC-USDT-SWAP  BTC-USDT-250627  XYZ:GOLD-USD      base and quote apart, by `-` or `_`

The feed carries derivatives alone, so a bare pair is a perpetual contract.
"""

import re
from datetime import date
from typing import Literal, TypeAlias

import attrs

from cgrx._model.exchanges import Margin, canonical_exchange, known_exchange

Kind: TypeAlias = Literal["perpetual", "future"]

_STABLE = frozenset({"USDT", "USDC", "FDUSD", "BUSD", "TUSD", "USDE", "USD1"})
_ENDINGS = ("USDT", "USDC", "USD1", "USD", "EUR", "BTC", "ETH")
"""What a pair in one piece can end with: its quote. Not BUSD nor TUSD, for BNBUSD is BNB in USD."""

_SUFFIXES: dict[str, Margin | None] = {
    "PERP": None,
    "PERPETUAL": None,
    "SWAP": None,
    "UMCBL": "linear",
    "CMCBL": "linear",
    "DMCBL": "inverse",
}
"""How symbols of perpetual contracts can end, and what that says about their margin."""

_SYMBOL = re.compile(r"(?:([^\W_]+):)?([^\W_]+)(?:[-_]([^\W_]+))?(?:[-_]([^\W_]+))?")
_DATE = re.compile(r"(?:20)?(\d\d)(\d\d)(\d\d)", re.ASCII)
_BASE = re.compile(r"(10{3,6}(?=\D)|1M(?=\D{3}))?(.*?)((?<=\D)1000)?")
"""A multiplier before the asset (`1000PEPE`, `1MBABYDOGE`) or behind it (`SHIB1000`), but not in `1INCH`."""

_MILLION = 1_000_000
"""Multipliers from here on are written in two ways, 1000000MOG and 1MBABYDOGE."""


@attrs.frozen
class Instrument:
    """A contract that is traded on an exchange, as far as its symbol tells.

    Examples:
        >>> cgrx.Instrument.parse("Binance", "BTCUSDT")
        Instrument(exchange='Binance', base='BTC', quote='USDT', kind='perpetual', margin='linear', expiry=None,
        multiplier=1, venue='')
    """

    exchange: str
    """The exchange, in one spelling where it is a known one."""
    base: str
    """The asset, such as `"BTC"`, without its multiplier."""
    quote: str
    """What it is priced in, such as `"USDT"`."""
    kind: Kind = "perpetual"
    """`"future"` for a contract that expires."""
    margin: Margin | None = None
    """`"linear"` if margined in the quote or in dollars, `"inverse"` if in the base; None where it cannot be told."""
    expiry: date | None = None
    """The day on which a future expires; None for a perpetual."""
    multiplier: int = 1
    """How many units of the asset the price is for: 1000 in `1000PEPEUSDT`."""
    venue: str = ""
    """A market of its own within the exchange, such as `"XYZ"` in `XYZ:GOLD-USD`; empty for the exchange itself."""

    @classmethod
    def parse(cls, exchange: str, symbol: str) -> "Instrument":
        """Read the symbol of an exchange.

        Raises:
            ValueError: the symbol has none of the forms that cgrx knows, or a date that does not exist.
        """
        exchange = canonical_exchange(exchange)
        parts = _parts(symbol.strip().upper())
        if parts is None:
            raise ValueError(
                f"cannot read the symbol {symbol!r} of {exchange}: known forms are such as 'BTCUSDT', '1000PEPEUSDT',"
                " 'BTCUSD_PERP', 'BTCUSD_250627', 'BTCUSDT_UMCBL', 'BTC_USDT', 'BTC-USDT-SWAP', 'XYZ:GOLD-USD'"
            )
        venue, base, quote, suffix = parts
        day = _DATE.fullmatch(suffix)
        try:
            expiry = date(2000 + int(day[1]), int(day[2]), int(day[3])) if day else None
        except ValueError:
            raise ValueError(f"cannot read the symbol {symbol!r} of {exchange}: there is no day {suffix}") from None
        asset, multiplier = _asset(base)
        usual_names = {own: usual for usual, own in known_exchange(exchange).own_assets.items()}
        return cls(
            exchange=exchange,
            base=usual_names.get(asset, asset),
            quote=quote,
            kind="future" if expiry else "perpetual",
            margin=_SUFFIXES.get(suffix) or _margin(exchange, quote),
            expiry=expiry,
            multiplier=multiplier,
            venue=venue,
        )

    def spell(self, exchange: str) -> str | None:
        """The symbol that is usual for such a contract on an exchange, None where we cannot tell.

        `Instrument.parse("OKX", "BTCUSDT").spell("OKX")` is `"BTC-USDT-SWAP"`. The exchange need not list it.
        """
        return next(iter(self.spellings(exchange)), None)

    def spellings(self, exchange: str) -> tuple[str, ...]:
        """Every symbol for such a contract that is known to be in use on an exchange, the usual one first.

        Empty where we cannot tell.
        """
        exchange = canonical_exchange(exchange)
        known = known_exchange(exchange)
        forms = (known.futures if self.expiry else known.perpetuals).get(self.quote)
        if (
            forms is None
            or self.venue
            or self.multiplier >= _MILLION
            or (self.multiplier > 1 and not known.multiplier_first)
            or (self.margin or _margin(exchange, self.quote)) != _margin(exchange, self.quote)
        ):
            return ()
        base = known.own_assets.get(self.base, self.base)
        multiplied = base if self.multiplier == 1 else f"{self.multiplier}{base}"
        return tuple(form.format(base=multiplied, quote=self.quote, expiry=self.expiry) for form in forms)


def _parts(symbol: str) -> tuple[str, str, str, str] | None:
    """Venue, base with multiplier, quote and suffix, the first and the last perhaps empty."""
    match = _SYMBOL.fullmatch(symbol)
    if match is None:
        return None
    venue, first, second, third = match.groups(default="")
    if third:
        return (venue, first, second, third) if _is_quote(second) and _is_suffix(third) else None
    if second and not _is_suffix(second):
        return (venue, first, second, "") if _is_quote(second) else None
    quote = next((quote for quote in _ENDINGS if first.endswith(quote) and first != quote), None)
    return (venue, first.removesuffix(quote), quote, second) if quote else None


def _is_suffix(text: str) -> bool:
    return text in _SUFFIXES or _DATE.fullmatch(text) is not None


def _is_quote(text: str) -> bool:
    return text in _STABLE or (text.isalpha() and 3 <= len(text) <= 5)


def _asset(base: str) -> tuple[str, int]:
    """`1000PEPE` -> `PEPE`, 1000."""
    match = _BASE.fullmatch(base)
    assert match is not None, "matches any text"
    before, asset, behind = match.groups(default="1")
    return asset, int(before.replace("M", "000000")) * int(behind)


def _margin(exchange: str, quote: str) -> Margin | None:
    if quote == "USD":
        return known_exchange(exchange).usd_margin
    return "linear" if quote in _STABLE else None
