"""`Recording`: a recording on disk, opened for reading as entries, as Arrow or as polars.

This module imports without pyarrow and polars; the modules that need these are imported when a recording is opened.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from cgrx._extras import require_extra
from cgrx._model import html
from cgrx._model.channels import Channel
from cgrx._model.data_errors import RecordingError
from cgrx._model.times import Moment
from cgrx._recording.entry import Recorded
from cgrx._recording.manifest import Part
from cgrx._recording.selection import Selection

if TYPE_CHECKING:  # for signatures alone: both are extras
    import polars as pl
    import pyarrow as pa

    from cgrx._recording.scan import Scan


_SHOWN = 10
"""How many channels a notebook shows by name."""


class Recording:
    """A recording, opened for reading. One that is being written at this moment is read as far as it has come.

    Needs the extra `recording`.

    Args:
        folder: where it is.
        salvage: where something is damaged or missing, read the rest instead of raising. `problems` has what was found.

    Raises:
        RecordingError: there is none, a part of it is missing, or it is damaged; with the file and the place.
        ImportError: pyarrow is not installed.

    Examples:
        >>> import msgspec, pathlib
        >>> _ = pathlib.Path("day.jsonl").write_bytes(
        ...     msgspec.json.encode(liquidation("long", 5_000.0, time="1s"))
        ... )
        >>> _ = cgrx.import_jsonl("day.jsonl", "day", events="liquidations")
        >>> recording = cgrx.Recording("day")
        >>> recording.events, recording.channels, recording.problems
        (1, (LiquidationOrders(),), ())
        >>> recording.to_polars().collect()["volume_usd"].to_list()
        [5000.0]
    """

    def __init__(self, folder: str | os.PathLike[str], *, salvage: bool = False) -> None:
        require_extra("Recording()")
        from cgrx._recording import reader, schema

        self.folder = Path(folder)
        self._reader = reader.Reader(self.folder, salvage)
        self._schema = schema

    def __repr__(self) -> str:
        return f"Recording({str(self.folder)!r})"

    def _repr_html_(self) -> str:
        channels, problems = self.channels, self.problems
        told = {
            "events": self.events,
            "first received": f"{html.moment(self.start_ms)} UTC",
            "last received": f"{html.moment(self.end_ms)} UTC",
            "parts": len(self.parts),
            "channels": ", ".join(channel.name for channel in channels[:_SHOWN]) or "none",
        }
        if len(channels) > _SHOWN:
            told["further channels"] = len(channels) - _SHOWN
        if problems:
            told["DAMAGED"] = f"{len(problems):,} problems, the first: {problems[0]}"
        return html.page(html.titled("Recording", self.folder), html.facts(told, ["DAMAGED"]))

    @property
    def parts(self) -> tuple[Part, ...]:
        """Its parts as they were recorded, in order, the one that is not finished last.

        Where the recording has been compacted, the rows of the finished ones stand in other files.
        """
        return self._reader.parts

    @property
    def channels(self) -> tuple[Channel, ...]:
        """The channels that it holds, in the order of their names."""
        names = sorted({name for part in self._reader.held for name in part.channels})
        return tuple(map(self._schema.channel_named, names))

    @property
    def start_ms(self) -> int:
        """The earliest time of receipt, milliseconds since the epoch; 0 where it is empty."""
        return min((part.start_ms for part in self._reader.held), default=0)

    @property
    def end_ms(self) -> int:
        """The latest time of receipt, milliseconds since the epoch; 0 where it is empty."""
        return max((part.end_ms for part in self._reader.held), default=0)

    @property
    def events(self) -> int:
        """How many events it holds."""
        return sum(part.events for part in self._reader.held)

    @property
    def problems(self) -> tuple[RecordingError, ...]:
        """With `salvage`: the damage that has been met so far."""
        return tuple(self._reader.problems)

    def entries(
        self,
        *,
        channels: Iterable[Channel | str] | None = None,
        start: Moment | None = None,
        end: Moment | None = None,
    ) -> Iterator[Recorded]:
        """The entries in order: the signals of the channels, and the statuses. Holds one record batch at a time.

        Args:
            channels: only the entries of these (values or wire names), and the statuses; by default all. A channel that
                the recording does not hold adds nothing.
            start: leave out what was received before: an aware `datetime`, milliseconds since the epoch, or ISO 8601.
            end: leave out what was received then or later, in the same forms.

        Raises:
            ValueError, TypeError: an argument cannot be used.
            RecordingError: damage, with the file and the place; while iterating.
        """
        rows = self._reader.batches(Selection.of(channels, start, end))
        return (entry for batch in rows for entry in self._schema.from_rows(batch))

    def batches(
        self,
        *,
        channels: Iterable[Channel | str] | None = None,
        start: Moment | None = None,
        end: Moment | None = None,
    ) -> Iterator[pa.RecordBatch]:
        """The same as rows: record batches with the columns of docs/recording.md, in order.

        The rows of one entry are never divided between two of them. Arguments and errors as of `entries`.
        """
        return self._reader.batches(Selection.of(channels, start, end))

    def to_arrow(
        self,
        *,
        channels: Iterable[Channel | str] | None = None,
        start: Moment | None = None,
        end: Moment | None = None,
    ) -> pa.Table:
        """The rows as a table in memory. Arguments and errors as of `entries`; damage raises at once."""
        table: pa.Table = self._schema.to_table(self._reader.batches(Selection.of(channels, start, end)))
        return table

    def to_polars(
        self,
        *,
        channels: Iterable[Channel | str] | None = None,
        start: Moment | None = None,
        end: Moment | None = None,
    ) -> pl.LazyFrame:
        """The rows as a lazy query of polars: finished parts are scanned, and only as far as the query needs.

        Arguments as of `entries`. The checksums of the parts in this time are compared first.

        Raises:
            ValueError, TypeError: an argument cannot be used.
            RecordingError: damage, with the file and the place.
            ImportError: polars is not installed.
        """
        require_extra("Recording.to_polars()", "frames")
        from cgrx._recording.scan import scan

        return scan(self._reader, Selection.of(channels, start, end))

    def _scans(self, selection: Selection, *, alone: bool = False) -> list[Scan]:
        """The same for a backtest, which asks for no more than it needs; but statuses."""
        from cgrx._recording.scan import scans

        return scans(self._reader, selection, alone=alone)
