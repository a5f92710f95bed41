"""What must type-check of shards and states. Read by mypy and pyright, never run."""

from collections.abc import Iterator
from typing import Any, assert_type

import attrs

import cgrx
from cgrx import Batch, Channel, Event, Feed, Record, Shard, ShardExplanation, Signal
from cgrx import operators as ops


def bars(feed: Feed) -> cgrx.EventStream[ops.Bar]:
    return feed.liquidations().pipe(ops.tumbling("1m", ops.Bar, by=("exchange", "symbol")))


def taken(records: list[Record], data: bytes) -> None:
    shard = Shard(bars)
    assert_type(shard, Shard[ops.Bar])
    assert_type(shard.take(iter(records)), list[ops.Bar])
    assert_type(shard.signals(records), Iterator[Signal[ops.Bar]])
    assert_type(shard.snapshot(), bytes)
    assert_type(Shard.restore(bars, data, partition_by="base_asset"), Shard[ops.Bar])
    assert_type(shard.channels, tuple[Channel, ...])
    assert_type(shard.key, str)
    assert_type(shard.explain(), ShardExplanation)


@attrs.frozen
class Own(ops.Stage[Event, float]):
    """A stage with a state of its own."""

    def start(self) -> ops.Running[Event, float]:
        return Counted()


class Counted(ops.Running[Event, float]):
    """Its running form."""

    count = 0

    def on_batch(self, batch: Batch[Event]) -> list[float]:
        self.count += len(batch.events)
        return [self.count]

    def state(self) -> int:
        return self.count

    def take_up(self, state: Any) -> None:
        self.count = state


def restored() -> None:
    stage = Own()
    assert_type(stage.restore(stage.start().state()), ops.Running[Event, float])
