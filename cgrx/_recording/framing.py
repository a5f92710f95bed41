"""The format of the part that is being written: frames that a killed process cannot spoil. No I/O.

    frame     header, payload
    header    magic "cgrx", length of the payload, its CRC-32, `seq` of the first entry in it, CRC-32 of all this
    payloads  one after another an Arrow IPC stream: the schema, then one record batch a frame

The checksums are here because Arrow does not notice a flipped bit. A process that is killed leaves a last frame that is
cut off: a short header, or a whole header and behind it less than its length. Anything else that is wrong is damage.
"""

import os
import struct
import zlib
from collections.abc import Iterator
from typing import IO

import attrs

from cgrx._model.data_errors import RecordingError

MAGIC = b"cgrx"
_BODY = struct.Struct("<4sIIq")
_CHECK = struct.Struct("<I")
HEADER_BYTES = _BODY.size + _CHECK.size


@attrs.frozen
class Frame:
    """A whole frame: the byte where it begins in the file, the `seq` of the first entry in it, and what it holds."""

    offset: int
    seq: int
    payload: bytes

    @property
    def place(self) -> str:
        """Where it is, for an error."""
        return f"frame at byte {self.offset}"

    @property
    def end(self) -> int:
        """The byte where the next frame begins."""
        return self.offset + HEADER_BYTES + len(self.payload)


def encode(seq: int, payload: bytes) -> bytes:
    """A frame as bytes."""
    body = _BODY.pack(MAGIC, len(payload), zlib.crc32(payload), seq)
    return b"".join((body, _CHECK.pack(zlib.crc32(body)), payload))


def decode(file: IO[bytes], name: str) -> Iterator[Frame]:
    """The whole frames of a file from its beginning on, one at a time; a last one that is cut off is left out.

    Raises:
        RecordingError: damage; with the frame.
    """
    offset, size = 0, file.seek(0, os.SEEK_END)
    file.seek(0)
    while len(header := file.read(HEADER_BYTES)) == HEADER_BYTES:
        body = header[: _BODY.size]
        (check,) = _CHECK.unpack_from(header, _BODY.size)
        magic, length, payload_check, seq = _BODY.unpack(body)
        if magic != MAGIC or check != zlib.crc32(body):
            raise RecordingError(name, f"frame at byte {offset}", "its header is damaged")
        if length > size - offset - HEADER_BYTES:  # not asked of the file: it would take memory for all of it first
            return
        payload = file.read(length)
        if payload_check != zlib.crc32(payload):
            raise RecordingError(name, f"frame at byte {offset}", "its content is damaged")
        frame = Frame(offset, seq, payload)
        yield frame
        offset = frame.end
