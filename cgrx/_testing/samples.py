"""Events and signals for tests, with defaults for all that a test does not care about.

Times are durations since the epoch: `"15s"` is 15,000 ms.
"""

from typing import Literal, TypeVar

from cgrx._model.channels import Channel, FuturesTrades, LiquidationOrders
from cgrx._model.events import Liquidation, LiquidationSide, Trade, TradeSide
from cgrx._model.signals import Alive, Batch, Dropped, Gap, Watermark
from cgrx._model.times import Duration, to_ms

T = TypeVar("T")

LIQUIDATIONS = LiquidationOrders()
ORIGIN = "test"
GAP_REASON = "test"
DROPPED_REASON = "malformed"


def liquidation(
    side: Literal["long", "short"] | LiquidationSide = "long",
    volume_usd: float = 1_000.0,
    *,
    time: Duration = 0.0,
    price: float = 60_000.0,
    exchange: str = "Binance",
    symbol: str = "BTCUSDT",
    base_asset: str = "BTC",
) -> Liquidation:
    """A liquidation.

    Args:
        side: which position was liquidated.
        volume_usd: size in US dollars.
        time: when it happened, since the epoch.
        price: in the quote currency.
        exchange: as events spell it.
        symbol: as the exchange spells it.
        base_asset: such as `"BTC"`.

    Raises:
        ValueError: an unknown side, or a time that is no duration.

    Examples:
        >>> liquidation("short", 250_000.0, time="15s")
        Liquidation(base_asset='BTC', exchange='Binance', symbol='BTCUSDT', side=<LiquidationSide.SHORT: 2>,
        price=60000.0, volume_usd=250000.0, time_ms=15000)
    """
    wanted = side if isinstance(side, LiquidationSide) else _member(LiquidationSide, side)
    return Liquidation(base_asset, exchange, symbol, wanted, price, volume_usd, to_ms(time, "time"))


def trade(
    side: Literal["sell", "buy"] | TradeSide = "buy",
    volume_usd: float = 1_000.0,
    *,
    time: Duration = 0.0,
    price: float = 60_000.0,
    exchange: str = "Binance",
    symbol: str = "BTCUSDT",
    base_asset: str = "BTC",
) -> Trade:
    """A trade; `side` is the taker's, the rest as with `liquidation`.

    Raises:
        ValueError: an unknown side, or a time that is no duration.

    Examples:
        >>> trade("sell", 25_000.0, exchange="OKX", symbol="BTC-USDT-SWAP").symbol
        'BTC-USDT-SWAP'
    """
    wanted = side if isinstance(side, TradeSide) else _member(TradeSide, side)
    return Trade(base_asset, exchange, symbol, wanted, price, volume_usd, to_ms(time, "time"))


S = TypeVar("S", LiquidationSide, TradeSide)


def _member(sides: type[S], name: str) -> S:
    try:
        return sides[name.upper()]
    except KeyError:
        accepted = " and ".join(f'"{each.word}"' for each in sides)
        raise ValueError(f"side={name!r} is none of {accepted}") from None


def batch(
    *events: T, received: Duration | None = None, channel: Channel | Literal["of the events"] | None = "of the events"
) -> Batch[T]:
    """Events that arrive together.

    Args:
        *events: in the order received.
        received: when, since the epoch; by default the time of the latest event, 0 where events have none.
        channel: by default that of liquidations, or that of the first trade's instrument; None for events of other
            types.

    Raises:
        ValueError: `received` is no duration, or the first trade's instrument cannot stand in a channel's name.

    Examples:
        >>> play(
        ...     ops.side("long"),
        ...     [batch(liquidation("long", 5.0), liquidation("short", 7.0))],
        ... )[0].volume_usd
        5.0
    """
    latest_ms = max((getattr(event, "time_ms", 0) for event in events), default=0)
    return Batch(
        _channel_of(events) if channel == "of the events" else channel,
        latest_ms if received is None else to_ms(received, "received"),
        events,
    )


def _channel_of(events: tuple[object, ...]) -> Channel | None:
    match events:
        case (Liquidation(), *_):
            return LIQUIDATIONS
        case (Trade(exchange=exchange, symbol=symbol), *_):
            return FuturesTrades(exchange, symbol, 0)
        case _:
            return None


def alive(at: Duration, *, origin: str = ORIGIN) -> Alive:
    """Proof that the connection `origin` has delivered everything up to `at`, since the epoch.

    Examples:
        >>> (row,) = play(
        ...     ops.tumbling("1m"), [batch(liquidation(time="1s")), alive("65s")]
        ... )
        >>> row.final, row.complete
        (True, True)
    """
    return Alive(origin, to_ms(at, "at"))


def gap(start: Duration, end: Duration, *, channel: Channel | None = LIQUIDATIONS, reason: str = GAP_REASON) -> Gap:
    """Events of `channel` (None: of some other stream) may be missing from `start` to `end`, both since the epoch.

    Raises:
        ValueError: it ends before it starts.

    Examples:
        >>> (row,) = play(
        ...     ops.tumbling("1m"),
        ...     [batch(liquidation(time="1s")), gap("10s", "12s"), alive("65s")],
        ... )
        >>> row.complete, row.gap_ms
        (False, 6000)
    """
    start_ms, end_ms = to_ms(start, "start"), to_ms(end, "end")
    if end_ms < start_ms:
        raise ValueError(f"gap({start!r}, {end!r}) ends before it starts")
    return Gap(channel, start_ms, end_ms, reason)


def dropped(count: int = 1, *, channel: Channel | None = LIQUIDATIONS, reason: str = DROPPED_REASON) -> Dropped:
    """`count` events of `channel` are known to be lost.

    Examples:
        >>> from cgrx.testing import dropped
        >>> (row,) = play(
        ...     ops.tumbling("1m"),
        ...     [batch(liquidation(time="1s")), dropped(2), alive("65s")],
        ... )
        >>> row.complete, row.dropped
        (False, 2)
    """
    return Dropped(channel, count, reason)


def watermark(time: Duration) -> Watermark:
    """Nothing earlier than `time`, since the epoch, will follow.

    Examples:
        >>> from cgrx.testing import watermark
        >>> (row,) = play(
        ...     ops.tumbling("1m"), [batch(liquidation(time="1s")), watermark("60s")]
        ... )
        >>> row.final
        True
    """
    return Watermark(to_ms(time, "time"))
