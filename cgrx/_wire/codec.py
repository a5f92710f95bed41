"""Bytes of a message to events, pong, notice or malformed, and the other way round. Pure: no I/O, no clock.

How a message is read:

1. as a frame of first-generation events by msgspec, strictly, straight into the public event types. Which type is
   guessed from the beginning of the bytes and verified by the channel's name afterwards;
2. failing that, as a frame of second-generation events;
3. failing that, by `lenient`: text replies, and frames with something wrong, event by event.

Each way accepts all that the ways before it accept, and gives equal events: only their speed differs.
Nothing that a server sends makes `decode` raise.

Source: https://docs.coinglass.com/reference/liquidation-order and .../futures-trade-order.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, Generic, Literal, TypeAlias, TypeVar

import msgspec
from msgspec import UNSET, Meta, UnsetType
from msgspec.structs import astuple

from cgrx._model.events import LATEST_MS, SIDE_TYPES, Event, Liquidation, LiquidationSide, Trade, TradeSide
from cgrx._model.exchanges import EXCHANGES, canonical_exchange
from cgrx._wire.lenient import CHANNEL_LENGTH, event_type_of, read_message
from cgrx._wire.messages import Frame as Frame
from cgrx._wire.messages import Malformed as Malformed
from cgrx._wire.messages import Message as Message
from cgrx._wire.messages import Notice as Notice
from cgrx._wire.messages import Pong as Pong

PING = "ping"
"""The heartbeat: a text message, neither JSON nor a control frame."""

E = TypeVar("E")
S = TypeVar("S")

_TRADES = b'"futures_trades@'
_SNIFFED_BYTES = 64
"""The channel is among the first keys; where it is not, a wrong guess costs time and nothing else."""

NOT_THIS_WAY = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What msgspec raises on bytes that it cannot read as the type wanted."""


class _WireFrame(msgspec.Struct, Generic[E], gc=False):
    channel: Annotated[str, Meta(max_length=CHANNEL_LENGTH)]
    data: list[E]  # msgspec makes a list in less time than a tuple


class _SecondGeneration(msgspec.Struct, Generic[S], gc=False):
    base_asset: str
    exchange: str
    symbol: str
    side: S
    price: Annotated[float, Meta(gt=0)]
    volume_usd: Annotated[float, Meta(gt=0)]
    time_ms: Annotated[int, Meta(ge=0, le=LATEST_MS)] = msgspec.field(name="time")
    # Where both generations' names are in one event, `lenient` decides which counts.
    no_base_asset: UnsetType = msgspec.field(default=UNSET, name="baseAsset")
    no_exchange: UnsetType = msgspec.field(default=UNSET, name="exName")
    no_volume: UnsetType = msgspec.field(default=UNSET, name="volUsd")


_read_liquidations = msgspec.json.Decoder(_WireFrame[Liquidation]).decode
_read_trades = msgspec.json.Decoder(_WireFrame[Trade]).decode
_read_second_generation = msgspec.json.Decoder(_WireFrame[_SecondGeneration[Literal[1, 2]]]).decode


def _second_generation(event_type: type[E], sides: Any) -> Callable[[bytes], _WireFrame[E]]:
    """What reads a frame of the second generation as `_read_trades` and `_read_liquidations` do one of the first."""
    decode: Callable[[bytes], Any] = msgspec.json.Decoder(_WireFrame[_SecondGeneration[sides]]).decode
    make: Any = event_type

    def read(payload: bytes) -> _WireFrame[E]:
        wire: _WireFrame[Any] = decode(payload)
        wire.data = [
            make(each.base_asset, each.exchange, each.symbol, each.side, each.price, each.volume_usd, each.time_ms)
            for each in wire.data
        ]
        return wire

    return read


Generation: TypeAlias = tuple[Callable[[bytes], _WireFrame[Trade]], Callable[[bytes], _WireFrame[Liquidation]]]

FIRST: Generation = _read_trades, _read_liquidations
SECOND: Generation = _second_generation(Trade, TradeSide), _second_generation(Liquidation, LiquidationSide)
"""By generation, what reads a frame of trades and one of liquidations. No frame with an event is read by both."""


def decode(payload: bytes) -> Message:
    """Read one message of the server.

    Args:
        payload: The whole message, text or binary.

    Returns:
        A `Frame` for a known channel, with every event that could be read and a `Malformed` for each other one;
        `Pong`; a `Notice` for text that is not JSON, nor begins as an object or an array of them does, and for a JSON
        reply (an object without a channel that has a key such as `code` or `msg`); `Malformed` for all else, a frame
        of an unknown channel included.
    """
    # Written out for the case that nearly all messages are: nothing here may cost without a reason.
    wire: _WireFrame[Liquidation] | _WireFrame[Trade]
    guess: type[Event]
    try:
        if payload.find(_TRADES, 0, _SNIFFED_BYTES) > 0:
            guess = Trade
            wire = _read_trades(payload)
        else:
            guess = Liquidation
            wire = _read_liquidations(payload)
    except NOT_THIS_WAY:
        return _decode_otherwise(payload)
    if event_type_of(wire.channel) is guess:
        for event in wire.data:
            if event.exchange not in EXCHANGES:
                break
        else:
            return Frame(wire.channel, tuple(wire.data), ())
    return _settle(wire) or read_message(payload)


def _decode_otherwise(payload: bytes) -> Message:
    """`decode` of a message that is known not to be a frame of first-generation events without a fault."""
    try:
        wire = _read_second_generation(payload)
    except NOT_THIS_WAY:
        return read_message(payload)
    return _settle(wire) or read_message(payload)


def _settle(wire: _WireFrame[Any]) -> Frame | None:
    """The frame with the channel's type of event and one spelling of exchanges; None if something is wrong in it."""
    event_type = event_type_of(wire.channel)
    if event_type is None:
        return None
    side_type: Any = SIDE_TYPES[event_type]
    events = tuple(
        event_type(
            event.base_asset,
            canonical_exchange(event.exchange),
            event.symbol,
            side_type(event.side),
            event.price,
            event.volume_usd,
            event.time_ms,
        )
        for event in wire.data
    )
    return Frame(wire.channel, events, ())


def encode_frame(
    channel: str, events: Iterable[Event], generation: Literal[1, 2] = 1, extra: Mapping[str, object] | None = None
) -> bytes:
    """A frame as the server sends it, for simulators and recorders.

    Args:
        channel: The wire name.
        events: The frame's events.
        generation: Whose field names to use: 1 as the live server does, or 2.
        extra: More keys at the top level, such as `{"time": 1725416318392}`.
    """
    data: list[Event] | list[_SecondGeneration[int]]
    # The events' own wire names are the first generation's; an `UNSET` field is left out.
    data = list(events) if generation == 1 else [_SecondGeneration(*astuple(event)) for event in events]
    return msgspec.json.encode({"channel": channel, "data": data, **(extra or {})})


def subscribe_command(channels: Iterable[str]) -> str:
    """The message that asks for these channels, by their wire names. The server does not acknowledge it."""
    return _command("subscribe", channels)


def unsubscribe_command(channels: Iterable[str]) -> str:
    """The message that gives these channels up, by their wire names."""
    return _command("unsubscribe", channels)


def _command(method: str, channels: Iterable[str]) -> str:
    return msgspec.json.encode({"method": method, "channels": list(channels)}).decode()
