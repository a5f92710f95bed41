"""One request and its answer: what is no GET, too long, too slow, or no HTTP at all."""

import pytest
import trio
from trio.testing import memory_stream_pair

from cgrx._metrics.http import EXCHANGE_S, REQUEST_BYTES, Request, Response, exchange
from tests.metrics.asking import answered
from tests.support import run_mock


def echo(request: Request) -> Response:
    return Response.of_text(200, f"{request.path} {request.headers.get('accept')}")


async def tell(*parts: bytes) -> bytes:
    """What comes back for these parts of a request, one after the other."""
    client, server = memory_stream_pair()
    received: list[bytes] = []

    async def listen() -> None:
        received.extend([bytes(part) async for part in client])

    async with trio.open_nursery() as nursery:
        nursery.start_soon(listen)

        async def serve() -> None:
            await exchange(server, echo)
            await server.aclose()

        nursery.start_soon(serve)
        for part in parts:
            try:
                await client.send_all(part)
            except trio.BrokenResourceError:
                break
            await trio.sleep(0.1)
        await client.send_eof()
    return b"".join(received)


def test_a_request_is_answered_and_the_connection_closed() -> None:
    """However it is cut; what follows a question mark is not the path."""

    async def main() -> None:
        text = await tell(b"GET /met", b"rics?name=x HTTP/1.1\r\nHost: a\r\nAccept: te", b"xt/plain\r\n\r\n")
        assert answered(text) == (200, "/metrics text/plain\n")
        assert b"\r\nconnection: close\r\n" in text
        assert answered(await tell(b"GET / HTTP/1.0\r\n\r\n")) == (200, "/ None\n")

    run_mock(main)


@pytest.mark.parametrize("method", ["POST", "HEAD", "PUT", "OPTIONS"])
def test_what_is_no_get_is_refused(method: str) -> None:
    """Its body is not kept."""

    async def main() -> None:
        body = b"x" * 100_000
        head = f"{method} /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        text = await tell(head, body)
        assert answered(text)[0] == 405
        assert b"\r\nallow: GET\r\n" in text

    run_mock(main)


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 2 * REQUEST_BYTES + b"\r\n\r\n", 431),
        (b"hello\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400),
    ],
)
def test_what_is_no_request_is_refused(request_: bytes, status: int) -> None:
    """Too long, no HTTP, no host, TLS."""

    async def main() -> None:
        assert answered(await tell(request_))[0] == status

    run_mock(main)


def test_a_connection_lasts_so_long_at_most() -> None:
    """Whatever the other side does or does not."""

    async def main() -> None:
        client, server = memory_stream_pair()
        began = trio.current_time()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(exchange, server, echo)
            for letter in b"GET /":
                await client.send_all(bytes([letter]))
                await trio.sleep(1)
        assert trio.current_time() - began == EXCHANGE_S
        assert await tell() == b"", "it says nothing, and goes"

    run_mock(main)


def test_a_client_that_goes_ends_its_exchange() -> None:
    """Before the answer is sent, or while it is."""

    async def main() -> None:
        client, server = memory_stream_pair()
        await client.send_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        await client.aclose()
        await exchange(server, echo)

    run_mock(main)


def test_a_client_that_does_not_stop_talking_is_left() -> None:
    """The answer is there; what comes behind the request is read so long."""

    async def main() -> None:
        text = await tell(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", *[b"x"] * 40)
        assert answered(text)[0] == 200

    run_mock(main)
