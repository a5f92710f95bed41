"""What the transport's tests share: frames built by hand, scripted servers in memory, raw servers on loopback.

Nothing here uses the code under test, nor wsproto, so that both can be judged by it.
"""

import base64
import hashlib
import itertools
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Literal

import attrs
import trio
import trio.testing

from cgrx._model.errors import DisconnectedError
from cgrx._wire.address import Address, Dial
from cgrx._wire.secret import Secret
from cgrx._wire.transport import Limits, Transport, open_transport

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA

MEMORY = Address(host="server.example", port=80, tls=False, resource="/ws?cg-api-key=SECRET55")
"""An address for servers that are only in memory."""
NO_SECRET = Secret([])


def frame(
    opcode: int, payload: bytes = b"", *, fin: bool = True, reserved: int = 0, masked: bool = False, width: int = 0
) -> bytes:
    """A frame as a server sends it; `width` forces 2 or 8 bytes for the length, minimal or not."""
    length = len(payload)
    width = width or (0 if length < 126 else 2 if length < 65536 else 8)
    short = {0: length, 2: 126, 8: 127}[width]
    head = bytes([fin << 7 | reserved << 4 | opcode, masked << 7 | short]) + (
        length.to_bytes(width, "big") if width else b""
    )
    # A mask of zeros leaves the payload as it is.
    return head + (bytes(4) if masked else b"") + payload


def close_frame(code: int | None = 1000, reason: bytes = b"") -> bytes:
    return frame(CLOSE, b"" if code is None else code.to_bytes(2, "big") + reason)


def client_frames(data: bytes) -> list[tuple[int, bytes]]:
    """The opcode and payload of each (short) frame that a client sent, unmasked."""
    frames: list[tuple[int, bytes]] = []
    while data:
        length = data[1] & 0x7F
        assert length < 126
        mask, payload = data[2:6], data[6 : 6 + length]
        frames.append((data[0] & 0x0F, bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))))
        data = data[6 + length :]
    return frames


def accept_head(request: bytes, *, status: bytes = b"101 Switching Protocols", extra: bytes = b"") -> bytes:
    """The answer that opens a WebSocket connection."""
    match = re.search(rb"(?i)\r\nsec-websocket-key: *([^\r]*)\r\n", request)
    assert match is not None
    digest = hashlib.sha1(match[1] + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
    return (
        b"HTTP/1.1 " + status + b"\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + base64.b64encode(digest) + b"\r\n" + extra + b"\r\n"
    )


def split(data: bytes, cuts: Iterable[int]) -> list[bytes]:
    """`data` in pieces, cut at the given positions (those beyond its end do nothing)."""
    edges = sorted({0, len(data), *(cut for cut in cuts if 0 < cut < len(data))})
    return [data[start:end] for start, end in itertools.pairwise(edges)]


async def read_request(stream: trio.abc.Stream) -> bytes:
    """What a client sends up to the blank line. Raises `BrokenResourceError` where it hangs up before."""
    request = b""
    while b"\r\n\r\n" not in request:
        data = await stream.receive_some()
        if not data:
            raise trio.BrokenResourceError("the client hung up within its request")
        request += data
    return request


class ScriptedServer(trio.abc.Stream):
    """A server in memory: it answers the request with the given bytes, in the given pieces, one a read.

    Args:
        frames: what follows the head of its answer.
        cuts: where head and frames together are cut into pieces.
        end: after that: the end of the stream, a broken connection, or silence.
        drip: pieces of one byte.
    """

    def __init__(
        self,
        frames: bytes = b"",
        cuts: Sequence[int] = (),
        *,
        end: Literal["eof", "reset", "silence"] = "eof",
        drip: bool = False,
    ) -> None:
        self._frames, self._cuts, self._end, self._drip = frames, cuts, end, drip
        self._pieces: list[bytes] | None = None
        self._changed = trio.lowlevel.ParkingLot()
        self.sent: bytes = b""
        self.closed = False

    async def dial(self, address: Address) -> trio.abc.Stream:
        await trio.lowlevel.checkpoint()
        return self

    @property
    def answers(self) -> list[tuple[int, bytes]]:
        """The frames that the client sent."""
        return client_frames(self.sent.partition(b"\r\n\r\n")[2])

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        await trio.lowlevel.checkpoint()
        if self.closed:
            raise trio.ClosedResourceError
        self.sent += data
        if self._pieces is None and b"\r\n\r\n" in self.sent:
            script = accept_head(self.sent) + self._frames
            self._pieces = split(script, range(len(script)) if self._drip else self._cuts)[::-1]
            self._changed.unpark_all()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        await trio.lowlevel.checkpoint()
        while True:
            if self.closed:
                raise trio.ClosedResourceError
            if self._pieces:
                return self._pieces.pop()
            if self._pieces is not None and self._end == "eof":
                return b""
            if self._pieces is not None and self._end == "reset":
                raise trio.BrokenResourceError
            await self._changed.park()

    async def wait_send_all_might_not_block(self) -> None:
        await trio.lowlevel.checkpoint()

    async def aclose(self) -> None:
        self.closed = True
        self._changed.unpark_all()
        await trio.lowlevel.checkpoint()


class Watched(trio.abc.Stream):
    """Another stream, and a note of whether it was closed."""

    def __init__(self, stream: trio.abc.Stream) -> None:
        self._stream = stream
        self.closed = False

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        await self._stream.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        await self._stream.wait_send_all_might_not_block()

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        return await self._stream.receive_some(max_bytes)

    async def aclose(self) -> None:
        self.closed = True
        await self._stream.aclose()


@attrs.frozen
class Story:
    """What a client saw: the messages, and how it ended."""

    messages: list[bytes]
    code: int
    reason: str


async def listen(transport: Transport) -> Story:
    """Receive until the end."""
    messages: list[bytes] = []
    while True:
        try:
            messages += (await transport.receive()).payloads
        except DisconnectedError as error:
            return Story(messages, error.code, error.reason)


async def tell(server: ScriptedServer, *, plain: bool = False, limits: Limits | None = None) -> Story:
    """Connect to a scripted server and listen to the end; everything must be closed then."""
    async with open_transport(MEMORY, dial=server.dial, limits=limits or Limits(), plain=plain) as transport:
        story = await listen(transport)
    assert server.closed
    return story


@asynccontextmanager
async def raw_server(handler: Callable[[trio.SocketStream], Awaitable[None]]) -> AsyncGenerator[int, None]:
    """A TCP server on loopback that does what `handler` does with each connection; gives its port."""

    async def serve(stream: trio.SocketStream) -> None:
        async with stream:
            await handler(stream)

    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(partial(trio.serve_tcp, serve, 0, host="127.0.0.1"))
        yield listeners[0].socket.getsockname()[1]
        nursery.cancel_scope.cancel()


async def idle(transport: Transport) -> None:
    """Nothing that a connection could be used for."""
    await trio.lowlevel.checkpoint()


async def hold(stream: trio.abc.Stream) -> None:
    """Read and forget until the client hangs up."""
    try:
        while await stream.receive_some():
            pass
    except trio.BrokenResourceError:
        pass


def memory_dial(serve: Callable[[trio.abc.Stream], Awaitable[None]], nursery: trio.Nursery) -> Dial:
    """A dial whose streams end at `serve`, each in a task of its own."""

    async def dial(address: Address) -> trio.abc.Stream:
        await trio.lowlevel.checkpoint()
        client, server = trio.testing.memory_stream_pair()
        nursery.start_soon(serve, server)
        return client

    return dial
