"""The files of a recording: finished parts in Parquet, and the one that is being written, in frames of Arrow IPC.

Record batches are as in files (`_recording_schema.SCHEMA`) when they are written, and as in memory when they are read.
"""

import os
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import attrs
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cgrx._errors import RecordingError
from cgrx._recording_frames import decode, encode
from cgrx._recording_manifest import Part, finished_name, open_name
from cgrx._recording_schema import DICTIONARIES, SCHEMA, in_memory

GROUP_ROWS = 65_536
"""A row group of a finished part has about so many rows: what a reader holds at a time."""

_CHUNK = 2**20
_INTEGERS = tuple(field.name for field in SCHEMA if pa.types.is_integer(field.type) and field.name != "side")
_ENCODINGS = {
    **dict.fromkeys(_INTEGERS, "DELTA_BINARY_PACKED"),
    **dict.fromkeys(("price", "volume_usd"), "BYTE_STREAM_SPLIT"),
}


def _statistics(batches: Sequence[pa.RecordBatch]) -> dict[str, Any]:
    """What a `Part` says of what it holds."""
    table = pa.Table.from_batches(batches, SCHEMA)
    times = pc.min_max(table["received_ms"]).as_py()
    return {
        "first_seq": table["seq"][0].as_py(),
        "last_seq": table["seq"][-1].as_py(),
        "events": len(table) - table["time_ms"].null_count,
        "rows": len(table),
        "start_ms": times["min"],
        "end_ms": times["max"],
        "channels": tuple(sorted(name for name in pc.unique(table["channel"]).to_pylist() if name is not None)),
    }


# A part that is being written.


class OpenPart:
    """A part being written. What `write` has returned from outlives the process, not the machine's power."""

    def __init__(self, folder: Path, number: int, first_seq: int) -> None:
        self.number = number
        self.path = folder / open_name(number)
        draft = self.path.with_suffix(".tmp")
        try:
            with draft.open("wb") as file:
                file.write(encode(first_seq, SCHEMA.serialize().to_pybytes()))
            draft.replace(self.path)
            self._file: IO[bytes] = self.path.open("r+b", buffering=0)
        except OSError:
            draft.unlink(missing_ok=True)
            raise
        self.bytes = self._file.seek(0, os.SEEK_END)

    def write(self, batch: pa.RecordBatch) -> None:
        """Append rows. Where that fails, as on a full disk, nothing of them is there.

        Raises:
            OSError: they could not be written.
        """
        frame = memoryview(encode(batch.column("seq")[0].as_py(), batch.serialize().to_pybytes()))
        written = 0
        try:
            while written < len(frame):
                written += self._file.write(frame[written:])
        except OSError:
            self._file.truncate(self.bytes)
            self._file.seek(self.bytes)
            raise
        self.bytes += written

    def close(self) -> None:
        """Close the file."""
        self._file.close()


@attrs.frozen(eq=False)
class OpenContent:
    """What is whole in a part that is being written, or was when its process was killed."""

    path: Path
    part: Part | None
    """None where it holds nothing yet."""
    batches: tuple[pa.RecordBatch, ...]
    """As in files."""
    damage: RecordingError | None
    """Why the rest cannot be read."""


def read_open(folder: Path, number: int) -> OpenContent:
    """Read a part that is being written, as far as it can be."""
    path = folder / open_name(number)
    batches: list[pa.RecordBatch] = []
    damage: RecordingError | None = None
    end = 0
    next_seq: int | None = None
    with path.open("rb") as file:
        frames = decode(file, str(path))
        try:
            head = next(frames, None)
            if head is None:
                raise RecordingError(str(path), "frame at byte 0", "the file is cut off before its first frame ends")
            end, next_seq = head.end, head.seq
            for frame in frames:
                if frame.seq != next_seq:
                    raise RecordingError(
                        str(path), f"frame at byte {frame.offset}", "it does not follow the one before"
                    )
                batch = pa.ipc.read_record_batch(pa.py_buffer(frame.payload), SCHEMA)
                batches.append(batch)
                end, next_seq = frame.end, batch.column("seq")[-1].as_py() + 1
        except RecordingError as error:
            damage = error
    part = Part(number=number, bytes=end, crc32=None, **_statistics(batches)) if batches else None
    return OpenContent(path, part, tuple(batches), damage)


# A finished part.


def finish(folder: Path, number: int, batches: Sequence[pa.RecordBatch]) -> Part:
    """Write a finished part: it is there as a whole, or not at all.

    Raises:
        OSError: it could not be written.
    """
    path = folder / finished_name(number)
    draft = path.with_suffix(".tmp")
    try:
        with draft.open("w+b") as file:
            _write_parquet(pa.Table.from_batches(batches, SCHEMA), file)
            file.flush()
            os.fsync(file.fileno())
            size = file.tell()
            checksum = _checksum(file)
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    return Part(number=number, bytes=size, crc32=checksum, **_statistics(batches))


def _write_parquet(table: pa.Table, file: IO[bytes]) -> None:
    with pq.ParquetWriter(
        file,
        SCHEMA,
        compression="zstd",
        use_dictionary=[*DICTIONARIES, "side", "text"],
        column_encoding=_ENCODINGS,
        write_page_checksum=True,
        store_schema=False,
    ) as writer:
        for start, end in _groups(table):
            writer.write_table(table.slice(start, end - start), row_group_size=end - start)


def _groups(table: pa.Table) -> Iterator[tuple[int, int]]:
    """Where row groups begin and end: never within what was said at once."""
    seqs = table["seq"]
    start = 0
    while start < len(table):
        end = min(start + GROUP_ROWS, len(table))
        last = seqs[end - 1].as_py()
        while end < len(table) and seqs[end].as_py() == last:
            end += 1
        yield start, end
        start = end


def _checksum(file: IO[bytes]) -> int:
    file.seek(0)
    checksum = 0
    while chunk := file.read(_CHUNK):
        checksum = zlib.crc32(chunk, checksum)
    return checksum


def verify(folder: Path, part: Part) -> None:
    """Compare a finished part with what the manifest says of it.

    Raises:
        RecordingError: it is missing, or not as it was written.
    """
    path = folder / part.file
    try:
        with path.open("rb") as file:
            checksum, size = _checksum(file), file.tell()
    except FileNotFoundError:
        raise _missing(folder, part) from None
    if size != part.bytes:
        raise RecordingError(str(path), None, f"it has {size} bytes, not the {part.bytes} that were written")
    if checksum != part.crc32:
        raise RecordingError(str(path), None, "it is damaged: its checksum does not match")


def _missing(folder: Path, part: Part) -> RecordingError:
    return RecordingError(
        str(folder / part.file), f"seq {part.first_seq} to {part.last_seq}", "this part of the recording is missing"
    )


@attrs.frozen
class Wanted:
    """Which rows are wanted: of which channels (by wire name; None: all), received in [start_ms, end_ms)."""

    channels: tuple[str, ...] | None
    start_ms: int | None
    end_ms: int | None

    def holds(self, start_ms: int, end_ms: int) -> bool:
        """Whether something received between these two times (both included) may be wanted."""
        return (self.start_ms is None or end_ms >= self.start_ms) and (self.end_ms is None or start_ms < self.end_ms)

    def of(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The wanted rows among these; what a feed said of itself belongs to every channel."""
        masks: list[Any] = []
        if self.channels is not None:
            channel = batch.column("channel")
            known = pc.is_in(channel.dictionary, pa.array(self.channels, pa.string()))
            masks.append(pc.fill_null(known.take(channel.indices), True))
        received_ms = batch.column("received_ms")
        if self.start_ms is not None:
            masks.append(pc.greater_equal(received_ms, self.start_ms))
        if self.end_ms is not None:
            masks.append(pc.less(received_ms, self.end_ms))
        for mask in masks:
            if not mask.true_count == len(mask):
                break
        else:
            return batch
        whole = masks[0]
        for mask in masks[1:]:
            whole = pc.and_(whole, mask)
        return batch.filter(whole)


def read_finished(path: Path, wanted: Wanted) -> Iterator[pa.RecordBatch]:
    """The rows of a finished part, one row group at a time; those that hold nothing wanted are not read.

    Raises:
        RecordingError: it cannot be read.
    """
    group = 0
    try:
        with pq.ParquetFile(path, read_dictionary=list(DICTIONARIES), page_checksum_verification=True) as file:
            times = file.schema_arrow.get_field_index("received_ms")
            for group in range(file.num_row_groups):
                known = file.metadata.row_group(group).column(times).statistics
                if known is None or wanted.holds(known.min, known.max):
                    for batch in file.read_row_group(group).combine_chunks().to_batches():
                        yield wanted.of(in_memory(batch))
    except (OSError, pa.ArrowException) as error:
        raise RecordingError(str(path), f"row group {group}", f"it cannot be read: {error}") from None
