"""The finished parts of a recording: Parquet, with a checksum in every page, and one of the whole file in the manifest.

A row group ends where a batch ends, so that a reader who takes one row group at a time never has half of a batch.
"""

import os
import zlib
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from cgrx._model.data_errors import RecordingError
from cgrx._recording.arrow import Rows, pa, pq
from cgrx._recording.checks import UNREADABLE, footer_fault, nulls_fault, rows_fault, unreadable
from cgrx._recording.in_order import whole_entries
from cgrx._recording.manifest import Part, finished_name, require_file
from cgrx._recording.schema import DICTIONARIES, SCHEMA, in_memory, selected
from cgrx._recording.selection import Selection
from cgrx._recording.summary import Summary

GROUP_ROWS = 65_536
"""About how many rows a row group has; a reader holds one row group at a time."""

_RECEIVED = SCHEMA.get_field_index("received_ms")
_CHUNK = 2**20
_TEXTS = (*DICTIONARIES, "text", "side")
_ENCODINGS = {
    **dict.fromkeys(("price", "volume_usd"), "BYTE_STREAM_SPLIT"),
    **dict.fromkeys(
        ("seq", "received_ms", "time_ms", "start_ms", "end_ms", "count"),
        "DELTA_BINARY_PACKED",
    ),
}


def finish(folder: Path, number: int, batches: Sequence[Rows]) -> Part:
    """Write a finished part. Afterwards the whole file is there; after an error nothing of it is.

    Raises:
        OSError: it could not be written.
    """
    path = folder / finished_name(number)
    draft = path.with_suffix(".tmp")
    try:
        with draft.open("w+b") as file:
            _write(pa.Table.from_batches(batches, SCHEMA), file)
            file.flush()
            os.fsync(file.fileno())
            checksum, size = checksum_of(file), file.tell()
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    summary = Summary.before(batches[0].column("seq")[0].as_py())
    for batch in batches:
        summary.add(batch)
    return summary.part(number, size, checksum)


def _write(table: Any, file: IO[bytes]) -> None:
    with parquet_writer(file) as writer:
        for start, end in _groups(table):
            writer.write_table(table.slice(start, end - start), row_group_size=end - start)


def parquet_writer(file: IO[bytes]) -> Any:
    """A `pyarrow.parquet.ParquetWriter` of rows as in files."""
    return pq.ParquetWriter(
        file,
        SCHEMA,
        compression="zstd",
        use_dictionary=list(_TEXTS),
        column_encoding=_ENCODINGS,
        write_page_checksum=True,
        store_schema=False,
    )


def _groups(table: Any) -> Iterator[tuple[int, int]]:
    """Where row groups begin and end."""
    seqs = table["seq"]
    start = 0
    while start < len(table):
        end = min(start + GROUP_ROWS, len(table))
        while end < len(table) and seqs[end] == seqs[end - 1]:
            end += 1
        yield start, end
        start = end


def checksum_of(file: IO[bytes]) -> int:
    """The CRC-32 of a file from its beginning on."""
    file.seek(0)
    checksum = 0
    while chunk := file.read(_CHUNK):
        checksum = zlib.crc32(chunk, checksum)
    return checksum


def verify(folder: Path, part: Part) -> None:
    """Compare a finished part with its size and checksum in the manifest.

    Raises:
        RecordingError: it is missing, or not as it was written.
    """
    verify_size(folder, part)
    path = folder / part.file
    with _readable(path, None), path.open("rb") as file:
        checksum = checksum_of(file)
    if checksum != part.crc32:
        raise RecordingError(str(path), None, "it is damaged: its checksum does not match")


def verify_size(folder: Path, part: Part) -> None:
    """Compare its size alone, without reading it. Raises as `verify` does."""
    path = folder / part.file
    if not path.exists():
        place = f"seq {part.first_seq} to {part.last_seq}"
        raise RecordingError(str(path), place, "this part of the recording is missing")
    require_file(path)
    size = path.stat().st_size
    if size != part.bytes:
        raise RecordingError(str(path), f"byte {min(size, part.bytes)}", f"it has {size} bytes, not {part.bytes}")


def read_finished(
    path: Path, selection: Selection, part: Part | None, *, sparse_rows: int | None = None
) -> Iterator[Rows]:
    """The selected rows of a finished part, as in memory, by row group; row groups without any are not read.

    Args:
        path: of the file, whose checksum has been compared.
        selection: which rows are wanted.
        part: what the manifest says of it; None where there is no manifest.
        sparse_rows: about how many rows are read at once of a file of a stretch, whose `seq` has holes; None elsewhere.

    Raises:
        RecordingError: it cannot be read, or is not what cgrx writes; with the row group.
    """
    with _readable(path, "footer"):
        file = _opened(path, part)
    with file:
        last_seq = -1
        for group in range(file.num_row_groups):
            if not _may_hold(file.metadata.row_group(group), selection):
                continue
            place = f"row group {group}"
            with _readable(path, place):
                for batch in _rows_of(file, group, sparse_rows):
                    _require(path, place, rows_fault(batch, part, sparse=sparse_rows is not None))
                    first_seq = batch.column("seq")[0].as_py()
                    _require(path, place, None if first_seq > last_seq else f"seq={first_seq} comes after {last_seq}")
                    last_seq = batch.column("seq")[-1].as_py()
                    yield selected(in_memory(batch), selection)


def _rows_of(file: Any, group: int, sparse_rows: int | None) -> Iterator[Rows]:
    """The rows of a row group, without a batch that ends within an entry."""
    if sparse_rows is None:
        return iter(file.read_row_group(group).combine_chunks().to_batches())
    return whole_entries(file.iter_batches(sparse_rows, [group]))


def check_finished(folder: Path, part: Part) -> Any:
    """Compare a finished part with the manifest as `verify` does, and its footer with what cgrx writes.

    Returns:
        The footer, as a `pyarrow.parquet.FileMetaData`.

    Raises:
        RecordingError: it is another file.
    """
    verify(folder, part)
    with _readable(folder / part.file, "footer"), _opened(folder / part.file, part) as file:
        return file.metadata


@contextmanager
def _readable(path: Path, place: str | None) -> Generator[None]:
    """Translates the errors of reading."""
    try:
        yield
    except UNREADABLE as error:
        raise RecordingError(str(path), place, unreadable(error)) from None


def _opened(path: Path, part: Part | None) -> Any:
    require_file(path)
    metadata = pq.read_metadata(path)
    _require(path, "footer", footer_fault(metadata, part))
    file = pq.ParquetFile(path, metadata=metadata, read_dictionary=list(DICTIONARIES), page_checksum_verification=True)
    for group in range(file.num_row_groups):
        # Arrow ends the process where it is asked for a column with histograms of a wrong size. Reading a row raises.
        with _readable(path, f"row group {group}"):
            next(file.iter_batches(1, [group]))
    _require(path, "footer", nulls_fault(metadata))
    return file


def _require(path: Path, place: str, fault: str | None) -> None:
    if fault is not None:
        raise RecordingError(str(path), place, fault)


def _may_hold(group: Any, selection: Selection) -> bool:
    """Whether a row group may have selected rows, by what it says of its times."""
    known = group.column(_RECEIVED).statistics
    return not known.has_min_max or selection.overlaps(known.min, known.max)


def described(folder: Path, number: int, *, sparse_rows: int | None = None) -> Part:
    """What a finished part holds, found by reading all of it: where its manifest is lost.

    Raises:
        RecordingError: it cannot be read.
    """
    path = folder / finished_name(number)
    summary: Summary | None = None
    for batch in read_finished(path, Selection(), None, sparse_rows=sparse_rows):
        if summary is None:
            summary = Summary.before(batch.column("seq")[0].as_py())
        summary.add(batch)
    if summary is None:
        raise RecordingError(str(path), None, "it holds nothing")
    with path.open("rb") as file:
        return summary.part(number, path.stat().st_size, checksum_of(file))
