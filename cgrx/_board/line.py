"""One TCP connection of a browser, as the web server reads and writes it: nothing on it takes for ever.

What hypercorn itself leaves open, and this bounds: a socket that takes nothing in holds its `send` up, in a scope that
nothing cancels; and a compressed message of a few bytes may become many megabytes before anybody sees its size, so
compression is not agreed on. The header that offers it is taken out of the request, and so is one that asks for HTTP/2,
in which there would be other requests than the one that is looked at here.

Two write on it: hypercorn, and past it the `conversation`, whose frames are whole and the same for many browsers.
"""

import re
import socket

import trio

from cgrx._board.bounds import REQUEST_BYTES, REQUEST_S, SEND_S

_OFFER = re.compile(
    rb"\r?\n(?:sec-websocket-extensions:|upgrade:(?![ \t]*websocket[ \t]*\r?(?:\n|$)))[^\r\n]*", re.IGNORECASE
)
_HTTP_2 = b"PRI * HTTP/2.0"
"""How a client begins that does not ask. Source: RFC 9113, 3.4."""
_END = b"\r\n\r\n"
_CLOSE = b"\x88"
"""How the frame begins that is the last one of a side. Source: RFC 6455, 5.2 and 5.5.1."""


class Line:
    """A stream with bounds, made of an accepted one.

    State: the head of the request, until it is whole; the rest of one frame.
    """

    def __init__(self, stream: trio.SocketStream) -> None:
        self._stream = stream
        self.socket = stream.socket
        self._is_read = False
        self._is_closing = False
        self._writing = trio.Lock()
        self._rest = b""
        self._now = socket.socket(fileno=stream.socket.fileno())

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """What has come; at first the whole head of the request.

        Raises:
            trio.BrokenResourceError: the head did not come in time, is too long, or is one of HTTP/2.
        """
        if self._is_read:
            return bytes(await self._stream.receive_some(max_bytes))
        head = b""
        with trio.move_on_after(REQUEST_S):
            while _END not in head and len(head) <= REQUEST_BYTES:
                chunk = bytes(await self._stream.receive_some(max_bytes))
                if not chunk:
                    return head
                head += chunk
        end = head.find(_END)
        if end < 0 or end > REQUEST_BYTES or _HTTP_2 in head[:end]:
            raise trio.BrokenResourceError
        self._is_read = True
        return _OFFER.sub(b"", head[:end]) + head[end:]

    async def send_all(self, data: bytes) -> None:
        """Send it, or cut the connection off.

        Raises:
            trio.BrokenResourceError: the other side takes nothing in.
        """
        async with self._writing:
            self._is_closing |= data.startswith(_CLOSE)
            await self._write(data)

    async def send_frame(self, frame: bytes) -> None:
        """Send a whole frame of the WebSocket, behind the rest of the one before.

        Raises:
            trio.BrokenResourceError: the other side takes nothing in, or is gone.
            trio.ClosedResourceError: the connection has been cut off.
        """
        async with self._writing:
            await self._write(b"" if self._is_closing else frame)

    def send_now(self, frame: bytes) -> bool:
        """The same without waiting; False where the socket leaves some of it, which the next `send_frame` sends first.

        Not to be called before that is done, nor while `send_frame` runs.
        """
        if self._is_closing:
            return True
        sent = 0
        if not self._writing.locked():
            try:
                sent = self._now.send(frame)
            except BlockingIOError:
                pass
            except OSError:
                return True  # it is gone: who reads from it is told
        self._rest = frame[sent:]
        return not self._rest

    async def _write(self, data: bytes) -> None:
        data, self._rest = self._rest + data, b""
        with trio.move_on_after(SEND_S, shield=True) as scope:  # what has begun is sent whole: a Close may follow
            await self._stream.send_all(data)
        if scope.cancelled_caught:
            self.cut()
            raise trio.BrokenResourceError

    async def send_eof(self) -> None:
        """Say that nothing more comes."""
        await self._stream.send_eof()

    async def aclose(self) -> None:
        """Close the socket."""
        self._now.detach()
        await self._stream.aclose()

    def cut(self) -> None:
        """Close the socket at once; what waits on it ends."""
        self._now.detach()
        self.socket.close()
