"""One client of a simulated server: what waits to be sent to it, its writer, and the faults that happen to it.

Everything for a client passes through one queue in order: frames, answers, and faults. Its writer joins the frames that
wait into one write, and stops at each fault to carry it out. A fault that ends or silences the connection does so for
everything put into the queue after it.
"""

import math
from collections import deque
from collections.abc import Callable
from typing import Literal, TypeAlias, assert_never

import attrs
import trio
from trio_websocket import ConnectionClosed, WebSocketConnection

from cgrx._model.channels import Channel
from cgrx._simulator import frames
from cgrx._simulator.connection import Line
from cgrx._simulator.due import Alarms, Moments
from cgrx._simulator.faults import (
    Binary,
    Close,
    Drip,
    Drop,
    DropInFrame,
    Duplicate,
    Fragmented,
    FrameFault,
    Garbage,
    HalfFrame,
    Huge,
    Late,
    LineFault,
    NoPong,
    RawBytes,
    Stall,
    WrongTypes,
)
from cgrx._simulator.journal import Ended, Journal

WRITE_BYTES = 64 * 1024
"""Frames are joined into writes of about this many bytes."""

_ENDING = (Close, Drop, Stall)

PeerFault: TypeAlias = LineFault | FrameFault
_CarriedOut: TypeAlias = LineFault | HalfFrame | DropInFrame
Overflow: TypeAlias = Literal["disconnect", "block"]
"""What happens when too many bytes wait for a client: it is disconnected, or all events wait for it.

Examples:
    >>> from cgrx.testing import Simulator
    >>> waiting = Simulator([liquidation()], overflow="block", buffer_bytes=65_536)
"""


@attrs.frozen
class PeerLimits:
    """How much may wait for one client, and how long a close may take."""

    buffer_bytes: int
    """Bytes that may wait for the client (plus one chunk of events)."""
    overflow: Overflow
    close_timeout_s: float


@attrs.frozen
class _Closing:
    """An item of the queue: a close that is no scripted fault."""

    code: int
    reason: str


@attrs.frozen
class _Dripping:
    """An item of the queue: a frame to be written byte by byte."""

    whole: bytes
    delay_s: float


_Item: TypeAlias = bytes | _Dripping | _Closing | _CarriedOut


class Peer:
    """A client whose handshake is done."""

    def __init__(
        self,
        number: int,
        line: Line,
        websocket: WebSocketConnection,
        limits: PeerLimits,
        journal: Journal,
        alarms: Alarms,
    ) -> None:
        self.number = number
        self.subscriptions: dict[str, Channel] = {}
        """By the name with which the client subscribed."""
        self.events = 0
        self.is_ignored = False
        """The client's commands are not answered."""
        self.silenced = False
        """Nothing more is taken into the queue."""
        self.answers_pings = True
        self.ended = trio.Event()
        self._line = line
        self._websocket = websocket
        self._limits = limits
        self._journal = journal
        self._alarms = alarms
        self._queue: deque[_Item] = deque()
        self._waiting_bytes = 0
        self._disconnect_at = limits.buffer_bytes if limits.overflow == "disconnect" else math.inf
        self._shapers: deque[FrameFault] = deque()
        self._idle = False
        """The writer waits for something to be queued."""
        self._work = trio.lowlevel.ParkingLot()
        self._written = trio.lowlevel.ParkingLot()
        self._moments = Moments()
        self._closing = False
        self._code = 1006

    # Calls of the server that return at once.

    def push(self, whole: bytes, events: int) -> None:
        """Queue the frame of `events` events, or what the next frame fault makes of it."""
        if self.silenced:
            self._journal.counters.events_withheld += events
            return
        self.events += events
        self._journal.counters.frames += 1
        if self._shapers:
            self._shape(self._shapers.popleft(), whole)
        else:
            self._put_bytes(whole)
        if self.events >= self._moments.next_at:
            self._moments.reach(self.events)

    def write(self, data: bytes) -> None:
        """Queue bytes as they are."""
        if not self.silenced:
            self._put_bytes(data)

    def apply(self, fault: PeerFault) -> None:
        """Let a fault happen: behind what is queued, or to the next event frame."""
        if isinstance(fault, FrameFault):
            self._shapers.append(fault)
            return
        self._put(fault)
        if isinstance(fault, _ENDING):
            self.silenced = True

    def schedule(self, fault: PeerFault) -> None:
        """Let a fault happen at its moment, counted from now."""
        if fault.after_events is not None:
            self._moments.add(self.events + fault.after_events, lambda: self.apply(fault))
        elif fault.after:
            self._alarms.after(fault.after, lambda: self.apply(fault))
        else:
            self.apply(fault)

    def close(self, code: int, reason: str) -> None:
        """Close the connection once what is queued has been written."""
        self._put(_Closing(code, reason))
        self.silenced = True

    def drop(self) -> None:
        """Reset the connection now, without writing what is queued."""
        self.silenced = True
        self._line.reset()

    # Calls of the server that may wait.

    async def room(self) -> None:
        """Wait until at most `buffer_bytes` are queued, or the connection has ended."""
        while self._waiting_bytes > self._limits.buffer_bytes and not self.ended.is_set():
            await self._written.park()

    async def flushed(self) -> None:
        """Wait until everything queued has been written, or the connection has ended."""
        while not self._idle and not self.ended.is_set():
            await self._written.park()

    async def run(self, nursery: trio.Nursery, hear: Callable[["Peer", str | bytes], None]) -> None:
        """Pass every message of the client to `hear`, and write what is queued, until the connection ends."""
        written = trio.Event()
        nursery.start_soon(self._write, written)
        try:
            while True:
                hear(self, await self._websocket.get_message())
                if self._limits.overflow == "block":
                    await self.room()
        except ConnectionClosed as closed:
            if self._closing:
                await written.wait()
            else:
                self._code = closed.reason.code if closed.reason else 1006
        finally:
            self.silenced = True
            self.ended.set()
            self._written.unpark_all()
            self._journal.write(Ended(self.number, self._journal.now_s(), self._code))

    # The queue and its writer.

    def _put(self, item: _Item) -> None:
        self._queue.append(item)
        if self._idle:
            self._idle = False
            self._work.unpark()

    def _put_bytes(self, data: bytes) -> None:
        self._put(data)
        self._waiting_bytes += len(data)
        if self._waiting_bytes > self._disconnect_at and not self.silenced:
            self._give_up()

    def _give_up(self) -> None:
        # The write under way goes on: if it ends in time, the close frame follows it.
        self._journal.counters.slow_clients += 1
        self.silenced = True
        self._queue.clear()
        self._queue.append(_Closing(1013, "too slow"))
        self._alarms.after(self._limits.close_timeout_s, self.drop)

    async def _write(self, written: trio.Event) -> None:
        try:
            while await self._write_next():
                self._written.unpark_all()
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            # The reset also ends a reader that is stalled; any other notices the end by itself.
            self._line.reset()
        finally:
            written.set()

    async def _write_next(self) -> bool:
        """The next write or fault; False once the connection has ended."""
        while not self._queue:
            self._idle = True
            self._written.unpark_all()
            await self._work.park()
        item = self._queue.popleft()
        if isinstance(item, bytes):
            await self._write_batch(item)
            return True
        if isinstance(item, _Dripping):
            await self._drip(item)
            return True
        if isinstance(item, _Closing):
            await self._close(item)
            return False
        self._journal.happened(self.number, item)
        return await self._carry_out(item)

    async def _write_batch(self, first: bytes) -> None:
        batch, size = [first], len(first)
        while self._queue and size < WRITE_BYTES and isinstance(following := self._queue[0], bytes):
            self._queue.popleft()
            batch.append(following)
            size += len(following)
        # Nothing may follow a close frame; trio-websocket may have answered the client's with one meanwhile.
        if self._websocket.closed is None:
            await self._line.send_all(b"".join(batch))
        self._waiting_bytes -= size

    async def _drip(self, dripping: _Dripping) -> None:
        for position in range(len(dripping.whole)):
            await self._line.send_all(dripping.whole[position : position + 1])
            await trio.sleep(dripping.delay_s)

    async def _close(self, closing: Close | _Closing) -> None:
        self._closing, self._code = True, closing.code
        with trio.move_on_after(self._limits.close_timeout_s):
            await self._websocket.aclose(closing.code, closing.reason or None)

    async def _carry_out(self, fault: _CarriedOut) -> bool:
        """Carry out a fault; False where it ended the connection."""
        match fault:
            case Close():
                await self._close(fault)
                return False
            case Drop() | DropInFrame():
                self._line.reset()
                return False
            case HalfFrame():
                self._line.silent = True
            case Stall():
                self._line.silent = self._line.stalled = True
            case NoPong():
                self.answers_pings = False
            case Garbage(message=message):
                data = message.encode() if isinstance(message, str) else message
                await self._line.send_all(frames.frame(data))
            case RawBytes(data=data):
                await self._line.send_all(data)
            case Huge(size=size, fragments=parts):
                await self._line.send_all(frames.fragments(frames.huge(size), parts, pings=False))
            case _:
                assert_never(fault)
        return True

    def _shape(self, fault: FrameFault, whole: bytes) -> None:
        """Queue what the fault makes of this frame."""
        match fault:
            case HalfFrame() | DropInFrame():
                # Logged when it is carried out, behind the half that still goes out.
                self._put_bytes(whole[: len(whole) // 2])
                self._put(fault)
                self.silenced = True
                return
            case Fragmented(parts=parts):
                self._put_bytes(frames.fragments(frames.payload_of(whole), parts, pings=True))
            case Binary():
                self._put_bytes(frames.frame(frames.payload_of(whole), frames.BINARY))
            case Drip(delay=delay_s):
                self._put(_Dripping(whole, delay_s))
            case Duplicate():
                self._put_bytes(whole)
                self._put_bytes(whole)
            case WrongTypes():
                self._put_bytes(frames.frame(frames.with_bad_events(frames.payload_of(whole))))
            case Late(delay=delay_s):
                self._alarms.after(delay_s, lambda: self.write(whole))
            case _:
                assert_never(fault)
        self._journal.happened(self.number, fault)
