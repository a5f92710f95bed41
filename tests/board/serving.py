"""A board on a feed of the simulator, and browsers that look at it over real sockets."""

import json
import ssl
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from types import MappingProxyType
from typing import Any

import attrs
import httpx
import trio
from trio_websocket import ConnectionClosed, WebSocketConnection, wrap_client_stream

import cgrx
from cgrx._simulator.simulator import Simulator
from tests.feed.feeding import feed_on

RATE = 10.0
"""How fast the clock goes: a tick of the board is 25 ms of the test."""

HELLO: Mapping[str, Any] = MappingProxyType({})

TOKEN = "a-token-of-a-test-0123"

NO_AUTHORITIES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For requests without TLS: by default each client of httpx reads the authorities of the world first."""


@attrs.frozen
class Served:
    """A board, and how to reach it."""

    board: cgrx.Board

    @property
    def address(self) -> str:
        """Without the token."""
        return f"http://127.0.0.1:{self.board.port}"

    async def get(self, path: str = "/", method: str = "GET", **headers: str) -> httpx.Response:
        """Ask for a path, as it stands."""
        async with httpx.AsyncClient(verify=NO_AUTHORITIES) as client:
            return await client.request(method, self.address + path, headers=headers)

    @asynccontextmanager
    async def browser(self, hello: dict[str, Any] | None = None, **headers: str) -> AsyncGenerator["Browser"]:
        """One that says `Hello`, with something else in it where that is given; and with more headers."""
        async with self.conversation({"kind": "hello"} | (hello or {}), **headers) as browser:
            yield browser

    @asynccontextmanager
    async def conversation(self, hello: dict[str, Any] | None, **headers: str) -> AsyncGenerator["Browser"]:
        """The same; with None it says nothing."""
        stream = await trio.open_tcp_stream("127.0.0.1", self.board.port)
        try:
            async with trio.open_nursery() as nursery:
                yield await self.greeted(nursery, stream, hello, **headers)
                nursery.cancel_scope.cancel()
        finally:
            await trio.aclose_forcefully(stream)

    async def greeted(
        self,
        nursery: trio.Nursery,
        stream: trio.SocketStream,
        hello: Mapping[str, Any] | None = HELLO,
        **headers: str,
    ) -> "Browser":
        """The same on a stream that is open already."""
        host, sent = f"127.0.0.1:{self.board.port}", [(k.encode(), v.encode()) for k, v in headers.items()]
        socket = await wrap_client_stream(nursery, stream, host, "/live", extra_headers=sent)
        if hello is not None:
            await socket.send_message(json.dumps({"kind": "hello", "version": 1, "token": None} | dict(hello)))
        return Browser(socket)


@attrs.frozen
class Shown(Served):
    """A board with the feed that it shows, and the server of that."""

    simulator: Simulator
    feed: cgrx.Feed


@attrs.frozen
class Browser:
    """What a page does, without a page."""

    socket: WebSocketConnection

    async def hear(self, *kinds: str) -> dict[str, Any]:
        """The next message of one of these kinds, or any."""
        while True:
            message: dict[str, Any] = json.loads(await self.socket.get_message())
            if not kinds or message["kind"] in kinds:
                return message

    async def say(self, **message: object) -> None:
        """Send a message."""
        await self.socket.send_message(json.dumps(message))

    async def closed(self) -> tuple[int, str]:
        """Listen until the board closes: its code and its reason."""
        async for _ in self._messages():
            pass
        reason = self.socket.closed
        assert reason is not None
        return reason.code, reason.reason or ""

    async def _messages(self) -> AsyncGenerator[str | bytes]:
        with suppress(ConnectionClosed):
            while True:
                yield await self.socket.get_message()


@asynccontextmanager
async def shown(**options: Any) -> AsyncGenerator[Shown]:
    """A board on a feed whose server is in memory."""
    async with (
        Simulator(listen=False) as simulator,
        feed_on(simulator) as feed,
        cgrx.board(feed, **options) as board,
    ):
        yield Shown(board, simulator, feed)


async def until(condition: Any) -> None:
    """Wait for something that other tasks bring about."""
    while not condition():  # noqa: ASYNC110 - nobody tells
        await trio.sleep(0.05)


def upgrade(there: Served, line_end: bytes = b"\r\n") -> bytes:
    """What begins a WebSocket, with an offer of compression."""
    lines = (
        b"GET /live HTTP/1.1",
        b"Host: 127.0.0.1:%d" % there.board.port,
        b"Connection: Upgrade",
        b"Upgrade: websocket",
        b"SEC-WEBSOCKET-extensions: permessage-deflate",
        b"Sec-WebSocket-Version: 13",
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    )
    return line_end.join(lines) + b"\r\n\r\n"


async def ended(stream: trio.SocketStream) -> bool:
    """Whether the other side closes."""
    try:
        async for _ in stream:
            pass
    except trio.BrokenResourceError:
        pass
    return True
