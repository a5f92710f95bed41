"""How fast do frames that are already on loopback become typed events in a callback?

A sender in a process of its own has every frame ready (`_senders/server.py`). The clock runs from the moment at which
the receiver asks for the frames to the last event. Ours is a whole feed: `cgrx.connect`, `feed.futures_trades(...)`,
`subscribe(callback)`. Frames hold 1, 10 and 100 trades (the real server sends one), without and with TLS. Every event
reaches the same callback. The figure is the receiver's processor time, since the receiver is never idle; wall-clock
time (`wall_ns`) depends on what else runs on the machine.

Two limits: reading the same bytes from the socket without parsing, and msgspec on messages that lie in memory.

cgrx does more with each event than the others: it looks for parts of the API key in its texts, gives its exchange the
one spelling, and checks that its type is that of the channel. picows brings TLS of its own in C (aiofastnet); all
others, cgrx too, read records by Python's `ssl`.
"""

import gc
import socket
import time
from collections.abc import Sequence
from urllib.parse import urlsplit

import attrs
import msgspec

from benchmarks._harness.data import trade_frames
from benchmarks._harness.scenario import Case, Contest, Results, Rival, Sample, Scenario
from benchmarks._senders.server import Load, Servers, frame, servers
from benchmarks.rivals.receivers import CLIENTS, Client, Goal, Receiver, TradeFrame
from cgrx import Trade

CHECKED = 2_000
"""Events that are compared."""


@attrs.frozen
class Line:
    """What is sent, and over what."""

    load: Load
    tls: bool = False

    @property
    def events(self) -> int:
        """All events of the load."""
        return self.load.frames * self.load.events


class Clocked:
    """A goal that counts the events down between two looks at the clocks."""

    def __init__(self, events: int) -> None:
        self.goal = Goal(events, self._on_event, self._start)
        self.wall_s = self.cpu_s = 0.0

    def _start(self) -> None:
        self.wall_s, self.cpu_s = time.perf_counter(), time.process_time()

    def _on_event(self, event: Trade) -> None:
        goal = self.goal
        goal.left -= 1
        if not goal.left:
            self.wall_s, self.cpu_s = time.perf_counter() - self.wall_s, time.process_time() - self.cpu_s
            goal.reached()

    def sample(self, events: int) -> Sample:
        """What one event cost."""
        return per_event(self.cpu_s, self.wall_s, events)


def per_event(cpu_s: float, wall_s: float, events: int) -> Sample:
    """Nanoseconds for each."""
    return Sample(cpu_s / events * 1e9, {"wall_ns": wall_s / events * 1e9})


class Collecting:
    """A goal that keeps the events, to be compared."""

    def __init__(self, events: int) -> None:
        self.goal = Goal(events, self._on_event, lambda: None)
        self.kept: list[Trade] = []

    def _on_event(self, event: Trade) -> None:
        self.kept.append(event)
        self.goal.left -= 1
        if not self.goal.left:
            self.goal.reached()


@attrs.frozen
class Receiving:
    """A client on one line."""

    client: Client[Receiver]
    line: Line
    servers: Servers

    def results(self) -> Results:
        """The events of a shorter load, whose frames are the first of the measured one."""
        few = attrs.evolve(self.line.load, frames=min(self.line.load.frames, CHECKED // self.line.load.events))
        collecting = Collecting(few.frames * few.events)
        self._receive(few, collecting.goal)
        return [msgspec.structs.astuple(event) for event in collecting.kept]

    def measure(self) -> Sample:
        """See `Contest`."""
        clocked = Clocked(self.line.events)
        gc.collect()
        self._receive(self.line.load, clocked.goal)
        assert not clocked.goal.left
        return clocked.sample(self.line.events)

    def _receive(self, load: Load, goal: Goal) -> None:
        url = self.servers.url(load, tls=self.line.tls)
        self.client.receive(url, self.servers.ssl_context(tls=self.line.tls), goal)


@attrs.frozen
class ReadingOnly:
    """The limit of the socket: the same bytes, and nothing done with them."""

    line: Line
    servers: Servers
    size: int

    def results(self) -> Results:
        """None: nothing is parsed."""
        return None

    def measure(self) -> Sample:
        """See `Contest`."""
        url = urlsplit(self.servers.url(self.line.load, tls=self.line.tls))
        assert url.hostname is not None
        assert url.port is not None
        context = self.servers.ssl_context(tls=self.line.tls)
        with socket.create_connection((url.hostname, url.port), timeout=60) as plain:
            sock = plain if context is None else context.wrap_socket(plain, server_hostname=url.hostname)
            with sock:
                return self._read(sock, f"{url.path}?{url.query}")

    def _read(self, sock: socket.socket, resource: str) -> Sample:
        sock.sendall(f"GET {resource} HTTP/1.1\r\nHost: x\r\nSec-WebSocket-Key: x\r\n\r\n".encode())
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += sock.recv(65536)
        wall_s, cpu_s = time.perf_counter(), time.process_time()
        sock.sendall(bytes([0x81, 0x80, 0, 0, 0, 0]))
        left = self.size
        while left:
            left -= len(sock.recv(65536))
        wall_s, cpu_s = time.perf_counter() - wall_s, time.process_time() - cpu_s
        return per_event(cpu_s, wall_s, self.line.events)


@attrs.frozen
class InMemory:
    """The limit of the parser: msgspec on messages in memory, and the callback."""

    line: Line
    messages: Sequence[bytes]

    def results(self) -> Results:
        """As many as the clients are checked for."""
        collecting = Collecting(self.line.events)
        self._decode(collecting.goal)
        return [msgspec.structs.astuple(event) for event in collecting.kept[:CHECKED]]

    def measure(self) -> Sample:
        """See `Contest`."""
        clocked = Clocked(self.line.events)
        gc.collect()
        self._decode(clocked.goal)
        return clocked.sample(self.line.events)

    def _decode(self, goal: Goal) -> None:
        decode, on_event = msgspec.json.Decoder(TradeFrame).decode, goal.on_event
        goal.start()
        for message in self.messages:
            for event in decode(message).data:
                on_event(event)


def _rival(client: Client[Receiver]) -> Rival[Line]:
    def prepare(line: Line, servers: Servers) -> Contest:
        client.require()
        return Receiving(client, line, servers)

    return Rival(client.name, prepare, client.role)


def _reading_only(line: Line, servers: Servers) -> Contest:
    messages = trade_frames(line.load.frames, line.load.events)
    return ReadingOnly(line, servers, sum(len(frame(message)) for message in messages))


def _in_memory(line: Line, _: Servers) -> Contest:
    return InMemory(line, trade_frames(line.load.frames, line.load.events))


def _cases(quick: bool) -> list[Case[Line]]:
    cases: list[Case[Line]] = []
    for tls in (False, True):
        over = "TLS" if tls else "TCP"
        for events, frames in ((1, 10_000), (10, 4_000), (100, 1_000)):
            load = Load(frames // (50 if quick else 1), events, "record" if tls else "block")
            cases.append(Case(f"{over}, {events} {'event' if events == 1 else 'events'} a frame", Line(load, tls)))
    few = 200 if quick else 10_000
    cases.append(Case("TCP, 1 event a frame, each by a write of its own", Line(Load(few, 1, "frame"))))
    cases.append(Case("TLS, 1 event a frame, records of 16 KiB", Line(Load(few, 1, "block"), tls=True)))
    return cases


SCENARIO = Scenario(
    name="wire",
    question=(__doc__ or "").partition("\n")[0],
    unit="ns per event",
    cases=_cases,
    surroundings=servers,
    rivals=(
        *map(_rival, CLIENTS),
        Rival("msgspec alone, in memory", _in_memory, "limit"),
        Rival("reading the socket alone", _reading_only, "limit"),
    ),
)
