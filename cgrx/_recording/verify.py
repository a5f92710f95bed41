"""`verify()`: reads all of a recording, and tells everything that is wrong with it.

This module imports without pyarrow.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from cgrx._extras import require_extra
from cgrx._model.data_errors import RecordingError

if TYPE_CHECKING:  # needs the extra `recording`
    from cgrx._recording.arrow import Rows
    from cgrx._recording.manifest import Part
    from cgrx._recording.reader import Reader


@attrs.frozen
class Verified:
    """What `verify` has found.

    Examples:
        >>> import msgspec, pathlib
        >>> _ = pathlib.Path("day.jsonl").write_bytes(
        ...     msgspec.json.encode(liquidation("long", 5_000.0, time="1s"))
        ... )
        >>> _ = cgrx.import_jsonl("day.jsonl", "day", events="liquidations")
        >>> print("damaged" if cgrx.verify("day").problems else "sound")
        sound
    """

    folder: Path
    """Of the recording."""
    parts: int
    """How many parts were recorded, as far as they are there."""
    rows: int
    """How many rows could be read."""
    events: int
    """How many of them are events."""
    problems: tuple[RecordingError, ...]
    """What is wrong, each with the file and the place; empty where nothing is."""


def verify(folder: str | os.PathLike[str], *, progress: Callable[[int, int], object] | None = None) -> Verified:
    """Read all of a recording, and tell everything that is wrong with it.

    Compared are the manifest with the files, the checksum of each file and each page, every value with what a feed can
    give, the order of the entries, that none is missing, and the counts of rows, events, times and channels with those
    of the manifest. Nothing is changed. One row group is in memory at a time, or a piece of each file of a recording by
    channel.

    Args:
        folder: of the recording. It may be written meanwhile: it is read as far as it has come.
        progress: called with the rows that are read so far, and all that will be; what it raises ends the work.

    Raises:
        TypeError: an argument of another type.
        ImportError: pyarrow is not installed.

    Examples:
        >>> import msgspec, pathlib
        >>> _ = pathlib.Path("day.jsonl").write_bytes(
        ...     msgspec.json.encode(liquidation("long", 5_000.0, time="1s"))
        ... )
        >>> _ = cgrx.import_jsonl("day.jsonl", "day", events="liquidations")
        >>> found = cgrx.verify("day")
        >>> found.events, found.problems
        (1, ())
    """
    if progress is not None and not callable(progress):
        raise TypeError(f"progress={progress!r} is no function")
    require_extra("verify()")
    from cgrx._recording.reader import Reader

    reader = Reader(Path(folder), salvage=True)
    rows = events = 0
    total = sum(part.rows for part in reader.held)
    problems = list(reader.problems)
    for directory, part, is_of_stretch in _files(reader):
        found, faults = _read(directory, part, is_of_stretch)
        problems += faults
        if found is not None:
            rows, events = rows + found.rows, events + found.events
        if progress is not None:
            progress(rows, total)
    problems += () if problems else _out_of_order(reader)
    return Verified(reader.folder, len(reader.parts), rows, events, tuple(problems))


def _files(reader: Reader) -> Iterator[tuple[Path, Part, bool]]:
    from cgrx._recording.stretch import Stretch, folder_of

    for piece in reader.pieces:
        if isinstance(piece, Stretch):
            for file in piece.files:
                yield folder_of(reader.folder, piece.numbers), file, True
        else:
            yield reader.folder, piece, False


def _read(folder: Path, part: Part, is_of_stretch: bool) -> tuple[Part | None, list[RecordingError]]:
    """What a file holds, as far as it can be read, and what is wrong with it."""
    from cgrx._recording import finished_part
    from cgrx._recording.open_part import read_open
    from cgrx._recording.selection import Selection
    from cgrx._recording.stretch import AT_ONCE_ROWS
    from cgrx._recording.summary import Summary

    path = folder / part.file
    faults: list[RecordingError] = []
    if part.crc32 is None:
        batches: Iterator[Rows] = (batch for _, batch in read_open(path, part.bytes))
    else:
        try:
            finished_part.verify(folder, part)
        except RecordingError as error:
            faults.append(error)
        at_once = AT_ONCE_ROWS if is_of_stretch else None
        batches = finished_part.read_finished(path, Selection(), part, sparse_rows=at_once)
    summary = Summary.before(part.first_seq)
    try:
        for batch in batches:
            summary.add(batch)
    except RecordingError as error:
        return summary.part(part.number, part.bytes, part.crc32) if summary.rows else None, [*faults, error]
    found = summary.part(part.number, part.bytes, part.crc32)
    for name in ("last_seq", "rows", "events", "start_ms", "end_ms", "channels"):
        is_, said = getattr(found, name), getattr(part, name)
        if is_ != said:
            faults.append(RecordingError(str(path), name, f"it is {is_}, the manifest says {said}"))
    return found, faults


def _out_of_order(reader: Reader) -> Iterator[RecordingError]:
    """The entries that are missing, where each file is right by itself."""
    from cgrx._recording.checks import order_fault
    from cgrx._recording.selection import Selection

    expected = 0
    for batch in reader.batches(Selection()):
        first_seq, last_seq = batch.column("seq")[0].as_py(), batch.column("seq")[-1].as_py()
        fault = order_fault(batch, sparse=False)
        if first_seq != expected or fault is not None:
            place = f"seq {expected} to {last_seq}"
            yield RecordingError(str(reader.folder), place, fault or f"the entry {expected} is missing")
        expected = last_seq + 1
    yield from reader.problems  # met while the files were put in order
