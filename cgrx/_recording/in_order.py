"""Puts rows that stand by channel into the order in which they were recorded, a piece of each channel at a time."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence

import attrs

from cgrx._recording.arrow import Rows, pa, pc
from cgrx._recording.schema import seqs_of


@attrs.define(eq=False)
class _Source:
    """The batches of a channel, and of the one at hand the rows that are not taken yet, or None."""

    batches: Iterator[Rows]
    rows: Rows = None

    def fill(self) -> bool:
        """Go on to the next batch that has rows; whether there is one."""
        self.rows = next((batch for batch in self.batches if batch.num_rows), None)
        return self.rows is not None

    @property
    def last_seq(self) -> int:
        last: int = self.rows.column("seq")[-1].as_py()
        return last

    def take(self, until_seq: int) -> Rows:
        """The rows up to a `seq`, that included."""
        rows = self.rows
        count = bisect_right(seqs_of(rows), until_seq)
        self.rows = rows.slice(count) if count < rows.num_rows else None
        return rows.slice(0, count)


def in_order(sources: Iterable[Iterator[Rows]]) -> Iterator[Rows]:
    """The rows of several sources by their `seq`.

    Each source is in order by itself, and none divides the rows of an entry between two batches; so does the result.
    One batch of each source is in memory at a time.
    """
    live: list[_Source] = [source for source in map(_Source, sources) if source.fill()]
    while live:
        until_seq = min(source.last_seq for source in live)
        yield _merged([rows for source in live if (rows := source.take(until_seq)).num_rows])
        live = [source for source in live if source.rows is not None or source.fill()]


def _merged(pieces: Sequence[Rows]) -> Rows:
    if len(pieces) == 1:
        return pieces[0]
    rows = pa.concat_batches(pieces)
    return rows.take(pc.sort_indices(rows.column("seq")))  # which is stable


def whole_entries(batches: Iterable[Rows]) -> Iterator[Rows]:
    """The same rows, without a batch that ends within an entry."""
    held: list[Rows] = []
    held_seq: int | None = None
    for batch in batches:
        seqs = seqs_of(batch)
        start = len(seqs) - 1
        while start and seqs[start - 1] == seqs[-1]:
            start -= 1
        if start or seqs[-1] != held_seq:
            before = [*held, batch.slice(0, start)] if start else held
            if before:
                yield pa.concat_batches(before)
            held = []
        held.append(batch.slice(start))
        held_seq = seqs[-1]
    yield pa.concat_batches(held)
