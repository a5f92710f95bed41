"""The sources of a stream, and how far apart their clocks are.

    source   one exchange within one channel
    offset   how far event times are ahead of receive times: that of the stream, and that of each source; see
             `cgrx._streams.offset`
    slow     a source whose clock is behind that of the stream by more than the lateness. What it says next may be that
             much earlier than what others have said, so time may not go on without it where it is silent
    gaps     are times of this machine's clock. By the clocks of the events they begin and end elsewhere, where those
             are further off than the lateness: at the earliest of them, and at the latest

A clock that is further than a minute from the others is believed to be no clock at all: rows that wait for it would
never be wanted.
"""

from collections.abc import Iterable

import attrs

from cgrx._model.times import NEVER
from cgrx._streams.offset import Offset
from cgrx.operators._windows.missing import Missing

APART_MS = 60_000
"""A source is taken into account whose clock is not further from the others."""


@attrs.define(eq=False)
class Source:
    """One exchange within one channel."""

    time_ms: int = NEVER
    """The highest event time seen."""
    time_received_ms: int = NEVER
    """When the event with that time was received."""
    received_ms: int = NEVER
    """When its last event was received."""
    idle: bool = False
    offset: Offset = attrs.field(factory=Offset)

    def advance(self, time_ms: int, received_ms: int) -> None:
        """An event with this time has come. Of several in a row it is enough to tell the highest time."""
        if time_ms > self.time_ms:
            self.time_ms = time_ms
            self.time_received_ms = received_ms


class Clocks:
    """How far the clocks of the sources are from this machine's, and from each other. State: a few numbers."""

    def __init__(self, lateness_ms: int) -> None:
        self.offset = Offset(lateness_ms)
        """That of the whole stream."""
        self.slow_ms: int | None = None
        """The offset of the slowest source, if it is slow."""
        self._lateness_ms = lateness_ms
        self._low_ms = 0
        self._high_ms = 0

    def on_proof(self, sources: Iterable[Source], missing: Missing) -> int:
        """A proof of life: compare the clocks. What is missing stood where it was known to be until now: move it.

        Returns by how much times of this machine's clock have to be moved that were noted until now; mostly 0.
        """
        was_known = self.offset.known
        self.offset.on_proof()
        known, learnt = self._find_near(sources)
        if not self.offset.known:
            return 0
        stream_ms = self._beyond(self.offset.ms)
        shift_ms = 0
        if not was_known:
            shift_ms = self._low_ms = self._high_ms = stream_ms
            missing.shift(shift_ms)
        for offset_ms in learnt:
            missing.widen(max(0, self._low_ms - offset_ms), max(0, offset_ms - self._high_ms))
            self._low_ms, self._high_ms = min(self._low_ms, offset_ms), max(self._high_ms, offset_ms)
        if known:
            self._low_ms = min(stream_ms, *map(self._beyond, known))
            self._high_ms = max(stream_ms, *map(self._beyond, known))
            self.slow_ms = min(known) if self.offset.ms - min(known) > self._lateness_ms else None
        return shift_ms

    def _find_near(self, sources: Iterable[Source]) -> tuple[list[int], list[int]]:
        """Take samples, and give the offsets that are known and not too far from the stream's.

        Those of them that are known for the first time are given once more, as far as they count for gaps.
        """
        known: list[int] = []
        learnt: list[int] = []
        for source in sources:
            was_known = source.offset.known
            source.offset.on_proof()
            if source.offset.known and abs(source.offset.ms - self.offset.ms) <= APART_MS:
                known.append(source.offset.ms)
                if not was_known:
                    learnt.append(self._beyond(source.offset.ms))
        return known, learnt

    def _beyond(self, offset_ms: int) -> int:
        """An offset as far as it counts for gaps: they are wide enough for differences within the lateness."""
        return offset_ms if abs(offset_ms) > self._lateness_ms else 0

    def earliest(self, time_ms: int) -> int:
        """A time of this machine's clock, by the clock that is furthest behind."""
        return time_ms + self._low_ms

    def latest(self, time_ms: int) -> int:
        """The same by the clock that is furthest ahead."""
        return time_ms + self._high_ms
