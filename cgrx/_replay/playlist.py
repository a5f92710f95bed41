"""What is to be replayed: which recordings, which of their channels, from when to when.

The arguments of `replay` and `backtest` become one `Playlist`, checked before anything is read.
"""

import os
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from functools import cached_property
from itertools import combinations
from typing import Self, TypeAlias, TypeGuard

import attrs

from cgrx._model.channels import Channel
from cgrx._model.times import Moment
from cgrx._recording.recording import Recording
from cgrx._recording.selection import Selection
from cgrx._replay.cursors import Log

Recordings: TypeAlias = str | os.PathLike[str] | Log | Iterable[str | os.PathLike[str] | Log]
"""The folder of a recording, an opened one, or several."""


@attrs.frozen(eq=False)
class Playlist:
    """One recording or several, and the part of them that is replayed."""

    logs: tuple[Log, ...]
    """In the order of the arguments; at least one."""
    channels: tuple[Channel, ...]
    """The channels that are replayed, in the order of their names; the same objects as in the entries."""
    selection: Selection
    """The part of each log. Its `channels` are None where all channels are replayed: then nothing is filtered."""

    @classmethod
    def of(
        cls,
        recordings: Recordings,
        channels: Iterable[Channel | str] | None,
        start: Moment | None,
        end: Moment | None,
    ) -> Self:
        """The playlist that a caller asks for; the arguments are those of `replay`.

        Raises:
            ValueError: no recording, a channel that none holds, one that two hold at the same time, or an argument
                that cannot be used.
            TypeError: an argument of another type.
            RecordingError: a recording cannot be opened.
        """
        selection = Selection.of(channels, start, end)
        logs = tuple(_opened(each) for each in _several(recordings))
        if not logs:
            raise ValueError("recordings=() holds nothing: give at least one recording")
        held = {channel: channel for log in logs for channel in log.channels}
        for channel in selection.channels or ():
            _require_among(held, channel, "recorded")
        chosen = frozenset(held if selection.channels is None else selection.channels)
        _require_apart(logs, chosen)
        in_order = sorted((held[channel] for channel in chosen), key=lambda channel: channel.name)
        if len(in_order) == len(held):
            selection = attrs.evolve(selection, channels=None)
        return cls(logs, tuple(in_order), selection)

    @property
    def start_ms(self) -> int:
        """Where the replay begins, milliseconds since the epoch."""
        return max(self.selection.start_ms or 0, min(log.start_ms for log in self.logs))

    @property
    def end_ms(self) -> int:
        """Where it ends."""
        last_ms = max(log.end_ms for log in self.logs)
        return max(self.start_ms, last_ms if self.selection.end_ms is None else min(self.selection.end_ms, last_ms))

    @cached_property
    def running_at_start(self) -> tuple[Channel, ...]:
        """The channels that were heard before the start that was asked for; none where none was asked for.

        Reads each log until the channel is heard.
        """
        start_ms = self.selection.start_ms
        if start_ms is None:
            return ()
        return tuple(channel for channel in self.channels if _heard_before(self.logs, channel, start_ms))

    @property
    def lanes(self) -> tuple[int, ...]:
        """For each log its lane: recordings one after the other share one, those side by side have different ones.

        Where several lanes are free, a recording takes the one that has most of its channels, then with the one
        that ended last.
        """
        lanes: list[_Lane] = []
        found = dict.fromkeys(range(len(self.logs)), 0)
        for index in sorted(found, key=lambda index: self.logs[index].start_ms):
            log = self.logs[index]
            free = [lane for lane in lanes if lane.end_ms <= log.start_ms]
            lane = max(
                free, key=lambda lane: (len(lane.channels.intersection(log.channels)), lane.end_ms), default=None
            )
            if lane is None:
                lane = _Lane(len(lanes))
                lanes.append(lane)
            lane.end_ms = log.end_ms
            lane.channels.update(log.channels)
            found[index] = lane.number
        return tuple(found.values())

    def held(self, channel: Channel) -> Channel:
        """The channel as it is recorded: equal to `channel`, and the same object as in the entries.

        Raises:
            ValueError: it is not replayed.
        """
        state = "recorded" if self.selection.channels is None else "recorded, or left out by `channels`"
        _require_among(self._held, channel, state)
        return self._held[channel]

    @cached_property
    def _held(self) -> dict[Channel, Channel]:
        return {channel: channel for channel in self.channels}


@attrs.define(eq=False)
class _Lane:
    """Recordings one after the other."""

    number: int
    end_ms: int = 0
    channels: set[Channel] = attrs.field(factory=set[Channel])


def _opened(recording: str | os.PathLike[str] | Log) -> Log:
    return Recording(recording) if isinstance(recording, str | os.PathLike) else recording


def _several(recordings: Recordings) -> Sequence[str | os.PathLike[str] | Log]:
    if isinstance(recordings, str | os.PathLike) or is_log(recordings):
        return [recordings]
    if not isinstance(recordings, Iterable):
        raise TypeError(f"recordings={recordings!r} takes the folder of a recording, a Recording, or several")
    return list(recordings)


def is_log(value: object) -> TypeGuard[Log]:
    """Whether it can be replayed as it is."""
    return hasattr(value, "entries")


def _require_among(channels: Iterable[Channel], channel: Channel, state: str) -> None:
    if channel not in channels:
        names = sorted(each.name for each in channels)
        near = " or ".join(_nearest(channel.name, names))
        question = f" (did you mean {near}?)" if near else ""
        raise ValueError(f"{channel.name} is not {state}{question}; the channels are {', '.join(names) or 'none'}")


def _nearest(name: str, names: Iterable[str]) -> list[str]:
    """The names whose instrument and minimum volume are most like those of `name`, three at the most."""
    parameters = {each.partition("@")[2]: each for each in names}
    return [parameters[near] for near in get_close_matches(name.partition("@")[2], parameters)]


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


def _heard_before(logs: Iterable[Log], channel: Channel, start_ms: int) -> bool:
    return any(
        entry.channel is not None
        for log in logs
        if channel in log.channels and log.start_ms < start_ms
        for entry in log.entries(channels=(channel,), start=None, end=start_ms)
    )
