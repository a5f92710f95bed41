"""`resume()`: the results of a pipeline that survives its process.

feed ──► record ──► journal ──► Shard ──► results
                                  │ every ten seconds
                                  ▼
                               snapshot
"""

import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Generic, TypeVar

import attrs
from reactivex import Observable, abc
from reactivex.disposable import CompositeDisposable, SerialDisposable

from cgrx._extras import require_extra
from cgrx._feed.face import Feed
from cgrx._model.channels import Channel
from cgrx._model.signals import Signal
from cgrx._model.times import Duration, to_seconds
from cgrx._resuming.folder import StateFolder
from cgrx._shards.record import Numbering, Record
from cgrx._shards.shard import Shard
from cgrx._streams.observers import InTurn, SignalObserver
from cgrx._streams.runtime import Runtime, joint
from cgrx._streams.stream import EventStream

T = TypeVar("T")


def _always() -> bool:
    return True


def resume(
    folder: str | os.PathLike[str],
    build: Callable[[Feed], Observable[T]],
    feed: Feed,
    *,
    every: Duration = "10s",
    settled: Callable[[], bool] = _always,
) -> EventStream[T]:
    """The results of a pipeline whose open windows survive the process, however it ends: also a kill -9.

        async with cgrx.connect() as feed:
            bars = cgrx.resume(
                "state/bars",
                lambda feed: feed.liquidations().pipe(ops.tumbling("1h", ops.Flow, by=("base_asset",))),
                feed,
            )
            async with cgrx.stream(bars) as rows:
                async for row in rows:
                    print(row)

    Each signal of the feed is written to a journal in the folder before the pipeline sees it, and now and then the
    state of the pipeline to a snapshot beside it. A process that finds them goes on from there: windows stay open, and
    the time in which nobody listened is a `Gap` in them, and nothing else is.

    What came out behind the last snapshot comes out again, the same rows with the same identity: at least once, so
    nothing is lost between the pipeline and who reads it. A sink with a table keeps one of the two. With `settled` a
    snapshot waits until all has been delivered.

    Completion of the feed, as by its `aclose`, completes the stream and puts the state away: windows that are open go
    on with the next process, they do not come out. An error of a channel or of the pipeline ends the stream; the state
    stays as it is. One subscription at a time. State: that of the pipeline; on disk the snapshot, and a journal of
    about 100 bytes an event for the time between two of them.

    Args:
        folder: the place of the state, for this pipeline alone. It must be writable for this user alone, for what it
            holds is unpickled.
        build: makes the pipeline from a feed, as for `backtest`. The stages of cgrx keep their state; what reactivex's
            own operators and functions of the user's hold is not seen: see `Shard`.
        feed: live, or any other.
        every: how often a snapshot is written, by trio's clock. Writing it stops the loop for about a millisecond for
            some hundred open windows; the longer the time, the longer a restart takes.
        settled: asked before a snapshot: whether all that came out is where it belongs, as
            `lambda: not (sink.stats.queued + sink.stats.in_flight)`. As long as it is not, the journal grows.

    Raises:
        ImportError: the extra `spill` is not installed.
        ValueError, TypeError: an argument that cannot be used, or a pipeline that `Shard` refuses.
        StateError: on subscribing: the folder is in use, others may write to it, it has the state of another pipeline
            or version, or is damaged.
        OSError: the disk fails: on subscribing, or through `on_error`.

    Examples:
        >>> import msgspec, pathlib
        >>> _ = pathlib.Path("day.jsonl").write_bytes(
        ...     msgspec.json.encode(liquidation("long", 5_000.0, time="1s"))
        ... )
        >>> _ = cgrx.import_jsonl("day.jsonl", "day", events="liquidations")
        >>> def bars(feed):
        ...     return feed.liquidations().pipe(ops.tumbling("1m"))
        >>> async with (
        ...     cgrx.replay("day") as feed,
        ...     cgrx.stream(cgrx.resume("state", bars, feed)) as rows,
        ... ):
        ...     print([row async for row in rows])
        []

        The minute is not over, so its row is kept in the folder, for the next process:

        >>> sorted(path.name for path in pathlib.Path("state").iterdir())
        ['000000000002.journal', '000000000002.state', 'lock']
    """
    require_extra("cgrx.resume()", "spill")
    period_s = to_seconds(every, "every")
    channels = Shard(build).channels
    streams = {channel: feed.channel(channel) for channel in channels}
    runtime = joint(stream.runtime for stream in streams.values() if stream.runtime is not None)
    return EventStream(_Resuming(Path(folder), build, streams, period_s, settled, runtime), runtime=runtime)


@attrs.frozen(eq=False)
class _Resuming(Generic[T]):
    """The source of the stream."""

    folder: Path
    build: Callable[[Feed], Observable[T]]
    streams: dict[Channel, EventStream[Any]]
    period_s: float
    settled: Callable[[], bool]
    runtime: Runtime | None

    def __call__(self, observer: SignalObserver[T], scheduler: abc.SchedulerBase | None) -> abc.DisposableBase:
        run = _Run(self, observer)
        try:
            run.begin(scheduler)
        except BaseException:  # a journal that is damaged, say: the files stay as they are
            run.abandon()
            raise
        return run


class _Run(abc.DisposableBase, Generic[T]):
    """One subscription. State: the shard, the numbers of the records, the open folder."""

    def __init__(self, terms: _Resuming[T], observer: SignalObserver[T]) -> None:
        self._terms = terms
        self._observer = observer
        self._folder = StateFolder(terms.folder)
        snapshot = self._folder.open()
        try:
            self._shard = Shard(terms.build) if snapshot is None else Shard.restore(terms.build, snapshot)
        except BaseException:
            self._folder.close()
            raise
        self._is_new = snapshot is None
        self._numbering = Numbering(secrets.token_hex(4))
        self._gate: InTurn[Any] = InTurn(observer)  # a subscriber may push into the feed of its own pipeline
        self._sources = CompositeDisposable()
        self._timer = SerialDisposable()
        self._left = len(terms.streams)
        self._stopped = False

    def begin(self, scheduler: abc.SchedulerBase | None) -> None:
        """Give again what has come out since the snapshot, then listen to the feed."""
        if self._is_new:
            self._folder.renew(self._shard.snapshot())
        else:
            for record in self._folder.records():
                self._gate.take(self._give, record)
            if self._stopped:  # by what came out again
                return
            self._folder.go_on()
        self._wait()
        for channel, stream in self._terms.streams.items():
            self._sources.add(stream.subscribe_signals(_Input(self, channel.name), scheduler=scheduler))

    def came(self, channel: str, signal: Signal[Any]) -> None:
        """The feed has given a signal."""
        self._gate.take(partial(self._take, channel), signal)

    def failed(self, error: Exception) -> None:
        """A channel has failed, or what keeps the state."""
        self._gate.take(self._fail, error)

    def completed(self) -> None:
        """A channel has completed: with the last one the state is put away."""
        self._left -= 1
        if not self._left:
            self._gate.take(self._complete, None)

    def dispose(self) -> None:
        """Put the state away, and let go of the folder."""
        if not self._stopped:
            self._stop()
            try:
                self._keep()
            finally:
                self._folder.close()

    def abandon(self) -> None:
        """Leave the state as it was written."""
        self._stop()
        self._folder.close()

    def _take(self, channel: str, signal: Signal[Any]) -> None:
        record = self._numbering.record(channel, signal)
        try:
            self._folder.append(record)
        except OSError as error:
            self._fail(error)
        else:
            self._give(record)

    def _give(self, record: Record) -> None:
        signals = iter(self._shard.signals((record,)))
        while not self._stopped:
            try:
                signal = next(signals, None)
            except Exception as error:  # noqa: BLE001 - the pipeline's own, behind what came out before it
                self._fail(error)
                return
            if signal is None:
                return
            self._observer.on_signal(signal)

    def _fail(self, error: Exception) -> None:
        """The state stays as it was written: that of the shard ends in the midst of a signal."""
        self.abandon()
        self._observer.on_error(error)

    def _complete(self, _: None) -> None:
        self.dispose()
        self._observer.on_completed()

    def _stop(self) -> None:
        self._stopped = True
        self._gate.dispose()
        self._timer.dispose()
        self._sources.dispose()

    def _wait(self) -> None:
        """Write a snapshot when it is time."""
        runtime = self._terms.runtime
        if runtime is not None and not self._stopped:
            self._timer.disposable = runtime.after(self._terms.period_s, lambda: self._gate.take(self._renew, None))

    def _renew(self, _: None) -> None:
        try:
            self._keep()
        except Exception as error:  # noqa: BLE001 - a value that does not pickle any more
            self._fail(error)
        self._wait()

    def _keep(self) -> None:
        """Write a snapshot, unless something that came out is still under way."""
        if self._terms.settled():
            snapshot = self._shard.snapshot()
            with suppress(OSError):  # nothing is lost: the journal goes on, and says so where it cannot either
                self._folder.renew(snapshot)


@attrs.frozen(eq=False)
class _Input:
    """The observer of one channel."""

    run: _Run[Any]
    channel: str

    def on_signal(self, signal: Signal[Any]) -> None:
        self.run.came(self.channel, signal)

    def on_error(self, error: Exception) -> None:
        self.run.failed(error)

    def on_completed(self) -> None:
        self.run.completed()
