"""A recording on disk, opened for reading: what a feed said, as entries, as Arrow, as polars.

Nothing is read of a part before it is asked for; then its checksums are compared first.
"""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cgrx._model.channels import Channel
from cgrx._model.errors import RecordingError
from cgrx._recording import manifest
from cgrx._recording.entry import Recorded
from cgrx._recording.extra import require_extra
from cgrx._recording.manifest import Manifest, Part

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa

    from cgrx._recording.selection import Wanted

_LOOKS = 5
"""So often a manifest is read again where the recorder finishes a part at that moment."""


class Recording:
    """A recording, opened for reading; also one that is being written at this moment, as far as it is.

    Needs the extra `recording`.

    Args:
        folder: where it is.
        salvage: give what can be read where something is damaged or missing, instead of raising. `problems` says what
            was found.

    Raises:
        RecordingError: there is none, a part of it is missing, or it is damaged: with the file and the place.
        ImportError: pyarrow is not installed.
    """

    def __init__(self, folder: str | os.PathLike[str], *, salvage: bool = False) -> None:
        require_extra("Recording()")
        self.folder = Path(folder)
        self._salvage = salvage
        self._problems: list[RecordingError] = []
        self._parts = self._found()

    def __repr__(self) -> str:
        return f"Recording({str(self.folder)!r})"

    @property
    def parts(self) -> tuple[Part, ...]:
        """Its parts in order, the one that is not finished last."""
        return self._parts

    @property
    def channels(self) -> tuple[Channel, ...]:
        """The channels that it holds, in the order of their names."""
        from cgrx._recording.schema import channel_named

        return tuple(channel_named(name) for name in sorted({name for part in self.parts for name in part.channels}))

    @property
    def start_ms(self) -> int:
        """The earliest time of receipt, milliseconds since the epoch; 0 where it is empty."""
        return min((part.start_ms for part in self.parts), default=0)

    @property
    def end_ms(self) -> int:
        """The latest."""
        return max((part.end_ms for part in self.parts), default=0)

    @property
    def events(self) -> int:
        """How many events it holds."""
        return sum(part.events for part in self.parts)

    @property
    def problems(self) -> tuple[RecordingError, ...]:
        """With `salvage`: what could not be read, as far as it has been found out."""
        return tuple(self._problems)

    def entries(
        self,
        *,
        channels: Iterable[Channel | str] | None = None,
        start_ms: int | None = None,
        end_ms: int | None = None,
    ) -> Iterator[Recorded]:
        """What the feed said, in order. Holds one record batch at a time.

        Args:
            channels: of these alone (values or wire names), and of the status; by default everything.
            start_ms: what was received then or later, milliseconds since the epoch.
            end_ms: what was received before.

        Raises:
            RecordingError: damage, with the file and the place.
        """
        from cgrx._recording.schema import from_rows

        for batch in self.batches(channels=channels, start_ms=start_ms, end_ms=end_ms):
            yield from from_rows(batch)

    def batches(
        self,
        *,
        channels: Iterable[Channel | str] | None = None,
        start_ms: int | None = None,
        end_ms: int | None = None,
    ) -> "Iterator[pa.RecordBatch]":
        """The same as rows: record batches with the columns of docs/recording.md, in order.

        What was said at once is never divided between two of them. Arguments and errors as of `entries`.
        """
        from cgrx._recording.selection import Wanted

        names = None if channels is None else tuple(each if isinstance(each, str) else each.name for each in channels)
        wanted = Wanted(names, start_ms, end_ms)
        for part in self.parts:
            if wanted.holds(part.start_ms, part.end_ms):
                try:
                    for batch in self._batches_of(part, wanted):
                        if batch.num_rows:
                            yield batch
                except RecordingError as error:
                    self._met(error)

    def to_arrow(self) -> "pa.Table":
        """All rows as a table in memory.

        Raises:
            RecordingError: damage, with the file and the place.
        """
        import pyarrow as pa

        from cgrx._recording.schema import MEMORY_SCHEMA

        return pa.Table.from_batches(self.batches(), MEMORY_SCHEMA)

    def to_polars(self) -> "pl.LazyFrame":
        """All rows as a lazy query of polars: finished parts are scanned, and only as far as the query needs.

        The checksums of all parts are compared first.

        Raises:
            RecordingError: damage, with the file and the place.
            ImportError: polars is not installed.
        """
        import polars as pl

        from cgrx._recording.arrow import pa
        from cgrx._recording.finished_part import verify
        from cgrx._recording.schema import SCHEMA

        files: list[Path] = []
        rest: list[Any] = []
        for part in self.parts:
            try:
                if part.crc32 is None:
                    rest += self._open_rows(part)
                else:
                    verify(self.folder, part)
                    files.append(self.folder / part.file)
            except RecordingError as error:
                self._met(error)
        unfinished = pl.DataFrame(pa.Table.from_batches(rest, SCHEMA))
        return pl.concat([*([pl.scan_parquet(files)] if files else []), unfinished.lazy()])

    def _batches_of(self, part: Part, wanted: "Wanted") -> "Iterator[pa.RecordBatch]":
        from cgrx._recording.finished_part import read_finished, verify
        from cgrx._recording.schema import in_memory

        if part.crc32 is None:
            for batch in self._open_rows(part):
                yield wanted.of(in_memory(batch))
        else:
            verify(self.folder, part)
            yield from read_finished(self.folder / part.file, wanted)

    def _open_rows(self, part: Part) -> "Iterator[pa.RecordBatch]":
        """The rows of a part that was not finished when the recording was opened, as in files; it may be by now."""
        from cgrx._recording.open_part import read_open
        from cgrx._recording.schema import in_files, until_seq
        from cgrx._recording.selection import Wanted

        try:
            for _, batch in read_open(self.folder / part.file, part.bytes):
                yield batch
        except FileNotFoundError:
            (finished,) = (each for each in manifest.read(self.folder).parts if each.number == part.number)
            for batch in self._batches_of(finished, Wanted(None, None, None)):
                yield until_seq(in_files(batch), part.last_seq)

    # What there is

    def _found(self) -> tuple[Part, ...]:
        for _ in range(_LOOKS):
            known = self._manifest()
            try:
                return self._checked(known)
            except FileNotFoundError:  # the recorder has finished it meanwhile: the manifest says so now
                continue
        raise RecordingError(str(self.folder), None, "its parts change faster than they can be looked at")

    def _manifest(self) -> Manifest:
        try:
            return manifest.read(self.folder)
        except RecordingError as error:
            self._met(error)
        return self._without_manifest()

    def _without_manifest(self) -> Manifest:
        """What the files themselves say: without a manifest nobody knows what is missing."""
        from cgrx._recording.finished_part import described

        parts: list[Part] = []
        for number in manifest.part_numbers(self.folder)["parquet"] if self.folder.is_dir() else ():
            try:
                parts.append(described(self.folder, number))
            except RecordingError as error:
                self._met(error)
        return Manifest(tuple(parts))

    def _checked(self, known: Manifest) -> tuple[Part, ...]:
        from cgrx._recording.finished_part import verify_size
        from cgrx._recording.open_part import summarized

        parts: list[Part] = []
        for part in known.parts:
            try:
                verify_size(self.folder, part)
                parts.append(part)
            except RecordingError as error:
                self._met(error)
        number = known.next_number
        path = self.folder / manifest.open_name(number)
        if path.exists():
            unfinished, damage = summarized(self.folder, number)
            if damage is not None:
                self._met(damage)
            if unfinished is not None:
                place = f"seq {unfinished.first_seq}"
                if unfinished.first_seq != known.next_seq:
                    self._met(RecordingError(str(path), place, "it does not follow the part before"))
                parts.append(unfinished)
        elif known.open == number:
            if manifest.read(self.folder) != known:
                raise FileNotFoundError(path)
            self._met(RecordingError(str(path), None, "this part of the recording is missing"))
        return tuple(parts)

    def _met(self, error: RecordingError) -> None:
        """Something is wrong: the end of it, or one more problem."""
        if not self._salvage:
            raise error
        self._problems.append(error)
