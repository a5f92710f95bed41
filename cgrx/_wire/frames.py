"""The frame tap's parser: data messages are taken out of a server's bytes, the rest passes. Pure, no I/O.

Its rules:

- Taken are complete data messages, text and binary alike, as bytes; a fragmented one is assembled. UTF-8 is not
  checked: the codec reports it, at the cost of one message instead of the connection.
- Whole pings and pongs pass, in order, also from between the fragments of a message.
- From a close frame or an invalid frame on everything passes. trio-websocket judges what passes, so a connection
  ends as it would without the tap. To let it see what the plain path would have seen, a message that was being
  assembled passes first, as one fragment.
- A frame that would make a message longer than the bound is the last thing that is looked at, before a byte of it is
  kept. In its place passes a fragment one byte too long: trio-websocket closes with 1009, at once and whatever else
  was read, where the true frame would make it wait for all of it, and the frames behind it replace the code.
- A frame of which a part is missing is kept until it is whole.

Source: RFC 6455, sections 5.2 to 5.5.
"""

from struct import Struct
from struct import error as StructError  # noqa: N812  # a name that says whose it is

_CONTINUATION, _TEXT, _BINARY, _PING, _PONG = 0x0, 0x1, 0x2, 0x9, 0xA
_FIN, _RESERVED, _OPCODE, _MASKED = 0x80, 0x70, 0x0F, 0x80
_TWO_BYTES, _EIGHT_BYTES = 126, 127

_HEADER = Struct("!HH")  # the first four bytes of a frame: its header, and its length where that has two bytes
_SHORT_TEXT = (_FIN | _TEXT) << 8  # a header that says: final, text, no mask, and the length, up to 125
_TEXT_OF_TWO_BYTES = _SHORT_TEXT | _TWO_BYTES

_LENGTH_FIELDS = {
    _TWO_BYTES: (Struct("!H"), range(_TWO_BYTES, 2**16)),
    _EIGHT_BYTES: (Struct("!Q"), range(2**16, 2**63)),
}
"""The field that follows where the second byte of a frame is no length, and the lengths that it may hold."""

_BB, _BBH, _BBQ = Struct("!BB"), Struct("!BBH"), Struct("!BBQ")


class FrameParser:
    """Separates the data messages of one direction, from the server, from everything else.

    Args:
        message_bytes: the longest message taken, in bytes of payload.

    State: at most one incomplete frame and one incomplete message, each at most `message_bytes` long.
    """

    def __init__(self, message_bytes: int) -> None:
        self._message_bytes = message_bytes
        self._tail = bytearray()  # an incomplete frame
        self._tail_needs = 0  # how long `_tail` must be before it is worth another look
        self._opcode = _CONTINUATION  # of the message being assembled; _CONTINUATION while there is none
        self._assembly = bytearray()
        self._passing = False
        self._closing = False

    @property
    def passing(self) -> bool:
        """Nothing more will be taken: a close frame, an invalid or too long one has come."""
        return self._passing

    def drop_pings(self) -> None:
        """From now on pings and pongs pass no more: our close frame is out, and no pong may follow it."""
        self._closing = True

    def feed(self, data: bytes | bytearray) -> tuple[list[bytes], bytes | bytearray]:
        """The messages that `data` completes, and the bytes of the frames that pass, each in order."""
        messages: list[bytes] = []
        if self._passing:
            return messages, data
        if self._tail:
            # Only appended to until it is long enough: a large message that drips in costs no more than its size.
            self._tail += data
            if len(self._tail) < self._tail_needs:
                return messages, b""
            data = bytes(self._tail)
            self._tail = bytearray()
        else:
            data = bytes(data)  # costs nothing where it is bytes already
        passed: list[bytes] = []
        position = 0
        while position < len(data):
            if self._opcode == _CONTINUATION:
                position = _take_whole(data, position, self._message_bytes, messages)
            if position < len(data):
                position = self._take_other(data, position, messages, passed)
        return messages, passed[0] if len(passed) == 1 else b"".join(passed)

    def _take_other(self, data: bytes, position: int, messages: list[bytes], passed: list[bytes]) -> int:
        """Deal with the frame at `position`, whatever it is; returns where the next one begins.

        Each verdict falls as soon as the bytes it needs are there: on the first two of a frame, then on its length,
        then on the whole. Until then the frame is kept.
        """
        if len(data) - position < 2:
            return self._keep(data, position, 2)
        first, length = data[position], data[position + 1]
        if not self._is_expected(first, length):
            return self._pass_all(data, position, passed)
        start = position + 2
        if length >= _TWO_BYTES:
            field, accepted = _LENGTH_FIELDS[length]
            start += field.size
            if start > len(data):
                return self._keep(data, position, start - position)
            (length,) = field.unpack_from(data, position + 2)
            if length not in accepted:
                return self._pass_all(data, position, passed)
        is_control = (first & _OPCODE) >= _PING
        if not is_control and len(self._assembly) + length > self._message_bytes:
            return self._pass_too_long(data, passed)
        end = start + length
        if end > len(data):
            return self._keep(data, position, end - position)
        if is_control:
            if not self._closing:
                passed.append(data[position:end])
        elif first & _FIN and self._opcode == _CONTINUATION:
            messages.append(data[start:end])
        else:
            self._opcode = self._opcode or first & _OPCODE
            self._assembly += data[start:end]
            if first & _FIN:
                messages.append(self._assembled())
        return end

    def _assembled(self) -> bytes:
        """The message that was being assembled; the next one begins."""
        whole = bytes(self._assembly)
        self._assembly = bytearray()
        self._opcode = _CONTINUATION
        return whole

    def _is_expected(self, first: int, length: int) -> bool:
        """Whether a frame with these first two bytes is valid here, and not a close frame."""
        if first & _RESERVED or length & _MASKED:
            return False
        opcode = first & _OPCODE
        if opcode in (_PING, _PONG):
            return bool(first & _FIN) and length < _TWO_BYTES
        if self._opcode == _CONTINUATION:
            return opcode in (_TEXT, _BINARY)
        return opcode == _CONTINUATION

    def _keep(self, data: bytes, position: int, needs: int) -> int:
        """Wait until the frame at `position` has `needs` bytes."""
        self._tail += data[position:]
        self._tail_needs = needs
        return len(data)

    def _pass_all(self, data: bytes, position: int, passed: list[bytes]) -> int:
        """From `position` on take nothing more: a close frame, or an invalid one."""
        self._passing = True
        if self._opcode != _CONTINUATION:
            passed.append(_fragment(self._opcode, self._assembly))
            self._assembly = bytearray()
        passed.append(data[position:])
        return len(data)

    def _pass_too_long(self, data: bytes, passed: list[bytes]) -> int:
        """Take nothing more: let trio-websocket see that a message is too long."""
        self._passing = True
        self._assembly = bytearray()
        passed.append(_fragment(_BINARY, bytes(self._message_bytes + 1)))
        return len(data)


def _take_whole(data: bytes, position: int, message_bytes: int, messages: list[bytes]) -> int:
    """Take the whole, unfragmented texts of up to 65,535 bytes that follow each other; where the last one ends.

    This loop is what makes the tap fast: nearly every frame of the feed goes through it and through nothing else.
    """
    available = len(data)
    append = messages.append
    unpack = _HEADER.unpack_from
    try:
        while True:
            header, length = unpack(data, position)
            if header == _TEXT_OF_TWO_BYTES:
                if length < _TWO_BYTES:
                    return position
                start = position + 4
            elif _SHORT_TEXT <= header < _TEXT_OF_TWO_BYTES:
                length = header - _SHORT_TEXT
                start = position + 2
            else:
                return position
            end = start + length
            if end > available or length > message_bytes:
                return position
            append(data[start:end])
            position = end
    except StructError:
        # Fewer than four bytes are left.
        return position


def _fragment(opcode: int, payload: bytes | bytearray) -> bytes:
    """The payload as a first fragment of a message."""
    length = len(payload)
    if length < _TWO_BYTES:
        return _BB.pack(opcode, length) + payload
    if length < 2**16:
        return _BBH.pack(opcode, _TWO_BYTES, length) + payload
    return _BBQ.pack(opcode, _EIGHT_BYTES, length) + payload
