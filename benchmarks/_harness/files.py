"""Files that all rivals of a scenario read: made once in a run, in its temporary folder.

The process that is prepared first makes them, as rivals are prepared one after the other; none of that is timed.
"""

import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def folder() -> Generator[Path, None, None]:
    """A temporary folder for the files of one run."""
    with tempfile.TemporaryDirectory() as path:
        yield Path(path)


def made(path: Path, make: Callable[[Path], object]) -> Path:
    """The file at this path, made if it does not exist: `make` writes a draft, which is renamed when it is whole."""
    if not path.exists():
        draft = path.with_name(f"{path.name}.draft")
        make(draft)
        draft.rename(path)
    return path
