"""The byte stream that trio-websocket works on: ours, with the frame tap in it.

trio-websocket's reader calls `receive_some`, which reads large, takes the data messages out, queues those of one read
together for the session, and returns what is left. The session takes them with `pop`, in its own task: no user code
runs inside the reader. All that can end a connection passes through here, so here is also where it is noticed.

Bounds: `Limits.buffer_bytes` of messages that wait, plus one read (a message counts 64 bytes more than its payload);
`Limits.message_bytes` for one incomplete frame, and as much for one incomplete message. When the messages that wait
reach the bound, the socket is not read until some are taken, and TCP slows the server down; control frames read so far
have passed.
"""

from collections import deque
from collections.abc import Callable

import attrs
import trio

from cgrx._model.limits import Limits
from cgrx._wire.frames import FrameParser
from cgrx._wire.handshake import SWITCHING_PROTOCOLS, AnswerHead

MESSAGE_COST_BYTES = 64
"""What the objects around a waiting message take, so that empty messages count against the bound as well."""


@attrs.frozen
class Received:
    """What one read brought: one or more data messages."""

    at: float
    """`trio.current_time()` right after the read, in seconds."""
    payloads: tuple[bytes, ...]
    """Complete messages in order, text and binary alike. A text's UTF-8 is not checked."""
    size: int
    """How many bytes the payloads have together."""

    @property
    def cost(self) -> int:
        """What it counts for against the bound of what waits."""
        return self.size + MESSAGE_COST_BYTES * len(self.payloads)


class Wire(trio.abc.Stream):
    """A stream with the frame tap in it, for trio-websocket; and the queue of what the tap took, for the session.

    Args:
        stream: the connection, with TLS on it where there is any. It belongs to the wire, which closes it.
        limits: its `send_s` and its bounds are kept here.
        tapped: whether data messages are taken out. False passes everything: the reference path.
    """

    def __init__(self, stream: trio.abc.Stream, limits: Limits, *, tapped: bool) -> None:
        self._stream = stream
        self._limits = limits
        self._parser = FrameParser(limits.message_bytes) if tapped else None
        self._queue: deque[Received] = deque()
        self._arrival = trio.lowlevel.ParkingLot()
        self._room = trio.lowlevel.ParkingLot()
        self._closing = False
        self.head = AnswerHead()
        self.on_refused: Callable[[], None] | None = None
        """Called when it is certain that the handshake will not succeed."""
        self.ended: str | None = None
        """Why nothing more will be read or sent, in words; None while the connection lives."""
        self.closed = False
        """Whether `aclose` has been through: then the stream is closed, even if that was cancelled."""
        self.bytes_received = 0
        self.reads = 0
        self.messages = 0
        self.buffered_bytes = 0

    # For the session.

    def pop(self) -> Received | None:
        """What has waited longest, None where nothing waits."""
        if not self._queue:
            return None
        received = self._queue.popleft()
        self.buffered_bytes -= received.cost
        self._room.unpark_all()
        return received

    @property
    def tap_dry(self) -> bool:
        """Nothing waits and nothing more will be taken: what comes now, or how it ended, is known to trio-websocket."""
        return not self._queue and (self.ended is not None or self._parser is None or self._parser.passing)

    async def wait(self) -> None:
        """Wait until something was taken, or the tap runs dry."""
        await self._arrival.park()

    def discard(self) -> None:
        """Drop what waits and what is still to come: the connection is about to be closed from our side."""
        self._closing = True
        self._queue.clear()
        self.buffered_bytes = 0
        self._room.unpark_all()
        if self._parser is not None:
            self._parser.drop_pings()

    # For trio-websocket.

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        """Read until something passes the tap; returns it, or `b""` at the end. `max_bytes` is not heeded."""
        while self.ended is None:
            if self.buffered_bytes >= self._limits.buffer_bytes:
                await self._room.park()
                continue
            try:
                data = await self._stream.receive_some(self._limits.read_bytes)
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                self._end("the connection broke")
                break
            if not data:
                self._end("the peer ended the connection without a close frame")
                break
            passed = self._take(data)
            if passed:
                return passed
        return b""

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send everything within `send_s`. A send that fails or is interrupted ends the connection.

        Part of a frame may have left by then, and nothing intelligible could follow it.
        """
        await trio.lowlevel.checkpoint_if_cancelled()
        if self.ended is not None:
            raise trio.BrokenResourceError(self.ended)
        sent = False
        try:
            with trio.move_on_after(self._limits.send_s):
                await self._stream.send_all(data)
                sent = True
            if not sent:
                self._end(f"the peer took nothing for {self._limits.send_s:g} s")
                raise trio.BrokenResourceError(self.ended)
        finally:
            if not sent:
                self._end("a send failed")
                await trio.aclose_forcefully(self._stream)

    async def wait_send_all_might_not_block(self) -> None:
        """See trio. trio-websocket does not use it."""
        await self._stream.wait_send_all_might_not_block()

    async def aclose(self) -> None:
        """Close the connection, without a closing handshake."""
        self._end("the connection was closed by this side")
        try:
            await self._stream.aclose()
        finally:
            self.closed = True

    # Inside.

    def _take(self, data: bytes | bytearray) -> bytes | bytearray:
        """Queue the messages that these bytes complete; returns what passes."""
        at = trio.current_time()
        self.reads += 1
        self.bytes_received += len(data)
        head = b""
        if not self.head.complete:
            data = self.head.feed(data)
            if self.head.refused:
                self._refuse()
            if self.head.status != SWITCHING_PROTOCOLS:
                return b""
            # Not as it comes: trio-websocket takes the informational answers before it for a refusal.
            head = self.head.raw
        if self._parser is None:
            return head + data
        messages, passed = self._parser.feed(data)
        if messages and not self._closing:
            received = Received(at, tuple(messages), sum(map(len, messages)))
            self.messages += len(messages)
            self.buffered_bytes += received.cost
            self._queue.append(received)
        if messages or self._parser.passing:
            self._arrival.unpark_all()
        return head + passed if head else passed

    def _end(self, why: str) -> None:
        if self.ended is None:
            self.ended = why
            self._arrival.unpark_all()
            self._room.unpark_all()
            if not self.head.complete:
                self._refuse()

    def _refuse(self) -> None:
        if self.on_refused is not None:
            self.on_refused()
