"""Where a replay takes what it says from: logs of what feeds said, one after another or side by side.

A `Log` is what can be replayed. A `Cursor` walks through one of them, and leaves out what nobody wants: `Wanted` knows
what that is. What was left out may be wanted a moment later, so a cursor looks no further ahead than to the end of a
chunk, and says (`Passed`) when it gets there.
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
"""What a subscriber asks of every event first: all of them hold, or the event does not matter to it."""


class Wanted:
    """What the subscribers of a replay want, by channel."""

    on_change: Callable[[], None]
    """Called whenever something else is wanted; set before there are subscribers."""

    def __init__(self) -> None:
        self.version = 0
        """Changes then."""
        self._by_channel: dict[Channel, list[Conditions]] = {}

    def add(self, channel: Channel, conditions: Conditions) -> Disposable:
        """One more subscriber; disposing takes it away."""
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
        """What each subscriber asks: an event matters that fulfils all conditions of one of them."""
        return frozenset(self._by_channel.get(channel, ()))


@attrs.frozen
class Passed:
    """Up to here nothing else is wanted. By channel: how many events were left out, and when the last was received."""

    events: Mapping[Channel, tuple[int, int]]


class Said(NamedTuple):
    """The next that is to be said, and at which time. No attrs value: a million of these are made a second."""

    time_ms: int
    channel: Channel | None
    said: Signal[Any] | Status | Passed


class Cursor(ABC):
    """A walk through one log, in the order in which it was recorded."""

    @abstractmethod
    def peek(self, now_ms: int) -> Said | None:
        """What comes next, at `now_ms` or later; None at the end. Changes only where other things are wanted."""

    @abstractmethod
    def take(self) -> None:
        """Step over it."""


class Log(Protocol):
    """What a feed said, in a form that can be replayed."""

    @property
    def channels(self) -> Sequence[Channel]:
        """The channels that it holds."""
        ...

    @property
    def start_ms(self) -> int:
        """The time of the first that was said."""
        ...

    @property
    def end_ms(self) -> int:
        """The time of the last that was said."""
        ...

    def entries(self, *, channels: Iterable[Channel] | None, start: int | None, end: int | None) -> Iterator[Recorded]:
        """What was said on some channels, and on the status, in [start, end), milliseconds since the epoch."""
        ...


class EntryCursor(Cursor):
    """A walk through the entries themselves: everything is looked at, so nothing has to be taken back."""

    def __init__(self, entries: Iterable[Recorded], start_ms: int) -> None:
        self._entries = iter(entries)
        self._now_ms = start_ms
        self._next: Said | None = None

    def peek(self, now_ms: int) -> Said | None:
        """See `Cursor`."""
        if self._next is None:
            entry = next(self._entries, None)
            if entry is not None:
                # Who says no time of its own, or an older one (a proof speaks of its ping), was said with the one
                # before it.
                self._now_ms = max(self._now_ms, said_ms(entry.said))
                self._next = Said(self._now_ms, entry.channel, entry.said)
        return self._next

    def take(self) -> None:
        """See `Cursor`."""
        self._next = None


class Chunk(Protocol):
    """A piece of a log, whose entries have places: numbers that rise, from 0 on."""

    @property
    def last_ms(self) -> int:
        """The time of the last that was said in it."""
        ...

    def wanted(self, wanted: Wanted, after: int, now_ms: int) -> Iterator[tuple[int, Said]]:
        """What is wanted of what stands behind the place `after`, each with its place.

        With `now_ms` only what was said then or later: the latest time so far in the chunk counts.
        """
        ...

    def events(self) -> Mapping[Channel, tuple[int, int]]:
        """How many events of each channel it holds, and when the last one was received."""
        ...


class ChunkCursor(Cursor):
    """A walk through chunks that leaves out what nobody wants at that moment.

    Where that changes, what is left of the present chunk is looked through again.
    """

    def __init__(self, chunks: Iterable[Chunk], wanted: Wanted) -> None:
        self._chunks = iter(chunks)
        self._wanted = wanted
        self._version = wanted.version
        self._chunk: Chunk | None = None
        self._rows: Iterator[tuple[int, Said]] = iter(())
        self._place = -1  # of what was taken last
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
            # Where no time has gone by since the chunk began nothing of it was skipped, whatever time it bears.
            self._rows = self._chunk.wanted(self._wanted, self._place, now_ms if now_ms > self._begun_ms else 0)

    def _end_of(self, chunk: Chunk) -> tuple[int, Said]:
        left_out = {
            channel: (count - self._given.get(channel, 0), received_ms)
            for channel, (count, received_ms) in chunk.events().items()
        }
        return self._place, Said(chunk.last_ms, None, Passed(left_out))
