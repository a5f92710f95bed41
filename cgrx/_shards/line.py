"""What a shard has seen of one channel: it reads records into signals, and tells of what is missing between them.

repeated        a record that is not above the last one of its session, or of a session before this one: skipped
hole            a number that is left out: a Gap from when the channel was last heard
another session begins with a Gap from when the channel was last heard, whoever published it: what came before was
                seen. Its proofs of life go on under the name of the first one's
"""

from collections import deque
from collections.abc import Iterator
from typing import Any

import attrs

from cgrx._model.channels import Channel
from cgrx._model.signals import Alive, Batch, Gap, Signal, mark_ms
from cgrx._replay.seams import Lane
from cgrx._shards.record import End, Record

_FORMER = 64
"""So many sessions are remembered to have ended. One that is forgotten counts as a new one if it speaks again."""


@attrs.define(eq=False)
class Line:
    """One channel. State: a session and a number, a time, and the last 64 sessions."""

    channel: Channel
    session: str | None = None
    seq: int = -1
    heard_ms: int | None = None
    """The latest time up to which the channel has been heard, milliseconds since the epoch."""
    ended: bool = False
    lane: Lane = attrs.field(factory=Lane)
    former: deque[str] = attrs.field(factory=lambda: deque[str](maxlen=_FORMER))

    def read(self, record: Record) -> Iterator[Signal[Any] | End]:
        """The signals of a record; none if it has been seen.

        Raises:
            ValueError: the channel has ended.
        """
        is_same = record.session == self.session
        if (is_same and record.seq <= self.seq) or record.session in self.former:
            return
        if self.ended:
            raise ValueError(
                f"channel {self.channel.name!r} has ended, and record {record.seq} of session {record.session!r}"
                " follows: begin with a new shard"
            )
        signal = record.signal
        missing = self._missing(record, is_same=is_same)
        if missing is not None and isinstance(signal, Gap) and record.seq == 0:
            signal = Gap(signal.channel, min(missing.start_ms, signal.end_ms), signal.end_ms, signal.reason)
        elif missing is not None:
            yield missing
        if not is_same and self.session is not None:
            self.former.append(self.session)
        self.session, self.seq = record.session, record.seq
        if isinstance(signal, End):
            self.ended = True
            yield signal
            return
        if isinstance(signal, Alive):
            signal = self.lane.joined(signal)
        time_ms = signal.received_ms if isinstance(signal, Batch) else mark_ms(signal)
        self.heard_ms = max(self.heard_ms or 0, time_ms)
        yield signal

    def _missing(self, record: Record, *, is_same: bool) -> Gap | None:
        """What may be missing before a record; None if it follows on the one before, or is the very first."""
        if is_same:
            if record.seq == self.seq + 1:
                return None
            reason = f"records {self.seq + 1} to {record.seq - 1} are missing"
        elif self.session is None:
            if record.seq == 0:
                return None
            reason = f"records before {record.seq} are missing"
        else:
            reason = "published anew"
        signal = record.signal
        end_ms = record.received_ms if isinstance(signal, Batch | End) else max(record.received_ms, mark_ms(signal))
        return Gap(self.channel, min(self.heard_ms or 0, end_ms), end_ms, reason)
