"""What `compact` returns."""

from pathlib import Path

import attrs


@attrs.frozen
class Compacted:
    """What `compact` has rewritten."""

    folder: Path
    """Of the recording that it wrote into."""
    parts: int
    """How many finished parts were rewritten for the first time; 0 where nothing was left to do."""
    rows: int
    """How many rows were written, with those of earlier calls that were written anew."""
    channels: int
    """Of how many channels."""
    bytes_before: int
    """The size of these rows as they were recorded."""
    bytes: int
    """Their size now."""
