"""The signals of a playlist as columns: the events, marks and order that a replay of it would give.

One recording keeps its own numbers (`seq`) as places. Several are numbered anew, in the joint order of a replay.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache, cached_property, partial

import attrs
import polars as pl

from cgrx._backtest.arrivals import Arrivals, Loss, Marked
from cgrx._backtest.marks import Marks, marks
from cgrx._backtest.plan import Inexpressible
from cgrx._backtest.table import Table, told
from cgrx._model.channels import Channel
from cgrx._model.signals import Dropped, Gap
from cgrx._recording.known import common
from cgrx._recording.recording import Recording
from cgrx._recording.scan import Scan
from cgrx._replay.playlist import Playlist
from cgrx._replay.seams import REPLAYED_FROM_HERE, continued


class RecordedSource:
    """The channels of a playlist. State: all marks, once they are asked for, and the channels that were asked for.

    Raises:
        Inexpressible: there is a log without columns, or one whose clock was set back among others.
    """

    def __init__(self, playlist: Playlist) -> None:
        self._playlist = playlist
        self._logs = _scans(playlist)
        self._known: dict[Channel, Arrivals] = {}

    def __call__(self, channel: Channel) -> Arrivals:
        """The signals of a channel; the same marks, as objects, each time.

        Raises:
            ValueError: it is not replayed.
            Inexpressible: of its marks: a feed does not give some of them.
        """
        channel = self._playlist.held(channel)
        if channel not in self._known:
            self._known[channel] = self._read(channel)
        return self._known[channel]

    def _read(self, channel: Channel) -> Arrivals:
        logs = self._scans_of(channel)
        known = [scan.known for log in logs for scan in log]
        constant: Mapping[str, str] = common(known).texts if known else {}
        events, marked = cache(partial(self._events, channel, logs)), cache(partial(self._marks_of, channel))
        return Arrivals((channel,), events, marked, constant=constant, table=self._table)

    @cached_property
    def _marks(self) -> Marks:
        return marks(self._logs, self._playlist.lanes)

    def _marks_of(self, channel: Channel) -> Marked:
        losses = (*self._gap_at_start(channel), *self._losses(channel))
        return Marked(self._marks.proofs_of(channel.name), losses, self._marks.begin)

    def _scans_of(self, channel: Channel) -> list[list[Scan]]:
        """Of each log that holds a channel those of its scans that may have rows of it."""
        return [
            [scan for scan in scans if scan.channel in (None, channel.name)]
            for scans, log in zip(self._logs, self._playlist.logs, strict=True)
            if channel in log.channels
        ]

    def _of(self, channel: Channel, scan: Scan) -> pl.LazyFrame:
        """The rows of a channel in a scan, and perhaps those of no channel."""
        if scan.channel is not None or len(self._playlist.channels) == 1:
            return scan.rows
        return scan.rows.filter(pl.col("channel") == channel.name)

    def _events(self, channel: Channel, logs: Sequence[Sequence[Scan]]) -> pl.LazyFrame:
        """The events of a channel in order of arrival, out of these of its scans."""
        scans = [scan for log in logs for scan in log]
        if not scans:
            return self._logs[0][0].rows.clear()
        events = pl.concat(told(scan, self._of(channel, scan)) for scan in scans)
        return events.sort("seq", maintain_order=True) if len(logs) > 1 else events

    @cached_property
    def _table(self) -> Table:
        scans = [scan for log in self._logs for scan in log]
        in_order = len(self._logs) == 1 and all(scan.channel is None for scan in scans)
        return Table(scans, in_order, frozenset(self._playlist.channels))

    def _gap_at_start(self, channel: Channel) -> Iterator[Loss]:
        """The gap with which a channel begins that was heard before the start; before all entries."""
        running = self._playlist.running_at_start
        if channel in running:
            gap = Gap(channel, 0, self._playlist.start_ms, REPLAYED_FROM_HERE)
            yield Loss(running.index(channel) - len(running), gap)

    def _losses(self, channel: Channel) -> Iterator[Loss]:
        for at, mark in enumerate(self._marks.others.get(channel.name, ())):
            seq: int = mark["seq"]
            if mark["start_ms"] is not None:
                gap = Gap(channel, mark["start_ms"], mark["end_ms"], mark["text"])
                yield Loss(seq, continued(gap, self._heard_ms(channel, seq, at)) if gap.start_ms == 0 else gap)
            elif mark["count"] is not None:
                yield Loss(seq, self._marks.unreadable.get(seq) or Dropped(channel, mark["count"], mark["text"]))
            else:
                raise Inexpressible(f"{channel.name} holds watermarks, which a feed does not say")

    def _heard_ms(self, channel: Channel, seq: int, others: int) -> int | None:
        """When a channel was last heard before a gap, by an event, a proof or another gap; None where it was not.

        Before the gap came so many other marks than proofs.
        """
        heard: list[tuple[int, int]] = []
        if channel in self._playlist.running_at_start:
            heard.append((-1, self._playlist.start_ms))
        first = self._marks.proofs_of(channel.name)["seq"].head(1)
        if others or seq > self._marks.begin or (first < seq).any():
            is_heard = pl.col("price").is_not_null() | pl.col("end_ms").is_not_null()
            for log in self._scans_of(channel):
                for scan in log:
                    before = self._of(channel, scan).filter(is_heard, pl.col("seq") < seq)
                    heard += before.select("seq", "received_ms").tail(1).collect().iter_rows()
        return max(heard)[1] if heard else None


def _scans(playlist: Playlist) -> list[list[Scan]]:
    """The scans of each log; of several with their places in the joint order as `seq`."""
    recordings: list[Recording] = []
    for log in playlist.logs:
        if not isinstance(log, Recording):
            raise Inexpressible(f"{log!r} is a log without columns")
        recordings.append(log)
    found = [
        each._scans(playlist.selection, alone=len(recordings) == 1)  # pyright: ignore[reportPrivateUsage]  # made for this
        for each in recordings
    ]
    return found if len(found) == 1 else _numbered(found, recordings)


def _numbered(logs: Sequence[Sequence[Scan]], recordings: Sequence[Recording]) -> list[list[Scan]]:
    """The scans with places in the joint order: by time of receipt, then in the order of the recordings.

    Raises:
        Inexpressible: times of receipt go back within a recording, so that its order is not that of its times.
    """
    begins = (pl.col("seq") != pl.col("seq").shift()).fill_null(True)
    entries: list[pl.DataFrame] = []
    for index, (scans, recording) in enumerate(zip(logs, recordings, strict=True)):
        rows = pl.concat(scan.rows.select("seq", "received_ms") for scan in scans)
        found = rows.sort("seq", maintain_order=True).filter(begins).collect()
        if not found["received_ms"].is_sorted():
            raise Inexpressible(f"the clock of {recording!r} was set back, and there are several recordings")
        entries.append(found.with_columns(recording=pl.lit(index)))
    order = pl.concat(entries).sort("received_ms", "recording", "seq").with_row_index("place")
    numbered: list[list[Scan]] = []
    for index, scans in enumerate(logs):
        own = order.filter(pl.col("recording") == index)
        placed = _placed(own["seq"], own["place"].cast(pl.Int64))
        numbered.append([attrs.evolve(scan, rows=scan.rows.with_columns(placed)) for scan in scans])
    return numbered


def _placed(seqs: pl.Series, places: pl.Series) -> pl.Expr:
    """The column `seq` with each of these numbers, which rise, replaced by its place."""
    # Said to be elementwise, as it is: conditions on other columns are then still pushed down to the files.
    index = pl.col("seq").map_batches(seqs.search_sorted, pl.get_index_type(), is_elementwise=True)
    return index.map_batches(places.gather, pl.Int64, is_elementwise=True)
