"""One live connection: its reader, its heartbeat and its commands, in one nursery.

    _read    takes what the transport has, decodes it and gives it to the hub, without ever waiting for a consumer
             unless one holds the feed up
    _write   keeps the server's subscriptions equal to the desired ones; a ping follows every change and every
             `ping_every_s`. Nothing waits for an acknowledgement: there is none
    _watch   ends the connection when a ping stays without its pong

Pongs carry no identity; the n-th answers the n-th ping. A pong proves that what was subscribed to before its ping
works, and that all that was said before its ping was sent has arrived. A frame proves the same of its own channel
and moment.
"""

from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from typing import NoReturn

import attrs
import trio

from cgrx._channels import Channel, FuturesTrades, parse_channel
from cgrx._clock import WallClock
from cgrx._codec import PING, decode_batch, subscribe_command, unsubscribe_command
from cgrx._errors import DisconnectedError, HeartbeatError, PlanError, TransportError
from cgrx._events import Event
from cgrx._hub import Hub
from cgrx._instruments import Instrument
from cgrx._limits import Limits
from cgrx._messages import Frame, Malformed, Message, Notice, Pong
from cgrx._pressure import Pressure
from cgrx._status import MalformedInput, NoticeReceived, Silent, Status
from cgrx._transport import Received, Transport

_LATE_S = 0.25
"""Woken or dispatched later than this, the program itself was busy: more may be waiting in the socket."""

_LOOK_AGAIN_S = 1.0
"""How long a late watch gives the reader to find a pong that is there already."""

_WAITED_S = 0.005
"""A read that had to wait so long found the socket empty before."""

_NAMES = 1000
"""How many names of channels, wanted or not, are remembered."""


@attrs.define
class Tally:
    """What a feed has counted over all its connections; see `FeedStats` for the units."""

    messages: int = 0
    received_bytes: int = 0
    events: int = 0
    unclaimed: int = 0
    malformed: int = 0
    notices: int = 0
    pings: int = 0
    pongs: int = 0
    round_trip_ms: float | None = None


@attrs.define(eq=False)
class _Ping:
    """A ping without its pong yet."""

    sent_at: float
    deadline: float
    covers: int
    """The number of the last subscription made before it."""


class Session:
    """Runs one connection until it ends."""

    def __init__(
        self,
        transport: Transport,
        hub: Hub,
        clock: WallClock,
        limits: Limits,
        tally: Tally,
        pressure: Pressure,
        report: Callable[[Status], None],
        redact: Callable[[str], str],
    ) -> None:
        self._transport = transport
        self._hub = hub
        self._clock = clock
        self._limits = limits
        self._tally = tally
        self._pressure = pressure
        self._report = report
        self._redact = redact
        self._changed = trio.Event()
        self._pinged = trio.Event()
        self._pings: deque[_Ping] = deque()
        self._sent: dict[Channel, int] = {}  # what the server has been told to send, numbered
        self._subscriptions = 0
        self._unproven: set[Channel] = set()
        self._taken_back: set[Channel] = set()  # a frame of these may be left over: only a pong proves them
        self._names: dict[str, Channel | None] = {}
        self._alive_ms = 0
        self._behind = False
        self._ended: TransportError | None = None
        self.proven_until_ms: int | None = None
        """Up to when this connection has proven to have said everything; None: it has proven nothing."""
        self.last_notice: str | None = None

    async def run(self) -> NoReturn:
        """Run until the connection ends; raises the `TransportError` that says how."""
        async with trio.open_nursery() as nursery:
            for task in (self._read, self._write, self._watch):
                nursery.start_soon(self._run_task, task, nursery.cancel_scope)
        assert self._ended is not None  # a task ends by raising, or by the cancellation that went through above
        raise self._ended

    def desired_changed(self) -> None:
        """Tell the server soon."""
        self._changed.set()

    async def _run_task(self, task: Callable[[], Awaitable[None]], scope: trio.CancelScope) -> None:
        try:
            await task()
        except TransportError as error:
            self._ended = self._ended or error
            scope.cancel()

    # Reading

    async def _read(self) -> None:
        while True:
            waiting_since = trio.current_time()
            received = await self._transport.receive()
            if received.at - waiting_since > _WAITED_S:
                self._behind = False
            await self._take(received)

    async def _take(self, received: Received) -> None:
        at_ms = self._clock.at_ms(received.at)
        self._tally.messages += len(received.payloads)
        self._tally.received_bytes += sum(map(len, received.payloads))
        spoke = False
        for is_data in self._dispatch(decode_batch(received.payloads, at_ms), at_ms):
            spoke = spoke or is_data
            if self._pressure.held:
                await self._wait_released()
        if trio.current_time() - received.at > _LATE_S:
            self._behind = True
        if spoke and not self._behind:
            self._prove(at_ms, self._limits.alive_every_s * 1e3)

    def _dispatch(self, messages: Sequence[Message], at_ms: int) -> Iterator[bool]:
        """Deliver message by message, the events of neighbouring frames of a channel in one batch.

        Yields after each delivery, whether it was data.
        """
        name: str | None = None
        events: list[Event] = []
        for message in messages:
            if isinstance(message, Frame):
                if message.channel != name:
                    if events:
                        yield self._deliver(name, tuple(events), at_ms)
                    name, events = message.channel, []
                events += message.events
                if message.malformed:
                    yield self._deliver(name, tuple(events), at_ms)
                    self._on_malformed(message.malformed, message.channel, at_ms)
                    events = []
            else:
                if events:
                    yield self._deliver(name, tuple(events), at_ms)
                name, events = None, []
                self._on_other(message, at_ms)
                yield False
        if name is not None:
            yield self._deliver(name, tuple(events), at_ms)

    def _deliver(self, name: str | None, events: tuple[Event, ...], at_ms: int) -> bool:
        channel = self._channel(name or "")
        if channel is not None and channel in self._unproven and channel not in self._taken_back:
            self._on_proof((channel,), at_ms)
        if channel is not None and self._hub.batch(channel, at_ms, events):
            self._tally.events += len(events)
        else:
            self._tally.unclaimed += len(events)
        return True

    def _on_other(self, message: Pong | Notice | Malformed, at_ms: int) -> None:
        if isinstance(message, Pong):
            self._on_pong(at_ms)
        elif isinstance(message, Notice):
            self._on_notice(message, at_ms)
        else:
            self._on_malformed((message,), None, at_ms)

    def _on_malformed(self, malformed: Sequence[Malformed], name: str | None, at_ms: int) -> None:
        self._tally.malformed += len(malformed)
        channel = None if name is None else self._channel(name)
        if channel is not None:
            self._hub.malformed(channel, len(malformed))
        for each in malformed:
            self._report(MalformedInput(at_ms, name, each.path, each.reason, self._redact(each.excerpt)))

    def _on_notice(self, notice: Notice, at_ms: int) -> None:
        self._tally.notices += 1
        text = self.last_notice = self._redact(notice.text)
        self._report(NoticeReceived(at_ms, text))
        if notice.plan_channel is not None:
            for channel in self._hub.desired:
                if _in_plan_notice(notice.plan_channel, channel):
                    self._hub.end_channel(channel, PlanError(channel.name, text))

    def _channel(self, name: str) -> Channel | None:
        """The desired channel of a frame, whatever generation its name is of; None: none that is desired."""
        if name not in self._names:
            if len(self._names) >= _NAMES:
                self._names.clear()
            self._names[name] = next((each for each in self._hub.desired if _names(name, each)), None)
        return self._names[name]

    async def _wait_released(self) -> None:
        held_since = trio.current_time()
        await self._pressure.wait_released()
        held_s = trio.current_time() - held_since
        for ping in self._pings:  # a pong may have been waiting behind what was held up
            ping.deadline += held_s

    # Proof

    def _on_pong(self, at_ms: int) -> None:
        self._tally.pongs += 1
        if not self._pings:
            return  # nobody asked: it proves nothing
        ping = self._pings.popleft()
        self._tally.round_trip_ms = (trio.current_time() - ping.sent_at) * 1e3
        covered = [channel for channel, number in self._sent.items() if number <= ping.covers]
        self._taken_back.difference_update(covered)
        self._on_proof(covered, at_ms)
        self._prove(self._clock.at_ms(ping.sent_at), 0)

    def _on_proof(self, channels: Iterable[Channel], at_ms: int) -> None:
        self._unproven.difference_update(channels)
        self._hub.proven(channels, at_ms)
        self._extend_proof(at_ms)

    def _prove(self, at_ms: int, least_ms: float) -> None:
        """Everything up to `at_ms` has been said; streams are told if the last time is `least_ms` ago."""
        self._extend_proof(at_ms)
        if at_ms - self._alive_ms < least_ms:
            return
        self._alive_ms = max(self._alive_ms, at_ms)
        self._hub.alive(at_ms)
        for channel in self._hub.newly_silent(at_ms, round(self._limits.silent_after_s * 1e3)):
            self._report(Silent(at_ms, channel, _hint(channel)))

    def _extend_proof(self, at_ms: int) -> None:
        self.proven_until_ms = max(at_ms, self.proven_until_ms or 0)

    # Writing

    async def _write(self) -> None:
        ping_at = trio.current_time()
        try:
            while True:
                if await self._send_changes() or trio.current_time() >= ping_at:
                    await self._ping()
                    ping_at = trio.current_time() + self._limits.ping_every_s
                with trio.move_on_at(ping_at):
                    await self._changed.wait()
                await self._pressure.wait_released()
        except DisconnectedError:
            return  # reading ends with the same, behind what has still arrived

    async def _send_changes(self) -> bool:
        """Make the server's subscriptions the desired ones; whether anything had to change."""
        self._changed = trio.Event()
        desired = self._hub.desired
        gone = [channel for channel in self._sent if channel not in desired]
        new = [channel for channel in desired if channel not in self._sent]
        self._names.clear()
        for channel in gone:
            del self._sent[channel]
            self._unproven.discard(channel)
            self._taken_back.add(channel)
            self._hub.unproven(channel)
        for channel in new:
            self._subscriptions += 1
            self._sent[channel] = self._subscriptions
            self._unproven.add(channel)
        # Left and wanted again before anything was sent: it has worked all the time.
        self._hub.proven([channel for channel in desired if channel not in self._unproven], self._clock.now_ms())
        if gone:
            await self._transport.send(unsubscribe_command(channel.name for channel in gone))
        if new:
            await self._transport.send(subscribe_command(channel.name for channel in new))
        return bool(gone or new)

    async def _ping(self) -> None:
        now = trio.current_time()
        self._pings.append(_Ping(now, now + self._limits.pong_within_s, self._subscriptions))
        self._tally.pings += 1
        self._pinged.set()
        await self._transport.send(PING)

    # Watching

    async def _watch(self) -> None:
        while True:
            if not self._pings:
                self._pinged = trio.Event()
                await self._pinged.wait()
            ping = self._pings[0]
            await trio.sleep_until(ping.deadline)
            await self._pressure.wait_released()
            now = trio.current_time()
            if not self._pings or self._pings[0] is not ping or now < ping.deadline:
                continue
            if now - ping.deadline > _LATE_S:
                ping.deadline = now + _LOOK_AGAIN_S
                continue
            raise HeartbeatError(self._limits.pong_within_s)


def _names(name: str, channel: Channel) -> bool:
    """Whether a name the server used means this channel: in either generation, any case, any form of the number."""
    if name == channel.name:
        return True
    try:
        return _folded(parse_channel(name)) == _folded(channel)
    except ValueError:
        return False


def _folded(channel: Channel) -> tuple[object, ...]:
    if isinstance(channel, FuturesTrades):
        return (channel.exchange.casefold(), channel.symbol.casefold(), channel.min_volume)
    return ()


def _in_plan_notice(name: str, channel: Channel) -> bool:
    """Whether a plan notice, which may name a channel without its parameters, means this one."""
    return _names(name, channel) or channel.name.casefold().startswith(f"{name.casefold()}@")


def _hint(channel: Channel) -> str | None:
    """How else the exchange may spell the instrument of a silent channel."""
    if not isinstance(channel, FuturesTrades):
        return None
    try:
        usual = Instrument.parse(channel.exchange, channel.symbol).spell(channel.exchange)
    except ValueError:
        return None
    return None if usual in (None, channel.symbol) else f"{channel.exchange} spells this {usual}"
