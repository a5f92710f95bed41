"""One live connection: its reader, its heartbeat and its commands, in one nursery.

    _read    takes what the transport has, decodes it and gives it to the hub, without ever waiting for a consumer
             unless one holds the feed up
    _write   keeps the server's subscriptions equal to the desired ones; a ping follows every change and every
             `ping_every_s`. Nothing waits for an acknowledgement: there is none
    _watch   ends the connection when a ping stays without its pong

Pongs carry no identity; the n-th answers the n-th ping. A pong proves that the channels subscribed to before its ping
work, and that every message which the server sent before it got the ping has arrived. A frame proves the same of its
own channel, at the moment of its receipt.
"""

from collections import deque
from collections.abc import Awaitable, Callable, Iterable

import attrs
import trio

from cgrx._feed.backpressure import Pressure
from cgrx._feed.lines import Line
from cgrx._feed.names import Names
from cgrx._feed.skew import Skew
from cgrx._feed.subscriptions import Hub
from cgrx._model.channels import Channel
from cgrx._model.errors import DisconnectedError, HeartbeatError, PlanError
from cgrx._model.limits import Limits
from cgrx._model.spelling import hint
from cgrx._model.status import MalformedInput, NoticeReceived, Silent, Status
from cgrx._trio.clock import WallClock
from cgrx._wire.codec import PING, subscribe_command, unsubscribe_command
from cgrx._wire.messages import Frame, Malformed, Notice, Pong
from cgrx._wire.reading import Reader
from cgrx._wire.secret import Secret, Texts
from cgrx._wire.transport import Received, Transport

_REMEMBERED = 20_000
"""So many names of frames are known, more than a connection can have channels; then they are looked up anew."""

_LATE_S = 0.05
"""Woken later than this, the program itself was busy: a pong may be waiting in the socket."""

_LOOK_AGAIN_S = 1.0
"""How long a late watch gives the reader to find a pong that is there already."""

_LARGE_BYTES = 2**14
"""Behind a read that brings so much there may be more in the socket, whatever was asked of it."""

_TURN = 640
"""How many messages of one read are dispatched before other tasks get a turn: more than a full read of usual frames."""


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
    proven_ms: int | None = None


@attrs.define(eq=False)
class _Ping:
    """A ping without its pong yet."""

    sent_at: float
    deadline: float
    covers: int
    """The number of the last change of subscriptions made before it."""


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
        secret: Secret,
        skew: Skew,
    ) -> None:
        self._skew = skew
        self._transport = transport
        self._hub = hub
        self._clock = clock
        self._limits = limits
        self._tally = tally
        self._pressure = pressure
        self._report = report
        self._secret = secret
        self._reader = Reader(Texts(secret))
        self._scope = trio.CancelScope()
        self._stopping = False
        self._changed = trio.Event()
        self._pinged = trio.Event()
        self._pings: deque[_Ping] = deque()
        # What the server has been told, each with the number of the change.
        self._changes = 0
        self._sent: dict[Channel, int] = {}
        self._unproven: set[Channel] = set()
        self._taken_back: dict[Channel, int] = {}
        """Frames of these may be left over from before, and prove nothing."""
        self._names = Names(hub.desired)
        self._proven_lines: dict[str, Line] = {}
        """By the names of frames, the lines that were proven to work on this connection; some are wanted no more."""
        self._wanted_otherwise = dict.fromkeys(hub.desired)
        """Channels that may be desired and not sent, or the other way round."""
        self._alive_ms = 0
        self._ended: BaseException | None = None
        self.proven_until_ms: int | None = None
        """Up to when every event of this connection is known to have arrived; None: nothing is known yet."""
        self.last_notice: str | None = None

    async def run(self) -> None:
        """Run until stopped, or until the connection ends: raises the `TransportError` that says how."""
        with self._scope:
            async with trio.open_nursery() as nursery:
                for task in (self._read, self._write, self._watch):
                    nursery.start_soon(self._run_task, task)
        if self._ended is not None:
            try:
                raise self._ended
            finally:
                self._ended = None  # its traceback leads here: without this it would live until the collector comes

    def stop(self) -> None:
        """End soon, but not within a send: it would end the connection, and no closing handshake could follow."""
        self._stopping = True
        self._changed.set()
        self._scope.deadline = trio.current_time() + self._limits.close_s

    def desired_changed(self, channel: Channel) -> None:
        """The hub desires the channel from now on, or no more: send the change soon."""
        if self._hub.is_desired(channel):
            self._names.add(channel)
        else:
            self._names.discard(channel)
        self._proven_lines.clear()  # a name may mean another channel now
        self._wanted_otherwise[channel] = None
        self._changed.set()

    def resumed(self, held_since: float) -> None:
        """Reading goes on: pongs may have been waiting behind what was held up, so that time does not count."""
        now = trio.current_time()
        for ping in self._pings:
            ping.deadline += now - max(held_since, ping.sent_at)

    async def _run_task(self, task: Callable[[], Awaitable[None]]) -> None:
        try:
            await task()
        except trio.Cancelled:
            raise
        except BaseException as error:  # noqa: BLE001 - raised by `run`, which thus raises it plain
            self._ended = self._ended or error
            self._scope.cancel()

    # Reading

    async def _read(self) -> None:
        while True:
            await self._take(await self._transport.receive())

    async def _take(self, received: Received) -> None:
        at_ms = self._clock.at_ms(received.at)
        self._tally.messages += len(received.payloads)
        self._tally.received_bytes += received.size
        # Else there may be more in the socket, and older than this moment.
        up_to_date = received.size < min(self._limits.read_bytes // 2, _LARGE_BYTES)
        spoke = False
        for start in range(0, len(received.payloads), _TURN):
            if start:
                # Shielded: what has arrived is dispatched before the end.
                await trio.lowlevel.cancel_shielded_checkpoint()
            for message in self._reader.read(received.payloads[start : start + _TURN]):
                if isinstance(message, Frame):
                    spoke = True
                    self._on_frame(message, at_ms)
                else:
                    self._on_other(message, at_ms)
                if self._pressure.held:
                    await self._pressure.wait_released()
        if spoke and up_to_date:
            self._prove(at_ms, self._limits.alive_every_s * 1e3)

    def _on_other(self, message: Malformed | Notice | Pong, at_ms: int) -> None:
        if isinstance(message, Malformed):
            if message.path == "$":  # else it could be read, and is of no channel of ours
                self._hub.unreadable()
            self._on_malformed(message, None, at_ms)
        elif isinstance(message, Notice):
            self._on_notice(message, at_ms)
        else:
            self._on_pong(at_ms)

    def _on_frame(self, frame: Frame, at_ms: int) -> None:
        line = self._proven_lines.get(frame.channel)
        if line is not None and line.wanted and frame.events and not frame.malformed:
            # What nearly all are: as below, where the channel is known and there is nothing left to prove.
            self._hub.deliver(line, at_ms, frame.events)
            self._tally.events += len(frame.events)
            return
        channel = self._names.find(frame.channel)
        if channel is None:
            self._tally.unclaimed += len(frame.events)
        else:
            self._on_frame_of(channel, frame, at_ms)
        for malformed in frame.malformed:
            self._on_malformed(malformed, frame.channel, at_ms)

    def _on_frame_of(self, channel: Channel, frame: Frame, at_ms: int) -> None:
        if channel in self._sent and channel not in self._taken_back:
            self._on_proof((channel,), at_ms)
        line = self._hub.batch(channel, at_ms, frame.events)
        if line is None:
            self._tally.unclaimed += len(frame.events)
        else:
            self._tally.events += len(frame.events)
            if line.proven_ms is not None:
                self._remember(frame.channel, line)
        if frame.malformed:
            self._hub.malformed(channel, len(frame.malformed))

    def _remember(self, name: str, line: Line) -> None:
        if len(self._proven_lines) >= _REMEMBERED:
            self._proven_lines.clear()
        self._proven_lines[name] = line

    def _on_malformed(self, malformed: Malformed, name: str | None, at_ms: int) -> None:
        self._tally.malformed += 1
        redact = self._secret.redact
        name, shown = name and redact(name), redact(malformed.excerpt)
        self._report(MalformedInput(at_ms, name, malformed.path, malformed.reason, shown))

    def _on_notice(self, notice: Notice, at_ms: int) -> None:
        self._tally.notices += 1
        text = self.last_notice = self._secret.redact(notice.text)
        self._report(NoticeReceived(at_ms, text))
        if notice.plan_channel is not None:
            for channel in self._names.in_plan_notice(notice.plan_channel):
                self._forget(channel)
                self._hub.end_channel(channel, PlanError(channel.name, text))

    # Proof

    def _on_pong(self, at_ms: int) -> None:
        self._tally.pongs += 1
        if not self._pings:
            return  # nobody asked: it proves nothing
        ping = self._pings.popleft()
        self._tally.round_trip_ms = (trio.current_time() - ping.sent_at) * 1e3
        self._taken_back = {channel: change for channel, change in self._taken_back.items() if change > ping.covers}
        self._on_proof([channel for channel in self._unproven if self._sent[channel] <= ping.covers], at_ms)
        self._prove(self._clock.at_ms(ping.sent_at), 0)

    def _on_proof(self, channels: Iterable[Channel], at_ms: int) -> None:
        self._unproven.difference_update(channels)
        self._hub.proven(channels, at_ms)
        if self.proven_until_ms is None:
            self._proven_until(at_ms)

    def _prove(self, at_ms: int, least_ms: float) -> None:
        """Every event up to `at_ms` has arrived. The streams get the proof if their last one is `least_ms` ago."""
        self._proven_until(max(at_ms, self.proven_until_ms or 0))
        if at_ms - self._alive_ms < least_ms:
            return
        self._alive_ms = max(self._alive_ms, at_ms)
        self._hub.alive(at_ms)
        self._skew.on_proof()
        for channel in self._hub.newly_silent(at_ms, round(self._limits.silent_after_s * 1e3)):
            self._report(Silent(at_ms, channel, hint(channel)))

    def _proven_until(self, at_ms: int) -> None:
        self.proven_until_ms = at_ms
        self._tally.proven_ms = max(at_ms, self._tally.proven_ms or 0)

    # Writing

    async def _write(self) -> None:
        ping_at = trio.current_time()
        try:
            while not self._stopping:
                if await self._send_changes() or trio.current_time() >= ping_at:
                    await self._ping()
                    ping_at = trio.current_time() + self._limits.ping_every_s
                with trio.move_on_at(ping_at):
                    await self._changed.wait()
        except DisconnectedError:
            return  # reading ends with the same, behind what has still arrived
        self._scope.cancel()

    async def _send_changes(self) -> bool:
        """Make the server's subscriptions the desired ones; whether anything had to change."""
        self._changed = trio.Event()
        changed, self._wanted_otherwise = self._wanted_otherwise, {}
        gone: list[Channel] = []
        new: list[Channel] = []
        back: list[Channel] = []
        self._changes += 1
        for channel in changed:
            desired = self._hub.is_desired(channel)
            if channel not in self._sent:
                if desired:
                    new.append(channel)
                    self._sent[channel] = self._changes
                    self._unproven.add(channel)
            elif not desired:
                gone.append(channel)
                self._forget(channel)
                self._taken_back[channel] = self._changes
            else:
                back.append(channel)
        # Left and wanted again before anything was sent: it has worked all the time.
        self._hub.proven([channel for channel in back if channel not in self._unproven], self._clock.now_ms())
        if gone:
            await self._transport.send(unsubscribe_command(channel.name for channel in gone))
        if new:
            await self._transport.send(subscribe_command(channel.name for channel in new))
        return bool(gone or new)

    def _forget(self, channel: Channel) -> None:
        """The server sends this channel no more; to be wanted again it has to be subscribed to again."""
        self._sent.pop(channel, None)
        self._unproven.discard(channel)

    async def _ping(self) -> None:
        now = trio.current_time()
        self._pings.append(_Ping(now, now + self._limits.pong_within_s, self._changes))
        self._tally.pings += 1
        self._skew.on_ping()
        self._pinged.set()
        await self._transport.send(PING)

    # Watching

    async def _watch(self) -> None:
        while True:
            while not self._pings:  # a pong may have come before this task woke
                self._pinged = trio.Event()
                await self._pinged.wait()
            ping = self._pings[0]
            await trio.sleep_until(ping.deadline)
            await self._pressure.wait_released()
            now = trio.current_time()
            if ping not in self._pings or now < ping.deadline:
                continue
            if now - ping.deadline > _LATE_S:
                ping.deadline = now + _LOOK_AGAIN_S
                continue
            raise HeartbeatError(self._limits.pong_within_s)
