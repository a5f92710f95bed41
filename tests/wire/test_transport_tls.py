"""TLS: verified by default, every failure typed, and as many records a read as there are."""

import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime

import pytest
import trio
import trio.testing
import trustme

from cgrx._model.errors import CertificateError, DisconnectedError, HandshakeError
from cgrx._wire.address import Address, parse_address
from cgrx._wire.tls import LargeReads, RecordsAtOnce, wrap_tls
from cgrx._wire.transport import DEFAULT_LIMITS, Limits, open_transport
from tests.support import run, run_mock
from tests.wire.wires import (
    TEXT,
    Story,
    Watched,
    accept_head,
    close_frame,
    frame,
    hold,
    listen,
    memory_dial,
    raw_server,
    read_request,
)

ADDRESS = Address("server.example", 443, tls=True, resource="/ws?cg-api-key=SECRET55")
AUTHORITY = trustme.CA()
LONG_AGO = datetime(2001, 1, 1, tzinfo=UTC)

Serve = Callable[[trio.abc.Stream], Awaitable[None]]


def server_context(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    # trustme types it for pyOpenSSL's contexts as well, which is not installed.
    certificate.configure_cert(context)  # pyright: ignore[reportUnknownMemberType]
    return context


def trusting() -> ssl.SSLContext:
    """A client's context that trusts our authority as well."""
    return ssl.create_default_context(cadata=AUTHORITY.cert_pem.bytes().decode())


SERVER = server_context(AUTHORITY.issue_cert("server.example", "127.0.0.1", "localhost"))


def secure(serve: Serve, context: ssl.SSLContext = SERVER) -> Serve:
    """A server that speaks TLS, then does what `serve` does; a client that breaks off is no error."""

    async def serve_tls(stream: trio.abc.Stream) -> None:
        tls = trio.SSLStream(stream, context, server_side=True, https_compatible=True)
        try:
            await tls.do_handshake()
            await serve(tls)
        except trio.BrokenResourceError:
            pass
        await trio.aclose_forcefully(tls)

    return serve_tls


async def say_and_close(stream: trio.abc.Stream) -> None:
    """Each message in a record of its own."""
    await stream.send_all(accept_head(await read_request(stream)))
    for i in range(100):
        await stream.send_all(frame(TEXT, b"%d" % i))
    await stream.send_all(frame(TEXT, bytes(200_000)) + close_frame(1008, b"bye SECRET55"))
    await hold(stream)


SAID = Story([*(b"%d" % i for i in range(100)), bytes(200_000)], 1008, "bye ***")


@pytest.mark.parametrize("plain", [False, True], ids=["tap", "plain"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_over_a_socket(host: str, *, plain: bool) -> None:
    """With our own authority, by name and by address."""

    async def main() -> Story:
        async with raw_server(secure(say_and_close)) as port:
            address = parse_address(f"wss://{host}:{port}/ws", "SECRET55")
            async with open_transport(address, ssl_context=trusting(), plain=plain) as transport:
                return await listen(transport)

    assert run(main) == SAID


class Corked(Watched):
    """Keeps what is sent, once it is corked, until it is uncorked."""

    _kept: bytes | None = None

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        if self._kept is None:
            await super().send_all(data)
        else:
            self._kept += data

    def cork(self) -> None:
        self._kept = b""

    async def uncork(self) -> None:
        kept, self._kept = self._kept or b"", None
        await self.send_all(kept)


@pytest.mark.parametrize(("read_bytes", "reads"), [(2**16, 2), (1000, 7)])
def test_many_records_are_one_batch(read_bytes: int, reads: int) -> None:
    """A read asks the socket for `read_bytes`, and brings all records that are whole: here of 6,000 bytes."""

    async def serve(stream: trio.abc.Stream) -> None:
        corked = Corked(stream)
        tls = trio.SSLStream(corked, SERVER, server_side=True, https_compatible=True)
        await tls.send_all(accept_head(await read_request(tls)))
        corked.cork()
        for _ in range(200):
            await tls.send_all(frame(TEXT, b"record"))
        await corked.uncork()
        await hold(tls)

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            limits = Limits(read_bytes=read_bytes)
            dial = memory_dial(serve, nursery)
            async with open_transport(ADDRESS, dial=dial, ssl_context=trusting(), limits=limits) as transport:
                await trio.testing.wait_all_tasks_blocked()
                assert transport.statistics().messages_received == 200
                # The first brought the answer to the handshake.
                assert transport.statistics().reads == reads

    run_mock(main)


async def fail(
    serve: Serve, ssl_context: ssl.SSLContext | None, limits: Limits = DEFAULT_LIMITS
) -> CertificateError | HandshakeError:
    """What opening a connection raises to a server in memory, which must have seen the end of it."""
    async with trio.open_nursery() as nursery:
        try:
            dial = memory_dial(serve, nursery)
            async with open_transport(ADDRESS, dial=dial, ssl_context=ssl_context, limits=limits):
                pytest.fail("it opened")
        except (CertificateError, HandshakeError) as error:
            caught = error
    assert "SECRET55" not in repr((caught, caught.__cause__, caught.__context__))
    return caught


@pytest.mark.parametrize(
    ("certificate", "trusted", "reason"),
    [
        (
            AUTHORITY.issue_cert("server.example", not_before=LONG_AGO, not_after=LONG_AGO.replace(year=2002)),
            True,
            "expired",
        ),
        (AUTHORITY.issue_cert("server.example"), False, "certificate"),
        (trustme.CA().issue_cert("server.example"), True, "certificate"),
        (AUTHORITY.issue_cert("other.example"), True, "not valid for 'server.example'"),
    ],
    ids=["expired", "unknown authority", "self-signed", "another host's"],
)
def test_a_certificate_that_does_not_verify(certificate: trustme.LeafCert, reason: str, *, trusted: bool) -> None:
    """Also with the default context, which verifies."""
    serve = secure(hold, server_context(certificate))
    error = run_mock(fail, serve, trusting() if trusted else None)
    assert isinstance(error, CertificateError)
    assert error.host == "server.example"
    assert reason in error.reason
    assert isinstance(error.__cause__, ssl.SSLCertVerificationError)


async def speak_smtp(stream: trio.abc.Stream) -> None:
    await stream.send_all(b"220 mail.example ESMTP\r\n")
    await hold(stream)


async def hang_up(stream: trio.abc.Stream) -> None:
    await stream.receive_some()
    await stream.aclose()


async def break_off(stream: trio.abc.Stream) -> None:
    await trio.lowlevel.checkpoint()
    await trio.aclose_forcefully(stream)


@pytest.mark.parametrize(
    ("serve", "reason"),
    [
        (speak_smtp, "the peer does not speak TLS as it should"),
        (hang_up, "the connection ended during the TLS handshake"),
        (break_off, "the connection ended during the TLS handshake"),
        (hold, "no TLS handshake within 3 s"),
    ],
)
def test_a_peer_that_speaks_no_tls(serve: Serve, reason: str) -> None:
    """Garbage, an end, silence."""
    error = run_mock(fail, serve, trusting(), Limits(handshake_s=3))
    assert isinstance(error, HandshakeError)
    assert error.reason.startswith(reason)


def test_no_websocket_behind_tls() -> None:
    error = run_mock(fail, secure(speak_smtp), trusting())
    assert isinstance(error, HandshakeError)
    assert error.reason == "the peer does not speak HTTP"


def test_the_end_without_close_notify() -> None:
    """Many servers do without: it is an end like another, 1006."""

    async def serve(stream: trio.abc.Stream) -> None:
        await stream.send_all(accept_head(await read_request(stream)) + frame(TEXT, b"a"))

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            dial = memory_dial(secure(serve), nursery)
            async with open_transport(ADDRESS, dial=dial, ssl_context=trusting()) as transport:
                story = await listen(transport)
        assert story == Story([b"a"], 1006, "the peer ended the connection without a close frame")

    run_mock(main)


def test_a_record_that_was_tampered_with() -> None:
    """What came before it is delivered, and the connection is broken."""

    async def serve(stream: trio.abc.Stream) -> None:
        tls = trio.SSLStream(stream, SERVER, server_side=True, https_compatible=True)
        await tls.do_handshake()
        await tls.send_all(accept_head(await read_request(tls)) + frame(TEXT, b"a"))
        await stream.send_all(b"\x17\x03\x03\x00\x20" + bytes(32))
        await hold(stream)

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            dial = memory_dial(serve, nursery)
            async with open_transport(ADDRESS, dial=dial, ssl_context=trusting()) as transport:
                assert await listen(transport) == Story([b"a"], 1006, "the connection broke")
                with pytest.raises(DisconnectedError):
                    await transport.send("x")

    run_mock(main)


class Pair:
    """Two ends of TLS in memory, without trio: what the server writes and what our `SSLObject` reads."""

    def __init__(self) -> None:
        self._to_server, self.to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
        context = trusting()
        context.sslobject_class = RecordsAtOnce
        self.client = context.wrap_bio(self.to_client, self._to_server, server_hostname="server.example")
        self.server = SERVER.wrap_bio(self._to_server, self.to_client, server_side=True)
        for end in (self.client, self.server, self.client, self.server):
            with suppress(ssl.SSLWantReadError):
                end.do_handshake()


def test_reading_records() -> None:
    """Never more than asked for; nothing where there is nothing, as `SSLObject` does it."""
    pair = Pair()
    with pytest.raises(ssl.SSLWantReadError):
        pair.client.read(10)
    for record in (b"abc", b"de", b"fghi"):
        pair.server.write(record)
    assert pair.client.read(4) == b"abcd"
    assert pair.client.read(1) == b"e"
    buffer = bytearray(2)
    assert pair.client.read(2, buffer) == 2  # type: ignore[comparison-overlap]  # typeshed's mistake
    assert buffer == b"fg"
    assert pair.client.read() == b"hi"
    with pytest.raises(ssl.SSLWantReadError):
        pair.client.read()


def test_an_error_behind_the_data_comes_with_the_next_read() -> None:
    pair = Pair()
    pair.server.write(b"abc")
    pair.to_client.write(b"\x17\x03\x03\x00\x20" + bytes(32))
    assert pair.client.read(10) == b"abc"
    with pytest.raises(ssl.SSLError, match=r"(?i)bad.record.mac"):
        pair.client.read(10)


def test_the_end_of_tls_behind_the_data() -> None:
    """close_notify: an empty read, after the data."""
    pair = Pair()
    pair.server.write(b"abc")
    with pytest.raises(ssl.SSLWantReadError):
        pair.server.unwrap()
    assert pair.client.read(10) == b"abc"
    assert pair.client.read(10) == b""


def test_beneath_tls_reads_are_as_large_as_they_should_be() -> None:
    """Whatever trio's `SSLStream` asks for; all else passes."""

    async def main() -> None:
        ours, theirs = trio.testing.memory_stream_pair()
        stream = LargeReads(ours, 3)
        await theirs.send_all(b"abcdef")
        assert [await stream.receive_some(), await stream.receive_some(100)] == [b"abc", b"def"]
        await stream.wait_send_all_might_not_block()
        await stream.send_all(b"x")
        assert await theirs.receive_some() == b"x"
        await stream.aclose()
        assert await theirs.receive_some() == b""

    run(main)


def test_a_context_is_given_back_as_it_was() -> None:
    """Ours sets the class of its `SSLObject` for a moment; one that the user has set stays in use."""

    class Own(ssl.SSLObject):
        pass

    context = trusting()
    wrap_tls(trio.testing.memory_stream_pair()[0], "server.example", context)
    assert context.sslobject_class is ssl.SSLObject
    context.sslobject_class = Own
    wrap_tls(trio.testing.memory_stream_pair()[0], "server.example", context)
    assert context.sslobject_class is Own
