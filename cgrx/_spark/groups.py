"""Groups: the channels that one pipeline takes, and the shard in which Spark keeps its state."""

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

import attrs
from reactivex import Observable

from cgrx._feed.face import Feed
from cgrx._model.channels import Channel, parse_channel
from cgrx._shards.groups import GroupBy, group_of, partition_of
from cgrx._shards.shard import Shard
from cgrx._streams.stream import Stage, merge

Pipeline: TypeAlias = Stage[Any, Any] | Callable[..., Observable[Any]]
"""A stage, for the channels of each group; or a function of a feed and of those channels."""

Chosen: TypeAlias = Iterable[Channel | str | tuple[Channel | str, ...]] | None

SHARDS = 256


@attrs.frozen
class Group:
    """The pipeline of one group: a function of a feed, as a `Shard` and `backtest` take it."""

    build: Pipeline
    given: tuple[Channel, ...]
    """What it was chosen for; () for a function of the feed alone."""

    def __call__(self, feed: Feed) -> Observable[Any]:
        build: Any = self.build
        if isinstance(self.build, Stage):
            streams = [feed.channel(channel) for channel in self.given]
            found: Observable[Any] = build(merge(*streams) if len(streams) > 1 else streams[0])
        else:
            found = build(feed, *self.given)
        return found


@attrs.frozen
class Keyed:
    """A group with what Spark knows it by."""

    group: Group
    key: str
    """The wire names that it was given for, or asks for, with blanks between them."""
    channels: tuple[str, ...]
    """The wire names of all channels that its pipeline asks for."""
    shard: int
    """The shard that holds it: the CRC-32 of `key` modulo their number, the same in each process."""


def groups(build: Pipeline, channels: Chosen, partition_by: GroupBy, shards: int) -> tuple[Keyed, ...]:
    """The groups of a pipeline, each asked for its channels.

    Raises:
        ValueError: there are none, one is there twice, or has no base asset; a number of shards below 1.
        TypeError: `build` is neither a stage nor a function, or a stage without channels.
        StateError: a pipeline holds what cannot be put away.
    """
    if not callable(build):
        raise TypeError(f"build={build!r} takes a stage, or a function from a feed and channels to an observable")
    if type(shards) is not int or shards < 1:
        raise ValueError(f"shards={shards!r} takes a whole number, 1 or more")
    found: dict[str, Keyed] = {}
    for given in _chosen(channels, partition_by, is_stage=isinstance(build, Stage)):
        group = Group(build, given)
        asked = tuple(channel.name for channel in Shard(group).channels)
        key = " ".join(sorted(channel.name for channel in given) or asked)
        if key in found:
            raise ValueError(f"channels: {key} is there twice")
        found[key] = Keyed(group, key, asked, partition_of(key, shards))
    return tuple(found.values())


def _chosen(channels: Chosen, partition_by: GroupBy, *, is_stage: bool) -> list[tuple[Channel, ...]]:
    if channels is None:
        if is_stage:
            raise TypeError(
                "build= is a stage, which asks for no channels: give channels=, such as [cgrx.LiquidationOrders()]"
            )
        return [()]
    if isinstance(channels, str):
        raise TypeError(f"channels={channels!r} takes several channels: put it into a list")
    items = [tuple(map(_channel, item if isinstance(item, tuple) else (item,))) for item in channels]
    if not items or not all(items):
        raise ValueError("channels= holds no channel, or a group without one")
    if partition_by == "channel":
        return items
    together: dict[str, list[Channel]] = {}
    for channel in (channel for item in items for channel in item):
        together.setdefault(group_of(channel, partition_by), []).append(channel)
    return [tuple(group) for group in together.values()]


def _channel(given: Channel | str) -> Channel:
    return parse_channel(given) if isinstance(given, str) else given


def require_together(keyed: Iterable[Keyed], partition_by: GroupBy, partitions: int) -> None:
    """Check that each group has all its channels in one partition of the topic: between partitions there is no order.

    Raises:
        ValueError: a group has not, where `cgrx publish --partition-by` wrote them.
    """
    for each in keyed:
        found: dict[int, str] = {}
        for name in each.channels:
            found.setdefault(partition_of(group_of(parse_channel(name), partition_by), partitions), name)
        if len(found) > 1:
            where = ", ".join(f"{name} in partition {at}" for at, name in sorted(found.items()))
            raise ValueError(f"the channels of a group must be in one partition of the topic: {where}. {ADVICE}")


ADVICE = (
    "Publish with --partition-by base_asset, and run with partition_by='base_asset'; or to a topic of one partition"
)
