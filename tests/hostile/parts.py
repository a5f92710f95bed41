"""What a server may send once the connection is open: bytes made by hand, each with what a client must count for it.

Nothing here uses the code under test, so that it can be judged by it.
"""

import json
from collections.abc import Iterable, Sequence
from operator import add
from typing import Self

import attrs

from tests.feed.feeding import KEY, START_MS
from tests.wire.wires import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, close_frame, frame

LIQUIDATIONS = "liquidationOrders"
DELIVERED = "liquidation"
"""The kind of part that a healthy server sends."""


@attrs.frozen
class Account:
    """What the messages of a server come to, in a client's counters."""

    messages: int = 0
    received_bytes: int = 0
    """Payload of the messages."""
    events: int = 0
    """Events of the channel that is subscribed to, all of which its subscriber gets."""
    unclaimed: int = 0
    """Events of a channel that nobody has subscribed to."""
    malformed: int = 0
    notices: int = 0
    pongs: int = 0
    dropped: int = 0
    """Losses that the subscriber is told of: of its channel, or of nobody knows which."""

    def __add__(self, other: Self) -> Self:
        return type(self)(*map(add, attrs.astuple(self), attrs.astuple(other)))


@attrs.frozen
class Part:
    """A piece of what a server sends: whole frames, at most one message completed."""

    data: bytes
    account: Account = Account()
    ends: bool = False
    """Whether it ends the connection: what comes behind it is not counted."""


NOTHING = Account()
EVENT = Account(messages=1, events=1)
MALFORMED = Account(messages=1, malformed=1, dropped=1)
MALFORMED_EVENT = Account(messages=1, malformed=1, dropped=1)
UNKNOWN = Account(messages=1, malformed=1)
NOTICE = Account(messages=1, notices=1)
TEXT_PONG = Account(messages=1, pongs=1)


def text(payload: bytes | str, account: Account, opcode: int = TEXT) -> Part:
    """One message in one frame."""
    data = payload.encode() if isinstance(payload, str) else payload
    return Part(frame(opcode, data), of(account, data))


def of(account: Account, payload: bytes) -> Account:
    """The account of a message with this payload."""
    return attrs.evolve(account, received_bytes=len(payload))


def event_text(channel: str = LIQUIDATIONS, **fields: str) -> str:
    """A frame of one event; `fields` are JSON texts that replace its own."""
    event = {
        "baseAsset": '"BTC"',
        "exName": '"Binance"',
        "symbol": '"BTCUSDT"',
        "side": "1",
        "price": "60000.5",
        "volUsd": "1000",
        "time": str(START_MS),
    } | fields
    listed = ",".join(f'"{name}":{value}' for name, value in event.items())
    return f'{{"channel":{json.dumps(channel)},"data":[{{{listed}}}]}}'


def fragments(payload: bytes, sizes: Iterable[int], opcode: int = TEXT) -> bytes:
    """A message in fragments of these sizes and a last one with the rest."""
    sent = b""
    for size in sizes:
        sent += frame(opcode, payload[:size], fin=False)
        payload, opcode = payload[size:], CONTINUATION
    return sent + frame(opcode, payload)


_EVENT = event_text().encode()
_TRADES = "futures_trades@Nobody_BTCUSDT@0"

KINDS: dict[str, Part] = {
    DELIVERED: text(_EVENT, EVENT),
    "binary event": text(_EVENT, EVENT, BINARY),
    "event in fragments": Part(fragments(_EVENT, [0, 1, 20, 0, 40]), of(EVENT, _EVENT)),
    "ping between fragments": Part(
        frame(TEXT, _EVENT[:9], fin=False) + frame(PING, b"?") + frame(CONTINUATION, _EVENT[9:]),
        of(EVENT, _EVENT),
    ),
    "long length field": text(_EVENT + b" " * 65_536, EVENT),
    "no events": text(f'{{"channel":"{LIQUIDATIONS}","data":[]}}', Account(messages=1)),
    "unclaimed": text(event_text(_TRADES), Account(messages=1, unclaimed=1)),
    "key as symbol": text(event_text(symbol=f'"{KEY}"'), EVENT),
    "pong text": text("pong", TEXT_PONG),
    "quoted pong": text(' "PONG"\n', TEXT_PONG),
    "ping": Part(frame(PING, b"are you there?")),
    "empty ping": Part(frame(PING)),
    "longest ping": Part(frame(PING, b"p" * 125)),
    "pong": Part(frame(PONG, b"nobody asked")),
    "ping with the key": Part(frame(PING, KEY.encode())),
    "empty text": text("", MALFORMED),
    "empty binary": text("", MALFORMED, BINARY),
    "empty fragments": Part(
        frame(TEXT, fin=False) + frame(CONTINUATION, fin=False) * 30 + frame(CONTINUATION), MALFORMED
    ),
    "binary": text(bytes(range(256)), MALFORMED, BINARY),
    "not UTF-8": text(b"\xff\xfe\xed\xa0\x80", MALFORMED),
    "half a JSON": text(_EVENT[:-1], MALFORMED),
    "no object": text("[1,2]", MALFORMED),
    "deep": text("[" * 3_000, MALFORMED),
    "deep in an event": text(event_text(symbol='{"a":' * 3_000 + "1" + "}" * 3_000), MALFORMED),
    "key in half a JSON": text(f'{{"error":"{KEY}', MALFORMED),
    "unknown channel": text('{"channel":"nobody@knows_it","data":[{}]}', UNKNOWN),
    "channel without end": text(f'{{"channel":"{"c" * 5_000}","data":[]}}', UNKNOWN),
    "channel that is the key": text(f'{{"channel":"{KEY}","data":[]}}', UNKNOWN),
    "channel that is a number": text('{"channel":1,"data":[]}', UNKNOWN),
    "no data": text(f'{{"channel":"{LIQUIDATIONS}"}}', MALFORMED_EVENT),
    "data is no array": text(f'{{"channel":"{LIQUIDATIONS}","data":{{}}}}', MALFORMED_EVENT),
    "event without fields": text(f'{{"channel":"{LIQUIDATIONS}","data":[{{}}]}}', MALFORMED_EVENT),
    "event that is the key": text(f'{{"channel":"{LIQUIDATIONS}","data":["{KEY}"]}}', MALFORMED_EVENT),
    "long price": text(event_text(price=f'"{"1" * 9_000}x"'), MALFORMED_EVENT),
    "long integer": text(event_text(price="1" * 9_000), MALFORMED_EVENT),
    "notice": text("hello", NOTICE),
    "notice in JSON": text('{"code":"40001","msg":"no"}', NOTICE),
    "notice with the key": text(f"bad key {KEY}", NOTICE),
    "plan notice": text(f"{_TRADES} need upgrade plan", NOTICE),
    "plan notice without end": text("x need" * 2_000 + " upgrade plan", NOTICE),
    "plan notice of spaces": text("x needs upgrade" + " " * 9_000 + "x", NOTICE),
}
"""What costs the connection nothing."""

ENDING: dict[str, Part] = {
    "reserved bits": Part(frame(TEXT, b"x", reserved=4), ends=True),
    "unknown opcode": Part(frame(0x3, b"x"), ends=True),
    "unknown control opcode": Part(frame(0xB), ends=True),
    "masked": Part(frame(TEXT, b"x", masked=True), ends=True),
    "length not minimal": Part(frame(TEXT, b"x", width=2), ends=True),
    "length of 2**63": Part(b"\x81\x7f\x80" + bytes(7), ends=True),
    "continuation of nothing": Part(frame(CONTINUATION, b"x"), ends=True),
    "text within a message": Part(frame(TEXT, b"x", fin=False) + frame(TEXT, b"x"), ends=True),
    "ping in fragments": Part(frame(PING, b"x", fin=False), ends=True),
    "ping too long": Part(frame(PING, b"x" * 126), ends=True),
    "message too long": Part(frame(TEXT, bytes(2**20 + 1)), ends=True),
    "message too long, announced": Part(b"\x82\x7f" + (2**62).to_bytes(8, "big"), ends=True),
    "fragments too long": Part(
        frame(TEXT, bytes(2**19), fin=False) + frame(CONTINUATION, bytes(2**19), fin=False) + frame(CONTINUATION, b"x"),
        ends=True,
    ),
    "HTTP": Part(b"HTTP/1.1 400 Bad Request\r\n\r\n", ends=True),
    "close in fragments": Part(frame(CLOSE, b"", fin=False), ends=True),
    "close with one byte": Part(frame(CLOSE, b"\x03"), ends=True),
    "close too long": Part(frame(CLOSE, b"\x03\xe8" + b"x" * 124), ends=True),
    "close, no UTF-8": Part(close_frame(1000, b"\xff\xfe"), ends=True),
    "close, half a character": Part(close_frame(1000, "€".encode()[:2]), ends=True),
    "close with the key": Part(close_frame(1008, b"no such key: " + KEY.encode()), ends=True),
}
"""What ends the connection, and nothing else."""

CODES: Sequence[int | None] = (
    None,
    *(0, 1, 999, *range(1000, 1017), 1100, 1999, 2000, 2999, 3000, 3999, 4000, 4999, 5000, 32_767, 32_768, 65_535),
)
"""Close codes on both sides of every boundary; None is a close frame without one."""


def reach(parts: Sequence[Part], size: int) -> Account:
    """What the first `size` bytes of these parts come to."""
    total, position = NOTHING, 0
    for part in parts:
        position += len(part.data)
        if position > size:
            break
        total += part.account
        if part.ends:
            break
    return total
