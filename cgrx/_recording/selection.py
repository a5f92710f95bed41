"""Which part of a recording is asked for: the arguments `channels=`, `start=` and `end=` of all its readers."""

from collections.abc import Iterable
from typing import Self

import attrs

from cgrx._model.channels import Channel, parse_channel
from cgrx._model.times import Moment, to_epoch_ms


@attrs.frozen
class Selection:
    """What was received in [start_ms, end_ms) on some channels, and on the status. None bounds nothing."""

    channels: tuple[Channel, ...] | None = None
    start_ms: int | None = None
    end_ms: int | None = None

    @classmethod
    def of(cls, channels: Iterable[Channel | str] | None, start: Moment | None, end: Moment | None) -> Self:
        """The selection that a caller asks for by these three arguments.

        Raises:
            ValueError: an argument cannot be read, or `end` is before `start`.
            TypeError: an argument is of another type.
        """
        start_ms = None if start is None else to_epoch_ms(start, "start")
        end_ms = None if end is None else to_epoch_ms(end, "end")
        if start_ms is not None and end_ms is not None and end_ms < start_ms:
            raise ValueError(f"end={end_ms} is before start={start_ms} (milliseconds since the epoch)")
        return cls(None if channels is None else several_channels(channels), start_ms, end_ms)

    @property
    def names(self) -> tuple[str, ...] | None:
        """The wire names of the channels."""
        return None if self.channels is None else tuple(channel.name for channel in self.channels)

    def overlaps(self, start_ms: int, end_ms: int) -> bool:
        """Whether something received between these two times (both included) may be selected."""
        return (self.start_ms is None or end_ms >= self.start_ms) and (self.end_ms is None or start_ms < self.end_ms)


def several_channels(channels: Iterable[Channel | str]) -> tuple[Channel, ...]:
    """Channels given as values or wire names, each once.

    Raises:
        ValueError: a text is no wire name.
        TypeError: one text instead of several.
    """
    if isinstance(channels, str):
        raise TypeError(f"channels={channels!r} takes several channels or wire names: put it into a list")
    return tuple(dict.fromkeys(parse_channel(each) if isinstance(each, str) else each for each in channels))
