"""What a restart goes on from, on disk: a snapshot, and the records that have come since.

    000000000007.state      a snapshot of the pipeline, with its checksum
    000000000007.journal    each record behind it: a line of channel, tab and value

A record is one write, made before the pipeline sees it: what a killed process has seen is in the file. A new snapshot
is written whole and renamed; then a new journal begins, and the old pair goes. This holds for the end of the process,
however it ends. Where the machine itself goes down the last seconds may be missing, and a file that is damaged by that
is refused.
"""

import io
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from cgrx._model.use_errors import StateError
from cgrx._own_folder import OwnFolder
from cgrx._shards.record import Record

_MAGIC: Final = b"cgrx-state-1"


class StateFolder:
    """The folder of one pipeline. State: the number of the pair in use, and the open journal."""

    def __init__(self, path: Path) -> None:
        self._own = OwnFolder(path, "folder", "give each pipeline a folder of its own")
        self._path = path
        self._number = 0
        self._journal: io.FileIO | None = None

    def open(self) -> bytes | None:
        """Lock the folder: the snapshot that is there, None where there is none.

        Raises:
            StateError: others may write to the folder, another process uses it, or the snapshot is damaged.
            OSError: it cannot be made or read.
        """
        try:
            self._own.open()
        except ValueError as error:
            raise StateError(str(error)) from None
        try:
            numbers = [int(path.stem) for path in self._path.glob("*.state") if path.stem.isdigit()]
            self._number = max(numbers, default=0)
            return _snapshot(self._file("state")) if self._number else None
        except BaseException:
            self._own.close()
            raise

    def records(self) -> Iterator[Record]:
        """Those behind the snapshot, in order. A last line that a kill has cut off had not been seen, and goes.

        Raises:
            RecordError: the journal is damaged.
            OSError: it cannot be read.
        """
        path, whole = self._file("journal"), 0
        with path.open("a+b") as file:
            file.seek(0)
            for number, line in enumerate(file, 1):
                if not line.endswith(b"\n"):
                    break
                whole += len(line)
                key, _, value = line[:-1].partition(b"\t")
                yield Record.decode(key, value, f"{path}, line {number}")
            file.truncate(whole)

    def go_on(self) -> None:
        """Write behind the records that are there."""
        self._journal = io.FileIO(self._file("journal"), "ab")

    def append(self, record: Record) -> None:
        """Write a record down.

        Raises:
            OSError: the disk is full, or fails.
        """
        assert self._journal is not None
        line = b"%s\t%s\n" % (record.channel.encode(), record.encode())
        if self._journal.write(line) != len(line):
            raise OSError(f"{self._file('journal')} takes no more: the disk is full")

    def renew(self, snapshot: bytes) -> None:
        """Begin a new pair with this snapshot.

        Raises:
            OSError: the disk is full, or fails; the pair in use is as it was.
        """
        before, self._number = self._number, self._number + 1
        half, new, journal = self._file("half"), self._file("state"), io.FileIO(self._file("journal"), "wb")
        try:
            half.write_bytes(b"%s %d\n" % (_MAGIC, zlib.crc32(snapshot)) + snapshot)
            half.rename(new)
        except OSError:
            journal.close()
            self._number = before
            raise
        if self._journal is not None:
            self._journal.close()
        self._journal = journal
        for path in self._path.iterdir():
            if path.suffix in (".state", ".journal", ".half") and path.stem != new.stem:
                with suppress(OSError):  # it goes with the next one
                    path.unlink()

    def close(self) -> None:
        """Let go of the folder."""
        if self._journal is not None:
            self._journal.close()
            self._journal = None
        self._own.close()

    def _file(self, kind: str) -> Path:
        return self._path / f"{self._number:012}.{kind}"


def _snapshot(path: Path) -> bytes:
    head, _, snapshot = path.read_bytes().partition(b"\n")
    if head != b"%s %d" % (_MAGIC, zlib.crc32(snapshot)):
        raise StateError(f"{path} is damaged, or of another version of cgrx: remove its folder to begin anew")
    return snapshot
