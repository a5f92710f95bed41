"""The manifest of a recording lists its finished parts, so that one that is missing or changed is noticed.

`manifest.json` is replaced as a whole, and holds a checksum of its own content.
"""

import json
import os
import re
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import attrs
import msgspec

from cgrx._model.channels import parse_channel
from cgrx._model.data_errors import RecordingError
from cgrx._model.events import LATEST_MS

T = TypeVar("T")

VERSION = 1
NAME = "manifest.json"
LOCK = "lock"
COMPACT_LOCK = "compact.lock"
"""Held by the one that rewrites the recording by channel, beside whom a recorder may be at work."""
PART_BYTES = 64 * 2**20
"""The size at which the part that is being written is finished, unless told otherwise; as Parquet it has a tenth."""

LARGEST = 2**63 - 1
"""The largest number that a column of a recording holds."""

_SHOWN = 200
"""How much of a wrong channel is shown."""

_FORMAT = "cgrx recording"
_PART = re.compile(r"part-(\d{8})\.(parquet|open)")
_DRAFT = re.compile(r"part-\d{8}\.(open\.)?tmp|manifest\.json\.tmp")
STRETCH = re.compile(r"by-channel-(\d{8})-(\d{8})(\.tmp)?")
"""The folder of a stretch; see `stretch`."""


@attrs.frozen(kw_only=True)
class Part:
    """A part of a recording: one file.

    Examples:
        >>> import msgspec, pathlib
        >>> _ = pathlib.Path("day.jsonl").write_bytes(
        ...     msgspec.json.encode(liquidation("long", 5_000.0, time="1s"))
        ... )
        >>> _ = cgrx.import_jsonl("day.jsonl", "day", events="liquidations")
        >>> (part,) = cgrx.Recording("day").parts
        >>> part.file, part.events
        ('part-00000000.parquet', 1)
    """

    number: int
    """From 0 on."""
    first_seq: int
    """The `seq` of its first entry."""
    last_seq: int
    """The `seq` of its last entry."""
    events: int
    rows: int
    """Events, marks and status together."""
    start_ms: int
    """The earliest time of receipt in it, milliseconds since the epoch."""
    end_ms: int
    """The latest time of receipt in it, milliseconds since the epoch."""
    channels: tuple[str, ...]
    """The wire names of the channels that it holds."""
    bytes: int
    """The size of the file; of a part that is not finished, the size of its whole frames."""
    crc32: int | None
    """The CRC-32 of the whole file; None while the part is not finished."""

    @property
    def file(self) -> str:
        """The name of its file."""
        return finished_name(self.number) if self.crc32 is not None else open_name(self.number)


@attrs.frozen
class Manifest:
    """The finished parts in order, and the number of the part that is being written, None where there is none."""

    parts: tuple[Part, ...] = ()
    open: int | None = None

    @property
    def next_number(self) -> int:
        """The number of the part behind the finished ones."""
        return len(self.parts)

    @property
    def next_seq(self) -> int:
        """The `seq` of the first entry behind the finished parts."""
        return self.parts[-1].last_seq + 1 if self.parts else 0


def finished_name(number: int) -> str:
    """The file of a finished part."""
    return f"part-{number:08}.parquet"


def open_name(number: int) -> str:
    """The file of a part that is being written."""
    return f"part-{number:08}.open"


def drafts(folder: Path) -> list[Path]:
    """Files that a killed writer left half written."""
    return [path for path in folder.iterdir() if _DRAFT.fullmatch(path.name)]


def own_files(folder: Path) -> list[Path]:
    """The files of a recording. Any other file of the folder is somebody's own."""
    return [
        path
        for path in folder.iterdir()
        if path.name in (NAME, LOCK, COMPACT_LOCK)
        or any(pattern.fullmatch(path.name) for pattern in (_PART, _DRAFT, STRETCH))
    ]


def is_fit(folder: Path) -> bool:
    """Whether a recording may be written there: there is one, or nothing but what a writer left, killed as it began."""
    return (folder / NAME).exists() or len(own_files(folder)) == len(list(folder.iterdir()))


def part_numbers(folder: Path) -> dict[str, list[int]]:
    """The numbers of the parts whose files are there, in order, by the ending of the file: `parquet` or `open`."""
    found: dict[str, list[int]] = {"parquet": [], "open": []}
    for path in sorted(folder.iterdir()):
        match = _PART.fullmatch(path.name)
        if match is not None:
            found[match[2]].append(int(match[1]))
    return found


def write(folder: Path, manifest: Manifest) -> None:
    """Replace the manifest. At any moment either the old one is there or the new one."""
    store(folder / NAME, _FORMAT, attrs.asdict(manifest))


def store(path: Path, format_: str, fields: dict[str, Any]) -> None:
    """Replace a list of files, which holds a checksum of its own content. Raises as `replace` does."""
    content = {"format": format_, "version": VERSION, **fields}
    text = json.dumps({**content, "crc32": _checksum(content)}, indent=1)
    replace(path, (text + "\n").encode())


def replace(path: Path, content: bytes) -> None:
    """Write a file under another name, and rename it when it is whole.

    Raises:
        OSError: it could not be written; nothing has changed.
    """
    draft = path.with_name(path.name + ".tmp")
    try:
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


def read(folder: Path) -> Manifest:
    """Read the manifest.

    Raises:
        RecordingError: there is none, it is of a newer version, or damaged.
    """
    path = folder / NAME
    known = load(path, _FORMAT, Manifest)
    require_chain(path, known.parts)
    if known.open not in (None, known.next_number):
        raise RecordingError(str(path), "open", f"{known.open} is not the number of the part behind the finished ones")
    return known


def load(path: Path, format_: str, of: type[T]) -> T:
    """What `store` wrote, as a value of this class.

    Raises:
        RecordingError: there is no such file, it is of a newer version, or damaged.
    """
    try:
        return _loaded(path, format_, of)
    except RecursionError:
        raise RecordingError(str(path), None, "the manifest is damaged: it is nested too deeply") from None


def require_file(path: Path) -> None:
    """Raise `RecordingError` where there is a folder or a pipe: to read a pipe would wait for ever."""
    if path.exists() and not path.is_file():
        raise RecordingError(str(path), None, "this is no file")


def _loaded(path: Path, format_: str, of: type[T]) -> T:
    require_file(path)
    try:
        content: dict[str, Any] = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
    except (FileNotFoundError, NotADirectoryError):
        raise RecordingError(str(path), None, "there is no recording here: its manifest is missing") from None
    except OSError as error:
        raise RecordingError(str(path), None, f"the manifest cannot be read: {error.strerror}") from None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise RecordingError(str(path), None, f"the manifest is damaged: {error}") from None
    if content.get("format") != format_:
        raise RecordingError(str(path), "format", "this is not the manifest of a recording")
    version = content.get("version")
    if version != VERSION:
        newer = isinstance(version, int) and version > VERSION
        raise RecordingError(
            str(path), "version", f"{version!r} is {'newer than' if newer else 'not'} {VERSION}, which this cgrx reads"
        )
    if content.pop("crc32", None) != _checksum(content):
        raise RecordingError(str(path), "crc32", "the manifest is damaged: its checksum does not match")
    try:
        return msgspec.convert(content, of)
    except msgspec.ValidationError as error:
        raise RecordingError(str(path), None, f"this is not the manifest of a recording: {error}") from None


def require_chain(path: Path, parts: Sequence[Part], number: int = 0, first_seq: int | None = 0) -> None:
    """Raise `RecordingError` unless parts follow one another, from this number and `seq` on; None is any `seq`."""
    for part in parts:
        if part.number != number or part.first_seq != (part.first_seq if first_seq is None else first_seq):
            raise RecordingError(str(path), f"part {number}", "the parts do not follow one another")
        fault = part_fault(part, part.last_seq - part.first_seq + 1)
        if fault is not None:
            raise RecordingError(str(path), f"part {number}", fault)
        number, first_seq = number + 1, part.last_seq + 1


def part_fault(part: Part, least_rows: int) -> str | None:
    """What cannot be true of a finished part with at least so many rows; None where all of it can."""
    if not 0 <= part.first_seq <= part.last_seq <= LARGEST:
        return f"{part.last_seq} is no number of its last entry"
    if not 0 <= part.events <= part.rows or not least_rows <= part.rows <= LARGEST:
        return f"{part.rows} rows cannot hold its entries, with {part.events} events"
    if not 0 <= part.start_ms <= part.end_ms <= LATEST_MS:
        return f"{part.start_ms} to {part.end_ms} is no time"
    if part.bytes < 0 or part.crc32 is None or not 0 <= part.crc32 < 2**32:
        return f"{part.bytes} bytes and the checksum {part.crc32} are those of no file"
    return next(filter(None, map(channel_fault, part.channels)), None)


def channel_fault(name: str) -> str | None:
    """Why a text cannot be the channel of rows; None where it can. Each channel has one name."""
    try:
        known = parse_channel(name).name
    except ValueError as error:
        return str(error)[:_SHOWN]
    return None if known == name else f"the channel {known} is called {name!r}"[:_SHOWN]


def _checksum(content: dict[str, Any]) -> int:
    return zlib.crc32(json.dumps(content, sort_keys=True, separators=(",", ":")).encode())
