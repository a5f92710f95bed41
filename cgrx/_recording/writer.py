"""Writes a recording, without an event loop: entries become rows, rows go to the open part, full parts are finished.

append ──► rows in memory ──flush──► part-N.open ──full, or the UTC hour turns──► part-N.parquet, manifest
"""

from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from filelock import FileLock, Timeout

from cgrx._model.channels import Channel
from cgrx._model.data_errors import RecordingError
from cgrx._model.signals import Signal
from cgrx._model.status import Status
from cgrx._recording import manifest
from cgrx._recording.entry import Recorded, said_ms
from cgrx._recording.finished_part import finish
from cgrx._recording.manifest import PART_BYTES, Manifest, Part
from cgrx._recording.open_part import OpenPart, read_open
from cgrx._recording.schema import RowBuilder

_HOUR_MS = 3_600_000
_BUFFER_ROWS = 65_536
"""How many rows are collected before they are flushed unasked."""


class RecordingWriter:
    """Writes a new recording, or continues one. One writer at a time, in one thread at a time.

    The part that a killed writer left is finished first. Use it as a context manager, or call `close`.

    Args:
        folder: of the recording; made if it is missing.
        part_bytes: the size at which a part is finished.

    Raises:
        RecordingError: another writer is at work there, or what is there is damaged.
        OSError: nothing can be written there.
    """

    def __init__(self, folder: Path, *, part_bytes: int = PART_BYTES) -> None:
        self.folder = folder
        self._part_bytes = part_bytes
        folder.mkdir(parents=True, exist_ok=True)
        if not manifest.is_fit(folder):
            raise RecordingError(str(folder), None, "the folder is not empty, and holds no recording: give a new one")
        self._lock = FileLock(folder / manifest.LOCK, timeout=0, thread_local=False)
        try:
            self._lock.acquire()
        except Timeout:
            raise RecordingError(str(folder), None, "another recorder is writing there") from None
        try:
            self._manifest = self._recovered()
        except BaseException:
            self._lock.release()
            raise
        self._rows = RowBuilder(self._manifest.next_seq, max((part.end_ms for part in self._manifest.parts), default=0))
        self._open: OpenPart | None = None
        self._hour: int | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def bytes(self) -> int:
        """The size of all parts, the open one included."""
        return sum(part.bytes for part in self.parts) + (0 if self._open is None else self._open.bytes)

    @property
    def parts(self) -> tuple[Part, ...]:
        """The finished parts."""
        return self._manifest.parts

    def append(self, *entries: Recorded) -> None:
        """Add entries. Raises as `add` does."""
        for entry in entries:
            self.add(entry.channel, entry.said)

    def add(self, channel: Channel | None, said: Signal[Any] | Status) -> None:
        """Add a signal of a channel's stream, or a status, with `channel` None.

        Raises:
            ValueError: a feed does not give that on this stream.
            OSError: a part could not be written.
        """
        hour = max(self._rows.now_ms, said_ms(said)) // _HOUR_MS
        if hour != self._hour:
            if self._hour is not None:
                self.finish()
            self._hour = hour
        self._rows.add(channel, said)
        if len(self._rows) >= _BUFFER_ROWS:
            self.flush()

    def write(self, heard: Iterable[Any]) -> None:
        """Add channels and what came on them, in turns, and flush. Raises as `add` and `flush` do."""
        each = iter(heard)
        for channel, said in zip(each, each, strict=True):
            self.add(channel, said)
        self.flush()

    def flush(self) -> None:
        """Hand all rows to the operating system. Then they outlive this process.

        Raises:
            OSError: it could not be written.
        """
        if not len(self._rows):
            return
        batch = self._rows.take()
        if self._open is None:
            number = self._manifest.next_number
            self._open = OpenPart(self.folder, number, batch.column("seq")[0].as_py())
            self._replace_manifest(Manifest(self._manifest.parts, number))
        self._open.write(batch)
        if self._open.bytes >= self._part_bytes:
            self.finish()

    def finish(self) -> None:
        """Flush, and turn the open part into a finished one.

        Raises:
            OSError: it could not be written; what was flushed stays where it was.
        """
        self.flush()
        if self._open is None:
            return
        self._replace_manifest(_with_finished(self.folder, self._manifest, self._open.number))
        self._open.close()
        self._open.path.unlink()
        self._open = None

    def close(self) -> None:
        """Finish the last part and release the folder.

        Raises:
            OSError: it could not be written; what was flushed stays where it was.
        """
        try:
            self.finish()
        finally:
            self.abandon()

    def abandon(self) -> None:
        """Release the folder. What was flushed stays where it is, and the next writer finishes it."""
        if self._open is not None:
            self._open.close()
        self._lock.release()

    def _replace_manifest(self, changed: Manifest) -> None:
        manifest.write(self.folder, changed)
        self._manifest = changed

    def _recovered(self) -> Manifest:
        """The manifest, after the drafts and the open part that a killed writer left have been put in order."""
        for draft in manifest.drafts(self.folder):
            draft.unlink()
        found = manifest.part_numbers(self.folder)
        if not (self.folder / manifest.NAME).exists():
            if any(found.values()):
                raise RecordingError(str(self.folder / manifest.NAME), None, "the manifest of these parts is missing")
            manifest.write(self.folder, Manifest())
        known = manifest.read(self.folder)
        for kind, numbers in found.items():
            for number in numbers:
                if number > known.next_number or (number == known.next_number and number not in found["open"]):
                    file = f"part-{number:08}.{kind}"
                    raise RecordingError(str(self.folder / file), None, "the manifest does not know this part")
        if known.open is not None and known.open not in found["open"]:
            file = manifest.open_name(known.open)
            raise RecordingError(str(self.folder / file), None, "this part of the recording is missing")
        for number in found["open"]:
            if number == known.next_number:
                known = _with_finished(self.folder, known, number)
                manifest.write(self.folder, known)
            (self.folder / manifest.open_name(number)).unlink()
        return known


def _with_finished(folder: Path, known: Manifest, number: int) -> Manifest:
    """The manifest with the open part as a finished one, or without it where it holds no rows."""
    batches = [batch for _, batch in read_open(folder / manifest.open_name(number))]
    return Manifest((*known.parts, finish(folder, number, batches)) if batches else known.parts)


def write_recording(folder: Path, entries: Iterable[Recorded], *, part_bytes: int = PART_BYTES) -> None:
    """Write entries into a folder, as a new recording or behind those that it holds."""
    with RecordingWriter(folder, part_bytes=part_bytes) as writer:
        writer.append(*entries)
