"""The server's end of one connection: a stream whose writers take turns, and which can stall, fall silent or break."""

import socket
import struct
from typing import TypeAlias

import trio

from cgrx._simulator.pipe import PipeEnd

Bare: TypeAlias = trio.SocketStream | PipeEnd
ServerStream: TypeAlias = Bare | trio.SSLStream[trio.SocketStream] | trio.SSLStream[PipeEnd]

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


def _reset(stream: Bare) -> None:
    if isinstance(stream, PipeEnd):
        stream.reset()
    elif stream.socket.fileno() != -1:
        # Lingering for no time makes the kernel send a reset instead of an orderly end.
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        stream.socket.close()


class Line(trio.abc.Stream):
    """Goes between a connection's stream and trio-websocket, which answers control frames through it."""

    def __init__(self, stream: ServerStream) -> None:
        self._stream: ServerStream = stream
        # Frames that the simulator writes and those that trio-websocket writes must not mix.
        self._writing = trio.Lock()
        self.silent = False
        """What is sent is thrown away."""
        self.stalled = False
        """Nothing is read any more, the end included."""
        self.ended = trio.Event()
        """The stream is known to be at its end."""

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Write the data once other writers are done."""
        async with self._writing:
            if not self.silent:
                await self._stream.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        """As the stream beneath."""
        async with self._writing:
            await self._stream.wait_send_all_might_not_block()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """Read from the stream beneath. While stalled, wait for the end of the line instead, and return it."""
        try:
            data = b"" if self.stalled else bytes(await self._stream.receive_some(max_bytes))
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            self.ended.set()
            raise
        if self.stalled:
            await self.ended.wait()
            return b""
        if not data:
            self.ended.set()
        return data

    async def drain(self) -> None:
        """Read and discard until the other side ends."""
        try:
            while await self.receive_some(4096):
                pass
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass

    async def aclose(self) -> None:
        """Close the stream beneath."""
        self.ended.set()
        await self._stream.aclose()

    def reset(self) -> None:
        """End the stream abruptly, so that the other side sees a reset connection."""
        self.ended.set()
        if isinstance(self._stream, trio.SSLStream):
            _reset(self._stream.transport_stream)
        else:
            _reset(self._stream)
