"""The work of `compact`.

    rows in order ──► a file for each channel, in a draft ──► renamed: read from there ──► superseded files removed

Until the renaming the rows are read from the old files, and from then on from the new ones, whenever a process is
killed. A recorder may be at work beside it: neither the manifest nor the part that is being written is touched.
"""

import os
import shutil
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import pairwise
from pathlib import Path
from typing import NoReturn

import attrs
from filelock import FileLock, Timeout

from cgrx._model.data_errors import RecordingError
from cgrx._recording import manifest, stretch
from cgrx._recording.arrow import Rows, pc
from cgrx._recording.by_channel import ChannelFiles
from cgrx._recording.compacted import Compacted
from cgrx._recording.manifest import COMPACT_LOCK, LOCK, Manifest, Part
from cgrx._recording.reader import Reader
from cgrx._recording.schema import channel_named
from cgrx._recording.selection import Selection
from cgrx._recording.stretch import Stretch, folder_of

_MOST_FILES = 256
"""So many files are written at once; of more channels the rows are read once more for as many again."""

_GROWTH = 2
"""A stretch with fewer than so many times the rows that follow it is written anew with them.

So there are few stretches however often a recording is compacted, and a row is rewritten about as often as the rows
double.
"""

Tell = Callable[[int, int], object]
"""Is given the rows that are written so far, and all that will be."""


@attrs.frozen
class _Source:
    """Entries of a recording that become those of another one."""

    reader: Reader
    parts: tuple[Part, ...]
    """As they are called there."""
    shift: int
    """What is added to their `seq`."""

    def rows(self, selection: Selection) -> Iterator[Rows]:
        after_seq, until_seq = self.parts[0].first_seq - 1, self.parts[-1].last_seq
        for batch in self.reader.batches(selection, after_seq=after_seq, until_seq=until_seq):
            place = batch.schema.get_field_index("seq")
            yield batch.set_column(place, "seq", pc.add(batch.column("seq"), self.shift)) if self.shift else batch

    def moved(self) -> list[Part]:
        """The parts as they are called in the other recording, but for their numbers."""
        return [
            attrs.evolve(part, first_seq=part.first_seq + self.shift, last_seq=part.last_seq + self.shift)
            for part in self.parts
        ]


def rewrite(folder: Path, tell: Tell) -> Compacted:
    """Rewrite the finished parts of a recording where it is. Raises as `compact` does."""
    manifest.read(folder)  # before a lock is made where no recording is
    with _locked(folder, COMPACT_LOCK, "another process is compacting it"):
        reader = Reader(folder, salvage=False)
        known = manifest.read(folder)
        used = stretch.in_use(folder, known, _refuse)
        _remove_superseded(folder, used)
        fresh = known.parts[used[-1].numbers[1] + 1 :] if used else known.parts
        if not fresh:
            return Compacted(folder, 0, 0, 0, 0, 0)
        written = _rewritten(folder, used, fresh, [_Source(reader, fresh, 0)], tell)
        _remove_superseded(folder, [written])
        return _compacted(folder, written, len(fresh))


def join(folders: Sequence[Path], to: Path, tell: Tell) -> Compacted:
    """Join the finished parts of consecutive recordings into one. Raises as `compact` does."""
    readers = _consecutive(folders, to)
    to.mkdir(parents=True, exist_ok=True)
    if not manifest.is_fit(to):
        raise RecordingError(str(to), None, "the folder is not empty, and holds no recording: give a new one")
    with (
        _locked(to, LOCK, "a recorder is writing there"),
        _locked(to, COMPACT_LOCK, "another process is compacting it"),
    ):
        known = manifest.read(to) if (to / manifest.NAME).exists() else Manifest()
        sources = _missing(readers, known, to)
        used = stretch.in_use(to, known, _refuse)
        _remove_superseded(to, used)
        moved = (part for source in sources for part in source.moved())
        parts = [attrs.evolve(part, number=len(known.parts) + at) for at, part in enumerate(moved)]
        if not parts:
            return Compacted(to, 0, 0, 0, 0, 0)
        if used and used[-1].numbers[1] + 1 < len(known.parts):
            used = []  # a recorder has added parts, which are not by channel yet: what is new stands by itself
        written = _rewritten(to, used, parts, sources, tell)
        manifest.write(to, Manifest((*known.parts, *parts)))
        _remove_superseded(to, [written])
        return _compacted(to, written, len(parts))


def _consecutive(folders: Sequence[Path], to: Path) -> list[Reader]:
    """The recordings that are to be joined, in the order of their times."""
    if to.resolve() in [folder.resolve() for folder in folders]:
        raise ValueError(f"to={str(to)!r} is one of the recordings: the joint one needs a folder of its own")
    readers = [Reader(folder, salvage=False) for folder in folders]
    found = sorted((each for each in readers if each.parts), key=lambda each: each.held[0].start_ms)
    for one, other in pairwise(found):
        end_ms, start_ms = max(part.end_ms for part in one.held), min(part.start_ms for part in other.held)
        if end_ms > start_ms:
            raise ValueError(
                f"{one.folder} goes on until {end_ms}, and {other.folder} begins at {start_ms} (milliseconds since the"
                " epoch): recordings are joined one after the other, a replay joins those that overlap"
            )
        if one.parts[-1].crc32 is None:
            raise ValueError(f"{one.folder} has a part that is not finished: let the last recording alone have one")
    return found


def _missing(readers: Sequence[Reader], known: Manifest, to: Path) -> list[_Source]:
    """What of these recordings is not in the joint one yet."""
    sources: list[_Source] = []
    number = seq = 0
    for reader in readers:
        finished = tuple(part for part in reader.parts if part.crc32 is not None)
        if not finished:
            continue
        whole = _Source(reader, finished, seq)
        count = min(len(finished), max(0, len(known.parts) - number))
        same = [attrs.evolve(part, number=number + at) for at, part in enumerate(whole.moved()[:count])]
        if tuple(same) != known.parts[number : number + count]:
            break
        if count < len(finished):
            sources.append(attrs.evolve(whole, parts=finished[count:]))
        number, seq = number + len(finished), seq + finished[-1].last_seq + 1
    else:
        if number >= len(known.parts) and known.open is None:
            return sources
    raise RecordingError(str(to), None, "it holds something else than these recordings: give a new folder")


def _rewritten(
    folder: Path, used: Sequence[Stretch], fresh: Sequence[Part], sources: Sequence[_Source], tell: Tell
) -> Stretch:
    """The new stretch of these parts, and of the stretches before it that are small beside it."""
    old: list[Part] = []
    for small in reversed(used):
        if small.rows >= _GROWTH * sum(part.rows for part in (*old, *fresh)):
            break
        old[:0] = small.parts
    if old:
        sources = [_Source(Reader(folder, salvage=False), tuple(old), 0), *sources]
    parts = (*old, *fresh)
    numbers = parts[0].number, parts[-1].number
    draft, whole = folder_of(folder, numbers, draft=True), folder_of(folder, numbers)
    try:
        draft.mkdir()
        written = Stretch(parts, _files(draft, parts, sources, tell))
        stretch.write(draft, written)
        _sync(draft)
        shutil.rmtree(whole, ignore_errors=True)  # of a joining that was killed; nobody reads it
        draft.rename(whole)
        _sync(folder)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return written


def _files(folder: Path, parts: Sequence[Part], sources: Sequence[_Source], tell: Tell) -> tuple[Part, ...]:
    names = sorted({name for part in parts for name in part.channels})
    total, done = sum(part.rows for part in parts), 0
    files: list[Part] = []
    for start in range(0, max(1, len(names)), _MOST_FILES):
        chosen = tuple(map(channel_named, names[start : start + _MOST_FILES]))
        with ChannelFiles(folder, len(files)) as written:
            for source in sources:
                for batch in source.rows(Selection(chosen)):
                    rows = batch.filter(pc.is_valid(batch.column("channel"))) if start else batch  # statuses stand once
                    written.add(rows)
                    done += rows.num_rows
                    tell(done, total)
            files += written.finish()
    return tuple(files)


def _remove_superseded(folder: Path, used: Sequence[Stretch]) -> None:
    files, folders = stretch.superseded(folder, used)
    for file in files:
        file.unlink()
    for each in folders:
        shutil.rmtree(each)


def _compacted(folder: Path, written: Stretch, count: int) -> Compacted:
    return Compacted(
        folder,
        count,
        written.rows,
        sum(bool(file.channels) for file in written.files),
        sum(part.bytes for part in written.parts),
        sum(file.bytes for file in written.files),
    )


@contextmanager
def _locked(folder: Path, name: str, reason: str) -> Generator[None]:
    lock = FileLock(folder / name, timeout=0, thread_local=False)
    try:
        lock.acquire()
    except Timeout:
        raise RecordingError(str(folder), None, reason) from None
    try:
        yield
    finally:
        lock.release()


def _sync(folder: Path) -> None:
    """Write the names in a folder through, where the system can."""
    with suppress(PermissionError):  # as on Windows
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _refuse(error: RecordingError) -> NoReturn:
    raise error
