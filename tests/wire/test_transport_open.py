"""Opening a connection, and every way in which that fails: typed, plain, without the key, with nothing left behind."""

import socket
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import cast

import pytest
import trio
import trio.testing
import trio_websocket

from cgrx._model.errors import AddressError, AuthError, CgrxError, DisconnectedError, HandshakeError, UnreachableError
from cgrx._wire.address import Address, Dial, dial_tcp, parse_address
from cgrx._wire.transport import DEFAULT_LIMITS, Limits, open_transport
from tests.support import run, run_mock
from tests.wire.wires import MEMORY, ScriptedServer, accept_head, frame, hold, memory_dial, raw_server, read_request

KEY = "S3CRET55"


async def fail(
    address: Address, dial: Dial = dial_tcp, limits: Limits = DEFAULT_LIMITS, *, plain: bool = False
) -> Exception:
    """What opening a connection to `address` raises."""
    try:
        async with open_transport(address, dial=dial, limits=limits, plain=plain):
            pytest.fail("it opened")
    except (CgrxError, ZeroDivisionError) as error:
        return error


def assert_discreet(error: BaseException) -> None:
    """The key is not in it, nor in anything behind it."""
    links: list[BaseException | None] = [error]
    seen: set[int] = set()
    while links:
        link = links.pop()
        if link is not None and id(link) not in seen:
            seen.add(id(link))
            assert KEY not in "".join((str(link), repr(link), repr(link.args), *getattr(link, "__notes__", ())))
            links += [link.__cause__, link.__context__]
            if isinstance(link, BaseExceptionGroup):
                links += cast("BaseExceptionGroup[BaseException]", link).exceptions


async def refuse(answer: bytes, *, hang_up: bool, plain: bool) -> Exception:
    """What a server on loopback gives that answers the request with `answer`."""

    async def serve(stream: trio.SocketStream) -> None:
        request = await read_request(stream)
        assert b"cg-api-key=S3CRET55" in request
        await stream.send_all(answer.replace(b"{request}", request))
        if not hang_up:
            await hold(stream)

    async with raw_server(serve) as port:
        error = await fail(parse_address(f"ws://127.0.0.1:{port}/ws?x=1", KEY), plain=plain)
    assert_discreet(error)
    return error


REFUSALS: list[tuple[bytes, type[CgrxError], dict[str, object]]] = [
    (b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n", AuthError, {"status": 401}),
    (b"HTTP/1.1 403 No\r\nContent-Length: 6\r\n\r\nS3CRET55", AuthError, {"status": 403}),
    (b"HTTP/1.1 401 No\r\n\r\nuntil the end", AuthError, {"status": 401}),
    (b"HTTP/1.1 404 No\r\nContent-Length: 100\r\n\r\nthe rest never comes", AddressError, {}),
    (
        b"HTTP/1.1 429 Slow\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n",
        HandshakeError,
        {"status": 429, "retry_after_s": 7.0},
    ),
    (
        b"HTTP/1.1 503 No\r\nDate: Fri, 22 Nov 2024 18:47:14 GMT\r\nRetry-After: Fri, 22 Nov 2024 18:47:44 GMT\r\n\r\n",
        HandshakeError,
        {"status": 503, "retry_after_s": 30.0},
    ),
    (b"HTTP/1.0 500 S3CRET55\r\n\r\n", HandshakeError, {"status": 500, "retry_after_s": None}),
    (b"HTTP/1.1 302 Go\r\nLocation: /?S3CRET55\r\nContent-Length: 0\r\n\r\n", HandshakeError, {"status": 302}),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", HandshakeError, {"status": 200}),
    (b"{request}", HandshakeError, {"status": None, "reason": "the peer does not speak HTTP"}),
    (b"220 mail.example ESMTP\r\n", HandshakeError, {"status": None, "reason": "the peer does not speak HTTP"}),
    (b"\x15\x03\x01\x00\x02\x02\x46", HandshakeError, {"status": None, "reason": "the peer does not speak HTTP"}),
    (b"HTTP/1.1 101 Go\r\nS3CRET55\r\n\r\n", HandshakeError, {"status": 101}),
    (b"HTTP/1.1 101 Go\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n", HandshakeError, {"status": 101}),
    (b"HTTP/1.1 101 Go\r\nConnection: \xff\r\n\r\n", HandshakeError, {"status": 101}),
    (b"HTTP/1.1 101 " + b"x" * 100_000, HandshakeError, {"reason": "the answer is longer than 64 KiB"}),
    (b"HTTP/1.1 103 S3CRET55\r\n\r\n" * 5000, HandshakeError, {"reason": "the answer is longer than 64 KiB"}),
    (b"HTTP/1.1 100 Go\r\n\r\nHTTP/1.1 503 No\r\nRetry-After: 7\r\n\r\n", HandshakeError, {"retry_after_s": 7.0}),
]


@pytest.mark.parametrize("plain", [False, True], ids=["tap", "plain"])
@pytest.mark.parametrize("hang_up", [False, True], ids=["stays", "hangs up"])
@pytest.mark.parametrize(("answer", "expected", "attributes"), REFUSALS, ids=[str(row[0][:30]) for row in REFUSALS])
def test_refusals(
    answer: bytes, expected: type[CgrxError], attributes: dict[str, object], *, hang_up: bool, plain: bool
) -> None:
    """Whatever the server answers, as soon as the head of its answer is there, whether or not it hangs up."""
    error = run(partial(refuse, hang_up=hang_up, plain=plain), answer)
    assert type(error) is expected
    assert {name: getattr(error, name) for name in attributes} == attributes


@pytest.mark.parametrize(
    ("extra", "status"),
    [
        (b"Sec-WebSocket-Protocol: none\r\n", b"101 OK"),
        (b"Sec-WebSocket-Extensions: permessage-deflate\r\n", b"101 OK"),
        (b"Sec-WebSocket-Accept: d3Jvbmc=\r\n", b"101 OK"),
        (b"Sec-WebSocket-Protocol: \xff\r\n", b"101 OK"),
    ],
)
def test_an_answer_that_breaks_the_handshake(extra: bytes, status: bytes) -> None:
    """A right answer but for one header: what we did not offer, or a wrong token."""

    async def serve(stream: trio.abc.Stream) -> None:
        await stream.send_all(accept_head(await read_request(stream), status=status, extra=extra))
        await hold(stream)

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            errors.append(await fail(MEMORY, memory_dial(serve, nursery)))

    errors: list[Exception] = []
    run_mock(main)
    error = errors[0]
    assert isinstance(error, HandshakeError)
    assert (error.reason, error.status) == ("the answer breaks the rules of the WebSocket handshake", 101)
    assert_discreet(error)


async def in_memory(serve: Callable[[trio.abc.Stream], Awaitable[None]], limits: Limits = DEFAULT_LIMITS) -> Exception:
    """What opening a connection raises to a server in memory, and that this server has seen the end."""
    ended = trio.Event()

    async def serve_to_the_end(stream: trio.abc.Stream) -> None:
        await serve(stream)
        await hold(stream)
        ended.set()

    async with trio.open_nursery() as nursery:
        error = await fail(MEMORY, memory_dial(serve_to_the_end, nursery), limits)
        await ended.wait()
    assert_discreet(error)
    return error


def test_a_server_that_answers_nothing() -> None:
    """It is given `handshake_s`."""

    async def main() -> None:
        started = trio.current_time()
        error = await in_memory(read_and_forget, Limits(handshake_s=7))
        assert isinstance(error, HandshakeError)
        assert (trio.current_time() - started, error.reason, error.status) == (7, "no answer within 7 s", None)

    async def read_and_forget(stream: trio.abc.Stream) -> None:
        await read_request(stream)

    run_mock(main)


@pytest.mark.parametrize(
    "beginning", [b"HTTP/1.1 101 Switching", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nLink: "]
)
def test_an_answer_that_breaks_off(beginning: bytes) -> None:
    """An informational answer is no answer yet."""

    async def serve(stream: trio.abc.Stream) -> None:
        await read_request(stream)
        await stream.send_all(beginning)

    error = run_mock(in_memory, serve, Limits(handshake_s=2))
    assert isinstance(error, HandshakeError)
    assert error.reason == "no answer within 2 s"


def test_informational_answers_without_end() -> None:
    """Slow enough for the bound in bytes: the time-out ends them."""

    async def serve(stream: trio.abc.Stream) -> None:
        await read_request(stream)
        with suppress(trio.BrokenResourceError):
            while True:
                await stream.send_all(b"HTTP/1.1 102 Processing\r\n\r\n")
                await trio.sleep(0.1)

    error = run_mock(in_memory, serve, Limits(handshake_s=7))
    assert isinstance(error, HandshakeError)
    assert error.reason == "no answer within 7 s"


@pytest.mark.parametrize("plain", [False, True], ids=["tap", "plain"])
@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 101", b"HTTP/1.1 100 Continue\r\n\r\n"])
def test_a_port_that_closes_at_once(answer: bytes, *, plain: bool) -> None:
    """trio-websocket would wait for ever."""

    async def serve(stream: trio.SocketStream) -> None:
        await stream.send_all(answer)

    async def main() -> Exception:
        async with raw_server(serve) as port:
            return await fail(parse_address(f"ws://127.0.0.1:{port}/", KEY), plain=plain)

    error = run(main)
    assert isinstance(error, HandshakeError)
    assert error.reason == "the connection ended before the answer"
    assert_discreet(error)


def test_a_peer_that_does_not_take_the_request() -> None:
    """The time-out of sending ends the handshake too."""

    async def dial(address: Address) -> trio.abc.Stream:
        await trio.lowlevel.checkpoint()
        return trio.testing.lockstep_stream_pair()[0]

    error = run_mock(fail, MEMORY, dial, Limits(send_s=1, handshake_s=5))
    assert isinstance(error, HandshakeError)
    assert error.reason == "the connection ended before the answer"


def test_a_refused_connect() -> None:
    async def main() -> None:
        with socket.socket() as unheard:
            # Bound and not listening: nothing else can take the port meanwhile.
            unheard.bind(("127.0.0.1", 0))
            port = unheard.getsockname()[1]
            error = await fail(parse_address(f"ws://127.0.0.1:{port}/", KEY))
        assert isinstance(error, UnreachableError)
        assert (error.host, error.port, error.reason) == ("127.0.0.1", port, "Connection refused")
        assert isinstance(error.__cause__, OSError)
        assert_discreet(error)

    run(main)


@pytest.mark.parametrize(
    ("cause", "reason"),
    [
        (socket.gaierror(-2, "Name or service not known"), "Name or service not known"),
        (ConnectionRefusedError("not today"), "not today"),
        (OSError(), "OSError"),
    ],
)
def test_a_dial_that_fails(cause: OSError, reason: str) -> None:
    """An unknown name, or whatever else keeps the dial from its stream."""

    async def dial(address: Address) -> trio.abc.Stream:
        await trio.lowlevel.checkpoint()
        raise cause

    error = run_mock(fail, MEMORY, dial)
    assert isinstance(error, UnreachableError)
    assert (error.reason, error.__cause__) == (reason, cause)


def test_the_first_attempt_says_why_all_failed() -> None:
    """trio tries every address of a name, and puts the reasons into a group."""

    async def dial(address: Address) -> trio.abc.Stream:
        await trio.lowlevel.checkpoint()
        attempts = ExceptionGroup("", [ConnectionRefusedError(111, "a detail"), TimeoutError(110, "another")])
        raise OSError("all attempts failed") from attempts

    error = run_mock(fail, MEMORY, dial)
    assert isinstance(error, UnreachableError)
    assert error.reason == "Connection refused"


def test_a_group_of_groups_is_summed_up() -> None:
    async def dial(address: Address) -> trio.abc.Stream:
        await trio.lowlevel.checkpoint()
        raise OSError("all attempts failed") from ExceptionGroup("", [ExceptionGroup("", [OSError()])])

    error = run_mock(fail, MEMORY, dial)
    assert isinstance(error, UnreachableError)
    assert error.reason == "all attempts failed"


def test_a_hanging_connect() -> None:
    """It is given `connect_s`."""

    async def dial(address: Address) -> trio.abc.Stream:
        await trio.sleep_forever()

    async def main() -> None:
        started = trio.current_time()
        error = await fail(MEMORY, dial, Limits(connect_s=4))
        assert isinstance(error, UnreachableError)
        assert (trio.current_time() - started, error.reason) == (4, "no connection within 4 s")

    run_mock(main)


def test_what_else_a_dial_raises_is_not_ours() -> None:
    """A bug in a dial stays what it is."""
    bug = ZeroDivisionError("a bug")

    async def dial(address: Address) -> trio.abc.Stream:
        await trio.lowlevel.checkpoint()
        raise bug

    assert run_mock(fail, MEMORY, dial) is bug


def test_a_context_for_tls_without_tls() -> None:
    """It would be ignored, and the connection be open to all: better said at once."""

    async def main() -> None:
        with pytest.raises(ValueError, match=r"ssl_context .* ws://server.example:80/ws: it is for wss://"):
            async with open_transport(MEMORY, ssl_context=ssl.create_default_context()):
                pytest.fail("it opened")

    run_mock(main)


@pytest.mark.parametrize("plain", [False, True], ids=["tap", "plain"])
def test_against_trio_websockets_own_server(*, plain: bool) -> None:
    """Over a real socket: the request as it should be, messages both ways, a clean close that both sides see."""
    requests: list[tuple[str, list[bytes]]] = []
    closed: list[object] = []

    async def serve(request: trio_websocket.WebSocketRequest) -> None:
        requests.append((request.path, [value for name, value in request.headers if name == b"host"]))
        connection = await request.accept()
        try:
            while True:
                message = await connection.get_message()
                await connection.send_message(f"you said {message!r}")
        except trio_websocket.ConnectionClosed as error:
            closed.append(error.reason and error.reason.code)

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            server: trio_websocket.WebSocketServer = await nursery.start(
                partial(trio_websocket.serve_websocket, serve, "127.0.0.1", 0, None)
            )
            async with open_transport(
                parse_address(f"ws://127.0.0.1:{server.port}/ws?x=1", KEY), plain=plain
            ) as transport:
                for text in ("ping", "ünï", ""):
                    await transport.send(text)
                    received = await transport.receive()
                    assert received.payloads == (f"you said {text!r}".encode(),)
                    assert received.at <= trio.current_time()
                states = [transport.closed]
                statistics = transport.statistics()
                assert (statistics.messages_received, statistics.buffered_bytes) == (3, 0)
                assert statistics.reads >= 4
            states.append(transport.closed)
            assert states == [False, True]
            with pytest.raises(DisconnectedError):
                await transport.send("late")
            with trio.fail_after(5):
                while not closed:
                    await trio.lowlevel.checkpoint()
            nursery.cancel_scope.cancel()

    run(main)
    assert [path for path, _ in requests] == ["/ws?x=1&cg-api-key=S3CRET55"]
    assert closed == [1000]


def test_the_answer_may_hold_frames_and_the_close() -> None:
    """All in one read with the head: everything is delivered, then the ending."""

    async def main() -> None:
        server = ScriptedServer(frame(1, b"a") + frame(2, b"b") + frame(8, b"\x03\xf0full"))
        async with open_transport(MEMORY, dial=server.dial) as transport:
            assert (await transport.receive()).payloads == (b"a", b"b")
            for _ in range(2):
                with pytest.raises(DisconnectedError) as caught:
                    await transport.receive()
                assert (caught.value.code, caught.value.reason) == (1008, "full")
            with pytest.raises(DisconnectedError, match="1008"):
                await transport.send("late")
        assert server.closed

    run_mock(main)


def test_the_request() -> None:
    """The Host header as trio-websocket's own clients send it, the resource with the key."""

    async def main() -> None:
        server = ScriptedServer()
        async with open_transport(Address("a.example", 81, tls=False, resource="/x?y"), dial=server.dial):
            pass
        assert server.sent.startswith(b"GET /x?y HTTP/1.1\r\nHost: a.example:81\r\n")

    run_mock(main)
