"""A record: one signal of one channel, as it stands on a log.

    key    the channel's wire name
    value  [version, session, seq, received_ms, kind, payload]    JSON, in UTF-8

    kind   payload                                  signal
    "e"    [[base_asset, exchange, symbol, side,    Batch
            price, volume_usd, time_ms], ...]
    "a"    [origin, at_ms]                          Alive
    "g"    [start_ms, end_ms, reason]               Gap
    "d"    [count, reason]                          Dropped, of this channel
    "u"    [count, reason]                          Dropped, of a channel that nobody knows: told on every channel
    "w"    [time_ms]                                Watermark
    "end"  [] or [name of the error, its text]      End

Within a session the records of a channel are numbered from 0 without a hole: a reader that has seen `seq` skips what is
not above it, and sees a hole in it.
"""

import reprlib
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Annotated, Any, Final, TypeAlias

import attrs
import msgspec
from msgspec import Meta

from cgrx._model.channels import Channel, parse_channel
from cgrx._model.data_errors import RecordError
from cgrx._model.events import LATEST_MS, Event, Liquidation, LiquidationSide, Trade, TradeSide
from cgrx._model.signals import Alive, Batch, Dropped, Gap, Mark, Watermark, mark_ms

VERSION: Final = 1


@attrs.frozen
class End:
    """The stream of a channel has ended: it completed, or failed.

    `failure` is the name of the error's type and its text, None where the stream completed.

    Examples:
        >>> cgrx.Record(
        ...     "liquidationOrders", "a1", 7, 0, cgrx.End(("PlanError", "not included"))
        ... ).encode()
        b'[1,"a1",7,0,"end",["PlanError","not included"]]'
    """

    failure: tuple[str, str] | None = None


RecordedSignal: TypeAlias = Batch[Event] | Mark | End
"""What a record holds."""


# A msgspec Struct as batches are, for one is made of each: it takes a third of the time of an attrs value. `gc=False`
# is safe: what it holds is frozen, and holds no record.
class Record(msgspec.Struct, frozen=True, gc=False):
    """A signal of one channel, numbered: what stands on a log, and what a `Shard` takes.

    A signal that another channel gave is a ValueError, and so is the name of a channel that cgrx does not know.

        >>> record = cgrx.Record("liquidationOrders", "a1", 0, 5, cgrx.Alive("cgrx", 5))
        >>> record.encode()
        b'[1,"a1",0,5,"a",["cgrx",5]]'
        >>> cgrx.Record.decode("liquidationOrders", record.encode()) == record
        True

    Examples:
        >>> record = cgrx.Record("liquidationOrders", "a1", 0, 5, cgrx.Alive("cgrx", 5))
        >>> record.encode()
        b'[1,"a1",0,5,"a",["cgrx",5]]'
        >>> cgrx.Record.decode("liquidationOrders", record.encode()) == record
        True
    """

    channel: str
    """The wire name of the channel: the key of the record on a log."""
    session: str
    """Names one run of one publisher; another run is another session."""
    seq: int
    """Its number among the records of the channel and session, from 0 on without a hole."""
    received_ms: int
    """When a batch was received, milliseconds since the epoch; a mark has the latest time known when it came."""
    signal: RecordedSignal

    def __post_init__(self) -> None:
        channel, signal = channel_named(self.channel), self.signal
        of = getattr(signal, "channel", channel)  # what speaks of no channel may stand in any
        if of is channel or of == channel or (of is None and isinstance(signal, Dropped)):
            return
        raise ValueError(f"channel={self.channel!r}: {signal} is of {of}")

    def encode(self) -> bytes:
        """The value of the record on a log."""
        signal = self.signal
        payload: Sequence[object]
        if isinstance(signal, Batch):  # as most are, so they are not asked what else they could be
            kind, payload = "e", [*map(_values, signal.events)]  # a comprehension is slower than one event
        else:
            kind, payload = _said(signal)
        return _encode((VERSION, self.session, self.seq, self.received_ms, kind, payload))

    @classmethod
    def decode(cls, key: bytes | str | None, value: bytes | None, place: str | None = None) -> "Record":
        """The record of a key and a value: equal to the one that was encoded.

        `place` says where it stood, for the error: `"trades[3] at offset 17"`.

        Raises:
            RecordError: they are no record, or one of a version that this cgrx does not know.
        """
        try:
            name = _text(key)
            channel = channel_named(name)
            envelope = _envelope(value or b"")
            if envelope.version != VERSION:
                raise ValueError(f"version {envelope.version} is not known: this cgrx reads {VERSION}")
            signal = _signal(channel, envelope)
        except (ValueError, msgspec.DecodeError) as error:  # a ValidationError is a DecodeError
            raise RecordError(shortened(key), shortened(value), str(error), place) from error
        return cls(name, envelope.session, envelope.seq, envelope.received_ms, signal)


@attrs.define(eq=False)
class Numbering:
    """Makes the records of one session: gives each channel its next `seq`. It keeps one number for each channel."""

    session: str
    _now_ms: int = 0
    _next: dict[str, int] = attrs.field(factory=dict[str, int])

    def record(self, channel: str, signal: RecordedSignal) -> Record:
        """The record of a signal that the stream of this channel, told by its wire name, has given.

        Raises:
            ValueError: the signal is of another channel.
        """
        seq, now_ms = self._next.get(channel, 0), self._now_ms
        # A batch was received when it says so; a mark speaks of the latest time known, at the least.
        at_ms = signal.received_ms if isinstance(signal, Batch) else max(now_ms, _spoken_ms(signal))
        record = Record(channel, self.session, seq, at_ms, signal)
        if at_ms > now_ms:
            self._now_ms = at_ms
        self._next[channel] = seq + 1
        return record


@lru_cache(maxsize=65_536)
def channel_named(name: str) -> Channel:
    """The channel of a wire name, the same object each time: reading the name takes longer than a whole record."""
    return parse_channel(name)


def shortened(given: bytes | str | None) -> str:
    """The key or the value of a damaged record, short enough for a message."""
    return _SHORT.repr(given)


_SHORT: Final = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 120


def _spoken_ms(signal: Mark | End) -> int:
    return 0 if isinstance(signal, End) else mark_ms(signal)


# Writing.

_encode: Final = msgspec.json.Encoder().encode
_values: Final = msgspec.structs.astuple


def _said(signal: Mark | End) -> tuple[str, tuple[object, ...]]:
    match signal:
        case Alive():
            return "a", (signal.origin, signal.at_ms)
        case Gap():
            return "g", (signal.start_ms, signal.end_ms, signal.reason)
        case Dropped():
            return ("u" if signal.channel is None else "d"), (signal.count, signal.reason)
        case Watermark():
            return "w", (signal.time_ms,)
        case _:
            return "end", signal.failure or ()


# Reading. msgspec checks the shapes, the types and the ranges.

_Positive: TypeAlias = Annotated[float, Meta(gt=0)]
_Time: TypeAlias = Annotated[int, Meta(ge=0, le=LATEST_MS)]
_Count: TypeAlias = Annotated[int, Meta(ge=0)]


class _Envelope(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    version: int
    session: str
    seq: _Count
    received_ms: _Count
    kind: str
    payload: msgspec.Raw


_envelope: Final = msgspec.json.Decoder(_Envelope).decode
_EVENTS: Final[dict[type[Event], Callable[[msgspec.Raw], list[tuple[Any, ...]]]]] = {
    Liquidation: msgspec.json.Decoder(list[tuple[str, str, str, LiquidationSide, _Positive, _Positive, _Time]]).decode,
    Trade: msgspec.json.Decoder(list[tuple[str, str, str, TradeSide, _Positive, _Positive, _Time]]).decode,
}
_alive: Final = msgspec.json.Decoder(tuple[str, int]).decode
_gap: Final = msgspec.json.Decoder(tuple[int, int, str]).decode
_dropped: Final = msgspec.json.Decoder(tuple[_Count, str]).decode
_watermark: Final = msgspec.json.Decoder(tuple[int]).decode
_end: Final = msgspec.json.Decoder(Annotated[list[str], Meta(max_length=2)]).decode


def _text(key: bytes | str | None) -> str:
    if key is None:
        raise ValueError("it has no key, which is the name of a channel")
    return key if isinstance(key, str) else key.decode()


def _signal(channel: Channel, envelope: _Envelope) -> RecordedSignal:
    payload = envelope.payload
    match envelope.kind:
        case "e":
            of: Any = channel.event_type
            events = tuple([of(*values) for values in _EVENTS[of](payload)])  # a generator takes twice as long
            return Batch(channel, envelope.received_ms, events)
        case "a":
            return Alive(*_alive(payload))
        case "g":
            return Gap(channel, *_gap(payload))
        case "d":
            return Dropped(channel, *_dropped(payload))
        case "u":
            return Dropped(None, *_dropped(payload))
        case "w":
            return Watermark(*_watermark(payload))
        case "end":
            match _end(payload):
                case []:
                    return End()
                case [type_name, message]:
                    return End((type_name, message))
                case _:
                    raise ValueError("a failure is the name of an error and its text")
        case other:
            raise ValueError(f"kind {other!r} is none of 'e', 'a', 'g', 'd', 'u', 'w' and 'end'")
