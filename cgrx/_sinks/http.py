"""One HTTP request after another to one place, over a connection that is kept; and what went wrong with one.

The URL may hold a token. So requests go through httpx's transport, and not through its client, which logs every URL,
follows redirects and reads the environment; and httpcore beneath it logs nothing of them, for a server may send back
what it was sent. Nothing is raised out of an `except`: what was caught holds the request.

Imported where a sink is made, for httpx is an extra.
"""

import logging
import ssl
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any, cast
from urllib.parse import unquote

import httpcore
import httpx
import trio

from cgrx._model.data_errors import SinkRefusedError, SinkUnavailableError
from cgrx._model.limits import HTTP_ANSWER_BYTES, HTTP_ANSWER_S, HTTP_CONNECT_S, HTTP_IDLE_S, HTTP_SEND_S
from cgrx._sinks.answers import Answer
from cgrx._sinks.places import Place
from cgrx._wire.address import dial_failure
from cgrx._wire.secret import Secret

_ours = ContextVar("_ours", default=False)
"""Whether what httpcore does in this task it does for a request of ours."""


def _is_of_others(_: logging.LogRecord) -> bool:
    return not _ours.get()


for _name in ("httpcore.connection", "httpcore.http11"):
    logging.getLogger(_name).addFilter(_is_of_others)


class Http:
    """Requests to one place.

    Args:
        place: where they go.
        ssl_context: None for the system's certificate authorities.
        secrets: what is hidden in the texts of the server, beside the path and the query of the place.
    """

    def __init__(self, place: Place, ssl_context: ssl.SSLContext | None, secrets: Iterable[str] = ()) -> None:
        self.place = place
        self._ssl_context = ssl_context
        self._secret = Secret([place.target, unquote(place.target), *secrets])
        self._transport: httpx.AsyncHTTPTransport | None = None
        self._tcp: httpcore.AsyncNetworkStream | None = None

    async def close(self) -> None:
        """Close the connection, also one that is being made."""
        transport, self._transport = self._transport, None
        tcp, self._tcp = self._tcp, None
        if transport is not None:
            await transport.aclose()
        if tcp is not None:  # httpcore leaves it open where a TLS handshake is cancelled
            await tcp.aclose()

    async def ask(
        self, method: str, place: Place, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Send a request, over the connection that is there or over a new one, and read the answer.

        Raises:
            SinkUnavailableError: there was none.
            SinkRefusedError: the certificate does not verify.
        """
        request = httpx.Request(
            method,
            place.url,
            headers={"user-agent": "cgrx", **(headers or {})},
            content=body,
            extensions={
                "timeout": {"connect": HTTP_CONNECT_S, "write": HTTP_SEND_S, "read": HTTP_ANSWER_S, "pool": None},
                "trace": self._watch,
            },
        )
        request.stream = _Body(body or b"")
        token = _ours.set(True)
        try:
            response = await self._opened().handle_async_request(request)
            body = await _beginning(response)
            return Answer(response.status_code, dict(response.headers), body, self.place.origin, self._secret)
        except httpx.TransportError as error:
            failure = self._failure(error)
        finally:
            _ours.reset(token)
        raise failure

    async def _watch(self, event: str, info: Mapping[str, Any]) -> None:
        """Called by httpcore at each of its steps: keeps the TCP connection."""
        if event == "connection.connect_tcp.complete":
            self._tcp = info["return_value"]

    def _opened(self) -> httpx.AsyncHTTPTransport:
        if self._transport is None:
            if self._ssl_context is None:  # once, and for TLS alone: it takes a while to read the authorities
                has_tls = self.place.origin.startswith("https:")
                self._ssl_context = ssl.create_default_context() if has_tls else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            self._transport = httpx.AsyncHTTPTransport(
                verify=self._ssl_context,
                trust_env=False,
                limits=httpx.Limits(max_connections=1, keepalive_expiry=HTTP_IDLE_S),
            )
        return self._transport

    def _failure(self, error: httpx.TransportError) -> SinkUnavailableError | SinkRefusedError:
        """What went wrong, in words of our own: what a server has sent may be part of the error's."""
        origin = self.place.origin
        for cause in _causes(error):
            if isinstance(cause, ssl.SSLCertVerificationError):
                why = cause.verify_message.rstrip(".")
                return SinkRefusedError(
                    f"the certificate of {origin} does not verify ({why}): give ssl_context=, which trusts its"
                    " authority, or see to the server"
                )
            if isinstance(cause, ssl.SSLError):
                return SinkUnavailableError(f"no TLS with {origin}: {cause.reason or 'it was broken off'}")
            if isinstance(cause, OSError) and isinstance(error, httpx.ConnectError):
                return SinkUnavailableError(f"cannot reach {origin}: {dial_failure(cause)}")
        match error:
            case httpx.ConnectTimeout():
                why = f"no connection within {HTTP_CONNECT_S:g} s"
            case httpx.WriteTimeout():
                why = f"it has not taken the request for {HTTP_SEND_S:g} s"
            case httpx.ReadTimeout():
                why = f"no answer within {HTTP_ANSWER_S:g} s"
            case _:
                why = "it closed the connection before its answer, or answers no HTTP"
        return SinkUnavailableError(f"{origin}: {why}")


async def _beginning(response: httpx.Response) -> bytes:
    """What follows the head of an answer, up to a bound in bytes and in time.

    Once the head is there the answer is known, so it counts also where the rest is cut off. Where there is too much the
    reading is cancelled: by that the generators of httpx end as well, and close the connection.
    """
    found = bytearray()
    with trio.move_on_after(HTTP_ANSWER_S) as scope:
        try:
            async for chunk in cast(httpx.AsyncByteStream, response.stream):
                found += chunk[: HTTP_ANSWER_BYTES - len(found)]
                if len(found) == HTTP_ANSWER_BYTES:
                    scope.cancel()
        except httpx.TransportError:
            pass
    with trio.CancelScope(shield=True):  # which takes no time: nothing is sent
        await response.aclose()
    return bytes(found)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """What led to an error, also where httpcore does not name it as the cause."""
    cause = error.__cause__ or error.__context__
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


class _Body(httpx.AsyncByteStream):
    """What is sent, at once. It is no generator, as httpx's own is: trio warns of one that a cancellation leaves."""

    def __init__(self, content: bytes) -> None:
        self._content = iter((content,))

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        for content in self._content:
            return content
        raise StopAsyncIteration
