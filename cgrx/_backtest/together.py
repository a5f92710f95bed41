"""One replay for several pipelines: the recordings are decoded once, and so is what pipelines begin with in common.

Each pipeline gives what it would give alone. Therefore a stream is shared only where that cannot change the order in
which a merge hears its inputs, and pipelines whose channels come in another order have a replay of their own.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from itertools import combinations
from typing import Any

import attrs
import trio

from cgrx._backtest.common import Common, Key, key_of
from cgrx._backtest.plan import Branch, Merged
from cgrx._feed.face import Feed
from cgrx._model.channels import Channel
from cgrx._replay.playlist import Playlist
from cgrx._replay.replay import Replay, replay
from cgrx._streams.conditions import Conditional
from cgrx._streams.ordering import in_order
from cgrx._streams.stream import EventStream, merge

_TELL_S = 0.1
"""How often progress is told, in seconds."""


@attrs.define(eq=False)
class Outcome:
    """What a pipeline gave."""

    results: list[Any] = attrs.field(factory=list[Any])
    failure: Exception | None = None
    """What it failed with, behind the results."""

    def fail(self, error: Exception) -> None:
        """It failed."""
        self.failure = error


def run_together(
    branches: Mapping[Key, Branch], playlist: Playlist, on_fraction: Callable[[float], object]
) -> dict[Key, Outcome]:
    """What each of these pipelines gives on a replay at infinite speed.

    Args:
        branches: the pipelines, by their keys.
        playlist: what is replayed.
        on_fraction: is called now and then with how much is done, 0 to 1.

    Raises:
        RecordingError: a recording cannot be read.
        Exception: what `on_fraction` raises.
    """
    groups: dict[tuple[Channel, ...], dict[Key, Branch]] = {}
    for key, branch in branches.items():
        groups.setdefault(tuple(channels_of(branch)), {})[key] = branch
    found: dict[Key, Outcome] = {}
    for number, group in enumerate(groups.values()):

        def tell(fraction: float, before: int = number) -> None:
            on_fraction((before + fraction) / len(groups))

        found |= trio.run(_replayed, group, playlist, tell)
    return found


def channels_of(branch: Branch) -> Iterable[Channel]:
    """The channels of a pipeline, in the order in which it subscribes to them."""
    if isinstance(branch.source, Merged):
        return dict.fromkeys(channel for each in branch.source.branches for channel in channels_of(each))
    return (branch.source,)


async def _replayed(
    branches: Mapping[Key, Branch], playlist: Playlist, tell: Callable[[float], object]
) -> dict[Key, Outcome]:
    outcomes = {key: Outcome() for key in branches}
    part, failures = playlist.selection, list[Exception]()
    async with replay(
        playlist.logs, speed=math.inf, start=part.start_ms, end=part.end_ms, channels=part.channels
    ) as feed:
        streams = _Streams(feed, Common(branches.values()))
        for key, branch in branches.items():
            outcome = outcomes[key]
            try:
                streams.of(branch).subscribe(outcome.results.append, outcome.fail)
            except Exception as error:  # noqa: BLE001 - a channel that is not recorded, a stage that does not start
                outcome.fail(error)
        # An error leaves a nursery in a group, and is to be raised plain.
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_tell, feed, tell, failures, nursery.cancel_scope)
            try:
                await feed.run()
            except Exception as error:  # noqa: BLE001 - raised below
                failures.append(error)
            nursery.cancel_scope.cancel()
    if failures:
        raise failures[0]
    return outcomes


async def _tell(
    feed: Replay, tell: Callable[[float], object], failures: list[Exception], scope: trio.CancelScope
) -> None:
    try:
        while True:
            tell(feed.progress.fraction)
            await trio.sleep(_TELL_S)
    except Exception as error:  # noqa: BLE001 - raised by `_replayed`
        failures.append(error)
        scope.cancel()


class _Streams:
    """Streams of a feed, made of branches; where pipelines part, the stream before is shared.

    Filters are not shared: each subscriber's are handed down to the file, and cost less than a signal more.
    """

    def __init__(self, feed: Feed, common: Common) -> None:
        self._feed = feed
        self._common = common
        self._shared: dict[Key, EventStream[Any]] = {}

    def of(self, branch: Branch, *, may_share: bool = True) -> EventStream[Any]:
        """The stream that a branch describes.

        Raises:
            ValueError: a channel is not recorded.
        """
        key = key_of(branch)
        if may_share and key in self._shared:
            return self._shared[key]
        stream = self._made(branch, may_share)
        is_filtered = not isinstance(branch.source, Merged) and all(isinstance(s, Conditional) for s in branch.stages)
        if may_share and self._common.is_fork(key) and not is_filtered:
            stream = self._shared[key] = stream.share()
        return stream

    def _made(self, branch: Branch, may_share: bool) -> EventStream[Any]:
        if branch.stages:
            before = self.of(attrs.evolve(branch, stages=branch.stages[:-1]), may_share=may_share)
            return before.through(branch.stages[-1])
        if not isinstance(branch.source, Merged):
            return self._feed.channel(branch.source)
        inputs = branch.source.branches
        # Of inputs with a channel in common, the one that subscribed first hears a signal first.
        apart = all(set(channels_of(one)).isdisjoint(channels_of(other)) for one, other in combinations(inputs, 2))
        streams = [self.of(each, may_share=may_share and apart) for each in inputs]
        return merge(*streams) if branch.source.order is None else in_order(streams, branch.source.order)
