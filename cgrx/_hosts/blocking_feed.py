"""What `cgrx.sync` gives: feeds and recorders with the members of those of `cgrx`, where what is awaited there waits.

Streams of these feeds may be subscribed to in any thread: callbacks run in the thread of trio.
"""

import math
from collections.abc import Iterable
from pathlib import Path

from reactivex import Observable

from cgrx._feed.face import Feed
from cgrx._feed.recorder import Recorder, RecorderStats
from cgrx._hosts.trio_thread import TrioThread
from cgrx._model.channels import Channel
from cgrx._model.events import Event, Liquidation, Trade
from cgrx._model.stats import FeedStats
from cgrx._model.status import State, Status
from cgrx._model.times import Duration
from cgrx._replay.replay import Replay, ReplayProgress
from cgrx._streams.ordering import OrderedStream
from cgrx._streams.stream import EventStream
from cgrx._trio.scheduler import TrioScheduler


class BlockingFeed:
    """A feed of `cgrx.sync`: the members of `cgrx.Feed`, in any thread; `run` and `aclose` wait.

    Examples:
        >>> import msgspec, pathlib
        >>> _ = pathlib.Path("day.jsonl").write_bytes(
        ...     msgspec.json.encode(liquidation("long", 5_000.0, time="1s"))
        ... )
        >>> _ = cgrx.import_jsonl("day.jsonl", "day", events="liquidations")
        >>> with cgrx.sync.replay("day") as feed:
        ...     subscription = feed.liquidations().subscribe(
        ...         lambda event: print(event.volume_usd)
        ...     )
        ...     feed.run()
        5000.0
    """

    def __init__(self, feed: Feed, thread: TrioThread) -> None:
        self._feed = feed
        self._thread = thread

    @property
    def status(self) -> Observable[Status]:
        """See `cgrx.Feed.status`."""
        return self._feed.status

    @property
    def state(self) -> State:
        """See `cgrx.Feed.state`."""
        return self._feed.state

    @property
    def stats(self) -> FeedStats:
        """See `cgrx.Feed.stats`."""
        return self._feed.stats

    @property
    def now_ms(self) -> int:
        """See `cgrx.Feed.now_ms`."""
        return self._feed.now_ms

    @property
    def scheduler(self) -> TrioScheduler:
        """See `cgrx.Feed.scheduler`."""
        return self._feed.scheduler

    def liquidations(self) -> EventStream[Liquidation]:
        """See `cgrx.Feed.liquidations`."""
        return self._feed.liquidations()

    def futures_trades(self, exchange: str, symbol: str, *, min_volume: float) -> EventStream[Trade]:
        """See `cgrx.Feed.futures_trades`."""
        return self._feed.futures_trades(exchange, symbol, min_volume=min_volume)

    def futures_trades_across(
        self, instruments: Iterable[tuple[str, str]], *, min_volume: float, max_delay: Duration = "2s"
    ) -> OrderedStream[Trade]:
        """See `cgrx.Feed.futures_trades_across`."""
        return self._feed.futures_trades_across(instruments, min_volume=min_volume, max_delay=max_delay)

    def channel(self, channel: Channel | str, /) -> EventStream[Event]:
        """See `cgrx.Feed.channel`."""
        return self._feed.channel(channel)

    def report(self, status: Status, /) -> None:
        """See `cgrx.Feed.report`."""
        self._feed.report(status)

    def run(self, *, timeout: Duration = math.inf) -> None:
        """Wait until the feed ends; raises what ended it, nothing where it was closed.

        Raises:
            TimeoutError: it has not ended within `timeout`; the feed goes on.
        """
        self._thread.call(self._feed.run, "feed.run()", timeout)

    def aclose(self) -> None:
        """See `cgrx.Feed.aclose`; returns when the streams have completed and the connection is closed."""
        self._thread.call(self._feed.aclose, "feed.aclose()")

    def _repr_html_(self) -> str:
        return self.stats._repr_html_()  # pyright: ignore[reportPrivateUsage]  # the name that notebooks look for


class BlockingReplay(BlockingFeed):
    """A replay of `cgrx.sync`: the members of `cgrx.Replay`, in any thread.

    Examples:
        >>> import msgspec, pathlib
        >>> _ = pathlib.Path("day.jsonl").write_bytes(
        ...     msgspec.json.encode(liquidation("long", 5_000.0, time="1s"))
        ... )
        >>> _ = cgrx.import_jsonl("day.jsonl", "day", events="liquidations")
        >>> with cgrx.sync.replay("day") as feed:
        ...     feed.pause()
        ...     print(feed.paused, feed.channels)
        True (LiquidationOrders(),)
    """

    def __init__(self, feed: Replay, thread: TrioThread) -> None:
        super().__init__(feed, thread)
        self._replay = feed

    @property
    def channels(self) -> tuple[Channel, ...]:
        """See `cgrx.Replay.channels`."""
        return self._replay.channels

    @property
    def progress(self) -> ReplayProgress:
        """See `cgrx.Replay.progress`."""
        return self._replay.progress

    @property
    def speed(self) -> float:
        """See `cgrx.Replay.speed`."""
        return self._replay.speed

    @speed.setter
    def speed(self, speed: float) -> None:
        self._replay.speed = speed

    @property
    def paused(self) -> bool:
        """See `cgrx.Replay.paused`."""
        return self._replay.paused

    def pause(self) -> None:
        """See `cgrx.Replay.pause`."""
        self._replay.pause()

    def resume(self) -> None:
        """See `cgrx.Replay.resume`."""
        self._replay.resume()


class BlockingRecorder:
    """What `cgrx.sync.record` gives: the members of `cgrx.Recorder`; `flush` and `failed` wait.

    Examples:
        >>> import msgspec, pathlib
        >>> _ = pathlib.Path("day.jsonl").write_bytes(
        ...     msgspec.json.encode(liquidation("long", 5_000.0, time="1s"))
        ... )
        >>> _ = cgrx.import_jsonl("day.jsonl", "day", events="liquidations")
        >>> with cgrx.sync.replay("day") as feed:
        ...     with cgrx.sync.record(
        ...         feed, "copy", channels=["liquidationOrders"]
        ...     ) as recorder:
        ...         feed.run()
        ...         recorder.flush()
        ...         print(recorder.stats.recorded, recorder.error)
        1 None
    """

    def __init__(self, recorder: Recorder, thread: TrioThread) -> None:
        self._recorder = recorder
        self._thread = thread

    @property
    def folder(self) -> Path:
        """Where the recording is."""
        return self._recorder.folder

    @property
    def error(self) -> Exception | None:
        """What ended the recording before its time; None while it goes on."""
        return self._recorder.error

    @property
    def stats(self) -> RecorderStats:
        """A snapshot of the counters."""
        return self._recorder.stats

    def flush(self) -> None:
        """See `cgrx.Recorder.flush`."""
        self._thread.call(self._recorder.flush, "recorder.flush()")

    def failed(self, *, timeout: Duration = math.inf) -> None:
        """See `cgrx.Recorder.failed`.

        Raises:
            TimeoutError: it has not failed within `timeout`.
        """
        self._thread.call(self._recorder.failed, "recorder.failed()", timeout)
