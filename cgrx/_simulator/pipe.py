"""Two ends of a byte stream in memory that behave as a loopback TCP connection does.

The buffer is bounded, so that a reader that stops holds up the writer, and an end can reset the connection. trio's own
in-memory streams have no buffer or an unbounded one, and cannot be reset.
"""

import operator

import trio

BUFFER_BYTES = 256 * 1024
"""Bytes that one direction holds before its writer waits."""


class _Flow:
    """One direction."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.data = bytearray()
        self.ended = False
        """The writer has closed: the reader gets what is buffered, then the end."""
        self.broken = False
        """The reader has closed, or either side has reset: what is written is never read."""
        self.changed = trio.lowlevel.ParkingLot()

    def end(self) -> None:
        self.ended = True
        self.changed.unpark_all()

    def break_off(self) -> None:
        self.broken = True
        self.data.clear()
        self.changed.unpark_all()


class _OneTask:
    """Lets one task at a time send, or receive; a second one gets `BusyResourceError`, as on trio's streams."""

    def __init__(self, doing: str) -> None:
        self._doing = doing
        self._busy = False

    def __enter__(self) -> None:
        if self._busy:
            raise trio.BusyResourceError(f"another task is {self._doing} on this stream")
        self._busy = True

    def __exit__(self, *_: object) -> None:
        self._busy = False


class PipeEnd(trio.abc.Stream):
    """One end; make a pair with `pipe`."""

    def __init__(self, incoming: _Flow, outgoing: _Flow) -> None:
        self._incoming = incoming
        self._outgoing = outgoing
        self._closed = False
        self._sending = _OneTask("sending")
        self._receiving = _OneTask("receiving")

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Write all of it, waiting while the buffer is full."""
        with self._sending:
            await trio.lowlevel.checkpoint()
            rest = memoryview(data)
            self._check_sending()
            while rest:
                await self._wait_room()
                room = self._outgoing.limit - len(self._outgoing.data)
                self._outgoing.data += rest[:room]
                self._outgoing.changed.unpark_all()
                rest = rest[room:]

    async def wait_send_all_might_not_block(self) -> None:
        """Wait until the buffer has room."""
        with self._sending:
            await trio.lowlevel.checkpoint()
            await self._wait_room()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """Up to `max_bytes` bytes, `b""` once the other end has closed and all is read."""
        if max_bytes is not None and operator.index(max_bytes) < 1:
            raise ValueError(f"max_bytes={max_bytes!r} must be 1 or more")
        with self._receiving:
            await trio.lowlevel.checkpoint()
            flow = self._incoming
            self._check_receiving()
            while not (flow.data or flow.ended):
                await flow.changed.park()
                self._check_receiving()
            taken = bytes(flow.data[:max_bytes])
            del flow.data[: len(taken)]
            flow.changed.unpark_all()
            return taken

    async def aclose(self) -> None:
        """Close this end; the other reads what is there, then the end, and can write no more."""
        if not self._closed:
            self._closed = True
            self._outgoing.end()
            self._incoming.break_off()
        await trio.lowlevel.checkpoint()

    def reset(self) -> None:
        """Close this end so that the other sees a broken connection, without what was still in the buffer."""
        self._closed = True
        self._outgoing.break_off()
        self._incoming.break_off()

    def _check_receiving(self) -> None:
        if self._closed:
            raise trio.ClosedResourceError("this end is closed")
        if self._incoming.broken:
            raise trio.BrokenResourceError("connection reset")

    def _check_sending(self) -> None:
        if self._closed:
            raise trio.ClosedResourceError("this end is closed")
        if self._outgoing.broken:
            raise trio.BrokenResourceError("the other end is closed")

    async def _wait_room(self) -> None:
        self._check_sending()
        while len(self._outgoing.data) >= self._outgoing.limit:
            await self._outgoing.changed.park()
            self._check_sending()


def pipe(buffer_bytes: int = BUFFER_BYTES) -> tuple[PipeEnd, PipeEnd]:
    """Two connected ends, each direction holding at most `buffer_bytes`."""
    there, back = _Flow(buffer_bytes), _Flow(buffer_bytes)
    return PipeEnd(back, there), PipeEnd(there, back)
