"""Items on disk, while a system is away for longer than memory lasts: files of a folder, the oldest first.

A file is written whole and then renamed, so a process that is killed leaves none that is half written; the next process
with this folder finds what was not delivered. Its items are pickled: whoever can write to the folder can run code here,
so it must belong to this user, and nobody else may write to it.
"""

import os
import pickle
import zlib
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import attrs

from cgrx._own_folder import OwnFolder

_MAGIC = b"cgrx-spill-1"
_FILES = "*.spill"


@attrs.frozen
class SpillFile:
    """A file, and what it holds."""

    path: Path
    count: int
    bytes: int
    first: int
    """The number of its first item; 0 of one that an earlier process has left."""


class FullError(OSError):
    """A file does not fit below the bound of the folder."""


class Spill:
    """The files of a folder. `open`, `write`, `read`, `delete` and `close` work with the disk, one call at a time."""

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self.folder = folder
        self._own = OwnFolder(folder, "spill", "give each sink a folder of its own")
        self._most_bytes = most_bytes
        self._number = 0
        self.files: deque[SpillFile] = deque()
        """What is there, the oldest first. `write` and `delete` leave it as it is."""

    @property
    def count(self) -> int:
        """How many items are in the files."""
        return sum(file.count for file in self.files)

    def open(self) -> None:
        """Make the folder where it is missing, lock it, and find what an earlier process has left.

        Raises:
            ValueError: others may write to the folder, or another process uses it.
            OSError: it cannot be made.
        """
        self._own.open()
        for path in sorted(self.folder.glob(_FILES)):
            count = _count(path)
            if count is None:
                _put_aside(path)
            else:
                self.files.append(SpillFile(path, count, path.stat().st_size, 0))
        self._number = max((int(file.path.stem) for file in self.files), default=0)

    def close(self) -> None:
        """Let go of the folder."""
        self._own.close()

    def write(self, first: int, items: Sequence[Any]) -> SpillFile:
        """Keep items, whose first one has this number.

        Raises:
            OSError: the disk or the folder is full.
            Exception: an item cannot be pickled.
        """
        body = pickle.dumps(tuple(items), protocol=5)
        if sum(file.bytes for file in self.files) + len(body) > self._most_bytes:
            raise FullError(f"{self.folder} holds its {self._most_bytes:,} bytes")
        self._number += 1
        path = self.folder / f"{self._number:012}.spill"
        half = path.with_suffix(".half")
        try:
            with half.open("wb") as file:
                file.write(b"%s %d %d\n" % (_MAGIC, len(items), zlib.crc32(body)))
                file.write(body)
                file.flush()
                os.fsync(file.fileno())
            half.rename(path)
        except OSError:
            half.unlink(missing_ok=True)
            raise
        return SpillFile(path, len(items), len(body), first)

    def read(self, file: SpillFile) -> list[Any]:
        """The items of a file; none where it cannot be read, and has been put aside."""
        try:
            head, _, body = file.path.read_bytes().partition(b"\n")
            if int(head.split()[2]) != zlib.crc32(body):
                raise ValueError("its checksum does not fit")
            return list(pickle.loads(body))
        except Exception:  # noqa: BLE001 - whatever is wrong with it: a class that is gone, or bytes that are
            _put_aside(file.path)
            return []

    def delete(self, file: SpillFile) -> None:
        """Its items have been delivered."""
        file.path.unlink(missing_ok=True)


def _put_aside(path: Path) -> None:
    path.rename(path.with_suffix(".unreadable"))


def _count(path: Path) -> int | None:
    """How many items a file says that it holds; None where it is none of ours."""
    with path.open("rb") as file:
        head = file.readline(64).split()
    return int(head[1]) if len(head) == 3 and head[0] == _MAGIC and head[1].isdigit() and head[2].isdigit() else None
