"""Items on disk, while a system is away for longer than memory lasts: files of a folder, the oldest first.

A file is written whole and then renamed, so a process that is killed leaves none that is half written; the next process
with this folder finds what was not delivered. Its items are pickled: whoever can write to the folder can run code here,
so it must belong to this user, and nobody else may write to it.
"""

import os
import pickle
import stat
import zlib
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

if TYPE_CHECKING:
    from filelock import FileLock

_MAGIC = b"cgrx-spill-1"
_FILES = "*.spill"


@attrs.frozen
class _File:
    path: Path
    count: int
    bytes: int
    first: int
    """The number of its first item; 0 of one that an earlier process has left."""


class FullError(OSError):
    """A file does not fit below the bound of the folder."""


class Spill:
    """The files of a folder. What reads or writes is called in a thread, one call at a time."""

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self.folder = folder
        self._most_bytes = most_bytes
        self._files: deque[_File] = deque()
        self._number = 0
        self._lock: FileLock | None = None
        self.unreadable: list[tuple[Path, int]] = []
        """Files that could not be read, which were put aside, and how many items they hold."""

    @property
    def count(self) -> int:
        """How many items are in the files."""
        return sum(file.count for file in self._files)

    @property
    def oldest(self) -> int | None:
        """The number of the first item; None where there is none."""
        return self._files[0].first if self._files else None

    def open(self) -> None:
        """Make the folder where it is missing, lock it, and find what an earlier process has left.

        Raises:
            ValueError: others may write to the folder, or another process uses it.
            OSError: it cannot be made.
        """
        from filelock import FileLock, Timeout

        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _require_private(self.folder)
        lock = FileLock(self.folder / "lock", timeout=0)
        try:
            lock.acquire()
        except Timeout:
            raise ValueError(f"spill={str(self.folder)!r} is in use: give each sink a folder of its own") from None
        self._lock = lock
        for path in sorted(self.folder.glob(_FILES)):
            count = _count(path)
            if count is None:
                self._put_aside(path, 0)
            else:
                self._files.append(_File(path, count, path.stat().st_size, 0))
        self._number = max((int(file.path.stem) for file in self._files), default=0)

    def close(self) -> None:
        """Let go of the folder."""
        if self._lock is not None:
            self._lock.release()

    def write(self, first: int, items: Sequence[Any]) -> None:
        """Keep items, whose first one has this number.

        Raises:
            OSError: the disk or the folder is full.
            Exception: an item cannot be pickled.
        """
        body = pickle.dumps(tuple(items), protocol=5)
        if sum(file.bytes for file in self._files) + len(body) > self._most_bytes:
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
        self._files.append(_File(path, len(items), len(body), first))

    def read(self) -> list[Any]:
        """The items of the oldest file; none where it cannot be read, and has been put aside."""
        file = self._files[0]
        try:
            head, _, body = file.path.read_bytes().partition(b"\n")
            if int(head.split()[2]) != zlib.crc32(body):
                raise ValueError("its checksum does not fit")
            items = list[Any](pickle.loads(body))
        except Exception:  # noqa: BLE001 - whatever is wrong with it: a class that is gone, or bytes that are
            self._files.popleft()
            self._put_aside(file.path, file.count)
            return []
        return items

    def discard(self) -> None:
        """Forget the oldest file: its items have been delivered."""
        self._files.popleft().path.unlink(missing_ok=True)

    def _put_aside(self, path: Path, count: int) -> None:
        aside = path.with_suffix(".unreadable")
        path.rename(aside)
        self.unreadable.append((aside, count))


def _count(path: Path) -> int | None:
    """How many items a file says that it holds; None where it is none of ours."""
    with path.open("rb") as file:
        head = file.readline(64).split()
    return int(head[1]) if len(head) == 3 and head[0] == _MAGIC and head[1].isdigit() and head[2].isdigit() else None


def _require_private(folder: Path) -> None:
    if not hasattr(os, "geteuid"):  # Windows: a folder inherits the rights of the one that it is in
        return
    found = folder.stat()
    if found.st_uid != os.geteuid() or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise ValueError(
            f"spill={str(folder)!r} may be written to by others, who could run code here: give a folder of your own,"
            f" such as after chmod 700 {str(folder)!r}"
        )
