"""`record()`: writes what the streams of a feed give, while pipelines use it.

    streams and status of the feed ──► intake, bounded ──► thread ──► files

On the feed's path a reference is appended for each batch; columns and files are the business of a thread. Where the
disk does not keep up, batches are left out and each loss is charged in the recording itself; where it fails, the
recording ends. Both are told on the feed's status, and the feed goes on.
"""

import os
from collections.abc import AsyncGenerator, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import attrs
import trio
from reactivex.disposable import CompositeDisposable

from cgrx._extras import require_extra
from cgrx._feed.face import Feed
from cgrx._feed.intake import Intake
from cgrx._feed.intake import RecorderStats as RecorderStats
from cgrx._model.channels import Channel
from cgrx._model.data_errors import RecordingError
from cgrx._model.errors import CgrxError
from cgrx._model.output_status import RecordingFailed, StreamFailed
from cgrx._model.signals import Signal
from cgrx._model.status import Status
from cgrx._model.times import Duration, to_seconds
from cgrx._recording.manifest import PART_BYTES
from cgrx._recording.selection import several_channels
from cgrx._recording.status_text import Kept
from cgrx._streams.observable import require_here
from cgrx._trio.entering import ToEnter
from cgrx._trio.guest import on_trio
from cgrx._trio.require import require_trio

BUFFER = 250_000
"""How many events may wait to be written: some 50 MiB."""

_USED = ("channel", "status", "scheduler", "now_ms", "report")
"""What a recorder uses of a feed."""


class Recorder:
    """What `record` gives: the recording that is being made.

    Examples:
        >>> from cgrx.testing import Simulator
        >>> async with (
        ...     Simulator() as simulator,
        ...     cgrx.connect(url=simulator.url, api_key="made-up-key") as feed,
        ... ):
        ...     async with cgrx.record(
        ...         feed, "day", channels=["liquidationOrders"]
        ...     ) as recorder:
        ...         await recorder.flush()
        ...         print(recorder.folder, recorder.stats.events, recorder.error)
        day 0 None
    """

    def __init__(self, intake: Intake) -> None:
        self._intake = intake

    @property
    def folder(self) -> Path:
        """Where the recording is."""
        return self._intake.writer.folder

    @property
    def error(self) -> Exception | None:
        """What ended the recording before its time; None while it goes on."""
        return self._intake.error

    @property
    def stats(self) -> RecorderStats:
        """A snapshot of the counters."""
        return self._intake.stats

    async def flush(self) -> None:
        """Hand everything heard so far to the operating system. Returns at once where the recording has failed."""
        await on_trio(self._intake.flush)

    async def failed(self) -> None:
        """Wait until the recording has failed; for ever where it does not."""
        await on_trio(self._intake.failed.wait)


@attrs.frozen(eq=False)
class _ChannelObserver:
    """Hands the signals of one channel's stream to the intake."""

    feed: Feed
    channel: Channel
    intake: Intake

    def on_signal(self, signal: Signal[Any]) -> None:
        self.intake.take(self.channel, signal)

    def on_error(self, error: Exception) -> None:
        """The stream has failed: its feed tells it, as for any subscriber without an `on_error`."""
        if isinstance(error, CgrxError):  # any other error is a subscriber's, and has been told
            self.feed.report(StreamFailed(self.feed.now_ms, error))

    def on_completed(self) -> None:
        """Nothing is recorded of it: the recording ends with the last signal."""


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

    Subscribes on entering, so a pipeline that is subscribed to in the body and the recording get the same signals; the
    statuses that tell what the connection was like are recorded too. On leaving, the rest is written. To record how the
    feed ends as well, `await feed.aclose()` in the body. Needs the extra `recording`.

    A process that is killed loses at most what came since the last flush; a machine that loses its power may lose more.
    A recording that the folder holds is continued. Memory: the events that wait, and one part while it is finished.

    Args:
        feed: of `connect` or `replay`, or any other object with the members of `cgrx.Feed`.
        folder: of the recording; made if it is missing.
        channels: the ones to record, as values or wire names; at least one.
        flush_every: how long a signal waits at most until it is handed to the operating system.
        part_bytes: the size at which a part is finished; it also is when the hour (UTC) of receipt turns.
        buffer: how many events may wait while the disk is busy. When more come, batches are left out: `stats` counts
            them, a `Dropped` charges them, and the feed's status says `RecordingFailed`.

    Returns:
        A context manager that gives the `Recorder`. Where the disk fails, as when it is full, the recording ends: the
        feed's status says `RecordingFailed`, `Recorder.error` holds it, and the feed goes on.

    Raises:
        RecordingError: another recorder is writing there, or the folder holds something else or a damaged recording.
        OSError: nothing can be written there.
        ValueError, TypeError: an argument cannot be used.
        ImportError: pyarrow is not installed.
        NotInTrioError: called outside trio.

    Examples:
        >>> from cgrx.testing import Simulator
        >>> async with Simulator([liquidation("long", 5_000.0)]) as simulator:
        ...     async with cgrx.connect(
        ...         url=simulator.url, api_key="made-up-key"
        ...     ) as feed:
        ...         async with cgrx.record(feed, "day", channels=["liquidationOrders"]):
        ...             async with cgrx.stream(feed.liquidations()) as events:
        ...                 event = await anext(events)
        >>> cgrx.Recording("day").events
        1
    """
    require_trio("record()")
    require_extra("record()")
    lacking = [name for name in _USED if not hasattr(feed, name)]
    if lacking:
        raise TypeError(
            f"feed={feed!r} is no feed, for it has no {', '.join(lacking)}: give what `async with` cgrx.connect() or"
            " cgrx.replay() gives, or an object with the members of cgrx.Feed"
        )
    chosen = several_channels(channels)
    if not chosen:
        raise ValueError("channels=() holds nothing to record: give at least one channel")
    flush_s = to_seconds(flush_every, "flush_every")
    bounds: tuple[tuple[str, object], ...] = (("part_bytes", part_bytes), ("buffer", buffer))
    for name, value in bounds:
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ValueError(f"{name}={value!r} must be a whole number, at least 1")
    opening = _recording(feed, Path(folder), chosen, flush_s, part_bytes, buffer)
    return ToEnter(opening, "cgrx.record()", "recorder")


@asynccontextmanager
async def _recording(
    feed: Feed, folder: Path, channels: tuple[Channel, ...], flush_s: float, part_bytes: int, buffer: int
) -> AsyncGenerator[Recorder, None]:
    from cgrx._recording.writer import RecordingWriter  # needs the extra `recording`

    def tell(error: RecordingError) -> None:
        feed.report(RecordingFailed(feed.now_ms, error))

    def take_status(status: Status) -> None:
        if isinstance(status, Kept):
            intake.take(None, status)

    writer = await trio.to_thread.run_sync(lambda: RecordingWriter(folder, part_bytes=part_bytes))
    intake = Intake(writer, flush_s, buffer, tell)
    subscriptions = CompositeDisposable()
    try:
        subscriptions.add(feed.status.subscribe(take_status))
        for channel in channels:
            stream = feed.channel(channel)
            require_here(stream.runtime)
            subscriptions.add(stream.subscribe_signals(_ChannelObserver(feed, channel, intake)))
        subscriptions.add(feed.scheduler.start_soon(intake.run))
        yield Recorder(intake)
    finally:
        subscriptions.dispose()
        with trio.CancelScope(shield=True):  # what was heard is written, also when the body was cancelled
            await intake.close()
