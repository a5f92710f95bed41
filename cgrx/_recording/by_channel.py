"""Writes rows into a file for each channel: one pass over rows in order, in bounded memory."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import attrs

from cgrx._recording.arrow import Rows, pa, pc
from cgrx._recording.finished_part import GROUP_ROWS, checksum_of, parquet_writer
from cgrx._recording.manifest import Part, finished_name
from cgrx._recording.schema import SCHEMA, in_files
from cgrx._recording.summary import Summary

_MOST_ROWS = 2**20
"""The most rows that wait in memory, of all channels together: about 100 MB."""


@attrs.define(eq=False)
class _File:
    """The file of a channel, and the rows that wait until a row group is full."""

    number: int
    file: IO[bytes]
    writer: Any
    summary: Summary
    waiting: list[Rows] = attrs.field(factory=list[Rows])
    count: int = 0

    def add(self, rows: Rows) -> None:
        self.waiting.append(rows)
        self.count += rows.num_rows
        self.summary.add(rows)

    def write(self) -> None:
        """Write what waits, as one row group."""
        table = pa.Table.from_batches(map(in_files, self.waiting), SCHEMA)
        self.writer.write_table(table, row_group_size=self.count)
        self.waiting.clear()
        self.count = 0

    def finish(self) -> Part:
        """Write the rest through; what the file holds."""
        if self.count:
            self.write()
        self.writer.close()
        self.file.flush()
        os.fsync(self.file.fileno())
        checksum = checksum_of(self.file)
        return self.summary.part(self.number, self.file.tell(), checksum)


class ChannelFiles:
    """Files of one channel each, and one for the rows that belong to none. A context manager, which closes them.

    Args:
        folder: where they are made.
        first_number: the number of the first file.
    """

    def __init__(self, folder: Path, first_number: int) -> None:
        self._folder = folder
        self._first_number = first_number
        self._files: dict[str | None, _File] = {}
        self._waiting = 0
        self._closing = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.close()

    def add(self, batch: Rows) -> None:
        """Add rows as in memory, in order, which hold each of their entries whole.

        Raises:
            OSError: a file could not be made or written.
        """
        for name, rows in _by_channel(batch):
            file = self._files.get(name) or self._new(name, rows.column("seq")[0].as_py())
            file.add(rows)
            self._waiting += rows.num_rows
            if file.count >= GROUP_ROWS:
                self._write(file)
        while self._waiting > _MOST_ROWS:
            self._write(max(self._files.values(), key=lambda file: file.count))

    def finish(self) -> list[Part]:
        """Write the rest, all of it through to the disk; what each file holds.

        Raises:
            OSError: it could not be written.
        """
        return [file.finish() for file in self._files.values()]

    def _write(self, file: _File) -> None:
        self._waiting -= file.count
        file.write()

    def _new(self, name: str | None, seq: int) -> _File:
        number = self._first_number + len(self._files)
        opened = self._closing.enter_context((self._folder / finished_name(number)).open("w+b"))
        writer = self._closing.enter_context(parquet_writer(opened))
        self._files[name] = _File(number, opened, writer, Summary.before(seq))
        return self._files[name]


def _by_channel(batch: Rows) -> Iterator[tuple[str | None, Rows]]:
    """The rows of each channel, in order."""
    channel = batch.column("channel")
    codes = pc.fill_null(channel.indices, -1)
    if pc.count_distinct(codes).as_py() > 1:
        order = pc.sort_indices(codes)  # which is stable
        batch, codes = batch.take(order), codes.take(order)
    start = 0
    for end in pc.run_end_encode(codes).run_ends.to_pylist():
        yield batch.column("channel")[start].as_py(), batch.slice(start, end - start)
        start = end
