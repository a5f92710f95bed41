"""Stages that keep some events and drop the rest: by side, volume, exchange, symbol, asset, or any predicate.

All are elementwise: 1 event -> 0 or 1 event, order kept, no state; marks, completion and errors pass.
"""

import math
import warnings
from collections.abc import Callable
from typing import Any, Literal, TypeVar, cast, overload

import attrs

from cgrx._model.events import EVENT_TYPES, SIDES, Liquidation, LiquidationSide, Trade, TradeSide
from cgrx._model.spelling import Doubt, SpellingWarning, nearest_assets, nearest_exchanges, nearest_of_any
from cgrx._streams.about import About
from cgrx._streams.conditions import MEMO_SIZE, Condition, Conditional, is_one_of
from cgrx._streams.predicates import Predicate
from cgrx._streams.stream import EventTypes, Map, Stage, Where, require_types
from cgrx.operators._stages.pipeline import AnyEvent

T = TypeVar("T")
U = TypeVar("U")

SideName = Literal["long", "short", "sell", "buy"]


@attrs.frozen(repr=False)
class Side(Conditional):
    """See `side`."""

    wanted: SideName  # a text, for members of the two enumerations are equal as numbers

    def event_types(self, incoming: EventTypes) -> EventTypes:
        return require_types(self, EVENT_TYPES[type(SIDES[self.wanted])], incoming)

    @property
    def condition(self) -> Condition:
        return Condition("side", "==", int(SIDES[self.wanted]))

    @property
    def predicate(self) -> Predicate:
        # Members are compared by identity, which takes a third of the time that equality does; what is neither may be
        # a number, or of another type of event.
        wanted = SIDES[self.wanted]
        kind = type(wanted)
        (other,) = (member for member in kind if member is not wanted)
        accepted = EVENT_TYPES[kind]

        def is_wanted(event: Any) -> bool:
            if type(event) is not accepted:
                raise ValueError(f"{self!r} takes events of type {accepted.__name__}, not {type(event).__name__}")
            return bool(event.side == wanted)

        return Predicate("e.side is {0} or e.side is not {1} and {2}(e)", (wanted, other, is_wanted))

    def __repr__(self) -> str:
        return f'side("{self.wanted}")'


@overload
def side(wanted: Literal["long", "short"] | LiquidationSide) -> Stage[Liquidation, Liquidation]: ...
@overload
def side(wanted: Literal["sell", "buy"] | TradeSide) -> Stage[Trade, Trade]: ...
def side(wanted: str | LiquidationSide | TradeSide) -> Stage[Any, Any]:
    """Keep the events of one side.

    Examples:
        >>> events = batch(liquidation("long", 500_000), liquidation("short", 700_000))
        >>> [event.volume_usd for event in play(ops.side("long"), [events])]
        [500000]

    Args:
        wanted: for liquidations `"long"` or `"short"` (the position that was liquidated), for trades `"buy"` or
            `"sell"` (the taker), in any case; or a member of `LiquidationSide` or `TradeSide`.

    Raises:
        ValueError: another value; or, when applied to a stream, a side of the other type of event: at once where the
            stream's type is known, else at its first event, through `on_error`.
    """
    name = wanted.name if isinstance(wanted, LiquidationSide | TradeSide) else str(wanted)
    if name.lower() not in SIDES:
        raise ValueError(f'side={wanted!r} is none of "long", "short" (liquidations) and "buy", "sell" (trades)')
    return Side(cast("SideName", name.lower()))


@attrs.frozen(repr=False)
class VolumeFilter(Conditional, AnyEvent):
    """See `min_volume` and `max_volume`."""

    comparison: Literal[">=", "<="]
    usd: float

    @property
    def condition(self) -> Condition:
        return Condition("volume_usd", self.comparison, self.usd)

    def __repr__(self) -> str:
        name = "min_volume" if self.comparison == ">=" else "max_volume"
        return f"{name}({'math.inf' if math.isinf(self.usd) else repr(self.usd)})"


def min_volume(usd: float) -> VolumeFilter:
    """Keep the events of at least `usd` US dollars, itself included.

    Args:
        usd: the least volume, US dollars: `volume_usd` of an event.

    Examples:
        >>> events = batch(*(trade("buy", usd) for usd in (90_000, 100_000, 250_000)))
        >>> [event.volume_usd for event in play(ops.min_volume(100_000), [events])]
        [100000, 250000]

    Raises:
        ValueError: `usd` is negative or NaN.
        TypeError: it is no number.
    """
    return VolumeFilter(">=", _dollars("min_volume", usd))


def max_volume(usd: float) -> VolumeFilter:
    """Keep the events of at most `usd` US dollars, itself included.

    Args:
        usd: the greatest volume, US dollars: `volume_usd` of an event.

    Examples:
        >>> events = batch(*(trade("buy", usd) for usd in (90_000, 100_000, 250_000)))
        >>> [event.volume_usd for event in play(ops.max_volume(100_000), [events])]
        [90000, 100000]

    Raises:
        ValueError: `usd` is negative or NaN.
        TypeError: it is no number.
    """
    return VolumeFilter("<=", _dollars("max_volume", usd))


def _dollars(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{name}({value!r}) takes a number of US dollars")
    if math.isnan(value) or value < 0:
        raise ValueError(f"{name}({value!r}) takes a number of US dollars, 0 or more")
    return value


@attrs.frozen(repr=False)
class OneOf(Conditional, AnyEvent):
    """See `exchange`, `symbol` and `base_asset`."""

    field: Literal["exchange", "symbol", "base_asset"]
    names: tuple[str, ...]

    @property
    def about(self) -> About:
        return About(
            state="the answer for each name seen", bound=MEMO_SIZE, beyond="all answers are forgotten", delay_ms=0
        )

    @property
    def condition(self) -> Condition:
        return is_one_of(self.field, self.names)

    def __repr__(self) -> str:
        return f"{self.field}({', '.join(repr(name) for name in self.names)})"


_NEAREST: dict[str, Callable[[str], tuple[str, ...]]] = {
    "exchange": nearest_exchanges,
    "symbol": nearest_of_any,
    "base_asset": nearest_assets,
}
"""What a text that was probably meant otherwise is near to."""


def exchange(*names: str) -> OneOf:
    """Keep the events of these exchanges, in any spelling that cgrx knows and without regard to case.

    Examples:
        >>> names = ("Binance", "OKX", "Bybit")
        >>> events = batch(*(liquidation(exchange=name) for name in names))
        >>> [event.exchange for event in play(ops.exchange("binance", "OKX"), [events])]
        ['Binance', 'OKX']

    A name that is nearly a known one (`"Binnance"`) gives a `cgrx.SpellingWarning` with the nearest names.

    Raises:
        ValueError: no name is given, or an empty one.
        TypeError: a name is no text.
    """
    return _one_of("exchange", names)


def symbol(*names: str) -> OneOf:
    """Keep the events of these symbols, as their exchanges spell them, without regard to case.

    Examples:
        >>> names = ("BTCUSDT", "BTC-USDT-SWAP", "ETHUSDT")
        >>> events = batch(*(liquidation(symbol=name) for name in names))
        >>> btc = ops.symbol("BTCUSDT", "btc-usdt-swap")
        >>> [event.symbol for event in play(btc, [events])]
        ['BTCUSDT', 'BTC-USDT-SWAP']

    A pair with a slash (`"BTC/USDT"`), which no exchange writes, gives a `cgrx.SpellingWarning` with their forms.

    Raises:
        ValueError: no name is given, or an empty one.
        TypeError: a name is no text.
    """
    return _one_of("symbol", names)


def base_asset(*names: str) -> OneOf:
    """Keep the events of these assets, such as `"BTC"`, without regard to case.

    Examples:
        >>> names = ("BTC", "ETH", "SOL")
        >>> events = batch(*(liquidation(base_asset=name) for name in names))
        >>> [event.base_asset for event in play(ops.base_asset("BTC", "ETH"), [events])]
        ['BTC', 'ETH']

    A symbol in place of an asset (`"BTCUSDT"`) gives a `cgrx.SpellingWarning` with the asset.

    Raises:
        ValueError: no name is given, or an empty one.
        TypeError: a name is no text.
    """
    return _one_of("base_asset", names)


def _one_of(field: Literal["exchange", "symbol", "base_asset"], names: tuple[object, ...]) -> OneOf:
    for name in names:
        if not isinstance(name, str):
            raise TypeError(f"{field}({name!r}) takes one or more texts")
    texts = tuple(str(name) for name in names)
    if not texts or not all(text.strip() for text in texts):
        raise ValueError(f"{field}{texts!r} takes one or more texts that are not empty")
    for text in texts:
        nearest = _NEAREST[field](text)
        if nearest:
            warnings.warn(f"{field}: {Doubt(text, nearest)}", SpellingWarning, stacklevel=3)
    return OneOf(field, texts)


def where(predicate: Callable[[T], bool], of: type[T] | None = None) -> Stage[T, T]:
    """Keep the events for which `predicate` is true.

    Examples:
        >>> events = batch(*(trade(price=price) for price in (60_000, 61_000)))
        >>> dear = ops.where(lambda event: event.price > 60_500)
        >>> [event.price for event in play(dear, [events])]
        [61000]

    Args:
        predicate: called once for each event, in order. A Python function: a pipeline that holds one cannot be
            compiled, and pickles only if the function does.
        of: the type of event it takes, for the type checker and for an early error; any by default.

    Behind a window with `updates=` it decides about each running row by the values so far, and about a withdrawn one by
    those of the row that it takes back. Where that matters, let withdrawn rows pass: to take down what never went out
    does no harm, and what is not taken down stands for ever.

        ops.where(lambda row: row.withdrawn or row.volume > 1_000_000)

    On an error of the predicate what came before goes out, then `on_error` with the exception and a note that names
    the stage and the event.

    Raises:
        TypeError: `predicate` is not callable, or async; `of` is no type.
        ValueError: when applied to a stream that is known to carry other types than `of`.
    """
    return Where(predicate, of)


def map(mapper: Callable[[T], U], of: type[T] | None = None) -> Stage[T, U]:
    """Replace each event by `mapper(event)`: 1 event -> 1 result.

    Examples:
        >>> events = batch(trade("buy", 500), trade("sell", 700))
        >>> play(ops.map(lambda event: event.signed_volume_usd), [events])
        [500, -700]

    Args:
        mapper: called once for each event, in order. A Python function, as with `where`.
        of: the type of event it takes, for the type checker and for an early error; any by default.

    Of rows it is given withdrawn ones too; see `session`.

    On an error of the mapper what came before goes out, then `on_error` with the exception and a note that names the
    stage and the event.

    Raises:
        TypeError: `mapper` is not callable, or async; `of` is no type.
        ValueError: when applied to a stream that is known to carry other types than `of`.
    """
    return Map(mapper, of)
