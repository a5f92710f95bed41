"""A sender in a process of its own: it answers the WebSocket handshake, then sends what the address asks for.

The address `/load?frames=20000&events=10` asks for 20,000 messages of 10 trades each. They are made, framed and, over
TLS, encrypted before the handshake is answered; the client's first message, pings aside, sets them off. So the sender
costs next to nothing while the receiver is measured, and the receiver always finds the next frames in its socket.
`writes` says how they leave:

    block   large blocks; over TLS in records of 16 KiB, as from a server that collects what it sends
    record  the same, but each frame in a TLS record of its own, as most servers do
    frame   a `send` for each frame

Sockets block, one connection follows the other, and nothing waits longer than `_IDLE_S`.
"""

import base64
import hashlib
import itertools
import re
import socket
import ssl
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from multiprocessing.connection import Connection
from typing import Any, Literal, TypeAlias, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit

import attrs

from benchmarks._harness.worker import process

T = TypeVar("T")
Writes: TypeAlias = Literal["block", "record", "frame"]

PING = b"ping"
CLOSE = bytes([0x88, 2]) + (1000).to_bytes(2, "big")
_IDLE_S = 60.0
_BLOCK_BYTES = 2**17
_RECORD_BYTES = 2**14
_MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


@attrs.frozen
class Load:
    """The frames that a client asks for."""

    frames: int
    events: int
    writes: Writes = "block"
    instruments: int = 0
    """0: trades of one channel. Else the frames are those of `market_frames`, of one event each."""

    @property
    def resource(self) -> str:
        """The address that asks for it."""
        return f"/load?{urlencode(attrs.asdict(self))}"

    @classmethod
    def of(cls, resource: str) -> "Load":
        """Read an address."""
        asked: dict[str, Any] = dict(parse_qsl(urlsplit(resource).query))
        return cls(int(asked["frames"]), int(asked["events"]), asked["writes"], int(asked["instruments"]))


def frame(payload: bytes, opcode: int = 1) -> bytes:
    """A message as one unmasked frame, as servers send it."""
    size = len(payload)
    if size < 126:
        return bytes([0x80 | opcode, size]) + payload
    if size < 2**16:
        return bytes([0x80 | opcode, 126]) + size.to_bytes(2, "big") + payload
    return bytes([0x80 | opcode, 127]) + size.to_bytes(8, "big") + payload


class Peer:
    """The server's side of one connection."""

    def __init__(self, sock: socket.socket, context: ssl.SSLContext | None) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.settimeout(_IDLE_S)
        self.sock = sock
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True) if context else None
        self._unread = b""
        if self._tls is not None:
            self._drive(self._tls.do_handshake)

    def _drive(self, step: Callable[[], T]) -> T:
        while True:
            try:
                result = step()
            except ssl.SSLWantReadError:
                self.sock.sendall(self._outgoing.read())
                received = self.sock.recv(65536)
                if not received:
                    raise ConnectionResetError("the client hung up") from None
                self._incoming.write(received)
            else:
                self.sock.sendall(self._outgoing.read())
                return result

    def read(self) -> bytes:
        """Bytes received, decrypted; empty at the end."""
        return self.sock.recv(65536) if self._tls is None else self._drive(self._tls.read)

    def sealed(self, pieces: list[bytes]) -> list[bytes]:
        """The bytes to send for these pieces; over TLS, each piece in records of its own."""
        if self._tls is None:
            return pieces
        sealed: list[bytes] = []
        for piece in pieces:
            for start in range(0, len(piece), _RECORD_BYTES):
                self._tls.write(piece[start : start + _RECORD_BYTES])
            sealed.append(self._outgoing.read())
        return sealed

    def send(self, sealed: bytes) -> None:
        """Send what `sealed` returned, in the same order."""
        self.sock.sendall(sealed)

    def request(self) -> tuple[str, bytes]:
        """Read the WebSocket handshake: the address it asks for, and the sealed answer for `send`."""
        request = b""
        while b"\r\n\r\n" not in request:
            received = self.read()
            if not received:
                raise ConnectionResetError("the client hung up")
            request += received
        key = re.search(rb"(?i)sec-websocket-key: *([^\r]+)", request)
        assert key is not None, request
        digest = base64.b64encode(hashlib.sha1(key[1] + _MAGIC).digest())
        answer = (
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + digest + b"\r\n\r\n"
        )
        self._unread = request.partition(b"\r\n\r\n")[2]
        return request.split(b" ", 2)[1].decode(), b"".join(self.sealed([answer]))

    def messages(self) -> Iterator[tuple[int, bytes]]:
        """Opcode and payload of each frame that the client sends; its frames are short and masked."""
        while True:
            while len(self._unread) < 2 or len(self._unread) < self._frame_bytes():
                received = self.read()
                if not received:
                    return
                self._unread += received
            size, begins = self._frame_bytes(), self._payload_at()
            mask, masked = self._unread[begins - 4 : begins], self._unread[begins:size]
            opcode, self._unread = self._unread[0] & 15, self._unread[size:]
            yield opcode, bytes(byte ^ key for byte, key in zip(masked, itertools.cycle(mask), strict=False))

    def wait_asked(self, messages: Iterator[tuple[int, bytes]]) -> None:
        """Read the message that sets the sender off: the first but for pings, which cgrx sends before it subscribes."""
        while next(messages)[1] == PING:
            pass

    def finish(self, messages: Iterator[tuple[int, bytes]]) -> None:
        """Read until the client closes, and answer its close frame."""
        for opcode, _ in messages:
            if opcode == 8:
                self.send(b"".join(self.sealed([CLOSE])))
                return

    def _frame_bytes(self) -> int:
        """The size of the frame that comes next; of its head, as long as that is not there."""
        begins, length = self._payload_at(), self._unread[1] & 127
        if length < 126:
            return begins + length
        return begins + int.from_bytes(self._unread[2 : begins - 4], "big") if len(self._unread) >= begins else begins

    def _payload_at(self) -> int:
        """Where the payload begins, behind the length and the mask."""
        return {126: 4, 127: 10}.get(self._unread[1] & 127, 2) + 4


@cache
def _framed(frames: int, events: int, instruments: int) -> list[bytes]:
    from benchmarks._harness.data import market_frames, trade_frames  # here: other senders do without all of cgrx

    payloads = market_frames(frames, instruments) if instruments else trade_frames(frames, events)
    return [frame(payload) for payload in payloads]


def _blocks(frames: list[bytes]) -> list[bytes]:
    joined = b"".join(frames)
    return [joined[start : start + _BLOCK_BYTES] for start in range(0, len(joined), _BLOCK_BYTES)]


def _pieces(peer: Peer, load: Load) -> list[bytes]:
    frames = _framed(load.frames, load.events, load.instruments)
    match load.writes:
        case "block":
            return peer.sealed(_blocks(frames))
        case "record":
            return _blocks(peer.sealed(frames))
        case "frame":
            return peer.sealed(frames)


def _answer(peer: Peer) -> None:
    """Serve one connection: the frames it asks for, then the closing handshake."""
    resource, answer = peer.request()
    pieces = _pieces(peer, Load.of(resource))
    peer.send(answer)
    messages = peer.messages()
    peer.wait_asked(messages)
    for piece in pieces:
        peer.send(piece)
    peer.finish(messages)


def serve(pipe: Connection, certificate: str | None) -> None:
    """The process of a sender."""
    context = None
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
    serve_each(pipe, context, _answer)


def serve_each(pipe: Connection, context: ssl.SSLContext | None, answer: Callable[[Peer], None]) -> None:
    """Send the port through the pipe, then answer one connection after the other until the pipe is closed."""
    with suppress(KeyboardInterrupt), socket.create_server(("127.0.0.1", 0)) as listener, pipe:
        pipe.send(listener.getsockname()[1])
        listener.settimeout(0.2)
        while not hung_up(pipe):
            with suppress(TimeoutError, ConnectionError, ssl.SSLError, StopIteration):
                sock = listener.accept()[0]
                with sock:
                    answer(Peer(sock, context))


def hung_up(pipe: Connection) -> bool:
    """Whether the other side has closed the pipe."""
    try:
        return pipe.poll() and pipe.recv() is None
    except EOFError:
        return True


@attrs.frozen
class Servers:
    """The ports of the two senders."""

    port: int
    tls_port: int
    authority: str
    """The certificate to trust, as PEM."""

    def url(self, load: Load, *, tls: bool) -> str:
        """The address of a load."""
        scheme, port = ("wss", self.tls_port) if tls else ("ws", self.port)
        return f"{scheme}://127.0.0.1:{port}{load.resource}"

    def ssl_context(self, *, tls: bool) -> ssl.SSLContext | None:
        """A context for a client that trusts the sender."""
        return ssl.create_default_context(cadata=self.authority) if tls else None


@contextmanager
def servers() -> Generator[Servers, None, None]:
    """Two senders, without and with TLS; the certificate is made for this run and forgotten."""
    import trustme  # here: the senders' own processes do without

    authority = trustme.CA()
    pem = authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem
    with (
        pem.tempfile() as certificate,
        process(serve, None) as plain,
        process(serve, certificate) as secure,
    ):
        yield Servers(port_of(plain), port_of(secure), authority.cert_pem.bytes().decode())


def port_of(pipe: Connection) -> int:
    """The port, which a sender sends through its pipe first."""
    if not pipe.poll(30):
        raise TimeoutError("the sender did not start within 30 s")
    port: int = pipe.recv()
    return port
