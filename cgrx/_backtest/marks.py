"""The marks of recordings as columns: the many proofs of life, and the few gaps and losses.

Of a mark its numbers and its text are read. What it is, is seen by which of them are null; its channel is that of the
file, where each has one of its own; and the origin of a proof is that of the first in its lane.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import attrs
import polars as pl

from cgrx._backtest.proofs import proofs
from cgrx._model.signals import Dropped
from cgrx._recording.scan import Scan
from cgrx._replay.seams import Charges

_FIRST = 64
"""How many marks of each scan are looked at to see which come before all events."""

_READ = ("seq", "start_ms", "end_ms", "count", "text")

_SCAN = "scan"
"""The column with the number of the scan."""

_IS_NO_EVENT = pl.col("side").is_null()
"""Files skip what is null: much cheaper than to compare all kinds."""

_IS_MARK = pl.col("end_ms").is_not_null() | pl.col("count").is_not_null()
"""Of what is no event. A status has neither."""

_IS_PROOF = pl.all_horizontal(pl.col("start_ms", "count").is_null(), pl.col("text").is_not_null())
"""Of a mark. A watermark has no text."""

_NO_PROOFS = proofs(())


@attrs.frozen(eq=False)
class Marks:
    """The marks of all channels, by the names of these."""

    proofs: Mapping[str, pl.DataFrame]
    """As of `Arrivals`."""
    others: Mapping[str, Sequence[Mapping[str, Any]]]
    """Those that are no proofs of life: `seq`, `start_ms`, `end_ms`, `count` and `text`, as of the recording."""
    unreadable: Mapping[int, Dropped]
    """The losses that were charged to every channel: one object for each, so that a union counts it once."""
    begin: int
    """How many marks come before all events, as where a feed subscribes to its channels; some at least."""

    def proofs_of(self, channel: str) -> pl.DataFrame:
        """The proofs of life of a channel."""
        return self.proofs.get(channel, _NO_PROOFS)


def marks(logs: Sequence[Sequence[Scan]], lanes: Sequence[int]) -> Marks:
    """Read all marks.

    Args:
        logs: the scans of each log.
        lanes: of each log.
    """
    scans = [scan for of_log in logs for scan in of_log]
    lane_of = [lane for lane, of_log in zip(lanes, logs, strict=True) for _ in of_log]
    names = [] if all(scan.channel is not None for scan in scans) else ["channel"]
    read = [*map(pl.col, (*_READ, *names))]
    found = pl.collect_all(
        scan.rows.filter(_IS_NO_EVENT).select(*read, pl.lit(at, pl.Int64).alias(_SCAN)) for at, scan in enumerate(scans)
    )
    firsts = pl.concat(each["seq"].head(_FIRST) for each in found)
    losses = [scan for scan, each in zip(scans, found, strict=True) if each["count"].count()]
    # All scans at once, for a query takes longer than to look at the marks of one.
    told = pl.concat(found).filter(_IS_MARK)
    is_proof = told.select(_IS_PROOF).to_series()
    proven = _with_origins(told.filter(is_proof), lane_of)
    others = _by_channel(scans, told.filter(~is_proof), _READ)
    return Marks(
        _by_channel(scans, proven, _NO_PROOFS.columns),
        {name: list(of_channel.iter_rows(named=True)) for name, of_channel in others.items()},
        _unreadable(losses),
        _begin(firsts),
    )


def _with_origins(proofs: pl.DataFrame, lane_of: Sequence[int]) -> pl.DataFrame:
    """Proofs, scan after scan, each with the origin of the first in its lane; as of `Arrivals`."""
    firsts: dict[int, tuple[int, str]] = {}
    for lane, (start, end) in zip(lane_of, _spans(proofs, len(lane_of)), strict=True):
        if start < end:
            first = (proofs["seq"][start], proofs["text"][start])
            firsts[lane] = min(first, firsts.get(lane, first))
    origins = pl.Series([firsts[lane][1] if lane in firsts else None for lane in lane_of], dtype=pl.String)
    return proofs.with_columns(pl.col("end_ms").alias("at_ms"), pl.lit(origins).gather(_SCAN).alias("origin"))


def _by_channel(scans: Sequence[Scan], marks: pl.DataFrame, columns: Sequence[str]) -> dict[str, pl.DataFrame]:
    """Marks, scan after scan, as those of each channel in order."""
    found: dict[str, list[pl.DataFrame]] = {}
    shown = marks.select(columns)
    for scan, (start, end) in zip(scans, _spans(marks, len(scans)), strict=True):
        if scan.channel is not None:
            found.setdefault(scan.channel, []).append(shown[start:end])
        else:
            for (name,), of_channel in marks[start:end].partition_by("channel", as_dict=True).items():
                found.setdefault(str(name), []).append(of_channel.select(columns))
    return {
        name: pl.concat(several).sort("seq", maintain_order=True) if len(several) > 1 else several[0]
        for name, several in found.items()
    }


def _spans(marks: pl.DataFrame, scans: int) -> Iterator[tuple[int, int]]:
    """Where the marks of each scan begin and end."""
    cuts = marks[_SCAN].search_sorted(pl.int_range(scans + 1, eager=True)).to_list()
    return pairwise(cuts)


def _unreadable(scans: Iterable[Scan]) -> dict[int, Dropped]:
    """The losses whose channel was not known."""
    of_none = pl.col("count").is_not_null() & (pl.col("kind") == "unreadable")
    found = [scan.rows.filter(of_none).select("seq", "channel", "count", "text").collect() for scan in scans]
    charges = Charges[str]()
    return {
        seq: charges.same(name, Dropped(None, count, text))
        for seq, name, count, text in (pl.concat(found).sort("seq").iter_rows() if found else ())
    }


def _begin(marks: pl.Series) -> int:
    places = marks.unique().sort()
    return int((places != pl.int_range(len(places), eager=True)).append(pl.Series([True])).arg_max() or 0)
