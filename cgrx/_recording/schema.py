"""The columns of a recording, and the way from entries to rows and back.

One row is an event, a mark or a status. An entry has one number, `seq`: the rows of a batch share it, stand together,
and are never divided between two record batches. An empty batch is not kept.

In files a text is plain text, because Parquet and its readers have dictionaries of their own. In memory the columns of
`DICTIONARIES` hold their few different texts once.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from functools import lru_cache, reduce
from itertools import islice, repeat
from operator import attrgetter
from types import SimpleNamespace
from typing import Any, Final, Literal, NamedTuple

import attrs

from cgrx._model.channels import Channel, parse_channel
from cgrx._model.events import Liquidation, LiquidationSide, Trade, TradeSide
from cgrx._model.signals import Alive, Batch, Dropped, Gap, Mark, Signal, Watermark
from cgrx._model.status import Status
from cgrx._recording.arrow import Rows, pa, pc
from cgrx._recording.entry import Recorded, said_ms
from cgrx._recording.selection import Selection
from cgrx._recording.status_text import KEPT, Kept, from_text, to_text


class Column(NamedTuple):
    """A column: its name, its Arrow type, and what it means."""

    name: str
    type: Any
    meaning: str


COLUMNS: Final = (
    Column("seq", pa.int64(), "number of the entry, from 0 on without a hole; the rows of one batch share it"),
    Column(
        "kind",
        pa.string(),
        "liquidation, trade, alive, gap, dropped, unreadable (a loss whose channel is not known), watermark or status",
    ),
    Column("channel", pa.string(), "the wire name of the channel on whose stream it came; null for a status"),
    Column(
        "received_ms",
        pa.int64(),
        "when it was received, milliseconds since the epoch; a mark or a status has the latest time known when it came",
    ),
    Column("base_asset", pa.string(), "of an event: the asset"),
    Column("exchange", pa.string(), "of an event: the exchange"),
    Column("symbol", pa.string(), "of an event: the exchange's own symbol"),
    Column("side", pa.int8(), "of a liquidation 1 long, 2 short; of a trade 1 sell, 2 buy (the taker's)"),
    Column("price", pa.float64(), "of an event: price in the quote currency"),
    Column("volume_usd", pa.float64(), "of an event: size in US dollars"),
    Column("time_ms", pa.int64(), "of an event: when it happened, milliseconds since the epoch"),
    Column("start_ms", pa.int64(), "of a gap: from when events may be missing, milliseconds since the epoch"),
    Column(
        "end_ms",
        pa.int64(),
        "of a gap: until when; of alive: up to when everything was delivered; of a watermark: its time (milliseconds)",
    ),
    Column("count", pa.int64(), "of dropped and unreadable: how many events or messages"),
    Column("text", pa.string(), "of a gap or a loss: the reason; of alive: the origin; of a status: JSON"),
)

SCHEMA: Final = pa.schema([pa.field(column.name, column.type) for column in COLUMNS])
"""As in files."""

DICTIONARIES: Final = ("kind", "channel", "base_asset", "exchange", "symbol")

MEMORY_SCHEMA: Final = pa.schema(
    [
        pa.field(column.name, pa.dictionary(pa.int32(), column.type) if column.name in DICTIONARIES else column.type)
        for column in COLUMNS
    ]
)
"""As in memory."""

EVENT: Final = ("base_asset", "exchange", "symbol", "side", "price", "volume_usd", "time_ms")
MARK: Final = ("start_ms", "end_ms", "count", "text")
_NO_EVENT: Final = SimpleNamespace(**dict.fromkeys(EVENT))
"""Stands where a row is no event."""
EVENT_KINDS: Final[dict[type, str]] = {Liquidation: "liquidation", Trade: "trade"}
_TYPES: Final = (("liquidation", Liquidation, LiquidationSide), ("trade", Trade, TradeSide))

MarkValues = tuple[int | None, int | None, int | None, str | None]


# From entries to rows.


@attrs.define(eq=False)
class RowBuilder:
    """Collects entries as rows. `seq`: number of the next entry; `now_ms`: its earliest possible time."""

    seq: int = 0
    now_ms: int = 0
    _seqs: list[int] = attrs.field(factory=list[int])
    _kinds: list[str] = attrs.field(factory=list[str])
    _channels: list[str | None] = attrs.field(factory=list[str | None])
    _times: list[int] = attrs.field(factory=list[int])
    _events: list[Any] = attrs.field(factory=list[Any])
    """The events themselves: tuples of their values would keep the garbage collector busy."""
    _marks: list[tuple[int, MarkValues]] = attrs.field(factory=list[tuple[int, MarkValues]])
    """The few rows that are no events: the number of the row, and its values."""

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self._events)

    def add(self, channel: Channel | None, said: Signal[Any] | Status) -> int:
        """Add a signal of a channel's stream, or a status, with `channel` None; how many rows that makes.

        Raises:
            ValueError: a feed does not give that on this stream.
        """
        if isinstance(said, Batch):
            if channel is None or (said.channel is not channel and said.channel != channel):
                raise ValueError(f"a batch of {said.channel} was not said on the stream of {channel}")
            count = len(said.events)
            if not count:
                return 0
            self.now_ms = max(self.now_ms, said.received_ms)
            self._append(EVENT_KINDS[channel.event_type], channel.name, said.received_ms, count)
            self._events += said.events
            return count
        if isinstance(said, Alive | Gap | Dropped | Watermark):
            if channel is None:
                raise ValueError(f"{said} was not said on the stream of a channel")
            kind, values = _mark_row(channel, said)
        elif isinstance(said, Kept):
            if channel is not None:
                raise ValueError(f"{said} was not said on the stream of {channel}")
            kind, values = "status", (None, None, None, to_text(said))
        else:
            raise ValueError(f"{said} is not kept: a status in a recording is one of {', '.join(KEPT)}")
        self.now_ms = max(self.now_ms, said_ms(said))
        self._marks.append((len(self._events), values))
        self._append(kind, None if channel is None else channel.name, self.now_ms, 1)
        self._events.append(_NO_EVENT)
        return 1

    def _append(self, kind: str, channel: str | None, received_ms: int, count: int) -> None:
        self._seqs += repeat(self.seq, count)
        self._kinds += repeat(kind, count)
        self._channels += repeat(channel, count)
        self._times += repeat(received_ms, count)
        self.seq += 1

    def take(self) -> Rows:
        """The rows so far, as in files. The next entries are collected anew."""
        heads = (self._seqs, self._kinds, self._channels, self._times)
        fields = (list(map(attrgetter(name), self._events)) for name in EVENT)
        columns = [*heads, *fields, *self._mark_columns()]
        arrays = [pa.array(values, field.type) for values, field in zip(columns, SCHEMA, strict=True)]
        for collected in (*heads, self._events, self._marks):
            collected.clear()
        return pa.RecordBatch.from_arrays(arrays, schema=SCHEMA)

    def _mark_columns(self) -> Iterator[list[Any]]:
        for index in range(len(MARK)):
            column: list[Any] = [None] * len(self)
            for row, values in self._marks:
                column[row] = values[index]
            yield column


def _mark_row(channel: Channel, mark: Mark) -> tuple[str, MarkValues]:
    match mark:
        case Alive(origin=origin, at_ms=at_ms):
            return "alive", (None, at_ms, None, origin)
        case Gap(channel=of, start_ms=start_ms, end_ms=end_ms, reason=reason) if of == channel:
            return "gap", (start_ms, end_ms, None, reason)
        case Dropped(channel=of, count=count, reason=reason) if of == channel:
            return "dropped", (None, None, count, reason)
        case Dropped(channel=None, count=count, reason=reason):
            return "unreadable", (None, None, count, reason)
        case Watermark(time_ms=time_ms):
            return "watermark", (None, time_ms, None, None)
        case _:
            raise ValueError(f"{mark} was not said on the stream of {channel}")


def to_rows(entries: Iterable[Recorded], *, seq: int = 0) -> Rows:
    """Entries as one record batch, as in files. `seq` is the number of the first."""
    rows = RowBuilder(seq)
    for entry in entries:
        rows.add(entry.channel, entry.said)
    return rows.take()


# From rows to entries.


def in_memory(batch: Rows) -> Rows:
    """Rows as in memory, of rows as in files or as in memory: the columns of `DICTIONARIES` become dictionaries."""
    for name in DICTIONARIES:
        index = batch.schema.get_field_index(name)
        column = batch.column(index)
        if not isinstance(column, pa.DictionaryArray):
            batch = batch.set_column(index, name, column.dictionary_encode())
    return batch


def in_files(batch: Rows) -> Rows:
    """Rows as in files, of rows as in memory."""
    return pa.RecordBatch.from_arrays(
        [column.cast(field.type) for column, field in zip(batch.columns, SCHEMA, strict=True)], schema=SCHEMA
    )


def within(batch: Rows, after_seq: int, until_seq: int) -> Rows:
    """The rows behind one number and up to another, that included."""
    seqs = seqs_of(batch)
    start, end = bisect_right(seqs, after_seq), bisect_right(seqs, until_seq)
    return batch.slice(start, end - start)


def seqs_of(batch: Rows) -> memoryview:
    """The column `seq`, without copying it."""
    column = batch.column("seq")
    return memoryview(column.buffers()[1]).cast("q")[column.offset : column.offset + len(column)]


def selected(batch: Rows, selection: Selection) -> Rows:
    """The selected rows among these, as in memory. A status belongs to every channel."""
    masks: list[Any] = []
    if selection.names is not None:
        channel = batch.column("channel")
        known = pc.is_in(channel.dictionary, pa.array(selection.names, pa.string()))
        masks.append(pc.fill_null(known.take(channel.indices), True))
    received_ms = batch.column("received_ms")
    if selection.start_ms is not None:
        masks.append(pc.greater_equal(received_ms, selection.start_ms))
    if selection.end_ms is not None:
        masks.append(pc.less(received_ms, selection.end_ms))
    excluding = [mask for mask in masks if mask.true_count < len(mask)]
    return batch.filter(reduce(pc.and_, excluding)) if excluding else batch


def to_table(batches: Iterable[Rows]) -> Any:
    """Rows as in memory, as one table."""
    return pa.Table.from_batches(batches, MEMORY_SCHEMA)


def from_rows(batch: Rows) -> Iterator[Recorded]:
    """The entries of rows as in memory, which hold each entry whole."""
    for _, _, channel, said in placed(batch):
        yield Recorded(channel, said)


def placed(batch: Rows) -> Iterator[tuple[int, int, Channel | None, Signal[Any] | Status]]:
    """Entries as `seq`, `received_ms`, channel and signal or status. Rows of a batch may have been left out.

    Fast because values are taken out of columns by the buffer, and events made from columns by a `map`.
    """
    if not batch.num_rows:
        return
    ends = _numbers(pc.run_end_encode(batch.column("seq")).run_ends, "i")
    starts = [0, *ends[:-1]]
    heads = batch.take(pa.array(starts, pa.int32())) if len(ends) < batch.num_rows else batch
    kinds = _texts(heads.column("kind"))
    channels = _channels(heads.column("channel"))
    events = {kind: _events(batch, kind, of, sides) for kind, of, sides in _TYPES if kind in kinds}
    marks = _marks(heads, [row for row, kind in enumerate(kinds) if kind not in EVENT_KINDS.values()])
    seqs, times = (_numbers(heads.column(name), "q") for name in ("seq", "received_ms"))
    for seq, kind, channel, received_ms, start, end in zip(seqs, kinds, channels, times, starts, ends, strict=True):
        made = events.get(kind)
        if made is not None:
            yield seq, received_ms, channel, Batch(channel, received_ms, tuple(islice(made, end - start)))
        elif kind == "status":
            yield seq, received_ms, None, from_text(next(marks)["text"])
        else:
            yield seq, received_ms, channel, _mark(kind, channel, next(marks))


def _events(batch: Rows, kind: str, of: type[Any], sides: Iterable[Any]) -> Iterator[Any]:
    """The events of one kind, made as they are asked for."""
    kinds = batch.column("kind")
    if len(kinds.dictionary) > 1:
        batch = batch.filter(pc.equal(kinds.indices, kinds.dictionary.index(kind)))
    numbered = {member.value: member for member in sides}
    return map(
        of,
        _texts(batch.column("base_asset")),
        _texts(batch.column("exchange")),
        _texts(batch.column("symbol")),
        map(numbered.__getitem__, _numbers(batch.column("side"), "b")),
        _numbers(batch.column("price"), "d"),
        _numbers(batch.column("volume_usd"), "d"),
        _numbers(batch.column("time_ms"), "q"),
    )


def _marks(heads: Rows, rows: list[int]) -> Iterator[dict[str, Any]]:
    """The values of the rows that are no events. They are few, so each may cost more."""
    return iter(heads.select(list(MARK)).take(pa.array(rows, pa.int32())).to_pylist())


def _mark(kind: str, channel: Channel | None, values: dict[str, Any]) -> Mark:
    match kind:
        case "alive":
            return Alive(values["text"], values["end_ms"])
        case "gap":
            return Gap(channel, values["start_ms"], values["end_ms"], values["text"])
        case "dropped":
            return Dropped(channel, values["count"], values["text"])
        case "unreadable":
            return Dropped(None, values["count"], values["text"])
        case "watermark":
            return Watermark(values["end_ms"])
        case _:
            raise ValueError(f"kind={kind!r} is none that a recording holds")


@lru_cache(maxsize=4096)
def channel_named(name: str) -> Channel:
    """The channel of a wire name, the same object each time, which makes looking it up in tables quick."""
    return parse_channel(name)


def _numbers(column: Any, code: Literal["b", "i", "q", "d"]) -> list[Any]:
    """The values of a column of numbers; anything where they are null. `code` is as in `struct`.

    Several times as fast as `to_pylist()`, which makes a scalar of each first.
    """
    width = column.type.bit_width // 8
    start = column.offset * width
    values: list[Any] = memoryview(column.buffers()[1])[start : start + len(column) * width].cast(code).tolist()
    return values


def _texts(column: Any) -> list[str]:
    """The texts of a column of `DICTIONARIES` that holds no null. Equal ones are the same object."""
    return list(map(column.dictionary.to_pylist().__getitem__, _numbers(column.indices, "i")))


def _channels(column: Any) -> list[Channel | None]:
    """The channels of a column of names, None where it is null."""
    known = [*map(channel_named, column.dictionary.to_pylist()), None]
    return list(map(known.__getitem__, _numbers(column.indices.fill_null(len(known) - 1), "i")))
