"""The part of a recording that is being written: record batches of Arrow IPC in frames; see `framing`."""

import errno
import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import IO, Any

from cgrx._model.data_errors import RecordingError
from cgrx._recording.arrow import Rows, pa
from cgrx._recording.checks import UNREADABLE, columns_fault, rows_fault, unreadable
from cgrx._recording.framing import Frame, decode, encode
from cgrx._recording.manifest import Part, open_name, replace, require_file
from cgrx._recording.schema import SCHEMA
from cgrx._recording.summary import Summary


class OpenPart:
    """A part that is being written. What `write` has written outlives this process, but not a loss of power.

    Raises:
        OSError: the file cannot be made.
    """

    def __init__(self, folder: Path, number: int, first_seq: int) -> None:
        self.number = number
        self.path = folder / open_name(number)
        replace(self.path, encode(first_seq, SCHEMA.serialize().to_pybytes()))  # never without its first frame
        self._file: IO[bytes] = self.path.open("r+b", buffering=0)
        self.bytes = self._file.seek(0, os.SEEK_END)

    def write(self, batch: Rows) -> None:
        """Append rows, as in files. After an error, as on a full disk, nothing of them is there.

        Raises:
            OSError: they could not be written.
        """
        if os.fstat(self._file.fileno()).st_nlink == 0:  # else the rows would go where nobody finds them
            raise FileNotFoundError(errno.ENOENT, "the file has been removed while it was written", str(self.path))
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


def read_open(path: Path, until: int | None = None) -> Iterator[tuple[int, Rows]]:
    """For each frame of a part that is being written: the byte where the frame ends, and its rows, as in files.

    The frame that ends at the byte `until` is the last one read. A last frame that is cut off is left out.

    Raises:
        RecordingError: damage; with the frame.
        FileNotFoundError: it is not there, or not any more.
    """
    with _opened(path) as file:
        frames = decode(file, str(path))
        head = next(frames, None)
        if head is None:
            raise RecordingError(str(path), "frame at byte 0", "the file is cut off before its first frame ends")
        found = _decoded(path, head, pa.ipc.read_schema)
        _require(path, head, columns_fault(found))
        seq = head.seq
        for frame in frames:
            _require(path, frame, None if frame.seq == seq else "it does not follow the one before")
            batch = _decoded(path, frame, partial(pa.ipc.read_record_batch, schema=SCHEMA))
            _require(path, frame, rows_fault(batch, None))
            first_seq = batch.column("seq")[0].as_py()
            _require(path, frame, None if first_seq == seq else f"its rows begin with seq={first_seq}")
            yield frame.end, batch
            if frame.end == until:
                return
            seq = batch.column("seq")[-1].as_py() + 1


def _opened(path: Path) -> IO[bytes]:
    try:
        require_file(path)
        return path.open("rb")
    except FileNotFoundError:
        raise
    except OSError as error:
        raise RecordingError(str(path), None, unreadable(error)) from None


def _decoded(path: Path, frame: Frame, decode_: Callable[[Any], Any]) -> Any:
    """What a frame holds; `decode_` is a function of Arrow."""
    try:
        return decode_(pa.py_buffer(frame.payload))
    except UNREADABLE as error:
        raise RecordingError(str(path), frame.place, unreadable(error)) from None


def _require(path: Path, frame: Frame, fault: str | None) -> None:
    if fault is not None:
        raise RecordingError(str(path), frame.place, fault)


def summarized(folder: Path, number: int) -> tuple[Part | None, RecordingError | None]:
    """What a part that is being written holds, None where nothing yet; and the damage behind that, if there is any.

    Raises:
        FileNotFoundError: it is not there, or not any more.
    """
    summary: Summary | None = None
    size = 0
    damage: RecordingError | None = None
    try:
        for size, batch in read_open(folder / open_name(number)):  # noqa: B007 - the last one is used below
            summary = summary or Summary.before(batch.column("seq")[0].as_py())
            summary.add(batch)
    except RecordingError as error:
        damage = error
    return None if summary is None else summary.part(number, size, None), damage
