"""The events of many channels as they were recorded. To read all of them costs little more than one."""

from collections.abc import Mapping, Sequence

import attrs
import polars as pl

from cgrx._model.channels import Channel
from cgrx._recording.known import TEXTS
from cgrx._recording.scan import Scan


def told(scan: Scan, rows: pl.LazyFrame, *more: pl.Expr) -> pl.LazyFrame:
    """The events among rows of a scan, with more columns. A text that they share is not read."""
    shared = (pl.lit(text).alias(name) for name, text in scan.known.texts.items())
    # Each event has a side, and that costs least to read.
    return rows.filter(pl.col("side").is_not_null()).with_columns(*shared, *more)


def code(name: str) -> str:
    """The column with numbers in place of the texts of a column, which cost less to sort and to compare."""
    return f"number of {name}"


@attrs.frozen(eq=False)
class Joint:
    """The events of several channels."""

    events: pl.LazyFrame
    """With the `index` of their channel, and for the columns of `coded` also their `code`."""
    in_order: bool
    """Whether they are in order of arrival."""
    constant: Mapping[str, object]
    """The columns that have one value in all events, with that."""
    coded: frozenset[str]
    """The columns of texts whose numbers are known."""


@attrs.frozen(eq=False)
class Table:
    """Scans of which each holds one channel or several."""

    scans: Sequence[Scan]
    in_order: bool
    """Whether each scan begins where the one before ends."""
    channels: frozenset[Channel]
    """The channels that have events in it, and perhaps others."""

    def joint(self, channels: Sequence[Channel]) -> Joint | None:
        """The events of these channels, each of which is given once; None where no scan has any."""
        names = [channel.name for channel in channels]
        scans = [scan for scan in self.scans if scan.channel is None or scan.channel in names]
        if not scans:
            return None
        texts = {name: {scan.known.texts.get(name) for scan in scans} for name in TEXTS}
        known = {name: sorted(filter(None, of_all)) for name, of_all in texts.items() if None not in of_all}
        coded = {name: pl.Enum(several) for name, several in known.items() if len(several) > 1}
        events = pl.concat(self._of(scan, names, coded) for scan in scans)
        constant = {name: several[0] for name, several in known.items() if len(several) == 1}
        return Joint(events, self.in_order or len(scans) == 1, constant, frozenset(coded))

    def _of(self, scan: Scan, names: Sequence[str], coded: Mapping[str, pl.Enum]) -> pl.LazyFrame:
        rows, index = scan.rows, pl.lit(0, pl.Int64)
        if scan.channel is not None:
            index = pl.lit(names.index(scan.channel), pl.Int64)
        else:
            if not {channel.name for channel in self.channels} <= set(names):
                rows = rows.filter(pl.col("channel").is_in(names))
            if len(names) > 1:
                index = pl.col("channel").cast(pl.Enum(names)).to_physical().cast(pl.Int64)
        codes = (pl.lit(scan.known.texts[name], of).alias(code(name)) for name, of in coded.items())
        return told(scan, rows, index.alias("index"), *codes)
