"""Connecting through a proxy: what is said to it, and every way in which it gives no tunnel, at every byte."""

import re
import socket
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Literal

import attrs
import pytest
import trio

from cgrx._model.errors import UnreachableError
from cgrx._wire.address import Address, Dial
from cgrx._wire.proxy import Proxy
from cgrx._wire.transport import DEFAULT_LIMITS, Limits, open_transport
from tests.support import run_mock
from tests.wire.wires import MEMORY, Watched, accept_head, hold, memory_dial, read_request

PASSWORD = "S3CRET"

HTTP = Proxy("http", "proxy.example", 3128)
HTTP_USER = Proxy("http", "proxy.example", 3128, "user", PASSWORD)
SOCKS = Proxy("socks5h", "proxy.example", 1080)
SOCKS_USER = Proxy("socks5h", "proxy.example", 1080, "user", PASSWORD)

CONNECT = rb"CONNECT server\.example:80 HTTP/1\.1\r\nHost: server\.example:80\r\nUser-Agent: [^\r]*\r\n"
OK = b"HTTP/1.1 200 Connection established\r\nVia: a\r\n\r\n"
TO_THE_NAME = rb"\x05\x01\x00\x03\x0eserver\.example\x00P"
BOUND = b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00"

ASKED = CONNECT + rb"(Proxy[^\r]*\r\n)?\r\n"

NOTHING_MORE = (rb"(?!)", b"")
"""The client hangs up before it says anything that would match."""

Dialogue = Sequence[tuple[bytes, bytes]]
"""What the proxy expects, as a pattern, and what it answers; one pair after the other."""

OPENING: list[tuple[Proxy, Dialogue]] = [
    (HTTP, [(CONNECT + b"\r\n", OK)]),
    (HTTP, [(CONNECT + b"\r\n", b"HTTP/1.1 102 Processing\r\n\r\n" + OK)]),
    (HTTP_USER, [(CONNECT + rb"Proxy-Authorization: Basic dXNlcjpTM0NSRVQ=\r\n\r\n", OK)]),
    (SOCKS, [(rb"\x05\x01\x00", b"\x05\x00"), (TO_THE_NAME, BOUND)]),
    (SOCKS_USER, [(rb"\x05\x02\x00\x02", b"\x05\x00"), (TO_THE_NAME, BOUND)]),
    (
        SOCKS_USER,
        [
            (rb"\x05\x02\x00\x02", b"\x05\x02"),
            (rb"\x01\x04user\x06S3CRET", b"\x01\x00"),
            (TO_THE_NAME, b"\x05\x00\x00\x03\x04name\x00\x00"),
        ],
    ),
]


def steps(dialogue: Dialogue) -> range:
    """After how many bytes of its answers a proxy may stop before it has said all."""
    return range(sum(len(answer) for _, answer in dialogue))


@attrs.define
class Scripted:
    """A proxy in memory with the server behind it: it speaks a dialogue, and then accepts the WebSocket handshake.

    Args:
        dialogue: what is said.
        stop_at: after this many bytes of its answers it says no more; None: it says all.
        then: what it does after that.
        piece: how many bytes it sends at once.
        pause_s: how long it waits before each piece.
    """

    dialogue: Dialogue
    stop_at: int | None = None
    then: Literal["silence", "end"] = "silence"
    piece: int = 2**20
    pause_s: float = 0.0
    streams: list[Watched] = attrs.field(factory=list[Watched])

    async def serve(self, stream: trio.abc.Stream) -> None:
        with suppress(trio.BrokenResourceError):
            await self._speak(stream)
        await stream.aclose()

    async def _speak(self, stream: trio.abc.Stream) -> None:
        left = self.stop_at
        for pattern, answer in self.dialogue:
            request = b""
            while re.fullmatch(pattern, request, re.DOTALL) is None:
                assert len(request) < 400, request
                data = await stream.receive_some()
                if not data:
                    return
                request += data
            part = answer if left is None else answer[:left]
            for start in range(0, len(part), self.piece):
                await trio.sleep(self.pause_s)
                await stream.send_all(part[start : start + self.piece])
            if left is not None:
                left -= len(part)
                if len(part) < len(answer):
                    if self.then == "silence":
                        await hold(stream)
                    return
        await stream.send_all(accept_head(await read_request(stream)))
        await hold(stream)

    async def connect(self, proxy: Proxy, limits: Limits = DEFAULT_LIMITS, address: Address = MEMORY) -> str | None:
        """Connect through it, and close. Returns why that failed, behind the words for which proxy."""
        error: UnreachableError | None = None
        async with trio.open_nursery() as nursery:
            in_memory = memory_dial(self.serve, nursery)

            async def dial(dialled: Address) -> trio.abc.Stream:
                assert (dialled.host, dialled.port) == (proxy.host, proxy.port)
                self.streams.append(Watched(await in_memory(dialled)))
                return self.streams[-1]

            try:
                async with open_transport(address, dial=dial, proxy=proxy, limits=limits) as transport:
                    assert not transport.closed
            except UnreachableError as unreachable:
                error = unreachable
            assert all(stream.closed for stream in self.streams)
        return None if error is None else reason(error, proxy, address)


def reason(error: UnreachableError, proxy: Proxy, address: Address) -> str:
    assert (error.host, error.port, error.retryable) == (address.host, address.port, True)
    assert_discreet(error)
    start = f"proxy {proxy}: "
    assert error.reason.startswith(start)
    return error.reason.removeprefix(start)


def assert_discreet(error: BaseException) -> None:
    """Neither the password nor anything that the proxy said is in it, nor in what is behind it."""
    link: BaseException | None = error
    while link is not None:
        shown = f"{link} {link!r} {link.args!r} {vars(link)!r}"
        assert PASSWORD not in shown
        assert "dXNlcjpTM0NSRVQ" not in shown
        link = link.__cause__ or link.__context__


def ids(value: object) -> str | None:
    return str(value) if isinstance(value, Proxy) else None


every_dialogue = pytest.mark.parametrize(("proxy", "dialogue"), OPENING, ids=ids)


@pytest.mark.parametrize("piece", [1, 5, 2**20])
@every_dialogue
def test_the_way_through_a_proxy(proxy: Proxy, dialogue: Dialogue, piece: int) -> None:
    """What is asked for, with user and password; and the answer is understood however it is split."""
    assert run_mock(Scripted(dialogue, piece=piece).connect, proxy) is None


@every_dialogue
def test_a_proxy_that_stops_at_any_byte(proxy: Proxy, dialogue: Dialogue) -> None:
    """It costs `connect_s` in all."""

    async def main() -> None:
        for at in steps(dialogue):
            started = trio.current_time()
            assert await Scripted(dialogue, at).connect(proxy, Limits(connect_s=4)) == "no connection within 4 s"
            assert trio.current_time() - started == 4

    run_mock(main)


@every_dialogue
def test_a_proxy_that_hangs_up_at_any_byte(proxy: Proxy, dialogue: Dialogue) -> None:
    async def main() -> None:
        for at in steps(dialogue):
            why = await Scripted(dialogue, at, then="end").connect(proxy)
            assert why == "the connection ended before the answer"

    run_mock(main)


@every_dialogue
def test_cancelled_at_any_byte(proxy: Proxy, dialogue: Dialogue) -> None:
    """The stream to the proxy is closed, and the cancellation passes."""

    async def main() -> None:
        for at in steps(dialogue):
            scripted = Scripted(dialogue, at)
            with trio.move_on_after(1) as scope:
                await scripted.connect(proxy)
            assert scope.cancelled_caught
            assert [stream.closed for stream in scripted.streams] == [True]

    run_mock(main)


def test_a_proxy_that_speaks_without_end() -> None:
    """Slowly enough for the bound in bytes: the time-out ends it."""
    scripted = Scripted([(ASKED, OK[:-2] + b"x" * 1000)], piece=1, pause_s=0.5)
    assert run_mock(scripted.connect, HTTP, Limits(connect_s=4)) == "no connection within 4 s"


@pytest.mark.parametrize("piece", [1, 2**20])
@pytest.mark.parametrize(
    ("proxy", "answer", "why"),
    [
        (HTTP, b"HTTP/1.1 407 S3CRET\r\n\r\nbody", "it asks for a user and a password (HTTP status 407)"),
        (HTTP_USER, b"HTTP/1.1 407 S3CRET\r\n\r\n", "it does not accept the user and the password (HTTP status 407)"),
        (HTTP_USER, b"HTTP/1.1 403 user:S3CRET\r\nX: dXNlcjpTM0NSRVQ=\r\n\r\n", "HTTP status 403"),
        (HTTP, b"HTTP/1.1 502 Bad Gateway\r\n\r\n", "HTTP status 502"),
        (HTTP, b"HTTP/1.1 101 Switching Protocols\r\n\r\n", "HTTP status 101"),
        (HTTP_USER, b"user S3CRET 200\r\n\r\n", "it gives no HTTP answer"),
        (HTTP_USER, b"CONNECT 200 S3CRET\r\n\r\n", "it gives no HTTP answer"),
        (HTTP, b"\x05\xff", "it gives no HTTP answer"),
        (HTTP, b"HTTP/1.1 S3CRET\r\n\r\n", "it gives no HTTP answer"),
        (HTTP, b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000, "it gives no HTTP answer"),
        (HTTP, b"HTTP/1.1 103 Hints\r\n\r\n" * 5_000, "it gives no HTTP answer"),
    ],
    ids=lambda value: None if isinstance(value, Proxy) else repr(value)[:40],
)
def test_an_http_proxy_that_refuses(proxy: Proxy, answer: bytes, why: str, piece: int) -> None:
    """In words of ours: the proxy's own may hold the password."""
    scripted = Scripted([(ASKED, answer), NOTHING_MORE], piece=piece if len(answer) < 1000 else 1000)
    assert run_mock(scripted.connect, proxy) == why


def test_an_http_proxy_that_says_more_than_its_answer() -> None:
    """The server cannot have spoken yet, and what the proxy says of its own has no place in the tunnel."""
    scripted = Scripted([(ASKED, OK + b"S3CRET"), NOTHING_MORE])
    assert run_mock(scripted.connect, HTTP) == "it says more than its answer"


GREETED = (rb"\x05\x02\x00\x02", b"\x05\x02")
AUTHENTICATED = (rb"\x01\x04user\x06S3CRET", b"\x01\x00")


@pytest.mark.parametrize("piece", [1, 2**20])
@pytest.mark.parametrize(
    ("dialogue", "why"),
    [
        ([(rb"\x05\x02\x00\x02", b"\x05\xff")], "No acceptable authentication methods were offered"),
        ([(rb"\x05\x02\x00\x02", b"\x05\x01")], "Unexpected SOCKS authentication method: 1"),
        ([(rb"\x05\x02\x00\x02", b"HT")], "Unexpected SOCKS version number: 72"),
        ([GREETED, (AUTHENTICATED[0], b"\x01\x01")], "Username and password authentication failure"),
        ([GREETED, (AUTHENTICATED[0], b"S3")], "Invalid authentication response"),
        ([GREETED, AUTHENTICATED, (TO_THE_NAME, b"\x05\x01\x00")], "General SOCKS server failure"),
        ([GREETED, AUTHENTICATED, (TO_THE_NAME, b"\x05\x02\x00")], "Connection not allowed by ruleset"),
        ([GREETED, AUTHENTICATED, (TO_THE_NAME, b"\x05\x05\x00")], "Connection refused by destination host"),
        ([GREETED, AUTHENTICATED, (TO_THE_NAME, b"\x05\x63\x00")], "Invalid reply code: 0X63"),
        ([GREETED, AUTHENTICATED, (TO_THE_NAME, b"\x05\x00\x01")], "The reserved byte must be 0X0"),
        ([GREETED, AUTHENTICATED, (TO_THE_NAME, b"\x05\x00\x00\x07")], "Invalid address type: 0X7"),
        ([GREETED, AUTHENTICATED, (TO_THE_NAME, b"\x05\x00\x00\x03\x01\xff\x00\x00")], "its answer makes no sense"),
    ],
    ids=repr,
)
def test_a_socks_proxy_that_refuses(dialogue: Dialogue, why: str, piece: int) -> None:
    """In the words that python-socks has for the codes."""
    assert run_mock(Scripted([*dialogue, NOTHING_MORE], piece=piece).connect, SOCKS_USER) == why


class Resolver(trio.abc.HostnameResolver):
    """Knows one name."""

    async def getaddrinfo(self, host: object, port: object, *_: Any, **__: Any) -> Any:
        await trio.lowlevel.checkpoint()
        if host != b"server.example":
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.7", 0))]

    async def getnameinfo(self, sockaddr: object, flags: int) -> Any:
        raise AssertionError("not used")


def test_who_resolves_the_name() -> None:
    """This machine for socks5://, the proxy for socks5h://; one that does not resolve is trouble like other trouble."""
    to_the_address = rb"\x05\x01\x00\x01\xc0\x00\x02\x07\x00P"
    scripted = Scripted([(rb"\x05\x01\x00", b"\x05\x00"), (to_the_address, BOUND)])
    proxy = attrs.evolve(SOCKS, scheme="socks5")

    async def main() -> None:
        trio.socket.set_custom_hostname_resolver(Resolver())
        assert await scripted.connect(proxy) is None
        unknown = attrs.evolve(MEMORY, host="other.example")
        assert await scripted.connect(proxy, address=unknown) == "Name or service not known"

    run_mock(main)


def test_an_ipv6_address_behind_an_http_proxy() -> None:
    """In brackets, as everywhere in HTTP."""
    scripted = Scripted([(rb"CONNECT \[::2\]:80 HTTP/1\.1\r\nHost: \[::2\]:80\r\n.*\r\n\r\n", OK)])
    address = attrs.evolve(MEMORY, host="::2")
    assert run_mock(scripted.connect, HTTP, DEFAULT_LIMITS, address) is None


async def dialled(dial: Dial) -> str:
    """Why there is no connection through a proxy that this dials."""
    with pytest.raises(UnreachableError) as caught:
        async with open_transport(MEMORY, dial=dial, proxy=HTTP):
            pytest.fail("it opened")
    return reason(caught.value, HTTP, MEMORY)


def test_a_proxy_that_cannot_be_reached() -> None:
    async def dial(address: Address) -> trio.abc.Stream:
        await trio.lowlevel.checkpoint()
        raise ConnectionRefusedError(111, "refused")

    assert run_mock(dialled, dial) == "Connection refused"


def test_a_proxy_that_breaks_off() -> None:
    """By a reset in place of an answer."""
    stream = BreakingStream()

    async def dial(address: Address) -> trio.abc.Stream:
        await trio.lowlevel.checkpoint()
        return stream

    assert run_mock(dialled, dial) == "the connection broke before the answer"
    assert stream.closed


class BreakingStream(trio.abc.Stream):
    """One that the peer has reset."""

    closed = False

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        await trio.lowlevel.checkpoint()

    async def wait_send_all_might_not_block(self) -> None:
        await trio.lowlevel.checkpoint()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        await trio.lowlevel.checkpoint()
        raise trio.BrokenResourceError

    async def aclose(self) -> None:
        self.closed = True
        await trio.lowlevel.checkpoint()
