"""One WebSocket connection whose data messages arrive in batches.

A checkpoint per message costs more than everything else together. So trio-websocket, which does the handshakes, the
control frames and the verdict on whatever is invalid, works on a stream of ours (`Wire`) that takes the data messages
out of each large read. Exceptions of other libraries become ours here and nowhere else; they leave plain, never in a
group.

Of trio-websocket's exceptions only the close code and text are used, the text without the key: the server wrote it, and
may echo the request. They are not chained either, so ours are raised outside `except`.
"""

import ssl
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import cast

import attrs
import h11
import trio
import trio_websocket
from wsproto.utilities import ProtocolError

from cgrx._model.errors import CertificateError, CgrxError, DisconnectedError, HandshakeError, UnreachableError
from cgrx._model.limits import Limits as Limits
from cgrx._wire.address import Address, Dial, dial_failure, dial_tcp
from cgrx._wire.proxy import Proxy
from cgrx._wire.tap import Received as Received
from cgrx._wire.tap import Wire
from cgrx._wire.tls import LargeReads, wrap_tls
from cgrx._wire.tunnel import open_tunnel

DEFAULT_LIMITS = Limits()

_ABNORMAL = 1006

_READER_ERRORS = (
    trio_websocket.HandshakeError,  # a refusal
    trio_websocket.ConnectionClosed,  # while it answers a broken handshake
    h11.ProtocolError,  # an answer that is no HTTP, which wsproto makes it answer like a server
    ProtocolError,  # wsproto's: an answer that breaks RFC 6455; a ping that comes after our close frame
    UnicodeError,  # a header of the answer that is not ASCII
)
"""What trio-websocket's reader task raises for reasons that lie with the server."""


@attrs.frozen
class TransportStatistics:
    """What a connection has received, and what of it waits."""

    bytes_received: int
    """Bytes read from the socket (behind TLS), the handshake and all frame headers included."""
    reads: int
    """How many reads brought them."""
    messages_received: int
    """Data messages taken so far, those that wait included."""
    buffered_bytes: int
    """What waits to be received: bytes of payload, plus 64 for each message."""


class Transport:
    """An open WebSocket connection. `open_transport` makes it."""

    def __init__(self, address: Address, wire: Wire, limits: Limits, now_s: Callable[[], float] | None) -> None:
        self._address = address
        self._now_s = now_s
        self._wire = wire
        self._limits = limits
        self._connection: trio_websocket.WebSocketConnection | None = None
        self._settled = trio.Event()  # the handshake has succeeded or failed
        self._closing = trio.CancelScope()  # around the closing handshake, moot once the reader is gone

    async def receive(self) -> Received:
        """Wait for messages and return those that one read brought. For one task at a time.

        While messages wait this lets no other task run; no more than `Limits.buffer_bytes` of them can be waiting.

        Raises:
            DisconnectedError: the connection has ended, and all that came before its end has been returned. `code` is
                the close code of whichever side closed it; 1006 where it ended without one.
        """
        await trio.lowlevel.checkpoint_if_cancelled()
        while True:
            received = self._wire.pop()
            if received is not None:
                return received
            if self._wire.tap_dry:
                return await self._receive_plain()
            await self._wire.wait()

    async def send(self, text: str) -> None:
        """Send a text message; it takes `Limits.send_s` at most from when those before it are sent.

        Cancelled while a part of it has left, it ends the connection.

        Raises:
            DisconnectedError: the connection has ended, or the peer took nothing for `send_s`.
        """
        try:
            await self._live.send_message(text)
            return
        except trio_websocket.ConnectionClosed as closed:
            reason = closed.reason
        raise self._ending(reason)

    @property
    def closed(self) -> bool:
        """The connection has ended or is ending. What came before can still be received."""
        return self._wire.ended is not None or self._live.closed is not None

    def statistics(self) -> TransportStatistics:
        """What has been received so far."""
        wire = self._wire
        return TransportStatistics(wire.bytes_received, wire.reads, wire.messages, wire.buffered_bytes)

    @property
    def _live(self) -> trio_websocket.WebSocketConnection:
        assert self._connection is not None, "a Transport is only handed out once it is connected"
        return self._connection

    async def _receive_plain(self) -> Received:
        """Ask trio-websocket: on the reference path for a message, on both paths for how the connection ended."""
        message: str | bytes | None = None
        reason: trio_websocket.CloseReason | None = None
        try:
            message = await self._live.get_message()
        except trio_websocket.ConnectionClosed as closed:
            reason = closed.reason
        if message is None:
            raise self._ending(reason)
        at = trio.current_time()
        payload = message.encode() if isinstance(message, str) else message
        self._wire.messages += 1
        return Received(at, (payload,), len(payload))

    def _ending(self, reason: trio_websocket.CloseReason | None) -> DisconnectedError:
        code = _ABNORMAL if reason is None else int(reason.code)
        text = (reason.reason if reason else None) or (self._wire.ended if code == _ABNORMAL else None)
        return DisconnectedError(code, self._address.redact(text or ""))

    async def _run(self) -> None:
        """Run trio-websocket: the opening handshake, then its reader."""
        try:
            async with trio.open_nursery() as nursery:
                # trio-websocket waits for ever where no good answer will come, or only once the refusal is read whole.
                self._wire.on_refused = nursery.cancel_scope.cancel
                self._connection = await trio_websocket.wrap_client_stream(
                    nursery,
                    # Typed for sockets; documented, and used, for any stream.
                    cast("trio.SocketStream", self._wire),
                    self._address.host_header,
                    self._address.resource,
                    max_message_size=self._limits.message_bytes,
                )
                self._settled.set()
        except* _READER_ERRORS:
            # Not chained (they hold the server's words) and not lost: the task that waits for the handshake or for
            # messages finds the connection ended and raises an error of ours.
            pass
        finally:
            self._settled.set()
            self._closing.cancel()
            await self._hang_up()

    async def _open(self) -> None:
        with trio.move_on_after(self._limits.handshake_s):
            await self._settled.wait()
        if self._connection is None:
            raise self._refusal()

    def _refusal(self) -> CgrxError:
        head = self._wire.head
        if head.refused:
            return head.refusal(self._address, self._now_s() if self._now_s else None)
        if not self._settled.is_set():
            return HandshakeError(f"no answer within {self._limits.handshake_s:g} s")
        if not head.complete:
            return HandshakeError("the connection ended before the answer")
        return HandshakeError("the answer breaks the rules of the WebSocket handshake", head.status)

    async def _close(self) -> None:
        self._wire.discard()
        try:
            if self._connection is not None:
                with self._closing:
                    self._closing.deadline = trio.current_time() + self._limits.close_s
                    await self._connection.aclose()
        finally:
            # trio-websocket leaves the stream open where the connection had ended before.
            await self._hang_up()

    async def _hang_up(self) -> None:
        """Close the stream at once, unless it is closed: to close it again would cost a reconnect a tenth more."""
        if not self._wire.closed:
            await trio.aclose_forcefully(self._wire)


@asynccontextmanager
async def open_transport(
    address: Address,
    *,
    dial: Dial = dial_tcp,
    proxy: Proxy | None = None,
    ssl_context: ssl.SSLContext | None = None,
    limits: Limits = DEFAULT_LIMITS,
    plain: bool = False,
    now_s: Callable[[], float] | None = None,
) -> AsyncGenerator[Transport, None]:
    """Connect, and close in the end: with a closing handshake of at most `Limits.close_s`, at once when cancelled.

    No task and no socket is left behind, however it ends. What the body raises passes unchanged.

    Args:
        address: where to.
        dial: opens the byte stream; TLS is put on top of it here.
        proxy: gives the byte stream through its tunnel; `dial` opens that to the proxy then.
        ssl_context: for wss:// addresses; None for the system's certificate authorities, with verification.
        limits: its `connect_s`, `handshake_s`, `send_s`, `close_s`, `message_bytes`, `buffer_bytes`, `read_bytes`.
        plain: do without the frame tap. One message per `Received`: slow, and the reference for the tests.
        now_s: reads the wall clock, in seconds since the epoch: a `Retry-After` that is a date counts from it where the
            answer has no `Date` of its own. None: such a date is left out.

    Raises:
        UnreachableError: the name does not resolve, nothing accepts a connection within `connect_s`, or the proxy gives
            no tunnel within that time.
        CertificateError: the server's certificate does not verify.
        HandshakeError: the peer speaks no TLS, no HTTP or no WebSocket, not within `handshake_s`, or refuses.
        AuthError: it answers 401 or 403.
        AddressError: it answers 404.
        ValueError: an `ssl_context` for a ws:// address.
    """
    if ssl_context is not None and not address.tls:
        raise ValueError(f"ssl_context cannot be used with {address.url}: it is for wss:// addresses")
    stream = await _dial(address, dial, proxy, limits)
    wire: Wire | None = None
    outcome: BaseException | None = None
    failure: BaseException | None = None
    try:
        if address.tls:
            stream = await _start_tls(stream, address, ssl_context, limits)
        wire = Wire(stream, limits, tapped=not plain)
        transport = Transport(address, wire, limits, now_s)
        try:
            async with trio.open_nursery() as nursery:
                # Private to this module rather than to the class: users of a Transport neither open nor close it.
                nursery.start_soon(transport._run)  # pyright: ignore[reportPrivateUsage]  # see above
                try:
                    await transport._open()  # pyright: ignore[reportPrivateUsage]  # see above
                    yield transport
                except BaseException as error:  # noqa: BLE001  # kept out of the nursery's group, and raised below
                    outcome = error
                await transport._close()  # pyright: ignore[reportPrivateUsage]  # see above
                nursery.cancel_scope.cancel()
        except BaseExceptionGroup as group:
            failure = _first(group)
    finally:
        if wire is None or not wire.closed:
            # Shielded, or a cancellation would be raised here, in place of what has happened.
            with trio.CancelScope(shield=True):
                await trio.aclose_forcefully(stream)
    try:
        if failure is not None and not isinstance(failure, trio.Cancelled):
            # A bug. It has cancelled the body, whose `Cancelled` must not leave.
            raise failure from outcome
        if outcome is None:
            outcome = failure
        if outcome is not None:
            raise outcome
    finally:
        # Their tracebacks lead to this frame: without this they would live until the garbage collector comes.
        del outcome, failure


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """An exception out of the nursery's group, a `Cancelled` only where there is nothing else."""
    bugs = group.subgroup(lambda error: not isinstance(error, trio.Cancelled))
    error = (bugs or group).exceptions[0]
    if isinstance(error, BaseExceptionGroup):
        return _first(cast("BaseExceptionGroup[BaseException]", error))
    return error


async def _dial(address: Address, dial: Dial, proxy: Proxy | None, limits: Limits) -> trio.abc.Stream:
    stream: trio.abc.Stream | None = None
    where = "" if proxy is None else f"proxy {proxy}: "
    try:
        with trio.move_on_after(limits.connect_s):
            stream = await (dial(address) if proxy is None else open_tunnel(proxy, address, dial))
    except OSError as error:
        raise UnreachableError(address.host, address.port, f"{where}{dial_failure(error)}") from error
    if stream is None:
        raise UnreachableError(address.host, address.port, f"{where}no connection within {limits.connect_s:g} s")
    return stream


async def _start_tls(
    stream: trio.abc.Stream, address: Address, ssl_context: ssl.SSLContext | None, limits: Limits
) -> trio.abc.Stream:
    tls = wrap_tls(LargeReads(stream, limits.read_bytes), address.host, ssl_context)
    done = False
    try:
        with trio.move_on_after(limits.handshake_s):
            await tls.do_handshake()
            done = True
    except trio.BrokenResourceError as broken:
        cause = broken.__cause__
        if isinstance(cause, ssl.SSLCertVerificationError):
            raise CertificateError(address.host, cause.verify_message) from cause
        if isinstance(cause, ssl.SSLError) and not isinstance(cause, ssl.SSLEOFError):
            raise HandshakeError(f"the peer does not speak TLS as it should ({cause.reason})") from cause
        raise HandshakeError("the connection ended during the TLS handshake") from broken
    if not done:
        raise HandshakeError(f"no TLS handshake within {limits.handshake_s:g} s")
    return tls
