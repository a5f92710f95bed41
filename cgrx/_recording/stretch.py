"""A stretch: finished parts, one behind the other, rewritten so that each channel stands in a file of its own.

    by-channel-00000000-00000023/     the rows of the parts 0 to 23
        manifest.json                 these parts as they were recorded, and the files that hold their rows
        part-00000000.parquet         the rows of one channel, or the statuses, in the order of their entries

All of it is written under another name; when the folder is renamed the rows are read from there. The files of its
parts, and smaller stretches of them, are superseded then: nobody reads them, and they are removed. A stretch that lists
other parts than the manifest of the recording does not belong to it, and nobody reads it either.
"""

from collections.abc import Callable, Iterable
from pathlib import Path

import attrs

from cgrx._model.data_errors import RecordingError
from cgrx._recording import manifest
from cgrx._recording.finished_part import described
from cgrx._recording.manifest import NAME, STRETCH, Manifest, Part
from cgrx._recording.selection import Selection

_FORMAT = "cgrx recording by channel"

AT_ONCE_ROWS = 2**18
"""About how many rows of a stretch are in memory as it is read, of all its files together: some 25 MB."""

Numbers = tuple[int, int]
"""The numbers of the first and of the last part of a stretch."""


@attrs.frozen
class Stretch:
    """Parts of a recording that are read from files of one channel each."""

    parts: tuple[Part, ...]
    """As they were recorded, at least one."""
    files: tuple[Part, ...]
    """Each file as if it were a part of a recording of its own; one without channels holds the statuses."""

    @property
    def numbers(self) -> Numbers:
        """The numbers of the first and of the last part."""
        return self.parts[0].number, self.parts[-1].number

    @property
    def first_seq(self) -> int:
        """The `seq` of its first entry."""
        return self.parts[0].first_seq

    @property
    def last_seq(self) -> int:
        """The `seq` of its last entry."""
        return self.parts[-1].last_seq

    @property
    def rows(self) -> int:
        """How many rows it holds."""
        return sum(part.rows for part in self.parts)

    def chosen(self, selection: Selection) -> list[Part]:
        """The files that may hold selected rows. The statuses belong to every channel."""
        names = selection.names
        return [
            file
            for file in self.files
            if selection.overlaps(file.start_ms, file.end_ms)
            and (names is None or not file.channels or file.channels[0] in names)
        ]


def folder_of(recording: Path, numbers: Numbers, *, draft: bool = False) -> Path:
    """The folder of a stretch; `draft` is the name under which it is written."""
    first, last = numbers
    return recording / f"by-channel-{first:08}-{last:08}{'.tmp' if draft else ''}"


def listed(recording: Path) -> list[Numbers]:
    """The stretches whose folders are there; a longer one before those that it holds."""
    found = [STRETCH.fullmatch(path.name) for path in (recording.iterdir() if recording.is_dir() else ())]
    ranges = [(int(match[1]), int(match[2])) for match in found if match is not None and match[3] is None]
    return sorted(ranges, key=lambda numbers: (numbers[0], -numbers[1]))


def write(folder: Path, stretch: Stretch) -> None:
    """Write the list of parts and files into the folder of a stretch.

    Raises:
        RecordingError: the files hold more or fewer rows than the parts.
        OSError: it could not be written.
    """
    _require_counts(folder / NAME, stretch)
    manifest.store(folder / NAME, _FORMAT, attrs.asdict(stretch))


def read(recording: Path, numbers: Numbers) -> Stretch:
    """The stretch with these numbers.

    Raises:
        RecordingError: its manifest is missing or damaged.
    """
    path = folder_of(recording, numbers) / NAME
    stretch = manifest.load(path, _FORMAT, Stretch)
    manifest.require_chain(path, stretch.parts, numbers[0], None)
    if not stretch.parts or stretch.numbers != numbers:
        raise RecordingError(str(path), "parts", "they are others than the name of the folder says")
    for number, file in enumerate(stretch.files):
        fault = manifest.part_fault(file, 1)
        if file.number != number or len(file.channels) > 1:
            fault = "it is no file of one channel"
        if fault is not None:
            raise RecordingError(str(path), f"file {number}", fault)
    _require_counts(path, stretch)
    return stretch


def _require_counts(path: Path, stretch: Stretch) -> None:
    for name in ("rows", "events"):
        held, said = (sum(getattr(each, name) for each in several) for several in (stretch.files, stretch.parts))
        if held != said:
            raise RecordingError(str(path), "files", f"they hold {held} {name}, the parts {said}")


def in_use(recording: Path, known: Manifest | None, meet: Callable[[RecordingError], None]) -> list[Stretch]:
    """The stretches from which a recording is read, in order.

    Args:
        recording: its folder.
        known: its manifest; None where it is lost, so that every stretch is believed.
        meet: is given the damage of a stretch, of which the rest is used then; or raises.
    """
    used: list[Stretch] = []
    for numbers in listed(recording):
        if used and numbers[0] <= used[-1].numbers[1]:
            continue  # it is superseded
        parts = None if known is None else known.parts[numbers[0] : numbers[1] + 1]
        try:
            stretch = read(recording, numbers)
        except RecordingError as error:
            meet(error)
            stretch = _rebuilt(folder_of(recording, numbers), parts or (), meet)
        if stretch.parts and parts in (None, stretch.parts):
            used.append(stretch)
    return used


def _rebuilt(folder: Path, parts: tuple[Part, ...], meet: Callable[[RecordingError], None]) -> Stretch:
    """The stretch of these parts whose own manifest is lost, found by reading its files."""
    files: list[Part] = []
    for number in manifest.part_numbers(folder)["parquet"]:
        try:
            files.append(described(folder, number, sparse_rows=AT_ONCE_ROWS))
        except RecordingError as error:
            meet(error)
    return Stretch(parts, tuple(files))


def superseded(recording: Path, used: Iterable[Stretch]) -> tuple[list[Path], list[Path]]:
    """The files of parts and the folders that nobody will read: drafts, and what these stretches hold."""
    ranges = [stretch.numbers for stretch in used]

    def is_held(first: int, last: int, *, itself: bool) -> bool:
        return any(
            one <= first and last <= other and (itself or (first, last) != (one, other)) for one, other in ranges
        )

    parts = manifest.part_numbers(recording)["parquet"]
    files = [recording / manifest.finished_name(number) for number in parts if is_held(number, number, itself=True)]
    folders = [folder_of(recording, numbers) for numbers in listed(recording) if is_held(*numbers, itself=False)]
    drafts = [path for path in recording.glob("by-channel-*.tmp") if STRETCH.fullmatch(path.name)]
    return files, [*folders, *drafts]
