"""What `compact` returns."""

from pathlib import Path

import attrs


@attrs.frozen
class Compacted:
    """What `compact` has rewritten.

    Examples:
        >>> import pathlib
        >>> done = cgrx.Compacted(
        ...     pathlib.Path("day"),
        ...     parts=2,
        ...     rows=120,
        ...     channels=3,
        ...     bytes_before=4_000,
        ...     bytes=3_000,
        ... )
        >>> f"{1 - done.bytes / done.bytes_before:.0%} smaller"
        '25% smaller'
    """

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
