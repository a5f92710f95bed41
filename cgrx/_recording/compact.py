"""`compact()`: rewrites the finished parts of a recording by channel, and joins recordings into one.

This module imports without pyarrow; `rewriting` does the work.
"""

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Literal, TypeAlias, cast

from cgrx._extras import require_extra
from cgrx._recording.compacted import Compacted

Folder: TypeAlias = str | os.PathLike[str]


def compact(
    recordings: Folder | Iterable[Folder],
    *,
    by: Literal["channel"] = "channel",
    to: Folder | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> Compacted:
    """Rewrite the finished parts of a recording so that the rows of a channel stand together.

        cgrx.compact("recordings/today")                                      # where it is
        cgrx.compact(["recordings/monday", "recordings/tuesday"], to="week")  # joined, and by channel

    A reader that asks for one channel then opens its file alone. Every reader gives the same rows in the same order as
    before. A recorder may be writing the recording meanwhile: the part at which it works is left as it is, and the next
    call rewrites what has been finished by then. With nothing to rewrite, nothing happens. A process that is killed at
    any moment leaves a recording that reads as before; the next call removes what it left.

    With `to` the recordings stay as they are, and their finished parts make a recording of its own there: that of
    consecutive days, which replays as the days do one after the other. A later call with more days adds those that are
    missing.

    What is read meanwhile with `entries`, `batches` or `to_arrow`, or replayed, is read on in the new files. A query of
    `to_polars` that was made before has to be made anew.

    Args:
        recordings: the folder of a recording; with `to` one or several.
        by: what stands together. There is nothing else than `"channel"`.
        to: the folder of the joint recording; made if it is missing.
        progress: called with the rows that are written so far, and all that will be; what it raises ends the work.

    Memory: about a million rows, 100 MB, and the files of 256 channels. Disk: the new files, beside the old ones until
    these are removed.

    Raises:
        ValueError: no recording, several without `to`, two that overlap in time, one with a part that is not finished
            before another one, or an argument that cannot be used.
        TypeError: an argument of another type.
        RecordingError: a recording is damaged or is being compacted by another process, or `to` holds something else
            or is being written; nothing is changed then.
        OSError: nothing can be written there; nothing is changed then.
        ImportError: pyarrow is not installed.

    Examples:
        >>> import msgspec, pathlib
        >>> _ = pathlib.Path("day.jsonl").write_bytes(
        ...     msgspec.json.encode(liquidation("long", 5_000.0, time="1s"))
        ... )
        >>> _ = cgrx.import_jsonl("day.jsonl", "day", events="liquidations")
        >>> done = cgrx.compact("day")
        >>> done.channels, done.parts
        (1, 1)
    """
    if by != "channel":
        raise ValueError(f'by={by!r} takes "channel"')
    if progress is not None and not callable(progress):
        raise TypeError(f"progress={progress!r} is no function")
    folders = _folders(recordings)
    require_extra("compact()")
    from cgrx._recording.rewriting import join, rewrite

    tell = progress or _ignore
    if to is not None:
        return join(folders, Path(to), tell)
    if len(folders) > 1:
        raise ValueError(
            f"recordings={[str(each) for each in folders]!r} are several: give the folder of the joint one as `to`"
        )
    return rewrite(folders[0], tell)


def _folders(recordings: object) -> list[Path]:
    if isinstance(recordings, str | os.PathLike):
        return [Path(cast("Folder", recordings))]
    if not isinstance(recordings, Iterable):
        raise TypeError(f"recordings={recordings!r} takes the folder of a recording, or several")
    folders: list[Path] = []
    for each in cast("Iterable[object]", recordings):
        if not isinstance(each, str | os.PathLike):
            raise TypeError(f"recordings holds {each!r}: it takes folders")
        folders.append(Path(cast("Folder", each)))
    if not folders:
        raise ValueError("recordings=() holds nothing: give at least one recording")
    return folders


def _ignore(rows: int, total: int) -> None:
    """Nobody has asked for the progress."""
