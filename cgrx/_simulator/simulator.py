"""A server that behaves as CoinGlass's does, over loopback or in memory, with faults on request.

What it does is what PROTOCOL.md says is known; what is not known (a wrong key, close codes) can be chosen. It listens
on a loopback port, and `in_memory` tells a feed in the same trio run how to reach it by a stream in memory, which works
under an autojumping `MockClock`.

One task hands out the events when they are due; each client has a bounded queue and a writer of its own. A client that
reads too slowly is disconnected (1013), or holds up the events for all: see `overflow`.
"""

import math
import random
import ssl
from collections.abc import Callable, Collection, Iterable
from types import TracebackType
from typing import Literal, Self, TypedDict, cast

import attrs
import trio

from cgrx._model.channels import Channel, parse_channel
from cgrx._model.events import Event, Liquidation, Trade
from cgrx._model.times import Duration, to_seconds
from cgrx._simulator import frames
from cgrx._simulator.access import BadKey, Gate, Plan
from cgrx._simulator.client import Overflow, PeerLimits
from cgrx._simulator.faults import Fault
from cgrx._simulator.journal import Client, Happened, LogEntry, Said, SimulatorStats
from cgrx._simulator.market import Generator
from cgrx._simulator.routes import Generation
from cgrx._simulator.server import Server, ServerOptions, serve_listeners
from cgrx._simulator.sources import Pacer
from cgrx._trio.ports import listen
from cgrx._wire.address import Dial

_FIRST_AT = {"now": 0, "first_subscriber": 1}
_ANY_KEY = "any-key-will-do"


class InMemory(TypedDict):
    """What `cgrx.connect` takes to reach a `Simulator` in memory; see `Simulator.in_memory`.

    Examples:
        >>> from cgrx.testing import InMemory, Simulator
        >>> async with Simulator(listen=False) as server:
        ...     reach: InMemory = server.in_memory()
        ...     print(reach["url"], reach["api_key"])
        ws://localhost/ws-api any-key-will-do
    """

    api_key: str
    url: str
    dial: Dial
    wall_clock: Callable[[], float]
    """Seconds since the epoch."""
    rng: random.Random


class Simulator:
    """A CoinGlass-compatible server: `async with Simulator(...) as simulator`.

    On leaving, it closes its clients with 1001, waits `close_timeout` at most, and ends every task and socket.

    Args:
        events: What to send: a `Generator`, `JsonLines`, or any iterable of events; by default nothing but what `send`
            is given.
        speed: 1 sends events as far apart as their times are, 10 ten times as fast, `math.inf` as fast as clients
            read.
        times: `"recorded"` event times, or `"now"`: the time at which the event is due. Default: `"now"` for a
            `Generator`, else `"recorded"`.
        longest_wait: A longer wait between two events (a hole in a recording) is cut to this. Default: never.
        start: When the events begin: `"first_subscriber"` (default), so that it misses none, `"now"`, or when this
            many subscriptions have arrived.
        end: After the last event: `"stay"` connected (default), or `"close"` with 1000.
        generation: Which field and channel names frames use: 1 (default) those of the first API, 2 its successor's.
        frame_events: Events of one channel that share a frame where they are due together, at most; 1 by default.
        send_time: Add a top-level `time` to each frame, as one capture of the real feed has it.
        keys: Accepted API keys; None (default) accepts any that is not empty.
        on_bad_key: An HTTP status (401 by default), `"notice"` (a text, then close 1008), `"close"` (1008), or
            `"ignore"` (pings are answered, commands are not).
        plan: The plan of every key. Below `"standard"`, subscribing is answered with the text
            `{name} need upgrade plan`.
        need_upgrade: Names of channels that are answered so on every plan.
        path: The path to serve; any other is answered with HTTP 404.
        faults: Faults scripted from the beginning; `script` adds more.
        listen: Open a port. False leaves `in_memory` and `dial` as the only ways in, as a `MockClock` needs.
        host: The address to listen on.
        port: The port to listen on; 0 (default) takes a free one.
        ssl_context: For TLS, over TCP and in memory.
        overflow: What happens when `buffer_bytes` (plus a chunk of 256 events) wait for a client: `"disconnect"` it
            with 1013, or `"block"`: events wait for the slowest client, none is lost. Default: `"block"` at an
            infinite speed, else `"disconnect"`.
        buffer_bytes: See `overflow`; 4 MiB by default.
        close_timeout: How long a client may take to answer a close frame; 1 s by default.
        wall_clock: Seconds since the epoch, read when the simulator begins: the time of day for `times="now"` and for
            the feeds that come `in_memory`. Default: the system's clock, or a `MockClock` of trio's that
            jumps by itself, which begins at 0.

    Examples:
        >>> from cgrx.testing import Simulator
        >>> async with Simulator([liquidation("long", 5_000.0)]) as simulator:
        ...     async with cgrx.connect(
        ...         url=simulator.url, api_key="made-up-key"
        ...     ) as feed:
        ...         async with cgrx.stream(feed.liquidations()) as events:
        ...             async for event in events:
        ...                 print(event.side.word, event.volume_usd)
        ...                 break
        long 5000.0
    """

    def __init__(
        self,
        events: Iterable[Event] = (),
        *,
        speed: float = 1.0,
        times: Literal["recorded", "now"] | None = None,
        longest_wait: Duration = math.inf,
        start: Literal["first_subscriber", "now"] | int = "first_subscriber",
        end: Literal["stay", "close"] = "stay",
        generation: Generation = 1,
        frame_events: int = 1,
        send_time: bool = False,
        keys: Collection[str] | None = None,
        on_bad_key: BadKey = 401,
        plan: Plan = "standard",
        need_upgrade: Collection[str] = (),
        path: str = "/ws-api",
        faults: Iterable[Fault] = (),
        listen: bool = True,
        host: str = "127.0.0.1",
        port: int = 0,
        ssl_context: ssl.SSLContext | None = None,
        overflow: Overflow | None = None,
        buffer_bytes: int = 4 * 1024 * 1024,
        close_timeout: Duration = 1.0,
        wall_clock: Callable[[], float] | None = None,
    ) -> None:
        if not speed > 0:
            raise ValueError(f"speed={speed!r} must be above 0; 1 is real time, math.inf as fast as possible")
        if frame_events < 1:
            raise ValueError(f"frame_events={frame_events!r} must be 1 or more")
        if generation not in (1, 2):
            raise ValueError(f"generation={generation!r} must be 1 or 2")
        self._options = ServerOptions(
            gate=Gate(
                path=path,
                keys=None if keys is None else frozenset(keys),
                on_bad_key=on_bad_key,
                plan=plan,
                need_upgrade=tuple(map(parse_channel, need_upgrade)),
            ),
            limits=PeerLimits(
                buffer_bytes=buffer_bytes,
                overflow=overflow or ("block" if speed == math.inf else "disconnect"),
                close_timeout_s=to_seconds(close_timeout, "close_timeout"),
            ),
            generation=generation,
            frame_events=frame_events,
            send_time=send_time,
            ssl_context=ssl_context,
            wall_clock=wall_clock,
        )
        self._events = events
        self._speed = speed
        self._times = times or ("now" if isinstance(events, Generator) else "recorded")
        self._longest_wait_s = to_seconds(longest_wait, "longest_wait")
        self._first_at = _FIRST_AT[start] if isinstance(start, str) else start
        self._end = end
        self._path = path
        self._faults = tuple(faults)
        self._listen = listen
        self._host = host
        self._port = port
        self._ssl_context = ssl_context
        self._running: Server | None = None

    async def __aenter__(self) -> Self:
        """Begin: listen, and hand out events as `start` says."""
        if self._running is not None:
            raise RuntimeError("this Simulator has been used already: make a new one")
        listeners = await listen(self._port, self._host) if self._listen else []
        self._manager = trio.open_nursery()
        self._nursery = await self._manager.__aenter__()
        server = self._running = Server(self._options, self._nursery)
        if listeners:
            self._port = listeners[0].socket.getsockname()[1]
            self._nursery.start_soon(serve_listeners, server, listeners, self._ssl_context)
        self.script(self._faults)
        self._nursery.start_soon(server.alarms.run)
        self._nursery.start_soon(self._pump, server)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        """Close the clients, then end every task. An error of the source of events is raised plain, not in a group."""
        # In a task of the nursery, which therefore ends in every case, cancellation included.
        self._nursery.start_soon(self._shut_down, error is None)
        try:
            return await self._manager.__aexit__(kind, error, traceback)
        except BaseExceptionGroup as group:
            first = _only(group)
            if first is error:
                return False
            raise first from first.__cause__

    # Addresses.

    @property
    def url(self) -> str:
        """The address for clients, without a key; with `listen=False` a made-up one, to be used with `dial`."""
        scheme = "ws" if self._ssl_context is None else "wss"
        if not self._listen:
            return f"{scheme}://localhost{self._path}"
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"{scheme}://{host}:{self._port}{self._path}"

    @property
    def dial(self) -> Dial:
        """For the feed: opens an in-memory stream to this server, whatever the address."""
        return self._server.dial

    def in_memory(self, rng: random.Random | None = None) -> InMemory:
        """What `cgrx.connect` takes to reach this server in memory: `cgrx.connect(**simulator.in_memory())`.

        The address, a key that the server accepts, its `dial` and its wall clock, and no chance: so each run is the
        same. With TLS add the `ssl_context` that trusts its certificate, which is for the host of its `url`.

        Args:
            rng: What the jitter of the delays between attempts is drawn from. Default: the seed 0.

        Raises:
            RuntimeError: The simulator does not run yet.

        Examples:
            >>> from cgrx.testing import Simulator
            >>> market = [liquidation("long", 5_000.0)]
            >>> async with (
            ...     Simulator(market, listen=False) as server,
            ...     cgrx.connect(**server.in_memory()) as feed,
            ...     cgrx.stream(feed.liquidations()) as events,
            ... ):
            ...     print((await anext(events)).volume_usd)
            5000.0
        """
        keys = self._options.gate.keys
        return InMemory(
            api_key=min(keys) if keys else _ANY_KEY,
            url=self.url,
            dial=self.dial,
            wall_clock=self._server.clock.now_s,
            rng=rng or random.Random(0),
        )

    # Faults, events and ends.

    def script(self, faults: Iterable[Fault]) -> None:
        """Let faults happen, each at its moment counted from now."""
        for fault in faults:
            self._server.script.add(fault)

    async def send(self, events: Event | Iterable[Event], channel: str | Channel | None = None) -> None:
        """Send events to the clients subscribed to them, in one frame for each channel.

        Args:
            events: One or several; none does nothing.
            channel: Send them to the subscribers of this channel, whatever it carries (its `min_volume` included).
        """
        several = (events,) if isinstance(events, Liquidation | Trade) else tuple(events)
        if channel is None:
            self._server.publish(several, math.inf)
        else:
            self._server.publish_on(parse_channel(channel) if isinstance(channel, str) else channel, several)
        await self._server.make_room()

    async def send_raw(self, data: str | bytes) -> None:
        """Send to every client: a text as one text message; bytes as they are, without a frame around them."""
        for peer in list(self._server.peers.values()):
            peer.write(frames.frame(data.encode()) if isinstance(data, str) else data)
        await self._server.make_room()

    async def close_all(self, code: int = 1000, reason: str = "") -> None:
        """Close every connection once what is queued for it is written; reset those that do not answer in time."""
        await self._server.close_all(code, reason)

    def drop_all(self) -> None:
        """Reset every connection at once."""
        for peer in list(self._server.peers.values()):
            peer.drop()

    async def flush(self) -> None:
        """Wait until everything queued has been written to the streams."""
        await self._server.flush()

    # Statistics and log.

    @property
    def stats(self) -> SimulatorStats:
        """The counters, a snapshot."""
        return self._server.stats()

    @property
    def clients(self) -> tuple[Client, ...]:
        """The connections open now, in the order of arrival."""
        return self._server.clients()

    @property
    def log(self) -> tuple[LogEntry, ...]:
        """The connections, messages and faults so far, in order: the latest 100,000 entries."""
        return tuple(self._server.journal.entries)

    def said(self, connection: int | None = None) -> tuple[str, ...]:
        """The messages of all clients or one, other than pings, in the order received."""
        entries = (entry for entry in self._server.journal.entries if isinstance(entry, Said))
        return tuple(entry.text for entry in entries if connection in (None, entry.connection))

    # Waiting.

    async def wait_for(self, condition: Callable[[SimulatorStats], bool]) -> SimulatorStats:
        """Wait until the counters fulfil a condition, which is tried after each change, and return them."""
        while True:
            stats = self.stats
            if condition(stats):
                return stats
            await self._server.journal.changed.park()

    async def wait_subscribed(self, channel: str | Channel, clients: int = 1) -> None:
        """Wait until at least `clients` clients are subscribed to a channel, under any of its names."""
        wanted = parse_channel(channel) if isinstance(channel, str) else channel
        await self.wait_for(lambda _: sum(len(route.clients) for route in self._server.routes.of(wanted)) >= clients)

    async def wait_connections(self, count: int) -> None:
        """Wait until exactly `count` connections are open."""
        await self.wait_for(lambda stats: stats.connections == count)

    async def wait_happened(self, fault: type[Fault], times: int = 1) -> None:
        """Wait until faults of this type have happened `times` times since the simulator began."""

        def count(_: SimulatorStats) -> bool:
            return sum(isinstance(entry, Happened) and isinstance(entry.fault, fault) for entry in self.log) >= times

        await self.wait_for(count)

    async def wait_finished(self) -> None:
        """Wait until the events have come to an end and have been written to the streams."""
        await self.wait_for(lambda stats: stats.finished)
        await self.flush()

    # Running.

    @property
    def _server(self) -> Server:
        if self._running is None:
            raise RuntimeError("this Simulator does not run yet: use `async with Simulator(...) as simulator`")
        return self._running

    async def _shut_down(self, in_good_order: bool) -> None:
        self._server.close()
        if in_good_order:
            await self._server.close_all(1001, "going away")
        self._nursery.cancel_scope.cancel()

    async def _pump(self, server: Server) -> None:
        """Hand out the events of the source."""
        await self.wait_for(lambda stats: sum(stats.subscriptions.values()) >= self._first_at)
        events, origin_ms, stamp = self._events, None, None
        if self._times == "now" and self._speed == 1 and isinstance(events, Generator):
            # Cheaper than stamping each.
            origin_ms = server.clock.now_ms()
            events = attrs.evolve(events, start_ms=origin_ms)
        elif self._times == "now":
            stamp = server.clock
        pacer = Pacer(events, speed=self._speed, longest_wait_s=self._longest_wait_s, origin_ms=origin_ms, stamp=stamp)
        while chunk := await pacer.next_chunk():
            server.publish(chunk, self._options.frame_events)
            await server.make_room()
        server.journal.counters.finished = True
        server.journal.changed.unpark_all()
        if self._end == "close":
            await server.close_all(1000, "")


def _only(error: BaseException) -> BaseException:
    """The exception inside nested groups of one; a larger group as it is."""
    if not isinstance(error, BaseExceptionGroup):
        return error
    group = cast("BaseExceptionGroup[BaseException]", error)
    return _only(group.exceptions[0]) if len(group.exceptions) == 1 else group
