"""What a manifest says of a part, counted from its rows."""

import attrs

from cgrx._recording.arrow import Rows, pc
from cgrx._recording.manifest import Part


@attrs.define(eq=False)
class Summary:
    """Counts rows, one record batch after another."""

    first_seq: int
    last_seq: int
    events: int = 0
    rows: int = 0
    start_ms: int = 2**63 - 1
    end_ms: int = 0
    channels: set[str] = attrs.field(factory=set[str])

    @classmethod
    def before(cls, seq: int) -> "Summary":
        """Of nothing yet; `seq` is the number of the next thing."""
        return cls(seq, seq - 1)

    def add(self, batch: Rows) -> None:
        """Count rows of a batch, which is not empty."""
        times = pc.min_max(batch.column("received_ms")).as_py()
        self.start_ms, self.end_ms = min(self.start_ms, times["min"]), max(self.end_ms, times["max"])
        self.last_seq = batch.column("seq")[-1].as_py()
        self.rows += batch.num_rows
        self.events += batch.num_rows - batch.column("time_ms").null_count
        self.channels.update(name for name in pc.unique(batch.column("channel")).to_pylist() if name is not None)

    def part(self, number: int, size: int, crc32: int | None) -> Part:
        """As the manifest says it, of a file of so many bytes."""
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
