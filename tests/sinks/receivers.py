"""A real HTTP server on loopback whose answers are scripted, good and bad; and one in memory, for the mock clock."""

import json
import ssl
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, TypeAlias

import attrs
import h11
import httpx
import pytest
import trio

Server: TypeAlias = "trio.SocketStream | trio.SSLStream[trio.SocketStream]"


@attrs.frozen
class Asked:
    """A request that came."""

    connection: int
    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    at_s: float
    """When, on trio's clock."""

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@attrs.frozen
class Reply:
    """An answer."""

    status: int = 200
    headers: dict[str, str] = attrs.Factory(dict[str, str])
    body: bytes | dict[str, Any] = b"ok"
    raw: bytes | None = None
    """Instead of all that: these bytes, and then the connection is closed."""
    endless: bool = False
    """The body never ends."""
    silent_s: float = 0.0
    """How long it lets the client wait."""

    @property
    def head(self) -> bytes:
        length = {} if self.endless else {"Content-Length": str(len(self.content))}
        lines = [f"{name}: {value}" for name, value in (length | self.headers).items()]
        return "\r\n".join([f"HTTP/1.1 {self.status} Whatever", *lines, "", ""]).encode()

    @property
    def content(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


HANG_UP = Reply(raw=b"")
"""The request is taken, and the connection is closed without an answer."""

Answering: TypeAlias = Callable[[Asked], Reply]


class Receiver:
    """Answers by its script, and then always in the same way. All that came is in `asked`."""

    def __init__(self, script: Iterable[Reply], usual: Answering, ssl_context: ssl.SSLContext | None) -> None:
        self.asked: list[Asked] = []
        self.connections = 0
        self._script = list(script)
        self._usual = usual
        self._ssl_context = ssl_context

    async def serve(self, stream: trio.SocketStream) -> None:
        self.connections += 1
        number = self.connections
        try:
            if self._ssl_context is None:
                await self._talk(stream, number)
            else:
                await self._talk(trio.SSLStream(stream, self._ssl_context, server_side=True), number)
        except (trio.BrokenResourceError, trio.ClosedResourceError, h11.RemoteProtocolError):
            pass  # the client has hung up, or speaks TLS, which is its right
        finally:
            await trio.aclose_forcefully(stream)

    async def reply(self, asked: Asked) -> Reply:
        """The answer to a request that has come."""
        self.asked.append(asked)
        reply = self._script.pop(0) if self._script else self._usual(asked)
        await trio.sleep(reply.silent_s)
        return reply

    async def _talk(self, stream: Server, number: int) -> None:
        while True:
            asked = await _request(stream, number)
            if asked is None:
                return
            reply = await self.reply(asked)
            if reply.raw is not None:
                await stream.send_all(reply.raw)
                return
            await stream.send_all(reply.head + reply.content)
            while reply.endless:
                await stream.send_all(b"x" * 1000)
                await trio.sleep(0.001)


async def _request(stream: Server, number: int) -> Asked | None:
    connection = h11.Connection(h11.SERVER)
    head: h11.Request | None = None
    body = bytearray()
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            data = await stream.receive_some()
            if not data and head is None:
                return None
            connection.receive_data(bytes(data))
        elif isinstance(event, h11.Request):
            head = event
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage) and head is not None:
            headers = {name.decode(): value.decode() for name, value in head.headers}
            target, method = head.target.decode(), head.method.decode()
            return Asked(number, method, target, headers, bytes(body), trio.current_time())
        else:
            return None


def always(reply: Reply) -> Answering:
    return lambda asked: reply


_OK = always(Reply())


@asynccontextmanager
async def receiving(
    *script: Reply, usual: Answering = _OK, ssl_context: ssl.SSLContext | None = None
) -> AsyncGenerator[tuple[Receiver, str], None]:
    """A server, and its URL without a path."""
    receiver = Receiver(script, usual, ssl_context)
    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(partial(trio.serve_tcp, receiver.serve, 0, host="127.0.0.1"))
        port = listeners[0].socket.getsockname()[1]
        try:
            yield receiver, f"{'http' if ssl_context is None else 'https'}://127.0.0.1:{port}"
        finally:
            nursery.cancel_scope.cancel()


@asynccontextmanager
async def played(*script: Reply, usual: Answering = _OK) -> AsyncGenerator[tuple[Receiver, str], None]:
    """The same without a socket, for tests of waits: time is trio's alone, and jumps."""
    receiver = Receiver(script, usual, None)

    async def handle(request: httpx.Request) -> httpx.Response:
        target, headers = request.url.raw_path.decode(), dict(request.headers)
        asked = Asked(1, request.method, target, headers, request.content, trio.current_time())
        reply = await receiver.reply(asked)
        if reply.raw is not None:
            raise httpx.RemoteProtocolError("Server disconnected without sending a response.")
        return httpx.Response(reply.status, headers=reply.headers, content=reply.content)

    def transport(**options: object) -> httpx.MockTransport:
        return httpx.MockTransport(handle)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(httpx, "AsyncHTTPTransport", transport)
        yield receiver, "http://played.example:80"
