"""The marks of recordings as columns: the many proofs of life, and the few gaps and losses.

Of a mark its numbers and its text are read. What it is, is seen by which of them are null; its channel is that of the
file, where each has one of its own; and the origin of a proof is that of the first in its lane.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
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

_IS_MARK = pl.col("end_ms").is_not_null() | pl.col("count").is_not_null()
"""Files skip what is null: much cheaper than to compare all kinds."""

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
    scans = [(lane, scan) for lane, of_log in zip(lanes, logs, strict=True) for scan in of_log]
    found = pl.collect_all([_marks(scan) for _, scan in scans])
    firsts = pl.concat(each["seq"].head(_FIRST) for each in found)
    losses = [scan for (_, scan), each in zip(scans, found, strict=True) if each["count"].count()]
    told = [
        _Told(name, lane, marks.filter(_IS_PROOF), marks.filter(~_IS_PROOF))
        for (lane, scan), each in zip(scans, found, strict=True)
        for name, marks in _by_channel(scan, each)
    ]
    by_channel: dict[str, list[_Told]] = {}
    for each in told:
        by_channel.setdefault(each.channel, []).append(each)
    origins = _origins(told)
    return Marks(
        {name: _proofs(several, origins) for name, several in by_channel.items()},
        {name: _others(several) for name, several in by_channel.items()},
        _unreadable(losses),
        _begin(firsts),
    )


@attrs.frozen(eq=False)
class _Told:
    """The marks of a channel in a scan."""

    channel: str
    lane: int
    proofs: pl.DataFrame
    others: pl.DataFrame


def _marks(scan: Scan) -> pl.LazyFrame:
    channel = [] if scan.channel is not None else ["channel"]
    return scan.rows.filter(_IS_MARK).select(*_READ, *channel)


def _by_channel(scan: Scan, marks: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
    if scan.channel is not None:
        yield scan.channel, marks
    else:
        for (name,), of_channel in marks.partition_by("channel", as_dict=True, include_key=False).items():
            yield str(name), of_channel


def _origins(told: Iterable[_Told]) -> dict[int, str]:
    """The origin of the first proof in each lane."""
    firsts: dict[int, tuple[int, str]] = {}
    for each in told:
        for first in each.proofs.select("seq", "text").head(1).iter_rows():
            firsts[each.lane] = min(first, firsts.get(each.lane, first))
    return {lane: origin for lane, (_, origin) in firsts.items()}


def _proofs(told: Sequence[_Told], origins: Mapping[int, str]) -> pl.DataFrame:
    found = [
        each.proofs.select("seq", pl.col("end_ms").alias("at_ms"), pl.lit(origins[each.lane]).alias("origin"))
        for each in told
        if len(each.proofs)
    ]
    return pl.concat(found).sort("seq") if len(found) > 1 else found[0] if found else _NO_PROOFS


def _others(told: Sequence[_Told]) -> list[dict[str, Any]]:
    return sorted((row for each in told for row in each.others.iter_rows(named=True)), key=itemgetter("seq"))


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
