"""The server's side of every connection: refusing, handshaking, listening to commands, sending events."""

import errno
import math
import socket
import ssl
from collections.abc import Callable, Iterable, Sequence

import attrs
import trio
from trio.testing import MockClock
from trio_websocket import ConnectionClosed, WebSocketRequest, wrap_server_stream
from wsproto.utilities import LocalProtocolError

from cgrx._model.channels import Channel, parse_channel
from cgrx._model.events import Event
from cgrx._simulator import frames
from cgrx._simulator.access import KEY_NOTICE, Gate, parse_command
from cgrx._simulator.client import Peer, PeerLimits
from cgrx._simulator.connection import Line, ServerStream
from cgrx._simulator.due import Alarms
from cgrx._simulator.faults import ArrivalFault, CloseAtOnce, HangConnect, HangHandshake, Refuse
from cgrx._simulator.journal import Client, Connected, Journal, Refused, Said, SimulatorStats
from cgrx._simulator.pipe import pipe
from cgrx._simulator.routes import Generation, Route, Routes
from cgrx._simulator.script import Script
from cgrx._trio.clock import WallClock, system_time
from cgrx._wire.address import Address
from cgrx._wire.codec import PING, encode_frame

HANDSHAKE_TIMEOUT_S = 30.0
COMMAND_BYTES = 64 * 1024
"""A longer message of a client closes its connection with 1009."""

_GONE = (ConnectionClosed, trio.BrokenResourceError, trio.ClosedResourceError)


@attrs.frozen(kw_only=True)
class ServerOptions:
    """The options that hold for every client of a server."""

    gate: Gate
    limits: PeerLimits
    generation: Generation
    frame_events: int
    send_time: bool
    ssl_context: ssl.SSLContext | None
    wall_clock: Callable[[], float] | None


class Server:
    """Serves streams, whatever carries them; create it inside trio and run its connections in `nursery`."""

    def __init__(self, options: ServerOptions, nursery: trio.Nursery) -> None:
        self.journal = Journal()
        self.peers: dict[int, Peer] = {}
        """The clients whose handshake is done, by the number of the connection."""
        self.alarms = Alarms()
        """The owner of the server runs these as a task."""
        self.routes: Routes[Peer] = Routes(options.generation)
        self.script = Script(self.peers, self.journal.counters, self.alarms)
        self.clock = WallClock(options.wall_clock or _time_of_day())
        self._options = options
        self._nursery = nursery
        self._arrived = 0
        self._closed = False

    # Connections.

    async def accept(self, stream: ServerStream) -> None:
        """Serve a TCP connection to its end."""
        await self._serve(stream, *self._arrive())

    async def dial(self, address: Address) -> trio.abc.Stream:
        """A new in-memory stream to this server; raises OSError where a fault refuses it. `address` does not matter."""
        # The checkpoint comes before there is a stream: a cancellation behind it would lose the client's end.
        await trio.lowlevel.checkpoint()
        refused = ConnectionRefusedError(errno.ECONNREFUSED, f"connect to {address.host}:{address.port} refused")
        if self._closed:
            raise refused
        number, fault = self._arrive()
        if isinstance(fault, Refuse) and fault.how == "tcp":
            self._refused(number, "tcp")
            raise refused
        if isinstance(fault, Refuse) and fault.how == "dns":
            self._refused(number, "dns")
            raise socket.gaierror(socket.EAI_NONAME, f"{address.host} is not known")
        if isinstance(fault, HangConnect):
            self._refused(number, "hang")
            await trio.sleep_forever()
        client, server = pipe()
        context = self._options.ssl_context
        stream = server if context is None else trio.SSLStream(server, context, server_side=True, https_compatible=True)
        self._nursery.start_soon(self._serve, stream, number, fault)
        return client

    def _arrive(self) -> tuple[int, ArrivalFault | None]:
        self._arrived += 1
        fault = self.script.arrival(self._arrived)
        if fault is not None:
            self.journal.happened(self._arrived, fault)
        return self._arrived, fault

    async def _serve(self, stream: ServerStream, number: int, fault: ArrivalFault | None) -> None:
        line = Line(stream)
        try:
            if isinstance(fault, Refuse) and isinstance(fault.how, str):
                self._refused(number, fault.how)
                line.reset()
            elif isinstance(fault, HangConnect | HangHandshake):
                self._refused(number, "hang")
                await line.drain()
            else:
                await self._converse(line, number, fault)
        except* (*_GONE, LocalProtocolError):
            # The client went away while it was being answered; trio-websocket raises LocalProtocolError
            # where a ping comes in after our close frame went out.
            pass
        finally:
            await trio.aclose_forcefully(line)

    async def _converse(self, line: Line, number: int, fault: Refuse | CloseAtOnce | None) -> None:
        async with trio.open_nursery() as nursery:
            request = await self._request(line, nursery)
            status = self._refusal(request, fault) if request is not None else None
            if request is None:
                self._refused(number, "no handshake")
            elif status is not None:
                self._refused(number, str(status))
                await self._reject(request, status, fault.retry_after if isinstance(fault, Refuse) else None)
                await line.aclose()
            else:
                websocket = await request.accept()
                peer = Peer(number, line, websocket, self._options.limits, self.journal, self.alarms)
                await self._run(peer, nursery, request.path, fault)
            nursery.cancel_scope.cancel()

    async def _request(self, line: Line, nursery: trio.Nursery) -> WebSocketRequest | None:
        """The client's handshake request; None where none comes in time."""
        with trio.move_on_after(HANDSHAKE_TIMEOUT_S) as scope:
            # trio-websocket would wait for ever for the request of a client that has left.
            nursery.start_soon(_cancel_at_end, line, scope)
            return await wrap_server_stream(nursery, line, max_message_size=COMMAND_BYTES)
        return None

    def _refusal(self, request: WebSocketRequest, fault: Refuse | CloseAtOnce | None) -> int | None:
        if isinstance(fault, Refuse) and isinstance(fault.how, int):
            return fault.how
        return self._options.gate.refusal(request.path)

    async def _reject(self, request: WebSocketRequest, status: int, retry_after: float | str | None) -> None:
        headers = [(b"content-type", b"text/plain")]
        if retry_after is not None:
            value = retry_after if isinstance(retry_after, str) else f"{retry_after:g}"
            headers.append((b"retry-after", value.encode()))
        await request.reject(status, extra_headers=headers, body=b"refused")

    async def _run(self, peer: Peer, nursery: trio.Nursery, resource: str, fault: Refuse | CloseAtOnce | None) -> None:
        self.journal.counters.connections_total += 1
        self.journal.write(Connected(peer.number, self.journal.now_s()))
        self.peers[peer.number] = peer
        if isinstance(fault, CloseAtOnce):
            if fault.notice is not None:
                peer.write(frames.frame(fault.notice.encode()))
            peer.close(fault.code, fault.reason)
        elif not self._options.gate.accepts_key(resource):
            self._meet_bad_key(peer)
        self.script.opened(peer)
        try:
            await peer.run(nursery, self._hear)
        finally:
            del self.peers[peer.number]
            for name, channel in peer.subscriptions.items():
                self.routes.unsubscribe(peer, name, channel)

    def _meet_bad_key(self, peer: Peer) -> None:
        if self._options.gate.on_bad_key == "ignore":
            peer.is_ignored = True
            return
        if self._options.gate.on_bad_key == "notice":
            self._notify(peer, KEY_NOTICE)
        peer.close(1008, "")

    def _refused(self, number: int, why: str) -> None:
        self.journal.counters.refused += 1
        self.journal.write(Refused(number, self.journal.now_s(), why))

    async def close_all(self, code: int, reason: str) -> None:
        """Close every connection, and wait until they have ended: twice the close time-out at most."""
        peers = list(self.peers.values())
        for peer in peers:
            peer.close(code, reason)
        with trio.move_on_after(2 * self._options.limits.close_timeout_s):
            for peer in peers:
                await peer.ended.wait()
        for peer in peers:
            peer.drop()
            await peer.ended.wait()

    def close(self) -> None:
        """Refuse every further `dial`."""
        self._closed = True

    # Messages from clients.

    def _hear(self, peer: Peer, message: str | bytes) -> None:
        counters = self.journal.counters
        if message == PING:
            counters.pings += 1
            if peer.answers_pings:
                counters.pongs += 1
                peer.write(frames.frame(b"pong"))
            self.journal.changed.unpark_all()
            return
        text = message if isinstance(message, str) else repr(message)
        command = parse_command(message) if isinstance(message, str) and not peer.is_ignored else None
        if command is None:
            counters.commands_ignored += 1
        else:
            counters.commands += 1
            for name in command.channels:
                self._obey(peer, command.method, name)
        self.journal.write(Said(peer.number, self.journal.now_s(), text))

    def _obey(self, peer: Peer, method: str, name: str) -> None:
        try:
            channel = parse_channel(name)
        except ValueError:
            self.journal.counters.names_ignored += 1
            return
        if method == "unsubscribe":
            for known in [known for known, other in peer.subscriptions.items() if other == channel]:
                self.routes.unsubscribe(peer, known, peer.subscriptions.pop(known))
        elif self._options.gate.includes(channel):
            peer.subscriptions[name] = channel
            self.routes.subscribe(peer, name, channel)
        else:
            self._notify(peer, f"{name} need upgrade plan")

    def _notify(self, peer: Peer, notice: str) -> None:
        self.journal.counters.notices += 1
        peer.write(frames.frame(notice.encode()))

    # Events to clients.

    def publish(self, events: Iterable[Event], per_frame: float) -> None:
        """Queue events for everybody subscribed to them, at most `per_frame` of one channel in a frame."""
        counters, moments = self.journal.counters, self.script.moments
        pending: dict[Route[Peer], list[Event]] = {}
        for event in events:
            routes = [route for route in self.routes.matching(event) if event.volume_usd >= route.min_volume]
            if not routes:
                counters.events_unheard += 1
                continue
            for route in routes:
                waiting = pending.setdefault(route, [])
                waiting.append(event)
                if len(waiting) >= per_frame:
                    self._deliver(route, pending.pop(route))
            counters.events += 1
            # A fault that is due takes its place behind the frame of the event, also where events share one.
            if counters.events >= moments.next_at and not pending:
                moments.reach(counters.events)
        for route, rest in pending.items():
            self._deliver(route, rest)
        moments.reach(counters.events)
        self.journal.changed.unpark_all()

    def publish_on(self, channel: Channel, events: Sequence[Event]) -> None:
        """Queue events for everybody subscribed to `channel`, whatever it carries, in one frame."""
        counters, routes = self.journal.counters, self.routes.of(channel)
        if routes and events:
            for route in routes:
                self._deliver(route, events)
            counters.events += len(events)
            self.script.moments.reach(counters.events)
        else:
            counters.events_unheard += len(events)
        self.journal.changed.unpark_all()

    def _deliver(self, route: Route[Peer], events: Sequence[Event]) -> None:
        extra = {"time": self.clock.now_ms()} if self._options.send_time else None
        whole = frames.frame(encode_frame(route.name, events, self._options.generation, extra))
        count = len(events)
        route.events += count
        for peer in route.clients:
            peer.push(whole, count)

    async def make_room(self) -> None:
        """With the overflow policy "block", wait for the slowest client."""
        await trio.lowlevel.checkpoint()
        if self._options.limits.overflow == "block":
            for peer in list(self.peers.values()):
                await peer.room()

    async def flush(self) -> None:
        """Wait until everything queued for every client has been written."""
        for peer in list(self.peers.values()):
            await peer.flushed()

    # Statistics.

    def stats(self) -> SimulatorStats:
        """A snapshot of the counters."""
        return SimulatorStats(
            connections=len(self.peers),
            subscriptions=self.routes.subscribers(),
            events_per_channel=self.routes.events(),
            **attrs.asdict(self.journal.counters),
        )

    def clients(self) -> tuple[Client, ...]:
        """The clients connected now, in the order of arrival."""
        return tuple(
            Client(peer.number, tuple(peer.subscriptions), peer.events) for _, peer in sorted(self.peers.items())
        )


async def serve_listeners(server: Server, listeners: list[trio.SocketListener], context: ssl.SSLContext | None) -> None:
    """Serve what comes over TCP, for as long as it runs."""
    if context is None:
        await trio.serve_listeners(server.accept, listeners)
    else:
        secure = [trio.SSLListener(listener, context, https_compatible=True) for listener in listeners]
        await trio.serve_listeners(server.accept, secure)


def _time_of_day() -> Callable[[], float]:
    """The system's clock; where trio's jumps by itself, that is the only one which knows what time it is."""
    clock = trio.lowlevel.current_clock()
    jumps = isinstance(clock, MockClock) and clock.autojump_threshold < math.inf
    return trio.current_time if jumps else system_time


async def _cancel_at_end(line: Line, scope: trio.CancelScope) -> None:
    await line.ended.wait()
    scope.cancel()
