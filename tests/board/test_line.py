"""Connections on which no whole request comes, and what is agreed on with a browser."""

import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

import pytest
import trio
import trio.testing

from cgrx._board import line, listening
from cgrx._board.bounds import REQUEST_S, SEND_S
from cgrx._board.line import Line
from tests.board.serving import RATE, ended, shown, upgrade
from tests.support import run, run_fast


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(b"GET / HTTP/1.1\r\nHost: ", id="half a request"),
        pytest.param(b"", id="nothing"),
        pytest.param(None, id="an end"),
        pytest.param(b"GET /" + b"x" * 20_000, id="a long line"),
        pytest.param(b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 4_000 + b"\r\n", id="many headers"),
        pytest.param(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0)), id="HTTP/2"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", id="TLS"),
    ],
)
def test_a_request_that_does_not_come_is_not_waited_for(head: bytes | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor one that is too long."""
    monkeypatch.setattr(line, "REQUEST_S", REQUEST_S)

    async def main() -> None:
        async with shown() as there, await trio.open_tcp_stream("127.0.0.1", there.board.port) as stream:
            if head is None:
                await stream.send_eof()
            elif head:
                await stream.send_all(head)
            with trio.fail_after(60):
                assert await ended(stream)

    run_fast(RATE, main)


@pytest.mark.parametrize("line_end", [b"\r\n", b"\n"], ids=["lines", "short lines"])
def test_no_compression_is_agreed_on(line_end: bytes) -> None:
    """A few bytes of it could be many megabytes."""

    async def main() -> None:
        async with shown() as there, await trio.open_tcp_stream("127.0.0.1", there.board.port) as stream:
            await stream.send_all(upgrade(there, line_end))
            answer = b""
            while b"\r\n\r\n" not in answer:
                chunk = await stream.receive_some()
                assert chunk, f"an end behind {answer!r}"
                answer += chunk
            assert answer.startswith(b"HTTP/1.1 101 ")
            assert b"extensions" not in answer.lower()

    run_fast(RATE, main)


@pytest.mark.parametrize("upgrade", [b"h2c", b"H2C ", b"\r\n h2c", b"websocket\r\n h2c"])
def test_http_2_is_not_agreed_on(upgrade: bytes) -> None:
    """There would be many requests on a connection, and compressed WebSockets among them."""

    async def main() -> None:
        async with shown() as there, await trio.open_tcp_stream("127.0.0.1", there.board.port) as stream:
            name = b"Host: 127.0.0.1:%d" % there.board.port
            asks = (b"GET /healthz HTTP/1.1", name, b"Connection: upgrade", b"X: y", b"Upgrade: " + upgrade)
            await stream.send_all(b"\r\n".join(asks) + b"\r\n\r\n")
            answer = b"".join([chunk async for chunk in stream])
            assert answer.startswith(b"HTTP/1.1 200 ")

    run_fast(RATE, main)


def test_a_connection_serves_one_request() -> None:
    """What its head may be is looked at once."""

    async def main() -> None:
        async with shown() as there, await trio.open_tcp_stream("127.0.0.1", there.board.port) as stream:
            request = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n" % there.board.port
            await stream.send_all(request)
            answer = b"".join([chunk async for chunk in stream])
            assert answer.startswith(b"HTTP/1.1 200")
            assert b"connection: close" in answer

    run_fast(RATE, main)


def said(text: bytes) -> bytes:
    """A message of a browser as a frame, with a mask that changes nothing."""
    return bytes((0x81, 0x80 | len(text), 0, 0, 0, 0)) + text


@pytest.mark.parametrize(
    ("asked", "more"),
    [
        pytest.param(b"GET /live HTTP/1.1\r\nUpgrade: websocket\r\nConnection: upgrade\r\n", b"", id="no WebSocket"),
        pytest.param(b"POST / HTTP/1.1\r\nContent-Length: 1000000\r\n", b"x" * 900_000, id="a body"),
        pytest.param(None, said(b'{"kind":"hello","version":1}') + 40 * said(b'{"kind":"seen"}'), id="many messages"),
        pytest.param(None, 40 * said(b"nonsense"), id="nonsense"),
    ],
)
def test_a_connection_that_is_answered_ends(asked: bytes | None, more: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where hypercorn waits: for what does not come, or for somebody to take what has come."""
    monkeypatch.setattr(listening, "CONNECTION_S", REQUEST_S)

    async def main() -> None:
        async with shown() as there, await trio.open_tcp_stream("127.0.0.1", there.board.port) as stream:
            host = b"Host: 127.0.0.1:%d\r\n\r\n" % there.board.port
            await stream.send_all(upgrade(there) if asked is None else asked + host)
            with suppress(trio.BrokenResourceError):
                await stream.send_all(more)
            assert await ended(stream)

    run_fast(RATE, main)


MANY = 1_000
"""More pieces than the sockets of a machine hold."""


@asynccontextmanager
async def connected() -> AsyncGenerator[tuple[Line, trio.SocketStream]]:
    """Both ends of a connection."""
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    async with listener, await trio.open_tcp_stream(*listener.socket.getsockname()) as other:
        served = Line(await listener.accept())
        try:
            yield served, other
        finally:
            await served.aclose()


async def received(stream: trio.SocketStream, count: int) -> bytes:
    """So many bytes."""
    found = bytearray()
    while len(found) < count:
        chunk = await stream.receive_some()
        assert chunk, f"an end behind {len(found)} bytes"
        found += chunk
    return bytes(found)


def test_a_frame_is_not_torn() -> None:
    """Of one that the socket takes a part of, the rest goes out before anything else does."""

    async def main() -> None:
        async with connected() as (served, other), trio.open_nursery() as nursery:
            sent = bytearray()
            frame = bytes(range(256)) * 1_000
            for _ in range(MANY):
                if not served.send_now(frame):
                    break
                sent += frame
            nursery.start_soon(served.send_all, b"a pong")
            await trio.testing.wait_all_tasks_blocked()
            assert not served.send_now(b"behind it")  # which is kept, for the other side takes in nothing
            nursery.start_soon(served.send_frame, b", and a frame")
            sent += frame + b"a pong" + b"behind it" + b", and a frame"
            is_whole = await received(other, len(sent)) == bytes(sent)
            assert is_whole  # a difference of megabytes would take pytest minutes to show

    run(main)


def test_a_socket_that_is_full_takes_nothing() -> None:
    async def main() -> None:
        async with connected() as (served, other):
            with socket.fromfd(served.socket.fileno(), served.socket.family, served.socket.type) as full:
                count = 0
                with suppress(BlockingIOError):
                    for _ in range(MANY):
                        count += full.send(bytes(100_000))
            assert not served.send_now(b"a frame")
            async with trio.open_nursery() as nursery:
                nursery.start_soon(served.send_frame, b", another")
                assert (await received(other, count + 16))[count:] == b"a frame, another"

    run(main)


def test_behind_a_close_no_frame_is_sent() -> None:
    async def main() -> None:
        async with connected() as (served, other):
            await served.send_all(b"\x88\x00")
            assert served.send_now(b"a frame")
            await served.send_frame(b"another")
            await served.send_eof()
            assert b"".join([chunk async for chunk in other]) == b"\x88\x00"

    run(main)


def test_a_frame_for_who_is_gone_goes_nowhere() -> None:
    """Who reads is told that it is."""

    async def main() -> None:
        async with connected() as (served, _):
            served.cut()
            assert served.send_now(b"a frame")
            with pytest.raises(trio.ClosedResourceError):
                await served.send_frame(b"another")

    run(main)


def test_a_socket_that_takes_nothing_in_is_cut_off() -> None:
    """What it was sent is not waited for any longer, and nothing waits on it then."""

    async def main() -> None:
        async with connected() as (served, deaf):
            began = trio.current_time()
            with pytest.raises(trio.BrokenResourceError):
                await served.send_all(bytes(50_000_000))  # more than the sockets of a machine hold
            assert trio.current_time() - began >= SEND_S
            with pytest.raises(trio.ClosedResourceError):
                await served.send_all(b"more")
            assert await ended(deaf)

    run_fast(RATE, main)
