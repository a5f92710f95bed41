"""Finds the parts of a recording, and reads them. A part is read when rows of it are asked for, its checksum first."""

from collections.abc import Iterator
from pathlib import Path

from cgrx._model.errors import RecordingError
from cgrx._recording import manifest
from cgrx._recording.arrow import Rows
from cgrx._recording.finished_part import check_finished, described, read_finished, verify, verify_size
from cgrx._recording.manifest import Manifest, Part
from cgrx._recording.open_part import read_open, summarized
from cgrx._recording.schema import in_files, in_memory, selected, until_seq
from cgrx._recording.selection import Selection

_LOOKS = 5
"""How often the manifest is read again where the recorder finishes a part at that moment."""


class Reader:
    """The parts of one recording. With `salvage` damage is noted in `problems`, without it raises `RecordingError`."""

    def __init__(self, folder: Path, salvage: bool) -> None:
        self.folder = folder
        self._salvage = salvage
        self.problems: list[RecordingError] = []
        self.parts = self._find_parts()

    def batches(self, selection: Selection) -> Iterator[Rows]:
        """The selected rows in order, as in memory. No record batch is empty, and none ends within an entry."""
        for part in self._parts_of(selection):
            try:
                for batch in self._batches_of(part, selection):
                    if batch.num_rows:
                        yield batch
            except RecordingError as error:
                self._meet(error)

    def sources(self, selection: Selection) -> tuple[list[Path], list[Rows]]:
        """Finished files, whose checksums match, and rows as in files: they hold the selected rows, and others too."""
        files: list[Path] = []
        rest: list[Rows] = []
        for part in self._parts_of(selection):
            try:
                if part.crc32 is None:
                    rest += self._open_rows(part)
                else:
                    check_finished(self.folder, part)
                    files.append(self.folder / part.file)
            except RecordingError as error:
                self._meet(error)
        return files, rest

    def _parts_of(self, selection: Selection) -> Iterator[Part]:
        return (part for part in self.parts if selection.overlaps(part.start_ms, part.end_ms))

    def _batches_of(self, part: Part, selection: Selection) -> Iterator[Rows]:
        if part.crc32 is None:
            for batch in self._open_rows(part):
                yield selected(in_memory(batch), selection)
        else:
            verify(self.folder, part)
            yield from read_finished(self.folder / part.file, selection, part)

    def _open_rows(self, part: Part) -> Iterator[Rows]:
        """The rows, as in files, of a part that was not finished when the recording was opened; it may be by now."""
        try:
            for _, batch in read_open(self.folder / part.file, part.bytes):
                yield batch
        except FileNotFoundError:
            (finished,) = (each for each in manifest.read(self.folder).parts if each.number == part.number)
            for batch in self._batches_of(finished, Selection()):
                yield until_seq(in_files(batch), part.last_seq)

    # Which parts there are

    def _find_parts(self) -> tuple[Part, ...]:
        for _ in range(_LOOKS):
            known = self._read_manifest()
            try:
                return self._check(known)
            except FileNotFoundError:  # the recorder has finished it meanwhile: the manifest says so now
                continue
        raise RecordingError(str(self.folder), None, "its parts change faster than they can be looked at")

    def _read_manifest(self) -> Manifest:
        try:
            return manifest.read(self.folder)
        except RecordingError as error:
            self._meet(error)
        return self._reconstruct_manifest()

    def _reconstruct_manifest(self) -> Manifest:
        """The manifest that the files themselves give: without the real one nobody knows what is missing."""
        parts: list[Part] = []
        for number in manifest.part_numbers(self.folder)["parquet"] if self.folder.is_dir() else ():
            try:
                parts.append(described(self.folder, number))
            except RecordingError as error:
                self._meet(error)
        return Manifest(tuple(parts))

    def _check(self, known: Manifest) -> tuple[Part, ...]:
        """The parts whose files are there and have the right size, and the one that is being written.

        Raises:
            FileNotFoundError: the part that was being written is finished by now.
        """
        parts: list[Part] = []
        for part in known.parts:
            try:
                verify_size(self.folder, part)
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
        elif known.open == number:
            if manifest.read(self.folder) != known:
                raise FileNotFoundError(path)
            self._meet(RecordingError(str(path), None, "this part of the recording is missing"))
        return tuple(parts)

    def _meet(self, error: RecordingError) -> None:
        """Note the error as a problem where salvage was asked for, else raise it."""
        if not self._salvage:
            raise error
        self.problems.append(error)
