"""One input of a join: what it reads of each item, how far event time has come there, and what is missing.

events          come out of order within the lateness: their watermark is that of windows, see `watermark`
rows            come in order, and their window tells with a `Watermark` how far they have come. Without any mark,
                as behind a reactivex operator, a final row tells it
nothing yet     of an input that has said nothing its proofs of life tell that there is nothing to wait for
"""

from collections.abc import Callable, Hashable
from typing import Any

import attrs

from cgrx._model.channels import Channel
from cgrx._model.events import EVENT_TYPES
from cgrx._model.signals import Alive, Batch, Mark, Watermark
from cgrx._model.times import FOREVER, NEVER
from cgrx._streams.keeping import gathered, put_back
from cgrx.operators._aggregates.primitives import order
from cgrx.operators._rows.row import Row
from cgrx.operators._stages.items import innermost, key_reader
from cgrx.operators._windows.clocks import Source
from cgrx.operators._windows.missing import Missing
from cgrx.operators._windows.watermark import Progress

NO_SOURCE = Source()
"""Stands for the source before the first event."""


@attrs.frozen(eq=False)
class Reader:
    """What is read of the items of one type."""

    is_event: bool
    is_row: bool
    key: Callable[[Any], Hashable]
    rank: Callable[[Any], Any]
    """Which of two items of one time and key is the later one: of events the greater in all fields, as in `agg.last`;
    of rows a final one."""


def _rank_of_row(row: Any) -> tuple[bool, int]:
    return row.final, row.start_ms


def _by_arrival(_: object) -> int:
    return 0


NO_READER = Reader(is_event=False, is_row=False, key=_by_arrival, rank=_by_arrival)
"""Stands for the reader before the first item."""


class Arrival:
    """Where the loop over the events of an input is."""

    __slots__ = (
        "_channel",
        "_lateness_ms",
        "_offset",
        "_progress",
        "_several",
        "_sources",
        "aimed_ms",
        "awaited",
        "awaited_ms",
        "exchange",
        "received_ms",
        "source",
    )

    def __init__(self, progress: Progress, lateness_ms: int) -> None:
        self.aimed_ms = FOREVER
        """As long as events come alone, the watermark comes so far only by an event of `awaited` with the time
        `awaited_ms`, or a later one. FOREVER: nobody has looked."""
        self.awaited: Source | None = None
        self.awaited_ms = FOREVER
        self._progress = progress
        self._lateness_ms = lateness_ms
        self._offset = progress.clocks.offset
        self._channel: Channel | None = None
        self._sources: dict[str, Source] = {}
        self._several = False
        self.received_ms = 0
        self.exchange: str | None = None
        self.source = NO_SOURCE

    def begin(self, batch: Batch[Any]) -> int:
        """The events of this batch are taken next. One that is later than this is too far ahead of its receive time."""
        received_ms = self.received_ms = batch.received_ms
        self.aimed_ms = FOREVER
        self.exchange = None
        self._several = False
        if batch.channel is not self._channel:
            self._channel = batch.channel
            self._sources = {}
        return received_ms + self._offset.reach_ms

    def turn_to(self, exchange: str, last_ms: int, top_ms: int) -> int:
        """The next events are of this exchange: the highest time of it so far. The others are those of `end`."""
        if self.exchange is not None:
            self.end(last_ms, top_ms)
            self._several = True
        self.exchange = exchange
        source = self._sources.get(exchange)
        if source is None or source.idle:
            if not self._sources:
                self._sources = self._progress.sources(self._channel)
            source = self._progress.source(self._sources, exchange, self.received_ms)
        else:
            source.received_ms = self.received_ms
        self.source = source
        return source.time_ms

    def alone(self, batch: Batch[Any], exchange: str, time_ms: int) -> Source | None:
        """The one event of a batch has come: its source. The same as `begin`, `turn_to` and `end` for most of them.

        None, and nothing done, where it is the first of its source, or late, or too far ahead.
        """
        if batch.channel is not self._channel:
            self._channel = batch.channel
            self._sources = self._progress.sources(batch.channel)
        source = self._sources.get(exchange)
        if source is None or source.idle:
            return None
        offset, received_ms = self._offset, batch.received_ms
        if time_ms > source.time_ms:
            if time_ms > received_ms + offset.reach_ms:
                return None
            source.time_ms, source.time_received_ms = time_ms, received_ms
        elif time_ms <= source.time_ms - self._lateness_ms:
            return None
        source.received_ms = received_ms
        source.offset.latest_ms = offset.latest_ms = time_ms - received_ms
        return source

    def aim(self, time_ms: int) -> None:
        """Find out which source the watermark waits for before it comes so far."""
        self.aimed_ms = time_ms
        self.awaited, self.awaited_ms = self._progress.awaited(time_ms)

    def is_known_behind(self, time_ms: int) -> bool:
        """Whether the watermark surely has not come so far."""
        return self.awaited is not None and time_ms >= self.aimed_ms

    def advance(self, top_ms: int) -> int:
        """An event has come that is too far ahead of its receive time, which moves time in its place: to where."""
        self.tell(top_ms)
        self.source.advance(self.received_ms + self._offset.ms, self.received_ms)
        return self.source.time_ms

    def tell(self, top_ms: int) -> None:
        """The highest time of this exchange so far is this. It has to be told before the watermark is asked for."""
        if top_ms > self.source.time_ms:
            self.source.time_ms, self.source.time_received_ms = top_ms, self.received_ms

    def end(self, last_ms: int, top_ms: int) -> int:
        """The events of this exchange have been taken, the last one of this time, the highest of that.

        If they have moved the watermark, it is not further than the time that is returned, minus the lateness.
        """
        if self.exchange is None:  # there are none
            return FOREVER
        source = self.source
        if top_ms > source.time_ms:
            source.time_ms, source.time_received_ms = top_ms, self.received_ms
        source.offset.latest_ms = self._offset.latest_ms = last_ms - self.received_ms
        return FOREVER if self._several else source.time_ms


class JoinSide:
    """How far one input has come. State: its sources, and recent gaps."""

    def __init__(self, operator: object, by: tuple[str, ...], lateness_ms: int, idle_ms: int) -> None:
        self._operator = operator
        self._by = by
        self._readers: dict[type[object], Reader] = {}
        self._missing = Missing()
        self.progress = Progress(lateness_ms, idle_ms, self._missing)
        self.arrival = Arrival(self.progress, lateness_ms)
        self.reader = NO_READER
        """How to read the latest item."""
        self.known: type[object] | None = None
        """The type of items that are read so without a further look."""
        self.known_event: type[object] | None = None
        """The same if it is a type of events."""
        self.lateness_ms = lateness_ms
        self.patience_ms = lateness_ms + idle_ms
        """So long after an item of the other input it is too late for one of this, if this one is alive and silent."""
        self.heard = False
        """Whether any item or watermark has come."""
        self.ended = False
        self._is_of_events = False
        self._promised_ms = NEVER  # the latest watermark, or what stands for one
        self._watermarks = False
        self._alive_ms: dict[str, int] = {}

    def state(self) -> object:
        """See `Running.state`."""
        return gathered(self, ("_by", "_readers", "reader", "lateness_ms", "patience_ms"))

    def take_up(self, state: object) -> None:
        """See `Running.take_up`."""
        put_back(self, state)

    def read(self, item: object) -> Any:
        """The event or the row itself; `reader` then says how to read it.

        Raises:
            ValueError: it lacks a field of the key.
        """
        inner = innermost(item)
        kind = type(inner)
        reader = self._readers.get(kind)
        if reader is None:
            is_event, is_row = kind in EVENT_TYPES.values(), issubclass(kind, Row)
            rank = order if is_event else _rank_of_row if is_row else _by_arrival
            reader = Reader(is_event, is_row, key_reader(self._operator, kind, self._by), rank)
            self._readers[kind] = reader
            self._is_of_events = is_event
            self.heard = True
        self.reader = reader
        self.known = kind if inner is item else None
        self.known_event = self.known if reader.is_event else None
        return inner

    @property
    def is_in_order(self) -> bool:
        """Whether its items come in the order in which they are to be taken: rows, not events."""
        return not self._is_of_events

    def on_row(self, row: Any) -> bool:
        """A row has come: whether it tells how far all have, as a final one does where no watermark does."""
        if self._watermarks or not row.final:
            return False
        self._promised_ms = max(self._promised_ms, row.end_ms - 1)  # others with the same end may follow
        return True

    def on_mark(self, mark: Mark) -> None:
        """Take a mark in."""
        self.arrival.aimed_ms = FOREVER
        self.progress.on_mark(mark)
        match mark:
            case Watermark(time_ms=time_ms):
                self._watermarks = self.heard = True
                self._promised_ms = max(self._promised_ms, time_ms)
            case Alive(origin=origin, at_ms=at_ms):
                self._alive_ms[origin] = max(at_ms, self._alive_ms.get(origin, NEVER))
            case _:
                pass

    def end(self) -> None:
        """It says no more."""
        self.arrival.aimed_ms = FOREVER
        self.ended = True
        self.progress.end()

    @property
    def watermark(self) -> int:
        """What comes now with an earlier time is late. Costs O(sources)."""
        if self.ended:
            return FOREVER
        return self.progress.watermark if self._is_of_events else self._promised_ms

    def reached(self, time_ms: int) -> bool:
        """Whether the watermark is at `time_ms` or beyond."""
        if self.ended:
            return True
        return self.progress.reached(time_ms) if self._is_of_events else self._promised_ms >= time_ms

    @property
    def sure_from_ms(self) -> int:
        """Nothing is missing from here on, as far as is known; FOREVER where nobody would tell."""
        return max(self._missing.until_ms, self._missing.forgotten_ms) if self.progress.knows_gaps else FOREVER

    def has_nothing_for(self, received_ms: int) -> bool:
        """Whether it has said nothing at all, and is proven alive long enough past what the other received then."""
        proven_ms = min(self._alive_ms.values(), default=NEVER)
        return not self.heard and proven_ms - received_ms >= self.patience_ms

    def has_missed(self, since_ms: int, time_ms: int) -> bool:
        """Whether something between the two times, the earlier one left out, may be missing, or nobody would tell."""
        earlier_ms, later_ms = min(since_ms, time_ms), max(since_ms, time_ms)
        if not self.progress.knows_gaps or earlier_ms < self._missing.forgotten_ms:
            return True
        span = (earlier_ms + 1, later_ms + 1)
        return self._missing.gap_ms(*span) > 0 or self._missing.dropped(*span) > 0

    def forget_before(self, time_ms: int) -> None:
        """Of gaps and losses before this time no more is needed than that there were some."""
        if self.progress.crowded:
            self.progress.forget_before(time_ms)
