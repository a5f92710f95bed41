"""A recording as a lazy query of polars."""

import polars as pl

from cgrx._recording.arrow import pa
from cgrx._recording.reader import Reader
from cgrx._recording.schema import SCHEMA
from cgrx._recording.selection import Selection


def scan(reader: Reader, selection: Selection) -> pl.LazyFrame:
    """The selected rows in order: finished parts are scanned, and only as far as the query needs."""
    files, rest = reader.sources(selection)
    unfinished = pl.DataFrame(pa.Table.from_batches(rest, SCHEMA))
    rows = pl.concat([*([pl.scan_parquet(files)] if files else []), unfinished.lazy()])
    channel, received_ms = pl.col("channel"), pl.col("received_ms")
    if selection.names is not None:
        rows = rows.filter(channel.is_null() | channel.is_in(selection.names))
    if selection.start_ms is not None:
        rows = rows.filter(received_ms >= selection.start_ms)
    if selection.end_ms is not None:
        rows = rows.filter(received_ms < selection.end_ms)
    return rows
