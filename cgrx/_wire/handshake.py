"""What a server answers to the opening handshake, read beside trio-websocket. Pure, no I/O.

trio-websocket gives a refusal away only once its whole body has come, never where the end of the connection ends the
body or where the answer is no HTTP; and it waits for ever for an answer that will not come. The head of the answer
is all we need, and it is here as soon as it has arrived.

Source: RFC 9110 (Retry-After: section 10.2.3), RFC 9112; where a head ends, and what its first line looks like, is
read as h11 reads it, for frames begin where h11 stops.
"""

import re
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime

from cgrx._model.errors import AddressError, AuthError, CgrxError, HandshakeError
from cgrx._wire.address import Address

SWITCHING_PROTOCOLS = 101

_INFORMATIONAL = frozenset(range(100, 200)) - {SWITCHING_PROTOCOLS}
"""The statuses that do not answer yet, such as 100 and 103. Source: RFC 9110, section 15.2."""
_HEAD_KIB = 64
"""What may come before the frames: the head of the answer, and the informational answers before it."""

_BEGINNING = b"HTTP/"
_BLANK_LINE = re.compile(rb"\n\r?\n")
_STATUS_LINE = re.compile(rb"HTTP/[0-9]\.[0-9] ([0-9]{3})")


class AnswerHead:
    """The head of the server's answer, collected up to the blank line.

    Informational answers before it are left out.

    State: the bytes of the head. More than 64 KiB, those left out included, are a refusal.
    """

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._left_out = 0
        self.complete = False
        self.status: int | None = None
        """The HTTP status; None before the head is complete, and where the peer speaks no HTTP."""

    def feed(self, data: bytes | bytearray) -> bytes | bytearray:
        """Read on. Returns what follows the head: nothing before it is complete."""
        searched = max(0, len(self._bytes) - 2)
        self._bytes += data
        while (blank := _BLANK_LINE.search(self._bytes, searched)) and not self._is_too_long(blank.end()):
            match = _STATUS_LINE.match(self._bytes)
            status = int(match[1]) if match else None
            if status not in _INFORMATIONAL:
                self.status, self.complete = status, True
                rest = self._bytes[blank.end() :]
                del self._bytes[blank.end() :]
                return rest
            self._left_out += blank.end()
            del self._bytes[: blank.end()]
            searched = 0
        self.complete = not self._begins_as_http() or self._is_too_long(len(self._bytes))
        return b""

    @property
    def raw(self) -> bytes:
        """The bytes of the head."""
        return bytes(self._bytes)

    @property
    def refused(self) -> bool:
        """The answer is there, and it is not the one that opens a WebSocket connection."""
        return self.complete and self.status != SWITCHING_PROTOCOLS

    def refusal(self, address: Address, now_s: float | None) -> CgrxError:
        """The refusal as an error of ours. `now_s` is the wall time, for a `Retry-After` that is a date.

        Nothing that the server wrote is in it: a redirect or an error page may echo the request with the API key.
        """
        if self.status is None:
            too_long = self._begins_as_http() and self._is_too_long(len(self._bytes))
            what = f"the answer is longer than {_HEAD_KIB} KiB" if too_long else "the peer does not speak HTTP"
            return HandshakeError(what)
        if self.status in (401, 403):
            return AuthError(self.status)
        if self.status == 404:
            return AddressError(address.url)
        return HandshakeError(f"HTTP status {self.status}", self.status, retry_after_s(self._headers(), now_s))

    def _is_too_long(self, size: int) -> bool:
        return self._left_out + size > _HEAD_KIB * 1024

    def _begins_as_http(self) -> bool:
        return self._bytes.startswith(_BEGINNING[: len(self._bytes)])

    def _headers(self) -> dict[str, str]:
        lines = self._bytes.decode("latin-1").split("\n")[1:]
        pairs = (line.partition(":") for line in lines)
        return {name.strip().lower(): value.strip() for name, _, value in pairs}


def retry_after_s(headers: Mapping[str, str], now_s: float | None) -> float | None:
    """How long `Retry-After` asks to wait in seconds, 0 or more; None where it is missing or unreadable.

    A date is measured against the server's own clock, its `Date` header, where there is one.
    """
    value = headers.get("retry-after", "")
    if value.isascii() and value.isdigit():
        return float(value)
    then_s = _http_date_s(value)
    if then_s is None:
        return None
    sent_s = _http_date_s(headers.get("date", ""))
    since_s = now_s if sent_s is None else sent_s
    return None if since_s is None else max(0.0, then_s - since_s)


def _http_date_s(value: str) -> float | None:
    try:
        date = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    # The zone "-0000" makes it naive; HTTP dates are in GMT.
    return (date.replace(tzinfo=UTC) if date.tzinfo is None else date).timestamp()
