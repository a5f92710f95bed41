"""The marks of recordings as columns: the many proofs of life, and the few gaps and losses.

Of a mark its numbers and its text are read. What it is, is seen by which of them are null; its channel is that of the
file, where each has one of its own; and the origin of a proof is that of the first in its lane.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate, pairwise
from typing import Any

import attrs
import numpy as np
import polars as pl

from cgrx._backtest.behind import Numbers
from cgrx._backtest.proofs import proofs
from cgrx._model.signals import Dropped
from cgrx._recording.scan import Scan
from cgrx._replay.seams import Charges

_FIRST = 64
"""How many marks of each scan are looked at to see which come before all events."""

_READ = ("seq", "start_ms", "end_ms", "count", "text")

_IS_NO_EVENT = pl.col("side").is_null()
"""Files skip what is null: much cheaper than to compare all kinds."""

_IS_MARK = pl.col("end_ms").is_not_null() | pl.col("count").is_not_null()
"""Of what is no event. A status has neither."""

_IS_PROOF = _IS_MARK & pl.all_horizontal(pl.col("start_ms", "count").is_null(), pl.col("text").is_not_null())
"""A watermark has no text."""

_PROOF, _OTHER = "is proof", "is other mark"
"""The columns that say of what kind a mark is."""

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
    names = () if all(scan.channel is not None for scan in scans) else ("channel",)
    read = (*_READ, *names, _IS_PROOF.alias(_PROOF), (_IS_MARK & ~_IS_PROOF).alias(_OTHER))
    found = pl.collect_all(scan.rows.filter(_IS_NO_EVENT).select(read) for scan in scans)
    firsts = np.concatenate([each["seq"].head(_FIRST).to_numpy() for each in found])
    losses = [scan for scan, each in zip(scans, found, strict=True) if each["count"].count()]
    told, begins = pl.concat(found), [0, *accumulate(map(len, found))]
    proven, others = (_chosen(told, begins, kind) for kind in (_PROOF, _OTHER))
    return Marks(
        _by_channel(scans, _with_origins(proven, lane_of)),
        {name: list(of_channel.iter_rows(named=True)) for name, of_channel in _by_channel(scans, others).items()},
        _unreadable(losses),
        _begin(firsts),
    )


@attrs.frozen(eq=False)
class _Chosen:
    """Marks of a kind, scan after scan."""

    marks: pl.DataFrame
    channels: list[pl.Series]
    """Their column `channel`, if it was read."""
    cuts: Sequence[int]
    """Where those of each scan begin, and where the last ones end."""


def _chosen(told: pl.DataFrame, begins: Sequence[int], kind: str) -> _Chosen:
    """Those of one kind, out of all that is no event; `begins` says where each scan begins there."""
    # Column by column: a query would wait for polars' threads, which read the events meanwhile.
    is_one = told[kind]
    cuts = np.searchsorted(np.flatnonzero(is_one.to_numpy()), begins)
    channels = [told["channel"].filter(is_one)] if "channel" in told.columns else []
    return _Chosen(pl.DataFrame([told[name].filter(is_one) for name in _READ]), channels, cuts.tolist())


def _with_origins(proven: _Chosen, lane_of: Sequence[int]) -> _Chosen:
    """Proofs as of `Arrivals`, each with the origin of the first in its lane."""
    told = proven.marks
    spans = [(lane, *span) for lane, span in zip(lane_of, pairwise(proven.cuts), strict=True) if span[0] < span[1]]
    firsts: dict[int, tuple[int, str]] = {}
    for lane, start, _ in spans:
        first = (told["seq"][start], told["text"][start])
        firsts[lane] = min(first, firsts.get(lane, first))
    origins = pl.Series("origin", [], pl.String)
    for lane, start, end in spans:
        origins.append(pl.Series([firsts[lane][1]]).new_from_index(0, end - start))
    return attrs.evolve(proven, marks=pl.DataFrame([told["seq"], told["end_ms"].alias("at_ms"), origins]))


def _by_channel(scans: Sequence[Scan], chosen: _Chosen) -> dict[str, pl.DataFrame]:
    """Marks as those of each channel, in order."""
    found: dict[str, list[pl.DataFrame]] = {}
    for scan, (start, end) in zip(scans, pairwise(chosen.cuts), strict=True):
        if scan.channel is not None:
            found.setdefault(scan.channel, []).append(chosen.marks[start:end])
        else:
            of_all = chosen.marks.hstack(chosen.channels)[start:end]
            for (name,), of_channel in of_all.partition_by("channel", include_key=False, as_dict=True).items():
                found.setdefault(str(name), []).append(of_channel)
    return {
        name: pl.concat(several).sort("seq", maintain_order=True) if len(several) > 1 else several[0]
        for name, several in found.items()
    }


def _unreadable(scans: Iterable[Scan]) -> dict[int, Dropped]:
    """The losses whose channel was not known."""
    of_none = pl.col("count").is_not_null() & (pl.col("kind") == "unreadable")
    found = [scan.rows.filter(of_none).select("seq", "channel", "count", "text").collect() for scan in scans]
    charges = Charges[str]()
    return {
        seq: charges.same(name, Dropped(None, count, text))
        for seq, name, count, text in (pl.concat(found).sort("seq").iter_rows() if found else ())
    }


def _begin(marks: Numbers) -> int:
    places = np.unique(marks)
    return int(np.argmin(np.append(places == np.arange(len(places)), False)))
