"""A recording on disk, opened for reading: what a feed said, as entries, as Arrow, as polars.

Nothing is read of a part before it is asked for; then its checksums are compared first.
"""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from cgrx import _recording_manifest as manifest
from cgrx._channels import Channel
from cgrx._errors import RecordingError
from cgrx._recorded import Recorded
from cgrx._recording_manifest import Manifest, Part

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa


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
        self.folder = Path(folder)
        self._salvage = salvage
        self._problems: list[RecordingError] = []
        found = self._manifest()
        self._finished = found.parts
        self._open = self._open_part(found)

    def __repr__(self) -> str:
        return f"Recording({str(self.folder)!r})"

    @property
    def parts(self) -> tuple[Part, ...]:
        """Its parts in order, the one that is not finished last."""
        return (*self._finished, *([self._open] if self._open is not None else []))

    @property
    def channels(self) -> tuple[Channel, ...]:
        """The channels that it holds, in the order of their names."""
        names = {name for part in self.parts for name in part.channels}
        from cgrx._recording_schema import channel_named

        return tuple(channel_named(name) for name in sorted(names))

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
        from cgrx._recording_schema import from_rows

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
        from cgrx._recording_parts import Wanted

        names = None if channels is None else tuple(each if isinstance(each, str) else each.name for each in channels)
        wanted = Wanted(names, start_ms, end_ms)
        for part in self.parts:
            if not wanted.holds(part.start_ms, part.end_ms):
                continue
            try:
                for batch in self._batches_of(part, wanted):
                    if batch.num_rows:
                        yield batch
            except RecordingError as error:
                self._found(error)

    def to_arrow(self) -> "pa.Table":
        """All rows as a table in memory.

        Raises:
            RecordingError: damage, with the file and the place.
        """
        import pyarrow as pa

        from cgrx._recording_schema import MEMORY_SCHEMA

        return pa.Table.from_batches(self.batches(), MEMORY_SCHEMA)

    def to_polars(self) -> "pl.LazyFrame":
        """All rows as a lazy query of polars: finished parts are scanned, and only as far as the query needs.

        The checksums of all parts are compared first.

        Raises:
            RecordingError: damage, with the file and the place.
            ImportError: polars is not installed.
        """
        import polars as pl
        import pyarrow as pa

        from cgrx._recording_parts import read_open, verify
        from cgrx._recording_schema import SCHEMA

        files: list[Path] = []
        for part in self._finished:
            try:
                verify(self.folder, part)
                files.append(self.folder / part.file)
            except RecordingError as error:
                self._found(error)
        frames = [pl.scan_parquet(files)] if files else []
        if self._open is not None or not frames:
            batches = () if self._open is None else read_open(self.folder, self._open.number).batches
            frame = pl.from_arrow(pa.Table.from_batches(batches, SCHEMA))
            assert isinstance(frame, pl.DataFrame)  # of a table
            frames.append(frame.lazy())
        return pl.concat(frames)

    def _batches_of(self, part: Part, wanted: object) -> "Iterator[pa.RecordBatch]":
        from cgrx._recording_parts import read_finished, read_open, verify
        from cgrx._recording_schema import in_memory

        if part.crc32 is not None:
            verify(self.folder, part)
            yield from read_finished(self.folder / part.file, wanted)
        else:
            for batch in read_open(self.folder, part.number).batches:
                yield wanted.of(in_memory(batch))

    def _manifest(self) -> Manifest:
        return manifest.read(self.folder)

    def _open_part(self, found: Manifest) -> Part | None:
        from cgrx._recording_parts import read_open

        number = found.next_number
        path = self.folder / manifest.open_name(number)
        if not path.exists():
            return None
        content = read_open(self.folder, number)
        if content.damage is not None:
            self._found(content.damage)
        return content.part

    def _found(self, error: RecordingError) -> None:
        if not self._salvage:
            raise error
        self._problems.append(error)
