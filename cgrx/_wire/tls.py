"""TLS on top of a dialled stream: trio's `SSLStream`, which here hands out all records that have arrived at once.

`SSLStream` reads one TLS record a call, and every call costs a pass through trio's scheduler. A server that sends
each message in a record of its own would make that the price of every message. So the `SSLObject` it works with is
one whose `read` goes on to the next record, as long as there is one and room for it.
"""

import ssl
from builtins import len as size_of
from typing import TYPE_CHECKING, TypeVar

import trio

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

T_Stream = TypeVar("T_Stream", bound=trio.abc.Stream)


class RecordsAtOnce(ssl.SSLObject):
    """An `SSLObject` whose `read` returns what several records hold, up to the length asked for."""

    _deferred: ssl.SSLError | None = None

    def read(self, len: int = 1024, buffer: "WriteableBuffer | None" = None) -> bytes:  # noqa: A002  # as it is called
        """Read up to `len` bytes. An error behind the first record is raised by the next call, after the data."""
        if buffer is not None:
            return super().read(len, buffer)
        if self._deferred is not None:
            error, self._deferred = self._deferred, None
            raise error
        read = super().read
        chunk = read(len)
        chunks = [chunk]
        room = len - size_of(chunk)
        try:
            while chunk and room > 0:  # nothing here may cost without a reason: it is done for each record
                chunk = read(room)
                chunks.append(chunk)
                room -= size_of(chunk)
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as error:
            self._deferred = error
        return b"".join(chunks)


class LargeReads(trio.abc.Stream):
    """What is beneath `SSLStream`, which never says how much it wants: without this a socket gives it 64 KiB at most.

    Args:
        stream: the connection.
        read_bytes: so much is asked of it.
    """

    def __init__(self, stream: trio.abc.Stream, read_bytes: int) -> None:
        self._stream = stream
        self._read_bytes = read_bytes

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        """Read up to `read_bytes`. `max_bytes` is not heeded: `SSLStream` gives none."""
        return await self._stream.receive_some(self._read_bytes)

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        await self._stream.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        await self._stream.wait_send_all_might_not_block()

    async def aclose(self) -> None:
        await self._stream.aclose()


def wrap_tls(stream: T_Stream, host: str, ssl_context: ssl.SSLContext | None) -> trio.SSLStream[T_Stream]:
    """Put TLS on `stream`, as a client of `host`; the handshake is still to be done.

    Args:
        stream: the connection.
        host: whose certificate is expected.
        ssl_context: None for the system's certificate authorities, with verification.
    """
    context = ssl.create_default_context() if ssl_context is None else ssl_context
    usual = context.sslobject_class
    if usual is ssl.SSLObject:
        context.sslobject_class = RecordsAtOnce
    try:
        # As HTTPS does it, no close_notify is expected nor sent: WebSocket has its own closing handshake.
        return trio.SSLStream(stream, context, server_hostname=host, https_compatible=True)
    finally:
        # The context may be the caller's, for other connections too.
        context.sslobject_class = usual
