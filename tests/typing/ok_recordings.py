"""What must type-check: recordings that are rewritten and verified. Read by mypy and pyright, never run."""

from pathlib import Path
from typing import assert_type

import cgrx
from cgrx import Compacted, RecordingError, Verified


def compacting() -> None:
    """One folder, or several with the folder of the joint recording; both as text or as a path."""
    assert_type(cgrx.compact("today"), Compacted)
    assert_type(cgrx.compact(Path("today"), by="channel", progress=print), Compacted)
    assert_type(cgrx.compact(["monday", Path("tuesday")], to="week").rows, int)


def verifying() -> None:
    """What is wrong are errors, which are not raised."""
    assert_type(cgrx.verify("week", progress=lambda done, total: done / total), Verified)
    assert_type(cgrx.verify(Path("week")).problems, tuple[RecordingError, ...])
