"""How fast do small messages come in: the frame tap against the plain `get_message` loop of trio-websocket?

    python -m benchmarks.transport [--seconds 1] [--rounds 5] [--quick] [--json FILE]

A sender in a process of its own sends frames as large as a real one-trade message over loopback; both paths receive
through the same `Transport`, take turns (A B A B ...), and must deliver the same number of frames and bytes. The
median of the rounds counts. Cases:

- tcp: the sender writes large blocks. tcp, a write per frame: each frame by its own send call.
- tls, a record per 16 KiB: as a server does that collects what it sends.
- tls, a record per frame: each frame encrypted by itself, then written in blocks (so that the sender is not what is
  measured). tls, a write per frame: each frame encrypted and sent by itself.

Where the sender is slower than the tap, `tap cpu` says so; the last two columns count the receiver's processor time
alone. The plain path reads 64 KiB at a time here, not the 4 KiB that are trio-websocket's default.
"""

import argparse
import base64
import hashlib
import itertools
import json
import multiprocessing
import re
import socket
import ssl
import statistics
import tempfile
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Literal, TypeAlias, TypeVar, assert_never

import attrs
import trio
import trustme

from cgrx._address import Address
from cgrx._errors import DisconnectedError
from cgrx._transport import open_transport

PAYLOAD = json.dumps(
    {
        "channel": "futures_trades@Binance_BTCUSDT@10000",
        "data": [
            {"baseAsset": "BTC", "exName": "Binance", "price": 97421.5, "side": 2, "symbol": "BTCUSDT"}
            | {"time": 1732301234567, "volUsd": 12345.67}
        ],
    },
    separators=(",", ":"),
).encode()
FRAME = bytes([0x81, 126]) + len(PAYLOAD).to_bytes(2, "big") + PAYLOAD
CLOSE = bytes([0x88, 2]) + (1000).to_bytes(2, "big")
BLOCK = 400

T = TypeVar("T")
Sending: TypeAlias = Literal["block", "frame", "record"]
"""What goes out at once: a block of frames; one frame; a block of frames, each in a TLS record of its own."""


@attrs.frozen
class Case:
    """How the sender sends."""

    name: str
    tls: bool
    sending: Sending


CASES = (
    Case("tcp", tls=False, sending="block"),
    Case("tcp, a write per frame", tls=False, sending="frame"),
    Case("tls, a record per 16 KiB", tls=True, sending="block"),
    Case("tls, a record per frame", tls=True, sending="record"),
    Case("tls, a write per frame", tls=True, sending="frame"),
)


@attrs.frozen
class Run:
    """One connection, from the first frame received to the last."""

    frames: int
    payload_bytes: int
    elapsed_s: float
    cpu_s: float

    @property
    def per_s(self) -> float:
        """Frames per second."""
        return self.frames / self.elapsed_s

    @property
    def per_cpu_s(self) -> float:
        """Frames per second of processor time."""
        return self.frames / self.cpu_s


@attrs.frozen
class Row:
    """The figures of a case: medians of its rounds. Rates are in frames per second."""

    case: str
    plain_per_s: float
    tap_per_s: float
    ratio: float
    lowest_ratio: float
    tap_cpu: float
    """The share of the time that the receiver's process was on a processor: below 1 the sender was the slower one."""
    tap_per_cpu_s: float
    cpu_ratio: float
    """Frames per second of processor time, tap against plain."""

    def __str__(self) -> str:
        return (
            f"{self.case:26}{self.plain_per_s:10,.0f}{self.tap_per_s:12,.0f}{self.ratio:7.1f}x{self.lowest_ratio:7.1f}x"
            f"{self.tap_cpu:9.0%}{self.tap_per_cpu_s:12,.0f}{self.cpu_ratio:10.1f}x"
        )


class Sender:
    """The server's side of one connection: blocking, so as fast as can be."""

    def __init__(self, sock: socket.socket, context: ssl.SSLContext | None) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sock = sock
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True) if context else None
        if self._tls is not None:
            self._drive(self._tls.do_handshake)

    def _drive(self, step: Callable[[], T]) -> T:
        while True:
            try:
                result = step()
            except ssl.SSLWantReadError:
                self._sock.sendall(self._outgoing.read())
                self._incoming.write(self._sock.recv(65536))
            else:
                self._sock.sendall(self._outgoing.read())
                return result

    def accept(self) -> None:
        """The WebSocket handshake."""
        request = b""
        while b"\r\n\r\n" not in request:
            request += self._sock.recv(65536) if self._tls is None else self._drive(self._tls.read)
        key = re.search(rb"(?i)sec-websocket-key: *([^\r]+)", request)
        assert key is not None
        digest = base64.b64encode(hashlib.sha1(key[1] + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
        self.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + digest + b"\r\n\r\n"
        )

    def write(self, *pieces: bytes) -> None:
        """Send the pieces at once, under TLS each in a record of its own."""
        if self._tls is None:
            self._sock.sendall(b"".join(pieces))
            return
        for piece in pieces:
            # SSLObject.write splits what is larger than a record.
            sent = 0
            while sent < len(piece):
                sent += self._tls.write(piece[sent : sent + 2**14])
        self._sock.sendall(self._outgoing.read())

    def send(self, frames: int, sending: Sending) -> None:
        """Send that many frames, and close."""
        whole, rest = divmod(frames, BLOCK)
        if sending == "block":
            block = FRAME * BLOCK
            for _ in range(whole):
                self.write(block)
            self.write(FRAME * rest)
        elif sending == "record":
            pieces = [FRAME] * BLOCK
            for _ in range(whole):
                self.write(*pieces)
            self.write(*pieces[:rest])
        elif sending == "frame":
            for _ in itertools.repeat(None, frames):
                self.write(FRAME)
        else:
            assert_never(sending)
        self.write(CLOSE)
        # Until the client has hung up, so that nothing is lost by a reset.
        while self._sock.recv(65536):
            pass


def serve(pipe: Connection, certificate: str | None) -> None:
    """The sender's process: one connection for each (frames, sending) that comes through the pipe, until None."""
    context = None
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        pipe.send(listener.getsockname()[1])
        while (task := pipe.recv()) is not None:
            frames, sending = task
            sock = listener.accept()[0]
            with sock:
                sender = Sender(sock, context)
                sender.accept()
                sender.send(frames, sending)


async def receive(address: Address, context: ssl.SSLContext | None, *, plain: bool) -> Run:
    """Connect and receive until the server closes."""
    frames = payload_bytes = 0
    async with open_transport(address, ssl_context=context, plain=plain) as transport:
        started_s, cpu_s = time.perf_counter(), time.process_time()
        try:
            while True:
                received = await transport.receive()
                frames += len(received.payloads)
                payload_bytes += sum(map(len, received.payloads))
        except DisconnectedError as error:
            assert error.code == 1000, error
        return Run(frames, payload_bytes, time.perf_counter() - started_s, time.process_time() - cpu_s)


class Bench:
    """A sender's process, with and without TLS, and the rounds against it."""

    def __init__(self, certificate: str | None, context: ssl.SSLContext | None) -> None:
        self._context = context
        spawn = multiprocessing.get_context("spawn")
        self._pipe, theirs = spawn.Pipe()
        self._process = spawn.Process(target=serve, args=(theirs, certificate), daemon=True)
        self._process.start()
        self._address = Address("localhost", self._pipe.recv(), tls=context is not None, resource="/")

    def run(self, frames: int, sending: Sending, *, plain: bool) -> Run:
        """One connection; every frame must arrive."""
        self._pipe.send((frames, sending))
        run = trio.run(lambda: receive(self._address, self._context, plain=plain))
        assert (run.frames, run.payload_bytes) == (frames, frames * len(PAYLOAD)), run
        return run

    def stop(self) -> None:
        """End the sender's process."""
        self._pipe.send(None)
        self._process.join()

    def measure(self, case: Case, seconds: float, rounds: int) -> Row:
        """The medians of a case; both paths receive for about `seconds` a round, in which the tap gets more frames."""
        probe = {plain: self.run(3000, case.sending, plain=plain) for plain in (True, False)}
        counts = {plain: max(3000, int(run.per_s * seconds)) for plain, run in probe.items()}
        counts[False] = max(counts[False], int(self.run(counts[True] * 5, case.sending, plain=False).per_s * seconds))
        runs: dict[bool, list[Run]] = {True: [], False: []}
        for _ in range(rounds):
            # The same frames through both, then the longer run that the tap needs to be measured well.
            runs[True].append(self.run(counts[True], case.sending, plain=True))
            self.run(counts[True], case.sending, plain=False)
            runs[False].append(self.run(counts[False], case.sending, plain=False))
        pairs = list(zip(runs[True], runs[False], strict=True))
        ratios = [tap.per_s / plain.per_s for plain, tap in pairs]
        return Row(
            case=case.name,
            plain_per_s=statistics.median(plain.per_s for plain, _ in pairs),
            tap_per_s=statistics.median(tap.per_s for _, tap in pairs),
            ratio=statistics.median(ratios),
            lowest_ratio=min(ratios),
            tap_cpu=statistics.median(tap.cpu_s / tap.elapsed_s for _, tap in pairs),
            tap_per_cpu_s=statistics.median(tap.per_cpu_s for _, tap in pairs),
            cpu_ratio=statistics.median(tap.per_cpu_s / plain.per_cpu_s for plain, tap in pairs),
        )


def main() -> None:
    """Measure, print a table, write the figures."""
    parser = argparse.ArgumentParser(description="the frame tap against the plain get_message loop")
    parser.add_argument("--seconds", type=float, default=1.0, help="for each path in each round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="one short round: it runs, the figures are rough")
    parser.add_argument("--json", type=Path, help="write the figures here")
    options = parser.parse_args()
    if options.quick:
        options.seconds, options.rounds = 0.2, 1

    authority = trustme.CA()
    client = ssl.create_default_context()
    client.load_verify_locations(cadata=authority.cert_pem.bytes().decode())
    rows: list[Row] = []
    print(f"{len(FRAME)} bytes a frame; medians of {options.rounds} rounds")
    print(
        f"{'':26}{'plain/s':>10}{'tap/s':>12}{'ratio':>8}{'lowest':>8}{'tap cpu':>9}{'per cpu s':>12}{'cpu ratio':>11}"
    )
    with tempfile.TemporaryDirectory() as folder:
        certificate = Path(folder) / "server.pem"
        authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(certificate)
        for tls, cases in itertools.groupby(CASES, key=lambda case: case.tls):
            bench = Bench(str(certificate) if tls else None, client if tls else None)
            for case in cases:
                rows.append(bench.measure(case, options.seconds, options.rounds))
                print(rows[-1], flush=True)
            bench.stop()
    if options.json is not None:
        options.json.write_text(
            json.dumps({"frame_bytes": len(FRAME), "cases": [attrs.asdict(row) for row in rows]}, indent=2) + "\n"
        )


if __name__ == "__main__":
    main()
