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

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Annotated, Any, Generic, Literal, TypeVar

import msgspec
from msgspec import UNSET, Meta, UnsetType
from msgspec.structs import astuple

from cgrx._model.events import LATEST_MS, SIDE_TYPES, Event, Liquidation, Trade
from cgrx._model.exchanges import EXCHANGES, canonical_exchange
from cgrx._wire.lenient import CHANNEL_LENGTH, event_type_of, read_message
from cgrx._wire.messages import Frame as Frame
from cgrx._wire.messages import Malformed as Malformed
from cgrx._wire.messages import Message as Message
from cgrx._wire.messages import Notice as Notice
from cgrx._wire.messages import Pong as Pong
from cgrx._wire.secret import Texts

PING = "ping"
"""The heartbeat: a text message, neither JSON nor a control frame."""

E = TypeVar("E")

_TRADES = b'"futures_trades@'
_SNIFFED_BYTES = 64
"""The channel is among the first keys; where it is not, a wrong guess costs time and nothing else."""

_NOT_THIS_WAY = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What msgspec raises on bytes that it cannot read as the type wanted."""


class _WireFrame(msgspec.Struct, Generic[E], gc=False):
    channel: Annotated[str, Meta(max_length=CHANNEL_LENGTH)]
    data: tuple[E, ...]


class _SecondGeneration(msgspec.Struct, gc=False):
    base_asset: str
    exchange: str
    symbol: str
    side: Literal[1, 2]
    price: Annotated[float, Meta(gt=0)]
    volume_usd: Annotated[float, Meta(gt=0)]
    time_ms: Annotated[int, Meta(ge=0, le=LATEST_MS)] = msgspec.field(name="time")
    # Where both generations' names are in one event, `lenient` decides which counts.
    no_base_asset: UnsetType = msgspec.field(default=UNSET, name="baseAsset")
    no_exchange: UnsetType = msgspec.field(default=UNSET, name="exName")
    no_volume: UnsetType = msgspec.field(default=UNSET, name="volUsd")


_read_liquidations = msgspec.json.Decoder(_WireFrame[Liquidation]).decode
_read_trades = msgspec.json.Decoder(_WireFrame[Trade]).decode
_read_second_generation = msgspec.json.Decoder(_WireFrame[_SecondGeneration]).decode


def decode(payload: bytes) -> Message:
    """Read one message of the server.

    Args:
        payload: The whole message, text or binary.

    Returns:
        A `Frame` for a known channel, with every event that could be read and a `Malformed` for each other one;
        `Pong`; a `Notice` for text that is not JSON and for a JSON reply (an object without a channel that has a
        key such as `code` or `msg`); `Malformed` for all else, a frame of an unknown channel included.
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
    except _NOT_THIS_WAY:
        return _decode_otherwise(payload)
    if event_type_of(wire.channel) is guess:
        for event in wire.data:
            if event.exchange not in EXCHANGES:
                break
        else:
            return Frame(wire.channel, wire.data, ())
    return _settle(wire) or read_message(payload)


def decode_batch(payloads: Sequence[bytes], texts: Texts) -> list[Message]:
    """Read the messages of one read from the socket: `decode` of each, neighbouring frames of one channel as one.

    Parts of the API key in the texts of events are hidden.

    One call of msgspec for them all (`decode_lines`, or as one array) takes longer than a call for each.
    """
    messages: list[Message] = []
    group = _Group(messages, texts)
    read, events = group.read, group.events
    channel = exchange = symbol = asset = None  # those of the frame before
    settled, clean = EXCHANGES, texts.clean
    for payload in payloads:
        # What nearly all are, a frame that is like the one before it: nothing here may cost without a reason.
        try:
            wire = read(payload)
        except _NOT_THIS_WAY:
            pass
        else:
            name = wire.channel
            if name == channel or group.begins(name):
                channel = name
                for event in wire.data:
                    if event.exchange != exchange:
                        if event.exchange not in settled:
                            break
                        exchange = event.exchange
                    if event.symbol != symbol:
                        if event.symbol not in clean:
                            break
                        symbol = event.symbol
                    if event.base_asset != asset:
                        if event.base_asset not in clean:
                            break
                        asset = event.base_asset
                else:
                    events += wire.data
                    continue
        group.take(decode(payload))
        read, channel = group.read, group.channel
    group.close()
    return messages


class _Group:
    """Frames of one channel that follow each other, on their way into `messages` as one."""

    def __init__(self, messages: list[Message], texts: Texts) -> None:
        self._messages = messages
        self._texts = texts
        self._malformed: list[Malformed] = []
        self._event_type: type[Event] = Trade
        self.channel: str | None = None
        self.events: list[Event] = []
        """Those of the group so far; always the same list."""
        self.read: Callable[[bytes], _WireFrame[Any]] = _read_trades
        """What reads frames of this channel, and of others of its type."""

    def begins(self, channel: str) -> bool:
        """Begin with frames of another channel, if `read` reads those too."""
        if event_type_of(channel) is not self._event_type:
            return False
        self.close()
        self.channel = channel
        return True

    def take(self, message: Message) -> None:
        """Take any message: a frame joins the group or begins one, all else ends it."""
        if not isinstance(message, Frame):
            self.close()
            self._messages.append(message)
            return
        if message.channel != self.channel:
            self.close()
            self.channel = message.channel
            is_trades = event_type_of(message.channel) is Trade
            self._event_type, self.read = (Trade, _read_trades) if is_trades else (Liquidation, _read_liquidations)
        self.events += map(self._texts.cleaned, message.events)
        self._malformed += message.malformed

    def close(self) -> None:
        """Hand the group on."""
        if self.channel is not None:
            self._messages.append(Frame(self.channel, tuple(self.events), tuple(self._malformed)))
            self.channel = None
            self.events.clear()
            self._malformed.clear()


def _decode_otherwise(payload: bytes) -> Message:
    try:
        wire = _read_second_generation(payload)
    except _NOT_THIS_WAY:
        return read_message(payload)
    return _settle(wire) or read_message(payload)


def _settle(wire: _WireFrame[Liquidation] | _WireFrame[Trade] | _WireFrame[_SecondGeneration]) -> Frame | None:
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
    data: list[Event] | list[_SecondGeneration]
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
