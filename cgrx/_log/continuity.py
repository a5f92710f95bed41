"""What the records of all channels say, each as the line of its channel reads them; and what that has left out.

One loss that is charged to several channels is one object again, so that a union of them counts it once. Pure.
"""

from collections.abc import Sequence
from typing import Any

import attrs

from cgrx._model.channels import Channel
from cgrx._model.signals import Dropped, Signal
from cgrx._replay.seams import Charges
from cgrx._shards.line import Line
from cgrx._shards.record import End, Record


@attrs.define(eq=False)
class Continuity:
    """Takes records, each channel's in the order of the log, and says what a feed would have said.

    State: that of a line for each channel.
    """

    repeated: int = 0
    """Records that were skipped: seen already, or of a session that another one has followed."""
    missing: int = 0
    """Records that the log lacks, by the holes in their numbers."""
    _lines: dict[Channel, Line] = attrs.field(factory=dict[Channel, Line])
    _charges: Charges[Channel] = attrs.field(factory=Charges[Channel])

    def take(self, channel: Channel, record: Record) -> Sequence[Signal[Any] | End]:
        """The signals that a record stands for: none, one, or two."""
        line = self._lines.get(channel)
        if line is None:
            line = self._lines[channel] = Line(channel)
        session, seq = line.session, line.seq
        signals = list(line.read(record))
        if not signals:
            self.repeated += 1
        elif session is not None:
            self.missing += record.seq - 1 - (seq if session == record.session else -1)
        last = record.signal
        if isinstance(last, Dropped) and last.channel is None and signals:
            signals[-1] = self._charges.same(channel, last)
        return signals

    def forget(self, channel: Channel) -> None:
        """Begin anew with the next record of a channel."""
        self._lines.pop(channel, None)
