"""Finds the parts of a recording, and reads them. A part is read when rows of it are asked for, its checksum first."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

import attrs

from cgrx._model.data_errors import RecordingError
from cgrx._recording import manifest, stretch
from cgrx._recording.arrow import Rows
from cgrx._recording.checks import order_fault
from cgrx._recording.finished_part import check_finished, described, read_finished, verify, verify_size
from cgrx._recording.in_order import in_order
from cgrx._recording.known import Known, known_of
from cgrx._recording.manifest import Manifest, Part
from cgrx._recording.open_part import read_open, summarized
from cgrx._recording.schema import in_files, in_memory, selected, within
from cgrx._recording.selection import Selection
from cgrx._recording.stretch import AT_ONCE_ROWS, Numbers, Stretch, folder_of

_LOOKS = 5
"""How often the folder is looked at again where its files change at that moment."""

Piece: TypeAlias = Part | Stretch
"""Where consecutive rows stand: the file of a part, or those of a stretch."""


class _MovedError(Exception):
    """The rows stand in other files by now: the recording is compacted at this moment."""


@attrs.frozen
class File:
    """A finished file, whose checksum matches."""

    path: Path
    channels: tuple[str, ...]
    rows: int
    """How many it holds."""
    known: Known


@attrs.frozen
class Files:
    """Finished files."""

    files: tuple[File, ...]
    by_channel: bool
    """Whether each holds a channel; else each holds what was recorded behind the one before."""
    last_seq: int


class Reader:
    """The parts of one recording. With `salvage` damage is noted in `problems`, without it raises `RecordingError`."""

    def __init__(self, folder: Path, salvage: bool) -> None:
        self.folder = folder
        self._salvage = salvage
        self._listed: list[Numbers] = []
        self.problems: list[RecordingError] = []
        self.parts, self.pieces = self._look()
        """The parts as they were recorded, the one that is not finished last; and where their rows stand, in order."""
        self.held = tuple(
            part for piece in self.pieces for part in (piece.files if isinstance(piece, Stretch) else (piece,))
        )
        """What the files hold that are there."""
        self.last_seq = max((piece.last_seq for piece in self.pieces), default=-1)
        """The last entry that is read: none that is written after the recording was opened."""

    def batches(self, selection: Selection, *, after_seq: int = -1, until_seq: int | None = None) -> Iterator[Rows]:
        """The selected rows in order, as in memory. No record batch is empty, and none ends within an entry.

        Where the recording is compacted meanwhile, reading goes on in the new files.

        Args:
            selection: which rows.
            after_seq: only entries behind this one.
            until_seq: only entries up to this one; by default all that were there when the recording was opened.
        """
        until_seq = self.last_seq if until_seq is None else until_seq
        while True:
            try:
                for batch in self._batches(selection, after_seq, until_seq):
                    after_seq = batch.column("seq")[-1].as_py()
                    yield batch
                return
            except _MovedError:
                _, self.pieces = self._look()

    def sources(self, selection: Selection) -> tuple[list[Files], list[Rows]]:
        """Finished files in order, and rows as in files: they hold the selected rows, and others too."""
        while True:
            try:
                return self._sources(selection)
            except _MovedError:
                _, self.pieces = self._look()

    def _batches(self, selection: Selection, after_seq: int, until_seq: int) -> Iterator[Rows]:
        for piece in self.pieces:
            if piece.last_seq <= after_seq or piece.first_seq > until_seq:
                continue
            try:
                for batch in self._batches_of(piece, selection):
                    rows = within(batch, after_seq, until_seq)
                    if rows.num_rows:
                        yield rows
            except RecordingError as error:
                self._meet(error)

    def _sources(self, selection: Selection) -> tuple[list[Files], list[Rows]]:
        found: list[Files] = []
        rest: list[Rows] = []
        for piece in self.pieces:
            if isinstance(piece, Part) and piece.crc32 is None:
                rest += self._sound_rows(piece, selection)
                continue
            by_channel = isinstance(piece, Stretch)
            files = tuple(self._sound_files(piece, selection))
            if found and not by_channel and not found[-1].by_channel:
                files = (*found.pop().files, *files)
            if files:
                found.append(Files(files, by_channel, piece.last_seq))
        return found, rest

    def _sound_files(self, piece: Piece, selection: Selection) -> Iterator[File]:
        """The files of a piece that may hold selected rows, and whose checksums match."""
        folder, files = self._files(piece, selection)
        for file in files:
            try:
                footer = check_finished(folder, file)
            except RecordingError as error:
                self._meet(error)
            else:
                yield File(folder / file.file, file.channels, footer.num_rows, known_of(footer))

    def _sound_rows(self, part: Part, selection: Selection) -> list[Rows]:
        rows: list[Rows] = []
        try:
            if selection.overlaps(part.start_ms, part.end_ms):
                rows += self._open_rows(part)
        except RecordingError as error:
            self._meet(error)
        return rows

    def _files(self, piece: Piece, selection: Selection) -> tuple[Path, Sequence[Part]]:
        """The folder and the files of a piece that may hold selected rows."""
        if isinstance(piece, Stretch):
            return folder_of(self.folder, piece.numbers), piece.chosen(selection)
        return self.folder, [piece] if selection.overlaps(piece.start_ms, piece.end_ms) else []

    def _batches_of(self, piece: Piece, selection: Selection) -> Iterator[Rows]:
        folder, files = self._files(piece, selection)
        if isinstance(piece, Stretch):
            at_once = max(1, AT_ONCE_ROWS // max(1, len(files)))
            for batch in in_order(self._file_rows(folder, file, selection, at_once) for file in files):
                fault = order_fault(batch, sparse=True)
                if fault is not None:
                    raise RecordingError(str(folder), None, fault)
                yield batch
            return
        for part in files:
            if part.crc32 is None:
                for batch in self._open_rows(part):
                    yield selected(in_memory(batch), selection)
            else:
                verify(folder, part)
                yield from read_finished(folder / part.file, selection, part)

    def _file_rows(self, folder: Path, file: Part, selection: Selection, at_once: int) -> Iterator[Rows]:
        """The rows of one file of a stretch. Its damage takes nothing away from the others."""
        try:
            verify(folder, file)
            yield from read_finished(folder / file.file, selection, file, sparse_rows=at_once)
        except RecordingError as error:
            self._meet(error)

    def _open_rows(self, part: Part) -> Iterator[Rows]:
        """The rows, as in files, of a part that was not finished when the recording was opened; it may be by now."""
        try:
            for _, batch in read_open(self.folder / part.file, part.bytes):
                yield batch
        except FileNotFoundError:
            (finished,) = (each for each in manifest.read(self.folder).parts if each.number == part.number)
            for batch in self._batches_of(finished, Selection()):
                yield in_files(within(batch, -1, part.last_seq))

    # Which parts there are

    def _look(self) -> tuple[tuple[Part, ...], tuple[Piece, ...]]:
        for _ in range(_LOOKS):
            self._listed = stretch.listed(self.folder)
            try:
                known = self._read_manifest()
                used = stretch.in_use(self.folder, known, self._meet)
                return self._check(self._reconstructed(used) if known is None else known, used)
            except (FileNotFoundError, _MovedError):  # a part was finished or moved meanwhile: now that can be seen
                continue
        raise RecordingError(str(self.folder), None, "its parts change faster than they can be looked at")

    def _read_manifest(self) -> Manifest | None:
        try:
            return manifest.read(self.folder)
        except RecordingError as error:
            self._meet(error)
            return None

    def _reconstructed(self, used: Sequence[Stretch]) -> Manifest:
        """The manifest that the files themselves give: without the real one nobody knows what is missing."""
        parts = {part.number: part for each in used for part in each.parts}
        for number in manifest.part_numbers(self.folder)["parquet"] if self.folder.is_dir() else ():
            try:
                if number not in parts:
                    parts[number] = described(self.folder, number)
            except RecordingError as error:
                self._meet(error)
        return Manifest(tuple(parts[number] for number in sorted(parts)))

    def _check(self, known: Manifest, used: Sequence[Stretch]) -> tuple[tuple[Part, ...], tuple[Piece, ...]]:
        """The parts whose rows are there, of the right size, with the one that is being written; and their pieces.

        Raises:
            FileNotFoundError: the part that was being written is finished by now.
        """
        parts: list[Part] = []
        pieces: list[Piece] = [self._with_files(each) for each in used]
        moved = {part.number for each in used for part in each.parts}
        for part in known.parts:
            try:
                if part.number not in moved:
                    verify_size(self.folder, part)
                    pieces.append(part)
                parts.append(part)
            except RecordingError as error:
                self._meet(error)
        number = known.next_number
        path = self.folder / manifest.open_name(number)
        if path.exists():
            unfinished, damage = summarized(self.folder, number)
            if damage is not None:
                self._meet(damage)
            if unfinished is not None:
                place = f"seq {unfinished.first_seq}"
                if unfinished.first_seq != known.next_seq:
                    self._meet(RecordingError(str(path), place, "it does not follow the part before"))
                parts.append(unfinished)
                pieces.append(unfinished)
        elif known.open == number:
            if manifest.read(self.folder) != known:
                raise FileNotFoundError(path)
            self._meet(RecordingError(str(path), None, "this part of the recording is missing"))
        return tuple(parts), tuple(sorted(pieces, key=lambda piece: piece.first_seq))

    def _with_files(self, used: Stretch) -> Stretch:
        """The stretch with those of its files that are there, and have the right size."""
        folder = folder_of(self.folder, used.numbers)
        there: list[Part] = []
        for file in used.files:
            try:
                verify_size(folder, file)
                there.append(file)
            except RecordingError as error:
                self._meet(error)
        return attrs.evolve(used, files=tuple(there))

    def _meet(self, error: RecordingError) -> None:
        """Note the error as a problem where salvage was asked for, else raise it.

        Raises:
            RecordingError: without salvage.
            _MovedError: it is no damage: the rows have been moved into a stretch.
        """
        if stretch.listed(self.folder) != self._listed:
            raise _MovedError
        if not self._salvage:
            raise error
        if error.args not in [known.args for known in self.problems]:
            self.problems.append(error)
