"""Records what a feed says while it says it, beside the pipelines that use it.

    feed ──► ear of each channel ──► waiting, bounded ──► task ──every second──► thread ──► files

On the feed's path a reference is appended for each batch; columns and files are the business of a thread. Where the
disk does not keep up, batches are left out and each loss is charged in the recording itself; where it fails, the
recording ends. Both are told on the feed's status, and the feed goes on.
"""

import os
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, Protocol, TypeAlias, TypeVar, runtime_checkable

import attrs
import trio
from reactivex.disposable import CompositeDisposable

from cgrx._feed.feed import Feed
from cgrx._model.channels import Channel, FuturesTrades, parse_channel
from cgrx._model.errors import RecordingError
from cgrx._model.signals import Batch, Dropped, Signal
from cgrx._model.status import RecordingFailed, Status
from cgrx._model.times import Duration, to_seconds
from cgrx._recording.extra import require_extra
from cgrx._recording.status_text import Kept
from cgrx._streams.stream import EventStream
from cgrx._trio.require import require_trio

T = TypeVar("T")

PART_BYTES = 64 * 2**20
"""A part that is being written is finished when it has so many bytes; in Parquet it has about a tenth."""
BUFFER = 250_000
"""So many events may wait to be written: some 50 MiB."""
MARKS = 100_000
"""So many marks and statuses may wait besides: a day of proofs of one channel. None of them can be left out."""
_EARLY = 1 / 8
"""A flush does not wait for its time when so much of the buffer is full."""
_BEHIND = "not recorded: the disk does not keep up"

_Heard: TypeAlias = Channel | Signal[Any] | Status | None
"""Channels and what was said on their streams take turns: a pair for each would keep the garbage collector busy."""


@runtime_checkable
class _Host(Protocol):
    """What a recorder tells its feed."""

    def report(self, status: Status) -> None: ...

    def now_ms(self) -> int: ...


class _Writer(Protocol):
    """What a recorder asks of a `RecordingWriter`."""

    @property
    def folder(self) -> Path: ...

    @property
    def parts(self) -> Sequence[object]: ...

    @property
    def bytes(self) -> int: ...

    def write(self, heard: Iterable[Any], /) -> None: ...

    def close(self) -> None: ...

    def abandon(self) -> None: ...


@attrs.frozen
class RecorderStats:
    """Counters of a recorder: `events == recorded + queued + lost`."""

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


@attrs.frozen(eq=False)
class _Ear:
    """Hears the stream of one channel."""

    channel: Channel
    heard: Callable[[Channel, Signal[Any]], None]
    unhandled: Callable[[Exception], None]

    def on_signal(self, signal: Signal[Any]) -> None:
        self.heard(self.channel, signal)

    def on_error(self, error: Exception) -> None:
        """As for everybody without an `on_error`: the feed tells it, and the other channels go on."""
        self.unhandled(error)

    def on_completed(self) -> None:
        """What there was to say has been said."""


class Recorder:
    """What `record` gives: the recording that is being made."""

    def __init__(self, feed: Feed, writer: _Writer, flush_s: float, buffer: int) -> None:
        assert isinstance(feed, _Host)  # `record` has looked
        self._host: _Host = feed
        self._writer = writer
        self._flush_s = flush_s
        self._buffer = buffer
        self._early = max(1, int(buffer * _EARLY))
        self._waiting: list[_Heard] = []
        self._queued = 0
        self._events = 0
        self._recorded = 0
        self._lost = 0
        self._uncharged: dict[Channel, int] = {}
        self._wake = trio.Event()
        self._writing = trio.Lock()
        self._error: Exception | None = None
        self._failed = trio.Event()

    @property
    def folder(self) -> Path:
        """Where the recording is."""
        return self._writer.folder

    @property
    def error(self) -> Exception | None:
        """What ended the recording before its time; None while it goes on."""
        return self._error

    @property
    def stats(self) -> RecorderStats:
        """A snapshot of the counters."""
        writer = self._writer
        return RecorderStats(self._events, self._recorded, self._queued, self._lost, len(writer.parts), writer.bytes)

    async def flush(self) -> None:
        """Hand everything heard so far to the operating system. Returns at once where the recording has failed."""
        async with self._writing:
            heard, self._waiting = self._waiting, []
            count = self._queued
            if heard and self._error is None:
                try:
                    with trio.CancelScope(shield=True):  # what was taken is written, or it would be lost
                        await trio.to_thread.run_sync(self._write, heard)
                    self._recorded += count
                    if self._failed.is_set():  # it failed meanwhile, and took these for lost
                        self._lost -= count
                    else:
                        self._queued -= count
                except Exception as error:  # noqa: BLE001 - whatever it is: the recording ends, the feed goes on
                    self._fail(error)

    def _write(self, heard: list[_Heard]) -> None:
        self._writer.write(heard)
        heard.clear()  # here, or the feed's thread would spend its time on letting go of a million objects

    async def failed(self) -> None:
        """Wait until the recording has failed; for ever where it does not."""
        await self._failed.wait()

    # What it hears

    def hear(self, channel: Channel | None, said: Signal[Any] | Status) -> None:
        """Keep what was said on the stream of a channel. Takes no longer for many events than for one."""
        if isinstance(said, Batch):
            count = len(said.events)
            self._events += count
            if self._error is not None:
                self._lost += count
                return
            if self._queued and self._queued + count > self._buffer and channel is not None:
                self._lose(channel, count)
                return
            self._queued += count
            if self._queued >= self._early:
                self._wake.set()
        if self._error is None:
            if self._uncharged and channel in self._uncharged:
                self._waiting += (channel, Dropped(channel, self._uncharged.pop(channel), _BEHIND))
            self._waiting += (channel, said)
            if len(self._waiting) > 2 * (self._buffer + MARKS):
                reason = f"{len(self._waiting) // 2:,} batches and marks wait: the disk does not keep up"
                self._fail(RecordingError(str(self.folder), None, reason))

    def hear_status(self, status: Status) -> None:
        """Keep what is worth it."""
        if isinstance(status, Kept):
            self.hear(None, status)

    def _lose(self, channel: Channel, count: int) -> None:
        if not self._uncharged:
            reason = f"{self._queued:,} events wait, and {count:,} more came: the disk does not keep up"
            self._host.report(
                RecordingFailed(self._host.now_ms(), RecordingError(str(self.folder), channel.name, reason))
            )
        self._lost += count
        self._uncharged[channel] = self._uncharged.get(channel, 0) + count

    # How it writes

    async def run(self) -> None:
        """Flush again and again."""
        while True:
            with trio.move_on_after(self._flush_s):
                await self._wake.wait()
            self._wake = trio.Event()
            await self.flush()

    async def close(self) -> None:
        """Write the rest, finish the last part, let go of the folder."""
        for channel, count in self._uncharged.items():
            self._waiting += (channel, Dropped(channel, count, _BEHIND))
        self._uncharged = {}
        await self.flush()
        async with self._writing:
            try:
                await trio.to_thread.run_sync(self._writer.abandon if self._error else self._writer.close)
            except Exception as error:  # noqa: BLE001 - as above: what was flushed is there
                self._fail(error)

    def _fail(self, error: Exception) -> None:
        self._error = error
        self._failed.set()
        self._lost += self._queued
        self._queued = 0
        self._waiting = []
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        told = error if isinstance(error, RecordingError) else RecordingError(str(self.folder), None, reason)
        told.__cause__ = error if told is not error else error.__cause__
        self._host.report(RecordingFailed(self._host.now_ms(), told))


def record(
    feed: Feed,
    folder: str | os.PathLike[str],
    *,
    channels: Iterable[Channel | str],
    flush_every: Duration = "1s",
    part_bytes: int = PART_BYTES,
    buffer: int = BUFFER,
) -> AbstractAsyncContextManager[Recorder]:
    """Record channels of a feed: `async with cgrx.record(feed, "day", channels=["liquidationOrders"]): ...`.

    Subscribes on entering, so pipelines that are subscribed to in the body miss nothing that is recorded, and the other
    way round; what the connection was like is recorded too. On leaving, the rest is written. To record how the feed
    ends as well, `await feed.aclose()` in the body. Needs the extra `recording`.

    A process that is killed loses at most what came since the last flush; a machine that loses its power may lose more.
    A folder that holds a recording is gone on with. Memory: the events that wait, and one part while it is finished.

    Args:
        feed: of `connect` or `replay`.
        folder: where; made where it is missing.
        channels: the ones to record, as values or wire names; at least one.
        flush_every: how long something waits at most until it is handed to the operating system.
        part_bytes: the size at which a part is finished; it also is when the hour (UTC) of receipt turns.
        buffer: how many events may wait while the disk is busy. When more come, batches are left out: `stats` counts
            them, a `Dropped` charges them, and the feed's status says `RecordingFailed`.

    Returns:
        A context manager that gives the `Recorder`. Where the disk fails, as when it is full, the recording ends: the
        feed's status says `RecordingFailed`, `Recorder.error` holds it, and the feed goes on.

    Raises:
        RecordingError: somebody else is recording there, or what is there is damaged.
        OSError: nothing can be written there.
        ValueError, TypeError: an argument cannot be used.
        ImportError: pyarrow is not installed.
        NotInTrioError: called outside trio.
    """
    require_trio("record()")
    require_extra("record()")
    if not isinstance(feed, _Host):
        raise TypeError(f"feed={feed!r} is not one of connect() or replay()")
    if isinstance(channels, str):
        raise TypeError(f"channels={channels!r} takes several channels or wire names: put it into a list")
    chosen = tuple(dict.fromkeys(parse_channel(each) if isinstance(each, str) else each for each in channels))
    if not chosen:
        raise ValueError("channels=() holds nothing to record: give at least one channel")
    flush_s = to_seconds(flush_every, "flush_every")
    bounds: tuple[tuple[str, object], ...] = (("part_bytes", part_bytes), ("buffer", buffer))
    for name, value in bounds:
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ValueError(f"{name}={value!r} must be a whole number, at least 1")
    return _recording(feed, Path(folder), chosen, flush_s, part_bytes, buffer)


@asynccontextmanager
async def _recording(
    feed: Feed, folder: Path, channels: tuple[Channel, ...], flush_s: float, part_bytes: int, buffer: int
) -> AsyncGenerator[Recorder, None]:
    from cgrx._recording.writer import RecordingWriter

    writer = await trio.to_thread.run_sync(lambda: RecordingWriter(folder, part_bytes=part_bytes))
    recorder = Recorder(feed, writer, flush_s, buffer)
    subscriptions = CompositeDisposable()
    try:
        subscriptions.add(feed.status.subscribe(recorder.hear_status))
        for channel in channels:
            stream = _stream(feed, channel)
            assert stream.runtime is not None  # it is a feed's own
            ear = _Ear(channel, recorder.hear, stream.runtime.unhandled)
            subscriptions.add(stream.subscribe_signals(ear))
        subscriptions.add(feed.scheduler.start_soon(recorder.run))
        yield recorder
    finally:
        subscriptions.dispose()
        with trio.CancelScope(shield=True):  # what was heard is written, also when the body was cancelled
            await recorder.close()


def _stream(feed: Feed, channel: Channel) -> EventStream[Any]:
    if isinstance(channel, FuturesTrades):
        return feed.futures_trades(channel.exchange, channel.symbol, min_volume=channel.min_volume)
    return feed.liquidations()
