"""What a recorder has heard and not written yet: bounded, counted, and handed to a thread once a `flush_s`.

    take ──► waiting, bounded ──► flush, in a thread ──► files

Batches that find the buffer full are left out, and the next signal of their channel is preceded by a `Dropped` for
them. A writer that raises ends the intake: all that waits is lost, and `on_trouble` is told.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import attrs
import trio

from cgrx._model.channels import Channel
from cgrx._model.data_errors import RecordingError
from cgrx._model.signals import Batch, Dropped, Signal
from cgrx._model.status import Status

MARKS = 100_000
"""How many marks and statuses may wait besides the events: a day of proofs of one channel. None can be left out."""

_EARLY = 1 / 8
"""A flush does not wait for its time when this part of the buffer is full."""

_BEHIND = "not recorded: the disk does not keep up"

_Waiting: TypeAlias = Channel | Signal[Any] | Status | None
"""A channel and what its stream gave take turns: a pair for each would keep the garbage collector busy."""


class Writer(Protocol):
    """What an intake asks of a `RecordingWriter`."""

    @property
    def folder(self) -> Path: ...

    @property
    def parts(self) -> Sequence[object]: ...

    @property
    def bytes(self) -> int: ...

    def write(self, waiting: Iterable[Any], /) -> None: ...

    def close(self) -> None: ...

    def abandon(self) -> None: ...


@attrs.frozen
class RecorderStats:
    """Counters of a recorder: `events == recorded + queued + lost`.

    Examples:
        >>> from cgrx.testing import Simulator
        >>> async with (
        ...     Simulator() as simulator,
        ...     cgrx.connect(url=simulator.url, api_key="made-up-key") as feed,
        ... ):
        ...     async with cgrx.record(
        ...         feed, "day", channels=["liquidationOrders"]
        ...     ) as recorder:
        ...         print(recorder.stats.recorded, recorder.stats.lost)
        0 0
    """

    events: int
    """Events heard."""
    recorded: int
    """Events handed to the operating system: they outlive this process."""
    queued: int
    """Events that wait to be written."""
    lost: int
    """Events that are not in the recording, because the disk did not keep up or failed."""
    parts: int
    """Finished parts in the folder, those of earlier recorders included."""
    bytes: int
    """Size of all parts, the one that is being written included."""


class Intake:
    """Takes signals and statuses, and has them written.

    Args:
        writer: called in a thread, one call at a time.
        flush_s: how long something waits at most, seconds.
        buffer: how many events may wait.
        on_trouble: called with each loss that begins, and with what ends the intake.
    """

    def __init__(
        self, writer: Writer, flush_s: float, buffer: int, on_trouble: Callable[[RecordingError], object]
    ) -> None:
        self.writer = writer
        self.error: Exception | None = None
        """What ended the intake; None while it works."""
        self.failed = trio.Event()
        self._flush_s = flush_s
        self._buffer = buffer
        self._on_trouble = on_trouble
        self._early = max(1, int(buffer * _EARLY))
        self._waiting: list[_Waiting] = []
        self._queued = 0
        self._events = 0
        self._recorded = 0
        self._lost = 0
        self._uncharged: dict[Channel, int] = {}
        """Events left out since the channel's last signal that was taken."""
        self._wake = trio.Event()
        self._writing = trio.Lock()

    @property
    def stats(self) -> RecorderStats:
        """A snapshot of the counters."""
        writer = self.writer
        return RecorderStats(self._events, self._recorded, self._queued, self._lost, len(writer.parts), writer.bytes)

    def take(self, channel: Channel | None, said: Signal[Any] | Status) -> None:
        """Keep a signal of a channel's stream, or a status (channel None). Costs the same for any number of events."""
        if isinstance(said, Batch):
            count = len(said.events)
            self._events += count
            if self.error is not None:
                self._lost += count
                return
            if self._queued and self._queued + count > self._buffer and channel is not None:
                self._lose(channel, count)
                return
            self._queued += count
            if self._queued >= self._early:
                self._wake.set()
        if self.error is None:
            if self._uncharged and channel in self._uncharged:
                self._waiting += (channel, Dropped(channel, self._uncharged.pop(channel), _BEHIND))
            self._waiting += (channel, said)
            if len(self._waiting) > 2 * (self._buffer + MARKS):
                reason = f"{len(self._waiting) // 2:,} batches and marks wait: the disk does not keep up"
                self._fail(RecordingError(str(self.writer.folder), None, reason))

    def _lose(self, channel: Channel, count: int) -> None:
        if not self._uncharged:
            reason = f"{self._queued:,} events wait, and {count:,} more came: the disk does not keep up"
            self._on_trouble(RecordingError(str(self.writer.folder), channel.name, reason))
        self._lost += count
        self._uncharged[channel] = self._uncharged.get(channel, 0) + count

    async def run(self) -> None:
        """Flush again and again."""
        while True:
            with trio.move_on_after(self._flush_s):
                await self._wake.wait()
            self._wake = trio.Event()
            await self.flush()

    async def flush(self) -> None:
        """Hand everything taken so far to the operating system. Returns at once where the intake has failed."""
        async with self._writing:
            waiting, self._waiting = self._waiting, []
            count = self._queued
            if waiting and self.error is None:
                try:
                    with trio.CancelScope(shield=True):  # what was taken is written, or it would be lost
                        await trio.to_thread.run_sync(self._write, waiting)
                    self._recorded += count
                    if self.failed.is_set():  # it failed meanwhile, and took these for lost
                        self._lost -= count
                    else:
                        self._queued -= count
                except Exception as error:  # noqa: BLE001 - whatever it is: the recording ends, the feed goes on
                    self._fail(error)

    def _write(self, waiting: list[_Waiting]) -> None:
        self.writer.write(waiting)
        waiting.clear()  # here, or the feed's thread would spend its time on letting go of a million objects

    async def close(self) -> None:
        """Write the rest, finish the last part, let go of the folder."""
        for channel, count in self._uncharged.items():
            self._waiting += (channel, Dropped(channel, count, _BEHIND))
        self._uncharged = {}
        await self.flush()
        async with self._writing:
            try:
                await trio.to_thread.run_sync(self.writer.abandon if self.error else self.writer.close)
            except Exception as error:  # noqa: BLE001 - as above: what was flushed is there
                self._fail(error)

    def _fail(self, error: Exception) -> None:
        self.error = error
        self.failed.set()
        self._lost += self._queued
        self._queued = 0
        self._waiting = []
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        told = error if isinstance(error, RecordingError) else RecordingError(str(self.writer.folder), None, reason)
        told.__cause__ = error if told is not error else error.__cause__
        self._on_trouble(told)
