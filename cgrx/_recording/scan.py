"""A recording as a lazy query of polars."""

import polars as pl

from cgrx._recording.arrow import pa
from cgrx._recording.reader import Files, Reader
from cgrx._recording.schema import SCHEMA
from cgrx._recording.selection import Selection


def scan(reader: Reader, selection: Selection) -> pl.LazyFrame:
    """The selected rows in order: finished parts are scanned, and only as far as the query needs."""
    finished, rest = reader.sources(selection)
    tables = [_scanned(files, reader.last_seq, selection) for files in finished]
    if rest or not tables:  # without a reason no second table is put behind: it takes a copy
        tables.append(_filtered(pl.DataFrame(pa.Table.from_batches(rest, SCHEMA)).lazy(), selection))
    return pl.concat(tables)


def _scanned(files: Files, last_seq: int, selection: Selection) -> pl.LazyFrame:
    rows = _filtered(pl.scan_parquet(list(files.paths)), selection)
    if files.last_seq > last_seq:
        rows = rows.filter(pl.col("seq") <= last_seq)
    return rows.sort("seq", maintain_order=True) if files.by_channel and len(files.paths) > 1 else rows


def _filtered(rows: pl.LazyFrame, selection: Selection) -> pl.LazyFrame:
    channel, received_ms = pl.col("channel"), pl.col("received_ms")
    if selection.names is not None:
        rows = rows.filter(channel.is_null() | channel.is_in(selection.names))
    if selection.start_ms is not None:
        rows = rows.filter(received_ms >= selection.start_ms)
    if selection.end_ms is not None:
        rows = rows.filter(received_ms < selection.end_ms)
    return rows
