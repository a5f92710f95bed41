"""Reads the entries of one recording, in order, and leaves out the events that no subscriber wants.

A `Log` is what can be replayed. A `Cursor` walks through one log. `Wanted` knows which events the subscribers want. An
event that was left out may be wanted a moment later, so a cursor looks no further ahead than to the end of a chunk, and
reports there (`Passed`) what it left out.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, TypeAlias

import attrs
from reactivex.disposable import Disposable

from cgrx._model.channels import Channel
from cgrx._model.signals import Batch, Signal
from cgrx._model.status import Status
from cgrx._recording.entry import Recorded, said_ms
from cgrx._streams.conditions import Condition

Conditions: TypeAlias = tuple[Condition, ...]
"""The filters with which a subscriber begins: it wants the events that meet all of them."""


class Wanted:
    """The events that the subscribers of a replay want, by channel."""

    on_change: Callable[[], None]
    """Called whenever other events are wanted; set before there are subscribers."""

    def __init__(self) -> None:
        self.version = 0
        """Another number whenever other events are wanted."""
        self._by_channel: dict[Channel, list[Conditions]] = {}

    def add(self, channel: Channel, conditions: Conditions) -> Disposable:
        """Add a subscriber; disposing removes it."""
        asked = self._by_channel.setdefault(channel, [])
        asked.append(conditions)
        self._changed()

        def remove() -> None:
            asked.remove(conditions)
            self._changed()

        return Disposable(remove)

    def _changed(self) -> None:
        self.version += 1
        self.on_change()

    def of(self, channel: Channel) -> frozenset[Conditions]:
        """What the subscribers ask: an event is wanted if it meets all conditions of one of them."""
        return frozenset(self._by_channel.get(channel, ()))


@attrs.frozen
class Passed:
    """The end of a chunk. By channel: how many of its events were left out, and when its last event was received."""

    events: Mapping[Channel, tuple[int, int]]


class Said(NamedTuple):
    """The next entry, and its time. No attrs value: a million of these are made a second."""

    time_ms: int
    channel: Channel | None
    said: Signal[Any] | Status | Passed


class Cursor(ABC):
    """A walk through one log, in the order in which it was recorded."""

    @abstractmethod
    def peek(self, now_ms: int) -> Said | None:
        """The next entry at `now_ms` or later, None at the end; the same until `take` or a change of what is wanted."""

    @abstractmethod
    def take(self) -> None:
        """Step over the entry that `peek` gave."""


class Log(Protocol):
    """What the streams and the status of a feed gave, in a form that can be replayed."""

    @property
    def channels(self) -> Sequence[Channel]:
        """The channels that it holds."""
        ...

    @property
    def start_ms(self) -> int:
        """The time of the first entry, milliseconds since the epoch."""
        ...

    @property
    def end_ms(self) -> int:
        """The time of the last entry, milliseconds since the epoch."""
        ...

    def entries(self, *, channels: Iterable[Channel] | None, start: int | None, end: int | None) -> Iterator[Recorded]:
        """What was said on some channels, and on the status, in [start, end), milliseconds since the epoch."""
        ...


class EntryCursor(Cursor):
    """A walk through entries one by one. It leaves nothing out."""

    def __init__(self, entries: Iterable[Recorded], start_ms: int) -> None:
        self._entries = iter(entries)
        self._now_ms = start_ms
        self._next: Said | None = None

    def peek(self, now_ms: int) -> Said | None:
        """See `Cursor`."""
        if self._next is None:
            entry = next(self._entries, None)
            if entry is not None:
                # An entry that bears no time, or an older one (a proof has the time of its ping), came with the entry
                # before it.
                self._now_ms = max(self._now_ms, said_ms(entry.said))
                self._next = Said(self._now_ms, entry.channel, entry.said)
        return self._next

    def take(self) -> None:
        """See `Cursor`."""
        self._next = None


class Chunk(Protocol):
    """A piece of a log. Its entries have places: numbers that rise, from 0 on."""

    @property
    def last_ms(self) -> int:
        """The time of its last entry, milliseconds since the epoch."""
        ...

    def wanted(self, wanted: Wanted, after: int, now_ms: int) -> Iterator[tuple[int, Said]]:
        """The wanted entries behind the place `after`, each with its place.

        With `now_ms` only those of then or later; an entry counts as late as the latest one before it in the chunk.
        """
        ...

    def events(self) -> Mapping[Channel, tuple[int, int]]:
        """By channel: how many events it holds, and when the last one was received."""
        ...


class ChunkCursor(Cursor):
    """A walk through chunks that leaves out the events that no subscriber wants at that moment.

    When other events are wanted, the rest of the present chunk is searched again.
    """

    def __init__(self, chunks: Iterable[Chunk], wanted: Wanted) -> None:
        self._chunks = iter(chunks)
        self._wanted = wanted
        self._version = wanted.version
        self._chunk: Chunk | None = None
        self._rows: Iterator[tuple[int, Said]] = iter(())
        self._place = -1  # of the entry that was taken last
        self._next: tuple[int, Said] | None = None
        self._given: dict[Channel, int] = {}
        self._begun_ms = 0

    def peek(self, now_ms: int) -> Said | None:
        """See `Cursor`."""
        if self._version != self._wanted.version:
            self._look_again(now_ms)
        if self._next is None:
            if self._chunk is None:
                self._chunk = next(self._chunks, None)
                if self._chunk is None:
                    return None
                self._given, self._begun_ms = {}, now_ms
                self._look_again(now_ms)
            self._next = next(self._rows, None) or self._end_of(self._chunk)
        return self._next[1]

    def take(self) -> None:
        """See `Cursor`."""
        assert self._next is not None  # it was peeked
        self._place, said = self._next
        self._next = None
        if isinstance(said.said, Passed):
            self._chunk = None
        elif said.channel is not None and isinstance(said.said, Batch):
            self._given[said.channel] = self._given.get(said.channel, 0) + len(said.said.events)

    def _look_again(self, now_ms: int) -> None:
        self._version = self._wanted.version
        self._next = None
        if self._chunk is not None:
            # If no time has gone by since the chunk began, nothing of it was skipped, whatever its times are.
            self._rows = self._chunk.wanted(self._wanted, self._place, now_ms if now_ms > self._begun_ms else 0)

    def _end_of(self, chunk: Chunk) -> tuple[int, Said]:
        left_out = {
            channel: (count - self._given.get(channel, 0), received_ms)
            for channel, (count, received_ms) in chunk.events().items()
        }
        return self._place, Said(chunk.last_ms, None, Passed(left_out))
