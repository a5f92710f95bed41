"""The signals of a playlist as columns: the events, marks and order that a replay of it would give.

One recording keeps its own numbers (`seq`) as places. Several are numbered anew, in the joint order of a replay.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TypeAlias

import polars as pl

from cgrx._backtest.arrivals import Arrivals, Loss, Table
from cgrx._backtest.plan import Inexpressible
from cgrx._model.channels import Channel
from cgrx._model.signals import Dropped, Gap
from cgrx._recording.recording import Recording
from cgrx._replay.playlist import Playlist
from cgrx._replay.seams import REPLAYED_FROM_HERE, Charges, continued

_MARK = ("seq", "kind", "channel", "received_ms", "start_ms", "end_ms", "count", "text")
"""The columns of marks."""


_ByChannel: TypeAlias = dict[tuple[object, ...], pl.DataFrame]


class RecordedSource:
    """The channels of a playlist. State: all marks, and the channels that were asked for.

    Raises:
        Inexpressible: there is a log without columns, or one whose clock was set back among others.
    """

    def __init__(self, playlist: Playlist) -> None:
        self._playlist = playlist
        self._tables = _tables(playlist)
        self._marks = _marks(self._tables, playlist.lanes)
        self._begin = _begin(self._marks["seq"])
        self._unreadable = _unreadable(self._marks.filter(pl.col("kind") == "unreadable"))
        self._known: dict[Channel, Arrivals] = {}

    def __call__(self, channel: Channel) -> Arrivals:
        """The signals of a channel; the same marks, as objects, each time.

        Raises:
            ValueError: it is not replayed.
            Inexpressible: it holds marks that a feed does not give.
        """
        channel = self._playlist.held(channel)
        if channel not in self._known:
            self._known[channel] = self._read(channel)
        return self._known[channel]

    def _read(self, channel: Channel) -> Arrivals:
        if (self._of(channel, self._others)["kind"] == "watermark").any():
            raise Inexpressible(f"{channel.name} holds watermarks, which a feed does not say")
        events = self._events(channel)
        proofs = self._of(channel, self._proofs).select("seq", pl.col("end_ms").alias("at_ms"), "origin")
        losses = (*self._gap_at_start(channel), *self._losses(channel, events))
        return Arrivals((channel,), events, proofs, losses, table=self._table)

    def _of(self, channel: Channel, marks: _ByChannel) -> pl.DataFrame:
        return marks.get((channel.name,), self._marks.clear())

    @cached_property
    def _proofs(self) -> _ByChannel:
        return self._marks.filter(pl.col("kind") == "alive").partition_by("channel", as_dict=True)

    @cached_property
    def _others(self) -> _ByChannel:
        """The marks that are no proofs of life: few."""
        return self._marks.filter(pl.col("kind") != "alive").partition_by("channel", as_dict=True)

    def _events(self, channel: Channel) -> pl.LazyFrame:
        holding = [
            table for table, log in zip(self._tables, self._playlist.logs, strict=True) if channel in log.channels
        ]
        events = pl.concat(holding).filter(pl.col("price").is_not_null())
        if len(self._playlist.channels) > 1:
            events = events.filter(pl.col("channel") == channel.name)
        return events.sort("seq", maintain_order=True) if len(holding) > 1 else events

    @cached_property
    def _table(self) -> Table:
        events = pl.concat(self._tables).filter(pl.col("price").is_not_null())
        in_order = events.sort("seq", maintain_order=True) if len(self._tables) > 1 else events
        return Table(in_order, frozenset(self._playlist.channels), self._begin)

    def _gap_at_start(self, channel: Channel) -> Iterator[Loss]:
        """The gap with which a channel begins that was heard before the start; before all entries."""
        running = self._playlist.running_at_start
        if channel in running:
            gap = Gap(channel, 0, self._playlist.start_ms, REPLAYED_FROM_HERE)
            yield Loss(running.index(channel) - len(running), gap)

    def _losses(self, channel: Channel, events: pl.LazyFrame) -> Iterator[Loss]:
        gaps: list[tuple[int, int]] = []
        for row in self._of(channel, self._others).iter_rows(named=True):
            match row["kind"]:
                case "gap":
                    gap = Gap(channel, row["start_ms"], row["end_ms"], row["text"])
                    if gap.start_ms == 0:
                        gap = continued(gap, self._heard_ms(channel, row["seq"], gaps[-1:], events))
                    gaps.append((row["seq"], row["received_ms"]))
                    yield Loss(row["seq"], gap)
                case "dropped":
                    yield Loss(row["seq"], Dropped(channel, row["count"], row["text"]))
                case _:
                    yield Loss(row["seq"], self._unreadable[row["seq"]])

    def _heard_ms(
        self, channel: Channel, seq: int, gaps: Sequence[tuple[int, int]], events: pl.LazyFrame
    ) -> int | None:
        """When a channel was last heard before a gap, by an event, a proof or another gap; None where it was not."""
        proofs = self._of(channel, self._proofs)
        heard = [*gaps, *proofs[: proofs["seq"].search_sorted(seq)].select("seq", "received_ms").tail(1).iter_rows()]
        if channel in self._playlist.running_at_start:
            heard.append((-1, self._playlist.start_ms))
        if seq > self._begin:
            heard += events.filter(pl.col("seq") < seq).select("seq", "received_ms").tail(1).collect().iter_rows()
        return max(heard)[1] if heard else None


def _tables(playlist: Playlist) -> list[pl.LazyFrame]:
    """The rows of each log; of several with their places in the joint order as `seq`."""
    recordings: list[Recording] = []
    for log in playlist.logs:
        if not isinstance(log, Recording):
            raise Inexpressible(f"{log!r} is a log without columns")
        recordings.append(log)
    selection = playlist.selection
    tables = [
        each.to_polars(channels=selection.channels, start=selection.start_ms, end=selection.end_ms)
        for each in recordings
    ]
    return tables if len(tables) == 1 else _numbered(tables, recordings)


def _numbered(tables: Sequence[pl.LazyFrame], recordings: Sequence[Recording]) -> list[pl.LazyFrame]:
    """The tables with places in the joint order: by time of receipt, then in the order of the recordings.

    Raises:
        Inexpressible: times of receipt go back within a recording, so that its order is not that of its times.
    """
    begins = (pl.col("seq") != pl.col("seq").shift()).fill_null(True)
    entries: list[pl.DataFrame] = []
    for index, (table, recording) in enumerate(zip(tables, recordings, strict=True)):
        found = table.select("seq", "received_ms").filter(begins).collect()
        if not found["received_ms"].is_sorted():
            raise Inexpressible(f"the clock of {recording!r} was set back, and there are several recordings")
        entries.append(found.with_columns(recording=pl.lit(index)))
    order = pl.concat(entries).sort("received_ms", "recording", "seq").with_row_index("place")
    numbered: list[pl.LazyFrame] = []
    for index, table in enumerate(tables):
        own = order.filter(pl.col("recording") == index)
        numbered.append(table.with_columns(_placed(own["seq"], own["place"].cast(pl.Int64))))
    return numbered


def _placed(seqs: pl.Series, places: pl.Series) -> pl.Expr:
    """The column `seq` with each of these numbers, which rise, replaced by its place."""
    # Said to be elementwise, as it is: conditions on other columns are then still pushed down to the files.
    index = pl.col("seq").map_batches(seqs.search_sorted, pl.get_index_type(), is_elementwise=True)
    return index.map_batches(places.gather, pl.Int64, is_elementwise=True)


def _marks(tables: Sequence[pl.LazyFrame], lanes: Sequence[int]) -> pl.DataFrame:
    """The marks of all tables in order; `origin` is the one of the first proof in their lane."""
    # Marks have one of these, and files skip what is null: much cheaper than to compare all kinds.
    is_mark = pl.col("end_ms").is_not_null() | pl.col("count").is_not_null()
    found = [
        table.filter(is_mark).select(*_MARK, lane=pl.lit(lane)).collect()
        for table, lane in zip(tables, lanes, strict=True)
    ]
    origin = pl.col("text").filter(pl.col("kind") == "alive").first().over("lane").alias("origin")
    return pl.concat(found).sort("seq").with_columns(origin)


def _begin(marks: pl.Series) -> int:
    """How many marks come before all events, as where a feed subscribes to its channels; some at least."""
    places = marks.unique().sort()
    return int((places != pl.int_range(len(places), eager=True)).append(pl.Series([True])).arg_max() or 0)


def _unreadable(rows: pl.DataFrame) -> dict[int, Dropped]:
    """The losses that were charged to every channel: one object for each, so that a union counts it once."""
    charges = Charges[str]()
    return {
        seq: charges.same(name, Dropped(None, count, text))
        for seq, name, count, text in rows.select("seq", "channel", "count", "text").iter_rows()
    }
