"""The two events of the feed, and what their sides mean.

Field names are those of the second generation of the CoinGlass API. Those of the first, which the live server sends,
are the names by which msgspec reads and writes the events: `msgspec.json.encode(event)` gives an event of a frame, with
its sides as numbers. `event.asdict()` gives the names of the attributes, and sides as words.
Volumes are in US dollars, times in milliseconds since the epoch (UTC).

Source: https://docs.coinglass.com/reference/liquidation-order and .../futures-trade-order. The REST history
on the same site numbers its sides the other way round: never mix the two.
"""

from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import Annotated, ClassVar, Literal, TypeAlias

import msgspec
from msgspec import Meta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

LATEST_MS = 253_402_300_799_999
"""The last millisecond of the year 9999, milliseconds since the epoch: a later time has no `datetime`, and no clock."""

_WIRE_NAMES = {"base_asset": "baseAsset", "exchange": "exName", "volume_usd": "volUsd", "time_ms": "time"}
"""How the first generation spells the fields, so that msgspec decodes a frame straight into the events."""

# Checked by msgspec while it decodes; the type checkers see plain numbers.
_Positive: TypeAlias = Annotated[float, Meta(gt=0)]
_Time: TypeAlias = Annotated[int, Meta(ge=0, le=LATEST_MS)]


class _Side(IntEnum):
    """What the two enumerations of sides share."""

    word: str
    """The side as people and JSON say it: its name in small letters."""

    def __init__(self, number: int) -> None:
        self.word = self._name_.lower()


class TradeSide(_Side):
    """The side of the taker of a trade, numbered as on the wire; `side.word` is `"sell"` or `"buy"`.

    Examples:
        >>> trade("buy").side, trade("buy").side.word
        (<TradeSide.BUY: 2>, 'buy')
    """

    SELL = 1
    BUY = 2


class LiquidationSide(_Side):
    """Which position was liquidated, numbered as on the wire: a long is closed by a forced sell.

    `side.word` is `"long"` or `"short"`.

    Examples:
        >>> event = liquidation("long")
        >>> event.side.word, event.order_side.word
        ('long', 'sell')
    """

    LONG = 1
    SHORT = 2


# The two event types are msgspec Structs (as `Batch` is, and no other value of the project): they are made by
# the million (the decode scenario of the benchmarks shows the difference). `gc=False` is safe: their fields
# are strings and numbers, which cannot form a cycle.
class Liquidation(msgspec.Struct, frozen=True, gc=False, rename=_WIRE_NAMES):
    """A liquidation order: a position closed by force because its margin ran out.

    Source: channel `liquidationOrders`, https://docs.coinglass.com/reference/liquidation-order.

    Examples:
        >>> event = liquidation("long", 250_000.0, time="1h", price=60_100.0)
        >>> event.exchange, event.symbol, event.side.word, event.volume_usd
        ('Binance', 'BTCUSDT', 'long', 250000.0)
        >>> print(event.datetime)
        1970-01-01 01:00:00+00:00
        >>> event.signed_volume_usd
        -250000.0
        >>> event.asdict()
        {'kind': 'liquidation', 'base_asset': 'BTC', 'exchange': 'Binance', 'symbol': 'BTCUSDT', 'side': 'long',
        'price': 60100.0, 'volume_usd': 250000.0, 'time_ms': 3600000}
    """

    kind: ClassVar[Literal["liquidation"]] = "liquidation"
    """What tells the two kinds of event apart, in `asdict()`, frames, recordings and lines of the command line."""

    base_asset: str
    """The asset, such as `"BTC"`."""
    exchange: str
    """The exchange, in one spelling where it is a known one, such as `"Binance"`."""
    symbol: str
    """The exchange's own symbol, such as `"BTCUSDT"` or `"BTC-USDT-SWAP"`."""
    side: LiquidationSide
    """Which position was liquidated."""
    price: _Positive
    """Price in the quote currency, above zero."""
    volume_usd: _Positive
    """Size in US dollars, above zero."""
    time_ms: _Time
    """When it happened at the exchange, milliseconds since the epoch."""

    def asdict(self) -> dict[str, str | int | float]:
        """The event in plain values: `kind`, then its fields by the names of the attributes, in order.

        The side is its word. `json.dumps(event.asdict())` and `msgspec.json.encode(event.asdict())` write these names;
        `msgspec.json.encode(event)` writes an event as the server sends it, with that one's names and numbered sides.
        """
        return {
            "kind": "liquidation",
            "base_asset": self.base_asset,
            "exchange": self.exchange,
            "symbol": self.symbol,
            "side": self.side.word,
            "price": self.price,
            "volume_usd": self.volume_usd,
            "time_ms": self.time_ms,
        }

    @property
    def datetime(self) -> datetime:
        """The event's time as an aware UTC datetime."""
        return _EPOCH + timedelta(milliseconds=self.time_ms)

    @property
    def order_side(self) -> TradeSide:
        """The side of the forced order: a liquidated long is a sell, a liquidated short a buy."""
        return TradeSide(self.side)

    @property
    def signed_volume_usd(self) -> float:
        """Volume in US dollars, negative for a forced sell, positive for a forced buy."""
        return self.volume_usd if self.side == LiquidationSide.SHORT else -self.volume_usd


class Trade(msgspec.Struct, frozen=True, gc=False, rename=_WIRE_NAMES):
    """A futures trade at or above the subscription's minimum volume.

    Source: channel `futures_trades@...`, https://docs.coinglass.com/reference/futures-trade-order.

    Examples:
        >>> event = trade("buy", 25_000.0, time="1h", price=60_100.0)
        >>> event.exchange, event.symbol, event.side.word, event.signed_volume_usd
        ('Binance', 'BTCUSDT', 'buy', 25000.0)
        >>> print(event.datetime)
        1970-01-01 01:00:00+00:00
    """

    kind: ClassVar[Literal["trade"]] = "trade"
    """What tells the two kinds of event apart, in `asdict()`, frames, recordings and lines of the command line."""

    base_asset: str
    """The asset, such as `"BTC"`."""
    exchange: str
    """The exchange, in one spelling where it is a known one, such as `"Binance"`."""
    symbol: str
    """The exchange's own symbol, such as `"BTCUSDT"` or `"BTC-USDT-SWAP"`."""
    side: TradeSide
    """The side of the taker."""
    price: _Positive
    """Price in the quote currency, above zero."""
    volume_usd: _Positive
    """Size in US dollars, above zero."""
    time_ms: _Time
    """When it happened at the exchange, milliseconds since the epoch."""

    def asdict(self) -> dict[str, str | int | float]:
        """The event in plain values: `kind`, then its fields by the names of the attributes, in order.

        The side is its word. `json.dumps(event.asdict())` and `msgspec.json.encode(event.asdict())` write these names;
        `msgspec.json.encode(event)` writes an event as the server sends it, with that one's names and numbered sides.
        """
        return {
            "kind": "trade",
            "base_asset": self.base_asset,
            "exchange": self.exchange,
            "symbol": self.symbol,
            "side": self.side.word,
            "price": self.price,
            "volume_usd": self.volume_usd,
            "time_ms": self.time_ms,
        }

    @property
    def datetime(self) -> datetime:
        """The event's time as an aware UTC datetime."""
        return _EPOCH + timedelta(milliseconds=self.time_ms)

    @property
    def signed_volume_usd(self) -> float:
        """Volume in US dollars, negative where the taker sold, positive where the taker bought."""
        return self.volume_usd if self.side == TradeSide.BUY else -self.volume_usd


Event: TypeAlias = Liquidation | Trade
"""What the feed gives.

Examples:
    >>> def told(event: cgrx.Event) -> str:
    ...     match event:
    ...         case cgrx.Liquidation():
    ...             return f"a {event.side.word} was liquidated"
    ...         case cgrx.Trade():
    ...             return f"somebody chose to {event.side.word}"
    >>> told(liquidation("short")), told(trade("sell"))
    ('a short was liquidated', 'somebody chose to sell')
"""

SIDES: dict[str, LiquidationSide | TradeSide] = {
    "long": LiquidationSide.LONG,
    "short": LiquidationSide.SHORT,
    "sell": TradeSide.SELL,
    "buy": TradeSide.BUY,
}
"""The sides by the names that people give them."""

SIDE_TYPES: dict[type[Event], type[LiquidationSide] | type[TradeSide]] = {
    Liquidation: LiquidationSide,
    Trade: TradeSide,
}
"""Which sides events of a type have."""

EVENT_TYPES: dict[type, type[Event]] = {sides: event_type for event_type, sides in SIDE_TYPES.items()}
"""Of which type the events are that have these sides."""
