"""A recording as a lazy query of polars."""

from collections.abc import Iterator

import attrs
import polars as pl

from cgrx._recording.arrow import Rows, pa
from cgrx._recording.known import Known, common
from cgrx._recording.reader import Files, Reader
from cgrx._recording.schema import SCHEMA
from cgrx._recording.selection import Selection


@attrs.frozen(eq=False)
class Scan:
    """Some of the rows of a recording, in order, and what is known of them without reading them."""

    rows: pl.LazyFrame
    channel: str | None
    """The one that all of them are of but statuses; None where they are of several."""
    known: Known


def scan(reader: Reader, selection: Selection) -> pl.LazyFrame:
    """The selected rows in order: finished parts are scanned, and only as far as the query needs."""
    finished, rest = reader.sources(selection)
    tables = [_scanned(files, reader.last_seq, selection) for files in finished]
    if rest or not tables:  # without a reason no second table is put behind: it takes a copy
        tables.append(_in_memory(rest, selection))
    return pl.concat(tables)


def scans(reader: Reader, selection: Selection) -> list[Scan]:
    """The same rows but statuses that stand apart, in scans that are as large as all that is known holds for.

    Scans of different channels may hold rows of the same time; those of the same channel are in order.
    """
    finished, rest = reader.sources(selection)
    found = [each for files in finished for each in _apart(files, reader.last_seq, selection)]
    if rest or not found:
        found.append(Scan(_in_memory(rest, selection), None, Known()))
    return found


def _apart(files: Files, last_seq: int, selection: Selection) -> Iterator[Scan]:
    if not files.by_channel:
        names = {name for file in files.files for name in file.channels}
        only = names.pop() if len(names) == 1 else None
        yield Scan(_scanned(files, last_seq, selection), only, common([file.known for file in files.files]))
        return
    of_all = attrs.evolve(selection, channels=None)  # files of other channels are not among them
    for file in files.files:
        for channel in file.channels:
            alone = attrs.evolve(files, files=(file,))
            yield Scan(_scanned(alone, last_seq, of_all), channel, file.known)


def _in_memory(rows: list[Rows], selection: Selection) -> pl.LazyFrame:
    return _filtered(pl.DataFrame(pa.Table.from_batches(rows, SCHEMA)).lazy(), selection)


def _scanned(files: Files, last_seq: int, selection: Selection) -> pl.LazyFrame:
    rows = _filtered(pl.scan_parquet([file.path for file in files.files]), selection)
    if files.last_seq > last_seq:
        rows = rows.filter(pl.col("seq") <= last_seq)
    return rows.sort("seq", maintain_order=True) if files.by_channel and len(files.files) > 1 else rows


def _filtered(rows: pl.LazyFrame, selection: Selection) -> pl.LazyFrame:
    channel, received_ms = pl.col("channel"), pl.col("received_ms")
    if selection.names is not None:
        rows = rows.filter(channel.is_null() | channel.is_in(selection.names))
    if selection.start_ms is not None:
        rows = rows.filter(received_ms >= selection.start_ms)
    if selection.end_ms is not None:
        rows = rows.filter(received_ms < selection.end_ms)
    return rows
