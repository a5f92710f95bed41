"""One value of everything that counts: made when it is asked for, in the feed's thread, all of one moment."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Protocol, TypeVar, cast

import attrs

from cgrx._delivery.accounts import SinkStats
from cgrx._feed.intake import RecorderStats
from cgrx._model.stats import FeedStats
from cgrx._model.status import State
from cgrx._model.times import Duration, to_seconds
from cgrx._streams.counts import StageStats
from cgrx._streams.ordering import OrderedStream
from cgrx._streams.stream import EventStream
from cgrx._trio.buffers import StreamStats
from cgrx._trio.scheduler import TrioScheduler
from cgrx._trio.threads import ask

S_co = TypeVar("S_co", covariant=True)

READY_WITHIN = "45s"
"""How old the last proof of life may be: a ping goes out every 20 s and may take 10 s."""


class Counted(Protocol[S_co]):
    """Anything with `stats`, such as what `cgrx.stream` and `cgrx.record` give.

    Examples:
        >>> import cgrx.metrics
        >>> from cgrx import StreamStats
        >>> def lost(stream: cgrx.metrics.Counted[StreamStats]) -> int:
        ...     return stream.stats.dropped
    """

    @property
    def stats(self) -> S_co:
        """A snapshot of its counters."""
        ...


class CountedFeed(Counted[FeedStats], Protocol):
    """What is asked of a feed: that of any host has it.

    Examples:
        >>> import cgrx.metrics
        >>> def events(feed: cgrx.metrics.CountedFeed) -> int:
        ...     return feed.stats.events
    """

    @property
    def scheduler(self) -> TrioScheduler:
        """Which knows the feed's thread."""
        ...


@attrs.frozen
class Readiness:
    """Whether a service can do its work now, and why, in words.

    Examples:
        >>> import cgrx.metrics
        >>> print(
        ...     cgrx.metrics.Readiness(ready=False, reason="the feed is reconnecting")
        ... )
        not ready: the feed is reconnecting
    """

    ready: bool
    reason: str

    def __str__(self) -> str:
        return f"{'ready' if self.ready else 'not ready'}: {self.reason}"


@attrs.frozen
class Snapshot:
    """Everything that counts, of one moment. `snapshot` makes it.

    Examples:
        >>> import cgrx.metrics
        >>> import msgspec, pathlib
        >>> _ = pathlib.Path("day.jsonl").write_bytes(
        ...     msgspec.json.encode(liquidation("long", 5_000.0, time="1s"))
        ... )
        >>> _ = cgrx.import_jsonl("day.jsonl", "day", events="liquidations")
        >>> async with cgrx.replay("day") as feed:
        ...     now = cgrx.metrics.snapshot(feed)
        >>> now.feed.events, dict(now.dropped)
        (0, {'malformed': 0, 'overflow': 0, 'unrecorded': 0, 'undelivered': 0})
    """

    feed: FeedStats
    """The feed's own counters."""
    streams: Mapping[str, StreamStats]
    """Those of each `cgrx.stream`, by the name that its user gave."""
    pipelines: Mapping[str, StageStats]
    """What the stages of each stream hold and have counted, likewise; `late` of an ordered merge is its own."""
    recorders: Mapping[str, RecorderStats]
    """Those of each `cgrx.record`, likewise."""
    sinks: Mapping[str, SinkStats] = MappingProxyType({})
    """Those of each of `cgrx.sinks`, likewise."""

    @property
    def proof_age_s(self) -> float | None:
        """How long ago life was last proven, seconds; None before the first proof, and of a replay."""
        return None if self.feed.proven_ms is None else max(0, self.feed.at_ms - self.feed.proven_ms) / 1e3

    @property
    def dropped(self) -> Mapping[str, int]:
        """Events and messages that are known to be lost, by reason.

        `"malformed"`: they could not be read; `"overflow"`: the buffer of a stream was full; `"unrecorded"`: the disk
        of a recorder did not keep up, or failed; `"undelivered"`: a sink had no room, or no time, for them, or the
        system behind it refused them.
        """
        return {
            "malformed": self.feed.malformed,
            "overflow": sum(each.dropped for each in self.streams.values()),
            "unrecorded": sum(each.lost for each in self.recorders.values()),
            "undelivered": sum(each.dropped + each.dead for each in self.sinks.values()),
        }

    def readiness(self, within: Duration = READY_WITHIN) -> Readiness:
        """Whether the feed is connected and was proven alive lately. A quiet market is no reason against it.

        Args:
            within: how old the last proof of life may be. A replay needs none.
        """
        within_s, age_s = to_seconds(within, "within"), self.proof_age_s
        if self.feed.state is not State.CONNECTED:
            words = {State.CLOSED: "the feed was closed", State.FAILED: "the feed has failed"}
            return Readiness(False, words.get(self.feed.state, f"the feed is {self.feed.state.value}"))
        if self.feed.pings is None:
            return Readiness(True, "the replay goes on")
        if age_s is None:
            return Readiness(False, "connected, but nothing has been heard yet")
        proof = f"the last proof of life is {age_s:.1f} s ago"
        return Readiness(age_s <= within_s, f"connected, {proof}{'' if age_s <= within_s else f', more than {within}'}")


_NONE: Mapping[str, Any] = MappingProxyType({})


@attrs.frozen
class Watched:
    """A feed, and what it cannot know of: the streams, pipelines, recorders and sinks on it, each with a name."""

    feed: CountedFeed
    streams: Mapping[str, Counted[StreamStats]] = _NONE
    pipelines: Mapping[str, EventStream[Any]] = _NONE
    recorders: Mapping[str, Counted[RecorderStats]] = _NONE
    sinks: Mapping[str, Counted[SinkStats]] = _NONE

    def __attrs_post_init__(self) -> None:
        if not isinstance(getattr(self.feed, "scheduler", None), TrioScheduler):
            raise TypeError(f"feed={self.feed!r} is no feed: give what cgrx.connect() or cgrx.replay() gives")
        for argument, attribute in (
            ("streams", "stats"),
            ("pipelines", "stage_stats"),
            ("recorders", "stats"),
            ("sinks", "stats"),
        ):
            given: Any = getattr(self, argument)
            if not isinstance(given, Mapping):
                raise TypeError(f"{argument}={given!r} takes a mapping from names")
            for name, value in cast("Mapping[object, object]", given).items():
                if not isinstance(name, str) or not hasattr(value, attribute):
                    raise TypeError(f"{argument}: {name!r}: {value!r} is not a name and something with `{attribute}`")

    def snapshot(self) -> Snapshot:
        """See `snapshot`."""
        return ask(self.feed.scheduler.token, self._read, "metrics.snapshot()")

    def _read(self) -> Snapshot:
        return Snapshot(
            feed=self.feed.stats,
            streams={name: each.stats for name, each in self.streams.items()},
            pipelines={name: _stages(each) for name, each in self.pipelines.items()},
            recorders={name: each.stats for name, each in self.recorders.items()},
            sinks={name: each.stats for name, each in self.sinks.items()},
        )


def _stages(stream: EventStream[Any]) -> StageStats:
    stats = stream.stage_stats
    return attrs.evolve(stats, late=stats.late + stream.stats.late) if isinstance(stream, OrderedStream) else stats


def snapshot(
    feed: CountedFeed,
    *,
    streams: Mapping[str, Counted[StreamStats]] = _NONE,
    pipelines: Mapping[str, EventStream[Any]] = _NONE,
    recorders: Mapping[str, Counted[RecorderStats]] = _NONE,
    sinks: Mapping[str, Counted[SinkStats]] = _NONE,
) -> Snapshot:
    """Everything that counts, of one moment: `cgrx.metrics.snapshot(feed, streams={"alerts": events})`.

    Any thread may ask; the feed's thread answers between two pieces of its work. It costs nothing until it is asked.

    Args:
        feed: of `connect` or `replay`, in whatever host, or any other object with the members of `cgrx.Feed`.
        streams: what `cgrx.stream` gives, each under a name of yours.
        pipelines: streams with windows in them, likewise: those that are subscribed to.
        recorders: what `cgrx.record` gives, likewise.
        sinks: what a function of `cgrx.sinks` gives, likewise.

    Raises:
        TimeoutError: in another thread, after five seconds: something blocks the feed's thread.
        TypeError: an argument is something else.

    Examples:
        >>> import cgrx.metrics
        >>> import msgspec, pathlib
        >>> _ = pathlib.Path("day.jsonl").write_bytes(
        ...     msgspec.json.encode(liquidation("long", 5_000.0, time="1s"))
        ... )
        >>> _ = cgrx.import_jsonl("day.jsonl", "day", events="liquidations")
        >>> async with (
        ...     cgrx.replay("day") as feed,
        ...     cgrx.stream(feed.liquidations()) as events,
        ... ):
        ...     now = cgrx.metrics.snapshot(feed, streams={"alerts": events})
        ...     print(now.streams["alerts"].dropped)
        0
    """
    return Watched(feed, streams, pipelines, recorders, sinks).snapshot()
