"""A process whose children compact recordings, to be killed: `python -m tests.recording.compacting`.

It reads lines of a moment and a folder. For each, a child compacts the folder and kills itself, with a signal that
nothing can hold, at that one of the calls by which it changes the disk. It answers with how the child has ended.
"""

import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cgrx import compact
from cgrx._recording import rewriting as rewriting  # a child does not have to import it then

CHANGES: tuple[tuple[object, str], ...] = (
    (os, "fsync"),
    (Path, "mkdir"),
    (Path, "open"),
    (Path, "rename"),
    (Path, "replace"),
    (Path, "unlink"),
    (os, "unlink"),
    (os, "rmdir"),
    (shutil, "rmtree"),
)
"""The calls at which a compaction may be killed: right before, and right after each."""


def compact_until(moment: int, folder: str) -> None:
    """Compact, and be killed at this moment, where it comes."""
    count = 0

    def pass_moment() -> None:
        nonlocal count
        if count == moment:
            os.kill(os.getpid(), signal.SIGKILL)
        count += 1

    def watched(call: Callable[..., Any]) -> Callable[..., Any]:
        def watch(*args: Any, **options: Any) -> Any:
            pass_moment()
            result = call(*args, **options)
            pass_moment()
            return result

        return watch

    for owner, name in CHANGES:
        setattr(owner, name, watched(getattr(owner, name)))
    compact(folder)


def main() -> None:
    """Serve until the input ends."""
    for line in sys.stdin:
        moment, _, folder = line.rstrip("\n").partition(" ")
        child = os.fork()
        if not child:
            compact_until(int(moment), folder)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        os.write(1, b"%d\n" % os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main()
