"""A channel as a value, and its name on the wire.

    LiquidationOrders()                       <->  liquidationOrders   (also liquidation_orders when parsed)
    FuturesTrades("Binance", "BTCUSDT", 1e4)  <->  futures_trades@Binance_BTCUSDT@10000

Exchange names may hold spaces and symbols `_` and `-`: the exchange ends at the first `_` after the first `@`,
the minimum volume begins after the last `@`.
Source: https://docs.coinglass.com/reference/futures-trade-order (the splitting is inferred).
"""

import math
from typing import ClassVar, TypeAlias

import attrs

from cgrx._model.events import Event, Liquidation, Trade


@attrs.frozen
class LiquidationOrders:
    """All liquidation orders of all exchanges: one channel, without parameters.

    Examples:
        >>> cgrx.LiquidationOrders().name
        'liquidationOrders'
    """

    kind: ClassVar[str] = "liquidation_orders"
    event_type: ClassVar[type[Event]] = Liquidation

    @property
    def name(self) -> str:
        """The name to subscribe with: the first generation's, which the live server speaks."""
        return "liquidationOrders"


def _wire_number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)


def _require_part(_: object, attribute: "attrs.Attribute[str]", value: str) -> None:
    if not value or "@" in value or (attribute.name == "exchange" and "_" in value):
        raise ValueError(
            f"{attribute.name}={value!r} cannot stand in a channel name: it must not be empty nor hold '@'"
            + (" or '_'" if attribute.name == "exchange" else "")
        )


def _dollars(value: float) -> float:
    given: object = value
    if type(given) is float:
        return given
    if not isinstance(given, str | bytes | bytearray):  # which `float` would read
        try:
            return float(value)
        except OverflowError:  # an int that is too large
            return math.inf
        except TypeError:
            pass
    raise TypeError(f"min_volume={value!r} takes a number of US dollars, 0 or more, such as 10_000")


def _require_volume(_: object, __: object, value: float) -> None:
    if not 0 <= value < math.inf:
        raise ValueError(f"min_volume={value!r} takes a finite number of US dollars, 0 or more, such as 10_000")


@attrs.frozen(cache_hash=True)  # a key of tables that every batch goes through
class FuturesTrades:
    """The trades of one instrument on one exchange whose volume is at least `min_volume` US dollars.

    Examples:
        >>> cgrx.FuturesTrades("Binance", "BTCUSDT", 10_000).name
        'futures_trades@Binance_BTCUSDT@10000'
    """

    kind: ClassVar[str] = "futures_trades"
    event_type: ClassVar[type[Event]] = Trade

    exchange: str = attrs.field(validator=_require_part)
    symbol: str = attrs.field(validator=_require_part)
    min_volume: float = attrs.field(converter=_dollars, validator=_require_volume)

    @property
    def name(self) -> str:
        """The name to subscribe with, as `futures_trades@Binance_BTCUSDT@10000`."""
        return f"futures_trades@{self.exchange}_{self.symbol}@{_wire_number(self.min_volume)}"


Channel: TypeAlias = LiquidationOrders | FuturesTrades
"""What can be subscribed to.

Examples:
    >>> wanted: list[cgrx.Channel] = [
    ...     cgrx.LiquidationOrders(),
    ...     cgrx.FuturesTrades("Binance", "BTCUSDT", 10_000),
    ... ]
    >>> [each.event_type.__name__ for each in wanted]
    ['Liquidation', 'Trade']
"""

_LIQUIDATION_NAMES = frozenset({"liquidationOrders", "liquidation_orders"})
_TRADES_PREFIX = "futures_trades@"


def parse_channel(name: str) -> Channel:
    """Read a channel's wire name, in either generation's spelling.

    Raises:
        ValueError: it is not the name of a channel that cgrx knows.

    Examples:
        >>> cgrx.parse_channel("futures_trades@Binance_BTCUSDT@10000")
        FuturesTrades(exchange='Binance', symbol='BTCUSDT', min_volume=10000.0)
    """
    if name in _LIQUIDATION_NAMES:
        return LiquidationOrders()
    if name.startswith(_TRADES_PREFIX):
        instrument, at, volume = name[len(_TRADES_PREFIX) :].rpartition("@")
        exchange, underscore, symbol = instrument.partition("_")
        if at and underscore:
            try:
                return FuturesTrades(exchange, symbol, float(volume))
            except ValueError as error:
                raise ValueError(f"channel {name!r}: {error}") from None
    raise ValueError(
        f"channel {name!r} is not known; accepted are 'liquidationOrders', 'liquidation_orders'"
        " and 'futures_trades@{exchange}_{symbol}@{min_volume}'"
    )
