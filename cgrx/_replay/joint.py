"""Several recordings in one order, as if one feed had said it all.

order      by time of receipt; what was received in the same millisecond, in the order of the recordings
channels   one may be in several recordings, but not in two at the same time: its events would come twice
gaps       where a channel goes on in another recording, the gap from 0 with which that begins is a gap from when
           the channel was last heard: what came before was seen
proofs     recordings one after the other are one origin, as connections of one feed are; side by side they are two
"""

import os
from collections.abc import Callable, Iterable, Sequence
from itertools import combinations
from typing import Any, TypeAlias, TypeGuard

import attrs

from cgrx._model.channels import Channel, parse_channel
from cgrx._model.signals import Alive, Batch, Dropped, Gap
from cgrx._recording.recording import Recording
from cgrx._replay.cursors import ChunkCursor, Cursor, EntryCursor, Log, Passed, Said, Wanted

Recordings: TypeAlias = str | os.PathLike[str] | Log | Iterable[str | os.PathLike[str] | Log]
"""The folder of a recording, an opened one, or several."""


@attrs.define(eq=False)
class _Lane:
    """Recordings one after the other."""

    end_ms: int
    channels: set[Channel]
    origin: str | None = None
    """Of the first proof."""


@attrs.define(eq=False)
class _Track:
    """One recording on its way."""

    cursor: Cursor
    lane: _Lane


class Joint:
    """What there is to be said, in order. `Joint.of` makes it."""

    def __init__(self, logs: Sequence[Log], channels: frozenset[Channel], start_ms: int | None, end_ms: int | None):
        _require_apart(logs, channels)
        self.channels = tuple(sorted(channels, key=lambda channel: channel.name))
        self.start_ms = max(start_ms or 0, min(log.start_ms for log in logs))
        last_ms = max(log.end_ms for log in logs)
        self.end_ms = max(self.start_ms, last_ms if end_ms is None else min(end_ms, last_ms))
        self.wanted = Wanted()
        self.running_at_start = () if start_ms is None else _running(logs, self.channels, start_ms)
        """The channels that were heard before `start_ms` already, which was asked for."""
        self._heard_ms: dict[Channel, int] = dict.fromkeys(self.running_at_start, self.start_ms)
        chosen = None if channels == frozenset(each for log in logs for each in log.channels) else self.channels
        self._tracks = [
            _Track(self._cursor(log, chosen, start_ms, end_ms), lane)
            for log, lane in zip(logs, _lanes(logs), strict=True)
        ]
        self._next: _Track | None = None
        self._loss = Dropped(None, 0, "")
        self._charged: set[Channel] = set()

    @classmethod
    def of(
        cls,
        recordings: Recordings,
        start_ms: int | None,
        end_ms: int | None,
        channels: Iterable[Channel | str] | None,
    ) -> "Joint":
        """See `replay`."""
        if start_ms is not None and end_ms is not None and end_ms < start_ms:
            raise ValueError(f"end={end_ms} is before start={start_ms} (milliseconds since the epoch)")
        logs = [opened(each) for each in _several(recordings)]
        if not logs:
            raise ValueError("replay() needs at least one recording")
        held = frozenset(channel for log in logs for channel in log.channels)
        if isinstance(channels, str):
            raise TypeError(f"channels={channels!r} takes several channels or wire names: put it into a list")
        wanted = held if channels is None else frozenset(map(_channel, channels))
        for channel in wanted:
            _require_held(channel, held)
        return cls(logs, wanted, start_ms, end_ms)

    def _cursor(self, log: Log, channels: Sequence[Channel] | None, start_ms: int | None, end_ms: int | None) -> Cursor:
        batches: Callable[..., Iterable[Any]] | None = getattr(log, "batches", None)
        if batches is None:
            return EntryCursor(log.entries(channels=channels, start_ms=start_ms, end_ms=end_ms), self.start_ms)
        from cgrx._replay.columns import Columns  # needs the extra `recording`, as whoever has columns does

        return ChunkCursor(map(Columns, batches(channels=channels, start_ms=start_ms, end_ms=end_ms)), self.wanted)

    def held(self, channel: Channel) -> Channel:
        """The channel as it is recorded: equal, and the same object as in what is said.

        Raises:
            ValueError: it is not replayed.
        """
        _require_held(channel, self.channels)
        return self.channels[self.channels.index(channel)]

    def peek(self, now_ms: int) -> Said | None:
        """What comes next, None at the end."""
        if len(self._tracks) == 1:
            self._next = self._tracks[0]
            return self._next.cursor.peek(now_ms)
        first: Said | None = None
        for track in self._tracks:
            said = track.cursor.peek(now_ms)
            if said is not None and (first is None or said.time_ms < first.time_ms):
                first, self._next = said, track
        return first

    def take(self, said: Said) -> Said:
        """Step over what `peek` gave; as it is to be said."""
        track = self._next
        assert track is not None  # it was peeked
        track.cursor.take()
        channel, what = said.channel, said.said
        if isinstance(what, Batch) and channel is not None:
            self._heard_ms[channel] = said.time_ms
        elif isinstance(what, Passed):
            for each, (_, received_ms) in what.events.items():
                self._heard_ms[each] = max(received_ms, self._heard_ms.get(each, 0))
        elif channel is not None:
            if isinstance(what, Alive):
                lane = track.lane
                lane.origin = lane.origin or what.origin
                if what.origin != lane.origin:
                    said = said._replace(said=attrs.evolve(what, origin=lane.origin))
            elif isinstance(what, Gap) and what.start_ms == 0 and channel in self._heard_ms:
                since_ms = min(self._heard_ms[channel], what.end_ms)
                said = said._replace(said=attrs.evolve(what, start_ms=since_ms))
            elif isinstance(what, Dropped) and what.channel is None:
                said = said._replace(said=self._one_loss(channel, what))
            if isinstance(what, Alive | Gap):
                self._heard_ms[channel] = said.time_ms
        return said

    def _one_loss(self, channel: Channel, loss: Dropped) -> Dropped:
        """The same object for every channel that a message which could not be read was charged to.

        A union counts it once then, as it does on a live feed.
        """
        if loss != self._loss or channel in self._charged:
            self._loss = loss
            self._charged.clear()
        self._charged.add(channel)
        return self._loss


def opened(recording: "str | os.PathLike[str] | Log") -> Log:
    """A recording that can be read."""
    if isinstance(recording, str | os.PathLike):
        return Recording(recording)
    return recording


def _several(recordings: Recordings) -> list[str | os.PathLike[str] | Log]:
    if isinstance(recordings, str | os.PathLike) or _is_log(recordings):
        return [recordings]
    if not isinstance(recordings, Iterable):
        raise TypeError(f"recordings={recordings!r} takes the folder of a recording, a Recording, or several")
    return list(recordings)


def _is_log(value: object) -> TypeGuard[Log]:
    return hasattr(value, "entries")


def _channel(channel: Channel | str) -> Channel:
    return parse_channel(channel) if isinstance(channel, str) else channel


def _require_held(channel: Channel, held: Iterable[Channel]) -> None:
    if channel not in held:
        names = ", ".join(sorted(each.name for each in held)) or "none"
        raise ValueError(f"{channel.name} is not recorded; the channels of this replay are {names}")


def _require_apart(logs: Sequence[Log], channels: frozenset[Channel]) -> None:
    for one, other in combinations(logs, 2):
        start_ms, end_ms = max(one.start_ms, other.start_ms), min(one.end_ms, other.end_ms)
        both = channels.intersection(one.channels).intersection(other.channels)
        if both and start_ms < end_ms:
            names = ", ".join(sorted(channel.name for channel in both))
            raise ValueError(
                f"two recordings hold {names} between {start_ms} and {end_ms} (milliseconds since the epoch), and its"
                " events would come twice: choose one of them, or other `channels`"
            )


def _running(logs: Iterable[Log], channels: Iterable[Channel], start_ms: int) -> tuple[Channel, ...]:
    """The channels of which something was said before."""
    return tuple(
        channel
        for channel in channels
        if any(
            entry.channel is not None
            for log in logs
            if channel in log.channels and log.start_ms < start_ms
            for entry in log.entries(channels=(channel,), start_ms=None, end_ms=start_ms)
        )
    )


def _lanes(logs: Sequence[Log]) -> list[_Lane]:
    """For each recording the lane that it is in: behind one that it goes on with, or a new one."""
    lanes: list[_Lane] = []
    found: dict[int, _Lane] = {}
    for index in sorted(range(len(logs)), key=lambda index: logs[index].start_ms):
        log = logs[index]
        free = [lane for lane in lanes if lane.end_ms <= log.start_ms]
        lane = max(free, key=lambda lane: (len(lane.channels.intersection(log.channels)), lane.end_ms), default=None)
        if lane is None:
            lane = _Lane(log.end_ms, set(log.channels))
            lanes.append(lane)
        else:
            lane.end_ms, lane.channels = log.end_ms, lane.channels.union(log.channels)
        found[index] = lane
    return [found[index] for index in range(len(logs))]
