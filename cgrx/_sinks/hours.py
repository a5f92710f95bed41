"""Files of an hour or a day: rows are acknowledged into a journal, from which the finished file is made. In threads.

    out/.flow-2026-11-28T03.open      the journal: frames with checksums, which a killed process cannot spoil
    out/flow-2026-11-28T03.parquet    all rows of that hour, made when it is over and when the sink is left

A finished file is replaced as a whole, so a reader never sees half of one, and there is never more than one of an hour:
where later rows belong to it, it is made anew with them. Of rows with the same identity the last one stays.
"""

import os
import re
import uuid
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, cast

import attrs
from filelock import FileLock, Timeout

from cgrx._model.data_errors import RecordingError, SinkRefusedError
from cgrx._recording.arrow import pa, pq
from cgrx._recording.framing import decode, encode

_JOURNAL = b"cgrx.journal"
"""In a finished file: which journals it holds."""
_KEY = b"cgrx.key"


@attrs.define(eq=False)
class Journal:
    """What has been acknowledged of one hour, and is not in its finished file yet."""

    folder: Path
    name: str
    """As `flow-2026-11-28T03`."""
    schema: Any
    """Of Arrow; its metadata say by which columns rows are told apart."""
    _file: IO[bytes] = attrs.field(init=False)
    _size: int = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        named = self.schema.with_metadata({**self.schema.metadata, _JOURNAL: uuid.uuid4().hex.encode()})
        self._file = journal_path(self.folder, self.name).open("xb", buffering=0)
        try:
            self._size = self._write(named)
            _sync_folder(self.folder)
        except OSError:
            self._file.close()
            raise

    def append(self, table: Any) -> None:
        """Append rows. They are on disk behind `sync`."""
        for batch in table.cast(self.schema).to_batches():
            self._write(batch)

    def _write(self, content: Any) -> int:
        """Write a frame, and tell its size. A disk that becomes full takes a part of it first, and fails then."""
        frame = memoryview(encode(0, content.serialize().to_pybytes()))
        written = 0
        while written < len(frame):
            written += self._file.write(frame[written:])
        return written

    def sync(self) -> None:
        """Wait until everything is on disk."""
        os.fsync(self._file.fileno())
        self._size = self._file.tell()

    def take_back(self) -> None:
        """Remove what has been appended since the last `sync`."""
        self._file.truncate(self._size)
        self._file.seek(self._size)

    def close(self) -> None:
        """Close the file; the journal stays."""
        self._file.close()


def journal_path(folder: Path, name: str) -> Path:
    """Where the journal of an hour is: hidden, so that `*.parquet` and people pass it by."""
    return folder / f".{name}.open"


def lock(folder: Path, stem: str) -> FileLock:
    """Take the lock on all files of a stem.

    Raises:
        SinkRefusedError: another sink writes them.
    """
    held = FileLock(folder / f".{stem}.lock", timeout=0, thread_local=False)
    try:
        held.acquire()
    except Timeout:
        raise SinkRefusedError(
            f"{folder / stem}-*.parquet: another sink writes these files: give pipeline= another name"
        ) from None
    return held


def belongs(name: str, stem: str) -> bool:
    """Whether it is the name of an hour or a day of this stem, and not of a longer one: `bar-5m` is not of `bar`."""
    return re.fullmatch(re.escape(stem) + r"-\d+-\d\d-\d\d(T\d\d)?", name) is not None


def left_behind(folder: Path, stem: str) -> list[str]:
    """The names of the hours of which there are journals."""
    names = [path.name[1 : -len(".open")] for path in sorted(folder.glob(f".{stem}-*.open"))]
    return [name for name in names if belongs(name, stem)]


def finish(folder: Path, name: str) -> None:
    """Make the finished file of an hour, of the one that is there and of the journal, which then goes.

    Raises:
        OSError: the disk is full, or fails.
        SinkRefusedError: the journal is damaged, or a file that is there does not fit.
    """
    path, finished = journal_path(folder, name), folder / f"{name}.parquet"
    tables, schema = _journal_tables(path)
    if schema is None:
        path.unlink()
        return
    ids = cast(bytes, schema.metadata[_JOURNAL])
    if finished.exists():
        require_same(finished, schema)
        before: Any = pq.read_table(finished, partitioning=None)  # else a folder "asset=BTC" were a column
        metadata = cast("dict[bytes, bytes]", before.schema.metadata or {})
        held = metadata.get(_JOURNAL, b"")
        if ids in held.split():  # a process was killed between the file and the end of its journal
            path.unlink()
            return
        ids = held + b" " + ids
        tables.insert(0, before.select(schema.names).cast(schema))
    table = pa.concat_tables([*tables, schema.empty_table()])
    key = schema.metadata.get(_KEY, b"").decode().split()
    if key:
        table = _last_of_each(table, key).sort_by([(column, "ascending") for column in key])
    draft = folder / f".{name}.draft"
    try:
        with draft.open("wb") as file:
            pq.write_table(table.replace_schema_metadata({**schema.metadata, _JOURNAL: ids}), file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(finished)
        _sync_folder(folder)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    path.unlink()


def _journal_tables(path: Path) -> tuple[list[Any], Any]:
    """What a journal holds, and its schema; None where it was cut off before that."""
    try:
        with path.open("rb") as file:
            frames = list(decode(file, str(path)))
    except RecordingError as damage:
        raise SinkRefusedError(f"{damage}: move this file elsewhere") from None
    if not frames:
        return [], None
    schema = pa.ipc.read_schema(pa.py_buffer(frames[0].payload))
    batches = [pa.ipc.read_record_batch(pa.py_buffer(frame.payload), schema) for frame in frames[1:]]
    return [pa.Table.from_batches(batches, schema)], schema


def _last_of_each(table: Any, key: list[str]) -> Any:
    """The last row of each identity."""
    columns = [table.column(name).to_pylist() for name in key]
    last = {identity: place for place, identity in enumerate(zip(*columns, strict=True))}
    return table if len(last) == len(table) else table.take(sorted(last.values()))


def keyed(schema: Any, key: list[str]) -> Any:
    """The schema, which says by which columns rows are told apart."""
    return schema.with_metadata({_KEY: " ".join(key).encode()})


def require_same(path: Path, wanted: Any) -> None:
    """Check that a finished file has the columns of what is written now.

    Raises:
        SinkRefusedError: it has others, or is damaged.
    """
    try:
        found = pq.read_schema(path)
    except pa.ArrowInvalid as damage:
        raise SinkRefusedError(f"{path}: it is no whole Parquet file: move it elsewhere") from damage
    here = {field.name: str(field.type) for field in found}
    there = {field.name: str(field.type) for field in wanted}
    for name in dict.fromkeys([*there, *here]):
        if here.get(name) != there.get(name):
            raise SinkRefusedError(
                f"{path}: its column {name!r} is {here.get(name, 'missing')}, and the rows have"
                f" {there.get(name, 'no such field')}: give another folder, or pipeline= another name"
            )


def _sync_folder(folder: Path) -> None:
    """Wait until the names of the files are on disk, where a folder can be asked for that: on Windows it cannot."""
    with suppress(PermissionError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
