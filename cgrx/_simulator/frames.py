"""WebSocket frames as a server writes them, and the same frame broken in the ways a fault asks for.

Written by hand, because trio-websocket sends only whole and valid messages, one per call.
Source: RFC 6455, section 5.2 (a server does not mask).
"""

import struct
from typing import Any

import msgspec

CONTINUATION = 0x0
TEXT = 0x1
BINARY = 0x2
PING = 0x9


def frame(payload: bytes, opcode: int = TEXT, *, final: bool = True) -> bytes:
    """One frame with its header."""
    first = opcode | 0x80 if final else opcode
    size = len(payload)
    if size < 126:
        return bytes((first, size)) + payload
    if size < 0x10000:
        return struct.pack("!BBH", first, 126, size) + payload
    return struct.pack("!BBQ", first, 127, size) + payload


def payload_of(whole: bytes) -> bytes:
    """The payload of a frame made by `frame`."""
    return whole[{126: 4, 127: 10}.get(whole[1], 2) :]


def fragments(payload: bytes, parts: int, *, pings: bool) -> bytes:
    """The payload as one text message of at most `parts` fragments, with a ping between each two if asked for."""
    step = max(1, -(-len(payload) // parts))
    pieces = [payload[start : start + step] for start in range(0, len(payload), step)]
    last = len(pieces) - 1
    out = bytearray()
    for index, piece in enumerate(pieces):
        out += frame(piece, TEXT if index == 0 else CONTINUATION, final=index == last)
        if pings and index < last:
            out += frame(b"between fragments", PING)
    return bytes(out)


def huge(size: int) -> bytes:
    """A well-formed message of `size` bytes that holds no event."""
    start, end = b'{"channel":"liquidationOrders","pad":"', b'","data":[]}'
    return start + b"x" * (size - len(start) - len(end)) + end


def _bad_events(good: dict[str, Any]) -> list[Any]:
    missing = {key: value for key, value in good.items() if key != "price"}
    return [
        {**good, "side": 3},
        {**good, "price": "not a number"},
        {**good, "price": -1.0},
        {**good, "time": []},
        missing,
        None,
    ]


BAD_EVENTS = len(_bad_events({}))
"""How many malformed events `WrongTypes` puts into a frame."""


def with_bad_events(payload: bytes) -> bytes:
    """The same message with `BAD_EVENTS` malformed events around its own, in its own generation of names."""
    message: dict[str, Any] = msgspec.json.decode(payload)
    bad = _bad_events(message["data"][0])
    half = len(bad) // 2
    return msgspec.json.encode({**message, "data": [*bad[:half], *message["data"], *bad[half:]]})
