"""Files that all rivals of a scenario read: made once in a run, in its temporary folder.

The process that is prepared first makes them, as rivals are prepared one after the other; none of that is timed.
"""

import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def folder() -> Generator[Path, None, None]:
    """Where they are."""
    with tempfile.TemporaryDirectory() as path:
        yield Path(path)


def made(path: Path, make: Callable[[Path], object]) -> Path:
    """What lies there, whole: `make` is called with another path where nothing does."""
    if not path.exists():
        draft = path.with_name(f"{path.name}.draft")
        make(draft)
        draft.rename(path)
    return path
