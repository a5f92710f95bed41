"""What a simulated server can do wrong, each as a frozen value that says what and when.

When: `after` seconds (of trio's clock), or `after_events` events, both counted

- with `connection=n`: from the handshake of the n-th connection (from the moment the fault was scripted where that is
  open already), and in the events sent to it. Connections are numbered from 1 in the order they arrive, refused ones
  included;
- without: from the moment the fault was scripted, and in the events that the simulator sent to anybody. It then
  happens to every connection open at that moment, or, where none is, to the next one.

Given neither, it happens at once. Faults due at the same moment happen in the order they were scripted, and each
takes its place among the frames of its connection: what was sent before arrives before.

Three kinds: on a connection (`LineFault`), to the next event frame of a connection (`FrameFault`: it waits for that
frame), and to connections that arrive from then on (`ArrivalFault`).
"""

from typing import Literal, TypeAlias

import attrs

from cgrx._model.times import Duration, to_seconds


def _after(value: Duration) -> float:
    return to_seconds(value, "after")


def _delay(value: Duration) -> float:
    return to_seconds(value, "delay")


def _at_least_one(_: object, attribute: "attrs.Attribute[int]", value: int) -> None:
    if value < 1:
        raise ValueError(f"{attribute.name}={value!r} must be 1 or more")


def _count(_: object, attribute: "attrs.Attribute[int | None]", value: int | None) -> None:
    if value is not None and value < 1:
        raise ValueError(f"{attribute.name}={value!r} must be 1 or more, or None")


def _status(_: object, __: object, value: str | int) -> None:
    if isinstance(value, int) and not 200 <= value < 600:
        raise ValueError(f"how={value!r} must be an HTTP status, 200 to 599; how many connections says connections=")


@attrs.frozen(kw_only=True)
class Scripted:
    """The base of all faults: the moment at which one happens (see the module)."""

    after: float = attrs.field(default=0.0, converter=_after)
    """Seconds, or any duration such as `"5s"`."""
    after_events: int | None = attrs.field(default=None, validator=_count)
    connection: int | None = attrs.field(default=None, validator=_count)

    def __attrs_post_init__(self) -> None:
        if self.after and self.after_events is not None:
            raise ValueError(f"after={self.after!r} and after_events={self.after_events!r}: give one of them")


@attrs.frozen
class Arriving(Scripted):
    """The base of faults that happen to the next `connections` that arrive; with `connection=n`, from the n-th on."""

    connections: int = attrs.field(default=1, validator=_at_least_one, kw_only=True)
    """By keyword alone, for `Refuse(503)` means the status."""

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        if self.connection is not None and (self.after or self.after_events is not None):
            raise ValueError(f"connection={self.connection!r} says when already: leave out after and after_events")


# Faults on a connection.


@attrs.frozen
class Close(Scripted):
    """Close with a close frame, and wait a bounded time for the client's.

    Examples:
        >>> from cgrx.testing import Close
        >>> Close(1012, "restart", after_events=500)
        Close(after=0.0, after_events=500, connection=None, code=1012, reason='restart')
    """

    code: int = 1000
    reason: str = ""


@attrs.frozen
class Drop(Scripted):
    """End abruptly: a TCP reset without a close frame.

    Examples:
        >>> from cgrx.testing import Drop
        >>> Drop(after="30s").after
        30.0
    """


@attrs.frozen
class NoPong(Scripted):
    """Answer no text `ping` any more; everything else goes on.

    Examples:
        >>> from cgrx.testing import NoPong, Simulator
        >>> deaf = Simulator([liquidation()], faults=[NoPong()])
    """


@attrs.frozen
class Stall(Scripted):
    """Neither send nor read any more, as a peer that lost power: the connection stays open on both sides.

    It cannot notice that the client has left, so it counts as open until the simulator ends.

    Examples:
        >>> from cgrx.testing import Simulator, Stall
        >>> hung = Simulator([liquidation()], faults=[Stall(after="5s")])
    """


@attrs.frozen
class Garbage(Scripted):
    """Send `message` as one text message. It may be invalid JSON or, as bytes, invalid UTF-8.

    Examples:
        >>> from cgrx.testing import Garbage
        >>> Garbage("no JSON", connection=2).message
        'no JSON'
    """

    message: str | bytes = '{"channel":"liquidationOrders","data":[{"baseAsset":'


@attrs.frozen
class RawBytes(Scripted):
    """Write bytes as they are, without a frame around them; the default is no valid frame (reserved bits set).

    Examples:
        >>> from cgrx.testing import RawBytes
        >>> RawBytes(b"no frame").data
        b'no frame'
    """

    data: bytes = b"\xf3\xff\x00garbage"


@attrs.frozen
class Huge(Scripted):
    """Send one well-formed text message without events, `size` bytes long, in `fragments` equal fragments.

    Examples:
        >>> from cgrx.testing import Huge
        >>> Huge(2**21).size
        2097152
    """

    size: int = attrs.field(default=1024 * 1024 + 1, validator=attrs.validators.ge(64))
    fragments: int = attrs.field(default=1, validator=_at_least_one)


# Faults to the next event frame.


@attrs.frozen
class HalfFrame(Scripted):
    """The first half of the frame goes out, then nothing more is sent; commands are still read.

    Examples:
        >>> from cgrx.testing import HalfFrame, Simulator
        >>> broken = Simulator([liquidation()], faults=[HalfFrame()])
    """


@attrs.frozen
class DropInFrame(Scripted):
    """The first half of the frame goes out, then a TCP reset.

    Examples:
        >>> from cgrx.testing import DropInFrame, Simulator
        >>> broken = Simulator([liquidation()], faults=[DropInFrame(after_events=10)])
    """


@attrs.frozen
class Fragmented(Scripted):
    """The frame goes out in `parts` fragments with a ping (control frame) between each two.

    Examples:
        >>> from cgrx.testing import Fragmented
        >>> Fragmented(parts=5).parts
        5
    """

    parts: int = attrs.field(default=3, validator=attrs.validators.ge(2))


@attrs.frozen
class Binary(Scripted):
    """The frame goes out as a binary message.

    Examples:
        >>> from cgrx.testing import Binary, Simulator
        >>> odd = Simulator([liquidation()], faults=[Binary()])
    """


@attrs.frozen
class Drip(Scripted):
    """The frame goes out byte by byte, `delay` apart.

    Examples:
        >>> from cgrx.testing import Drip
        >>> Drip(delay="20ms").delay
        0.02
    """

    delay: float = attrs.field(default=0.01, converter=_delay)
    """Seconds, or any duration."""


@attrs.frozen
class Duplicate(Scripted):
    """The frame goes out twice.

    Examples:
        >>> from cgrx.testing import Duplicate, Simulator
        >>> async with Simulator([liquidation()], faults=[Duplicate()]) as simulator:
        ...     async with cgrx.connect(
        ...         url=simulator.url, api_key="made-up-key"
        ...     ) as feed:
        ...         async with cgrx.stream(feed.liquidations()) as events:
        ...             print(await anext(events) == await anext(events))
        True
    """


@attrs.frozen
class Late(Scripted):
    """The frame is held back for `delay`; those behind it overtake it.

    Examples:
        >>> from cgrx.testing import Late
        >>> Late(delay="2s").delay
        2.0
    """

    delay: float = attrs.field(default=5.0, converter=_delay)
    """Seconds, or any duration."""


@attrs.frozen
class WrongTypes(Scripted):
    """`BAD_EVENTS` malformed events join the good ones of the frame, before and behind them.

    Examples:
        >>> from cgrx.testing import Simulator, WrongTypes
        >>> async with Simulator([liquidation()], faults=[WrongTypes()]) as simulator:
        ...     async with cgrx.connect(
        ...         url=simulator.url, api_key="made-up-key"
        ...     ) as feed:
        ...         async with cgrx.stream(feed.liquidations()) as events:
        ...             event = await anext(events)
        ...             print(feed.stats.malformed > 0)
        True
    """


# Faults to connections that arrive.


@attrs.frozen
class Refuse(Arriving):
    """Refuse connections.

    `how`: `"tcp"` ends them before the handshake (through `dial`: connection refused; over TCP, where the kernel
    accepts, a reset), `"dns"` lets `dial` fail as an unknown name (over TCP as `"tcp"`), a number answers the
    handshake with that HTTP status. `retry_after` becomes the `Retry-After` header: seconds, or an HTTP date.

    Examples:
        >>> from cgrx.testing import Refuse
        >>> Refuse(how=503, retry_after=2.0, connections=3).connections
        3
    """

    how: Literal["tcp", "dns"] | int = attrs.field(default="tcp", validator=_status)
    retry_after: float | str | None = None


@attrs.frozen
class HangConnect(Arriving):
    """Through `dial`, the connect never completes. Over TCP, where the kernel accepts, as `HangHandshake`.

    Examples:
        >>> from cgrx.testing import HangConnect, Simulator
        >>> slow = Simulator([liquidation()], listen=False, faults=[HangConnect()])
    """


@attrs.frozen
class HangHandshake(Arriving):
    """Accept the stream and never answer the handshake.

    Examples:
        >>> from cgrx.testing import HangHandshake, Simulator
        >>> slow = Simulator([liquidation()], faults=[HangHandshake(connections=2)])
    """


@attrs.frozen
class CloseAtOnce(Arriving):
    """Complete the handshake, say `notice` if there is one, and close.

    Examples:
        >>> from cgrx.testing import CloseAtOnce
        >>> CloseAtOnce(code=1008, notice="invalid key").notice
        'invalid key'
    """

    code: int = 1000
    reason: str = ""
    notice: str | None = None


LineFault: TypeAlias = Close | Drop | NoPong | Stall | Garbage | RawBytes | Huge
"""A fault on a connection.

Examples:
    >>> from cgrx.testing import Close, Drop, LineFault
    >>> script: list[LineFault] = [Close(1012, after="10s"), Drop(connection=2)]
"""
FrameFault: TypeAlias = HalfFrame | DropInFrame | Fragmented | Binary | Drip | Duplicate | Late | WrongTypes
"""A fault to the next event frame of a connection.

Examples:
    >>> from cgrx.testing import FrameFault, Late, WrongTypes
    >>> script: list[FrameFault] = [
    ...     WrongTypes(),
    ...     Late(delay="2s", after_events=100),
    ... ]
"""
ArrivalFault: TypeAlias = Refuse | HangConnect | HangHandshake | CloseAtOnce
"""A fault to connections that arrive from then on.

Examples:
    >>> from cgrx.testing import ArrivalFault, Refuse
    >>> script: list[ArrivalFault] = [Refuse(how=503, connections=2)]
"""
Fault: TypeAlias = LineFault | FrameFault | ArrivalFault
"""Any fault of the simulator.

Examples:
    >>> from cgrx.testing import Drop, Fault, Refuse, Simulator
    >>> script: list[Fault] = [Drop(after="10s"), Refuse(how=503)]
    >>> troubled = Simulator([liquidation()], faults=script)
"""
