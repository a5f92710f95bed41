"""A recording as a lazy query of polars."""

from collections.abc import Iterator

import attrs
import polars as pl

from cgrx._recording.arrow import Rows, pa
from cgrx._recording.known import Known, common
from cgrx._recording.reader import Files, Reader
from cgrx._recording.schema import SCHEMA
from cgrx._recording.selection import Selection

_ROW = "row"
_MOST_NUMBERED = 2**32
"""So many rows polars numbers."""


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


def scans(reader: Reader, selection: Selection, *, alone: bool = False) -> list[Scan]:
    """The same rows but statuses that stand apart, in scans that are as large as all that is known holds for.

    Scans of different channels may hold rows of the same time; those of the same channel are in order.

    Args:
        reader: of the recording.
        selection: which rows.
        alone: whether these rows are put in order with no others. Then `seq` may be other numbers in the same order.
    """
    finished, rest = reader.sources(selection)
    if alone and len(finished) == 1 and not rest and _is_numbered_by_rows(finished[0], reader.last_seq):
        return [_of_all(finished[0], _by_rows(finished[0], selection))]
    found = [each for files in finished for each in _apart(files, reader.last_seq, selection)]
    if rest or not found:
        found.append(Scan(_in_memory(rest, selection), None, Known()))
    return found


def _apart(files: Files, last_seq: int, selection: Selection) -> Iterator[Scan]:
    if not files.by_channel:
        yield _of_all(files, _scanned(files, last_seq, selection))
        return
    of_all = attrs.evolve(selection, channels=None)  # files of other channels are not among them
    for file in files.files:
        for channel in file.channels:
            alone = attrs.evolve(files, files=(file,))
            yield Scan(_scanned(alone, last_seq, of_all), channel, file.known)


def _of_all(files: Files, rows: pl.LazyFrame) -> Scan:
    names = {name for file in files.files for name in file.channels}
    only = names.pop() if len(names) == 1 else None
    return Scan(rows, only, common([file.known for file in files.files]))


def _is_numbered_by_rows(files: Files, last_seq: int) -> bool:
    """Whether the numbers of rows, which need not be read, are in the order of all rows that are read."""
    in_order = not files.by_channel and files.last_seq <= last_seq
    return in_order and sum(file.rows for file in files.files) < _MOST_NUMBERED


def _by_rows(files: Files, selection: Selection) -> pl.LazyFrame:
    """The rows of files in order, with their numbers in place of `seq`."""
    rows = pl.scan_parquet([file.path for file in files.files], row_index_name=_ROW, glob=False)
    return _filtered(rows.with_columns(pl.col(_ROW).cast(pl.Int64).alias("seq")).drop(_ROW), selection)


def _in_memory(rows: list[Rows], selection: Selection) -> pl.LazyFrame:
    return _filtered(pl.DataFrame(pa.Table.from_batches(rows, SCHEMA)).lazy(), selection)


def _scanned(files: Files, last_seq: int, selection: Selection) -> pl.LazyFrame:
    rows = _filtered(pl.scan_parquet([file.path for file in files.files], glob=False), selection)
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
