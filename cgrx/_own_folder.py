"""A folder that one process at a time has for itself, and whose files it may trust: nobody else may write there."""

import os
import stat
from pathlib import Path


class OwnFolder:
    """A folder that is locked from `open` to `close`.

    Args:
        path: the folder; it is made where it is missing.
        option: how the user gave it, such as `spill`, for errors.
        others: what to give in its place where it is taken.

    Needs filelock.
    """

    def __init__(self, path: Path, option: str, others: str) -> None:
        from filelock import FileLock

        self.path = path
        self._given = f"{option}={str(path)!r}"
        self._others = others
        self._lock = FileLock(path / "lock", timeout=0, thread_local=False)

    def open(self) -> None:
        """Make and lock it.

        Raises:
            ValueError: others may write to it, or another process uses it.
            OSError: it cannot be made.
        """
        from filelock import Timeout

        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._require_private()
        try:
            self._lock.acquire()
        except Timeout:
            raise ValueError(f"{self._given} is in use: {self._others}") from None

    def close(self) -> None:
        """Let go of it."""
        self._lock.release()

    def _require_private(self) -> None:
        if not hasattr(os, "geteuid"):  # Windows: a folder inherits the rights of the one that it is in
            return
        found = self.path.stat()
        if found.st_uid != os.geteuid() or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise ValueError(
                f"{self._given} may be written to by others, who could run code here: give a folder of your own,"
                f" such as after chmod 700 {str(self.path)!r}"
            )
