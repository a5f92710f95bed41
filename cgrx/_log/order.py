"""Puts what was read of several partitions into one order, by the time of receipt, as far as the log allows.

A record goes on when every partition has one to compare, or is read to its end. A partition of which nothing comes
although it is not at its end holds the others up for `PATIENCE_S` at most. Time never goes back: a record that comes
later than that is of the time of the one before it.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from heapq import heappop, heappush
from typing import Any, Final, NamedTuple

import attrs

from cgrx._model.channels import Channel
from cgrx._model.data_errors import RecordError
from cgrx._shards.record import Record, channel_named

PATIENCE_S: Final = 1.0
MOST: Final = 10_000
"""A partition of which so many messages wait is not read for a while."""


class Placed(NamedTuple):
    """A record and where it stands. No attrs value: one is made for each record."""

    partition: int
    offset: int
    channel: Channel
    record: Record


@attrs.define(eq=False)
class _Partition:
    number: int
    waiting: deque[Any] = attrs.field(factory=deque[Any])
    head: Placed | None = None
    caught_up: bool = False
    passed: int | None = None
    """The offset behind the last message that was stepped over or handed on."""


class Order:
    """What was read and has not been handed on.

    Args:
        partitions: their numbers.
        start_ms: records that were received before are left out; milliseconds since the epoch.
        wanted: whether somebody wants the records of a channel; others are stepped over unread, as far as they wait.
        on_damage: called with what is no record.
    """

    def __init__(
        self,
        partitions: Sequence[int],
        start_ms: int,
        wanted: Callable[[Channel], bool],
        on_damage: Callable[[RecordError, bytes | None], object],
    ) -> None:
        self._partitions = {number: _Partition(number) for number in partitions}
        self._start_ms = start_ms
        self._wanted = wanted
        self._on_damage = on_damage
        self._heads: list[tuple[int, int]] = []
        """A heap: the time of each partition's next record, and its number."""
        self._touched = set(partitions)
        """Those without a next record, of which something has been read or told."""
        self._lacking: set[int] = set()
        """Those without a next record that are not read to their ends."""
        self._since: float | None = None
        """Since when something waits for one of these."""

    @property
    def offsets(self) -> dict[int, int]:
        """By partition, the offset of the first message that was not handed on; without those that are unread."""
        return {each.number: each.passed for each in self._partitions.values() if each.passed is not None}

    @property
    def full(self) -> frozenset[int]:
        """The partitions that are not to be read now."""
        return frozenset(each.number for each in self._partitions.values() if len(each.waiting) > MOST)

    @property
    def at_end(self) -> bool:
        """Whether all partitions have been read to their ends."""
        return all(each.caught_up for each in self._partitions.values())

    def put(self, messages: Iterable[Any], caught_up: Mapping[int, bool]) -> None:
        """Take what was read in."""
        for message in messages:
            self._partitions[message.partition()].waiting.append(message)
        for number, is_at_end in caught_up.items():
            partition = self._partitions[number]
            partition.caught_up = is_at_end
            if partition.head is None:
                self._touched.add(number)

    def first_ms(self) -> int | None:
        """The earliest time of receipt among the first messages, None where there is no record among them."""
        times: list[int] = []
        for each in self._partitions.values():
            for message in each.waiting:
                try:
                    times.append(Record.decode(message.key(), message.value()).received_ms)
                    break
                except RecordError:
                    continue
        return min(times, default=None)

    def next(self, now: float) -> Placed | None:
        """The next record, None where more has to be read first. `now` is trio's clock."""
        while self._touched:
            self._refill(self._partitions[self._touched.pop()])
        if not self._heads:
            return None
        if not self._lacking:
            self._since = None
        elif self._since is None:
            self._since = now
            return None
        elif now - self._since < PATIENCE_S:
            return None
        partition = self._partitions[heappop(self._heads)[1]]
        head, partition.head = partition.head, None
        assert head is not None
        partition.passed = head.offset + 1
        self._refill(partition)
        return head

    def _refill(self, partition: _Partition) -> None:
        self._lacking.discard(partition.number)
        head = self._advance(partition)
        if head is not None:
            heappush(self._heads, (head.record.received_ms, partition.number))
        elif not partition.caught_up:
            self._lacking.add(partition.number)

    def _advance(self, partition: _Partition) -> Placed | None:
        """Step to the next record that is wanted."""
        while partition.waiting:
            message = partition.waiting.popleft()
            partition.passed = message.offset()
            key, value = message.key(), message.value()
            channel = _channel(key)
            if channel is None or self._wanted(channel):
                place = f"{message.topic()}[{partition.number}] at offset {message.offset()}"
                try:
                    record = Record.decode(key, value, place)
                except RecordError as error:
                    self._on_damage(error, value)
                else:
                    if record.received_ms >= self._start_ms:
                        channel = channel_named(record.channel)
                        partition.head = Placed(partition.number, message.offset(), channel, record)
                        return partition.head
            partition.passed = message.offset() + 1
        return None


def _channel(key: bytes | None) -> Channel | None:
    """The channel that a key names, None where it names none."""
    try:
        return channel_named((key or b"").decode())
    except ValueError:
        return None
