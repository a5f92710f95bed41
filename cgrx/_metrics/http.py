"""One HTTP request and its answer, over any stream of trio's: bounded in bytes and in time, GET alone.

A connection serves one request, says so, and is closed: what scrapes and what probes come seldom.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress

import attrs
import h11
import trio

REQUEST_BYTES = 16 * 2**10
"""The most that a request may have; a longer one is answered with 431."""

EXCHANGE_S = 10.0
"""How long a connection may last, from its beginning to its end."""

_READ_BYTES = 4096
_LEFT_READS = 16
"""How often what comes behind the request is read: closed with unread bytes, a connection takes its answer back."""

_TEXT = "text/plain; charset=utf-8"


@attrs.frozen
class Response:
    """What is answered."""

    status: int
    body: bytes
    content_type: str = _TEXT
    headers: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of_text(cls, status: int, text: str) -> "Response":
        """A line of text."""
        return cls(status, f"{text}\n".encode())


@attrs.frozen
class Request:
    """What is asked."""

    path: str
    """Without what follows a question mark."""
    headers: Mapping[str, str]
    """By name in small letters; the last one counts."""


async def exchange(stream: trio.abc.HalfCloseableStream, respond: Callable[[Request], Response]) -> None:
    """Answer one request and let the other side read the answer. The stream is for the caller to close.

    Returns where the other side goes, or is too slow.
    """
    with trio.move_on_after(EXCHANGE_S), suppress(trio.BrokenResourceError, trio.ClosedResourceError):
        connection = h11.Connection(h11.SERVER, max_incomplete_event_size=REQUEST_BYTES)
        try:
            request = await _received(connection, stream)
        except h11.RemoteProtocolError as error:
            response = Response.of_text(error.error_status_hint, str(error))
        else:
            if request is None:
                return
            response = _answer(request, respond)
        await stream.send_all(_sent(connection, response))
        await stream.send_eof()
        for _ in range(_LEFT_READS):
            if not await stream.receive_some(_READ_BYTES):
                break


async def _received(connection: h11.Connection, stream: trio.abc.ReceiveStream) -> h11.Request | None:
    """The head of the request; None where the other side has gone. Bodies are not read: GET has none."""
    while (event := connection.next_event()) is h11.NEED_DATA:
        connection.receive_data(bytes(await stream.receive_some(_READ_BYTES)))
    return event if isinstance(event, h11.Request) else None


def _answer(request: h11.Request, respond: Callable[[Request], Response]) -> Response:
    if request.method != b"GET":
        words = b"" if request.method == b"HEAD" else b"only GET is answered here\n"  # to HEAD nobody sends a body
        return Response(405, words, headers=(("allow", "GET"),))
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in request.headers}
    return respond(Request(request.target.decode("latin-1").partition("?")[0], headers))


def _sent(connection: h11.Connection, response: Response) -> bytes:
    head = h11.Response(
        status_code=response.status,
        headers=[
            ("content-type", response.content_type),
            ("content-length", str(len(response.body))),
            ("cache-control", "no-store"),
            ("connection", "close"),
            *response.headers,
        ],
    )
    parts = (connection.send(head), connection.send(h11.Data(data=response.body)), connection.send(h11.EndOfMessage()))
    return b"".join(part or b"" for part in parts)
