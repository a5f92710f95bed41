"""A WebSocket server that is made of bytes: it plays what a test gives it, and behaves otherwise."""

import socket
import struct
from collections import deque
from collections.abc import Callable, Sequence
from typing import Literal

import attrs
import trio

from tests.hostile.parts import DELIVERED, KINDS, NOTHING, TEXT_PONG, Account, Part, reach, text
from tests.wire.wires import CLOSE, TEXT, accept_head, frame, read_request

End = Literal["end of stream", "reset", "silence", "goes on"]
"""What comes behind the bytes of a play. With "goes on" the server behaves from then on."""

SMALL_BYTES = 4_096
"""Buffers of sockets, so that a peer that does not read is noticed soon."""

_ANSWER = text("pong", TEXT_PONG)
_RESET_AT_CLOSE = struct.pack("ii", 1, 0)


@attrs.frozen
class Play:
    """How one connection is played: the answer to the handshake, what follows it, and the end."""

    parts: Sequence[Part] = ()
    end: End = "end of stream"
    size: int | None = None
    """After how many bytes of the parts the end comes; None: behind all of them."""
    piece: int = 2**20
    """How many bytes are sent at once."""
    answer: Callable[[bytes], bytes] = accept_head
    """Makes the answer to a request."""
    opens: bool = True
    """Whether the answer opens a connection: where it does not, the parts do not count."""
    deaf: bool = False
    """Whether nothing is read after the handshake."""

    def data(self) -> bytes:
        return b"".join(part.data for part in self.parts)[: self.size]

    def account(self) -> Account:
        return reach(self.parts, len(self.data())) if self.opens else NOTHING


class Server:
    """Plays connections: the `plays` that wait first, in order; then it behaves.

    A server that behaves answers pings, and sends one liquidation when it is subscribed to.
    """

    def __init__(self) -> None:
        self.plays: deque[Play] = deque()
        self.sent = NOTHING
        """What a client must have counted."""
        self.uncertain = NOTHING
        """What a client may have counted: a reset overtakes what was sent before it."""
        self.around_bytes = 0
        """What was sent around the payload of messages: the handshake, headers, control frames, half messages."""
        self.connections = 0
        self.well = 0
        """How many connections have got the liquidation of a server that behaves, and a pong behind it."""
        self.controls: list[tuple[int, bytes]] = []
        """Control frames received: opcode and payload."""
        self.changed = trio.lowlevel.ParkingLot()
        self._hang_up = trio.Event()

    async def wait_well(self, times: int) -> None:
        """Wait until so many connections are well."""
        while self.well < times:
            await self.changed.park()

    def hang_up(self) -> None:
        """End the connections of now."""
        self._hang_up.set()
        self._hang_up = trio.Event()

    async def serve(self, stream: trio.abc.HalfCloseableStream) -> None:
        """Play one connection to its end."""
        self.connections += 1
        play = self.plays.popleft() if self.plays else Play(end="goes on")
        try:
            await _Connection(self, stream, play).run(self._hang_up)
        except* (trio.BrokenResourceError, trio.ClosedResourceError):
            pass  # the client has hung up
        finally:
            await trio.aclose_forcefully(stream)


class _Connection:
    def __init__(self, server: Server, stream: trio.abc.HalfCloseableStream, play: Play) -> None:
        self._server = server
        self._stream = stream
        self._play = play
        self._sending = trio.Lock()
        self._received = bytearray()
        self._owed = 0  # pongs
        self._subscribed = False
        self._behaves = False
        self._is_well = False
        self._ended = False

    async def run(self, hang_up: trio.Event) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._run, nursery.cancel_scope)
            await hang_up.wait()
            await self._end()

    async def _run(self, scope: trio.CancelScope) -> None:
        play, stream = self._play, self._stream
        if play.deaf and isinstance(stream, trio.SocketStream):
            stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BYTES)
        answer = play.answer(await read_request(stream))
        self._server.around_bytes += len(answer)
        await self._send(answer)
        while play.opens and not (self._subscribed and self._owed):
            await self._receive()
        async with trio.open_nursery() as nursery:
            if not play.deaf:
                nursery.start_soon(self._listen)
            await self._send_parts()
            if play.end == "goes on":
                self._behaves = True
                await self._do_what_is_owed()
            elif play.end == "end of stream":
                await self._end()
            elif play.end == "reset":
                if isinstance(stream, trio.SocketStream):
                    stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_CLOSE)
                await stream.aclose()
            if play.deaf:
                await trio.sleep_forever()
        scope.cancel()

    async def _send_parts(self) -> None:
        play, server = self._play, self._server
        if play.end == "reset":
            server.uncertain += play.account()
        else:
            server.sent += play.account()
        data = play.data()
        server.around_bytes += len(data) - play.account().received_bytes
        for start in range(0, len(data), play.piece):
            await self._send(data[start : start + play.piece])

    async def _send_part(self, part: Part) -> None:
        if not self._ended:
            self._server.sent += part.account
            self._server.around_bytes += len(part.data) - part.account.received_bytes
            await self._send(part.data)

    async def _send(self, data: bytes) -> None:
        async with self._sending:
            await self._stream.send_all(data)

    async def _end(self) -> None:
        """Send no more; what has been sent arrives."""
        if not self._ended:
            self._ended = True
            async with self._sending:
                await self._stream.send_eof()

    async def _listen(self) -> None:
        while await self._receive():
            if self._behaves:
                await self._do_what_is_owed()

    async def _receive(self) -> bool:
        """Take what the client sends; False at its end."""
        data = await self._stream.receive_some()
        self._received += data
        while (taken := _client_frame(self._received)) is not None:
            opcode, payload = taken
            if opcode == TEXT:
                self._owed += payload == b"ping"
                self._subscribed |= b'"subscribe"' in payload
            else:
                self._server.controls.append((opcode, payload))
                if opcode == CLOSE and self._behaves:
                    await self._send(frame(CLOSE, payload))
                    await self._end()
        return bool(data)

    async def _do_what_is_owed(self) -> None:
        server = self._server
        if self._subscribed:
            self._subscribed = False
            await self._send_part(KINDS[DELIVERED])
            self._is_well = True
        while self._owed:
            self._owed -= 1
            await self._send_part(_ANSWER)
            # A client pings behind each `subscribe`: it has nothing more to say now.
            if self._is_well:
                self._is_well = False
                server.well += 1
                server.changed.unpark_all()


def _client_frame(received: bytearray) -> tuple[int, bytes] | None:
    """Take the first frame of what a client has sent, unmasked; None while it is not whole."""
    if len(received) < 2:
        return None
    length, start = received[1] & 0x7F, 2
    if length > 125:
        start = 4 if length == 126 else 10
        length = int.from_bytes(received[2:start], "big")
    end = start + 4 + length
    if len(received) < end:
        return None
    opcode, mask, payload = received[0] & 0x0F, received[start : start + 4], received[start + 4 : end]
    del received[:end]
    return opcode, bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))
