"""Counts the rows of a part for the manifest."""

from typing import Self

import attrs

from cgrx._recording.arrow import Rows, pc
from cgrx._recording.manifest import Part


@attrs.define(eq=False)
class Summary:
    """Counts rows, record batch by record batch."""

    first_seq: int
    last_seq: int
    events: int = 0
    rows: int = 0
    start_ms: int = 2**63 - 1
    end_ms: int = 0
    channels: set[str] = attrs.field(factory=set[str])

    @classmethod
    def before(cls, seq: int) -> Self:
        """Of no rows yet; `seq` is the number of the entry that comes first."""
        return cls(seq, seq - 1)

    def add(self, batch: Rows) -> None:
        """Count the rows of a batch, which is not empty."""
        times = pc.min_max(batch.column("received_ms")).as_py()
        self.start_ms, self.end_ms = min(self.start_ms, times["min"]), max(self.end_ms, times["max"])
        self.last_seq = batch.column("seq")[-1].as_py()
        self.rows += batch.num_rows
        self.events += batch.num_rows - batch.column("time_ms").null_count
        self.channels.update(name for name in pc.unique(batch.column("channel")).to_pylist() if name is not None)

    def part(self, number: int, size: int, crc32: int | None) -> Part:
        """The part as the manifest lists it; `size` is that of its file in bytes."""
        return Part(
            number=number,
            first_seq=self.first_seq,
            last_seq=self.last_seq,
            events=self.events,
            rows=self.rows,
            start_ms=self.start_ms,
            end_ms=self.end_ms,
            channels=tuple(sorted(self.channels)),
            bytes=size,
            crc32=crc32,
        )
