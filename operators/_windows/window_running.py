"""The running form that all windows extend: late events, the keys that are open, and the quality of a row.

An event first moves the watermark, and then is late if its window has closed. Windows close event by event, so rows do
not depend on batching. A row goes out with the batch or the mark that closed its window.
"""

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator
from operator import itemgetter
from typing import Any

import attrs

from cgrx._model.channels import Channel
from cgrx._model.signals import Batch, Mark, Signal, Watermark
from cgrx._model.times import FOREVER, NEVER
from cgrx._model.use_errors import TooManyKeysError
from cgrx._streams.counts import StageStats
from cgrx._streams.entering import Entering
from cgrx._streams.running import NOTHING, Direct, Produced, noted, noted_of
from cgrx.operators._aggregates.accumulators import Accumulator
from cgrx.operators._rows.row import INSTRUMENT, Row, give_at, withdrawal
from cgrx.operators._stages.arguments import receive
from cgrx.operators._windows.clocks import Source
from cgrx.operators._windows.keys import Key, key_of_events
from cgrx.operators._windows.open_row import OpenRow, Quality
from cgrx.operators._windows.watermark import Progress
from cgrx.operators._windows.window import Window


@attrs.define(eq=False)
class Cursor:
    """Where the loop over events stands: at the source of the event before, and which source the watermark waits for.

    What holds at each event: if it is of `exchange` and earlier than `trigger_ms`, it closes no window and makes no
    update due, as long as the deadline is `deadline_ms`. Channels take turns, so to turn to another source costs no
    more than to find it: only the one that holds the watermark up can close a window, whoever speaks in between.
    """

    channel: Channel | None = None
    exchange: str | None = None
    """None: look the source of the next event up, whatever it is."""
    source: Source = attrs.field(factory=Source)
    trigger_ms: int = NEVER
    deadline_ms: int = NEVER
    """NEVER: find out anew which source the watermark waits for."""
    awaited: Source | None = None
    """The source that the watermark waits for, as far as the next deadline goes."""
    awaited_ms: int = FOREVER
    """An event of that source with this time, or a later one, may close a window."""


class WindowRunning(Entering[Any, Row]):
    """The running form of a window. A subclass for each kind of window says which events belong together, and when."""

    remade = frozenset(
        {"_single", "_by_instrument", "_max_keys", "_updates_ms", "_quickly", "_closed", "_rows", "_promises"}
    )

    # What each event reads, and each key of a window. A slot is read sooner than a `__dict__`, most of all once `state`
    # has asked for that.
    __slots__ = (
        *("_by_instrument", "_changed", "_cursor", "_key_of", "_offset", "_quickly", "_rows", "_updates_ms", "now_ms"),
        *("_accumulator", "_deadline", "_max_keys", "_open", "_progress"),
    )

    _settles_ms = 0
    """By how much the end of a final row may be behind the watermark that let it out."""

    def __init__(self, stage: Window[Any]) -> None:
        row, terms = stage.rows.type, stage.terms
        by = row.key_fields
        self.now_ms = 0
        self._stage = stage
        self._make = row.from_values
        self._accumulator: Callable[[], Accumulator] = row.accumulator
        self._key_of = key_of_events(by)
        self._single = len(by) == 1
        self._by_instrument = by == INSTRUMENT
        self._progress = Progress(terms.lateness_ms, terms.idle_ms)
        self._offset = self._progress.clocks.offset
        self._cursor = Cursor()
        self._late = 0
        self._receive_late = None if terms.on_late is None else receive(terms.on_late)
        self._max_keys = terms.max_keys
        self._open: dict[Key, int] = {}  # each open key, and how many panes or windows hold it
        self._deadline = FOREVER  # no window closes before the watermark is here
        self._updates_ms = terms.updates_ms
        self._quickly = terms.updates_ms != 0  # whether events may go the short way
        self._update_at = NEVER if terms.updates_ms else FOREVER
        self._given_ms = NEVER  # when a row was withdrawn last, or with `updates=0` given; the present may step back
        self._promised_ms = 0  # no row that ends before this will follow
        self._changed: dict[Key, int] = {}  # what has changed since the last update, and where
        self._rows: list[Row] = []  # what an event by the short way gives; mostly none
        self._promises: list[tuple[int, Watermark]] = []  # those to give now, each behind how many rows
        self._promise_at = FOREVER  # how far rows have come is worth telling when the watermark is here

    @property
    def stats(self) -> StageStats:
        return StageStats(keys=len(self._open), late=self._late)

    # Where many channels interleave, most batches are of one, and what the loop of `_take` makes ready costs more than
    # the event. So what it does with an event that closes nothing stands here again.

    def produce(self, signal: Signal[Any]) -> Produced:
        if type(signal) is not Batch or len(signal.events) != 1 or not self._quickly:
            return self._produce_whole(signal)
        event, received_ms, cursor = signal.events[0], signal.received_ms, self._cursor
        try:
            exchange, time_ms = event.exchange, event.time_ms
            ahead_ms = time_ms - received_ms  # a small number, which is quick to compare
            if exchange != cursor.exchange or signal.channel is not cursor.channel:
                self._turn(cursor, signal.channel, exchange, received_ms)
        except Exception:  # noqa: BLE001 - an item that is no event: the loop says so
            return self._produce_whole(signal)
        source = cursor.source
        if time_ms > source.time_ms:
            if time_ms >= cursor.trigger_ms or ahead_ms > self._offset.reach_ms:
                return self._produce_whole(signal)
            source.time_ms = time_ms
            source.time_received_ms = received_ms
        if received_ms > self.now_ms:
            self.now_ms = received_ms
        rows = self._rows
        try:
            key = (exchange, event.symbol) if self._by_instrument else self._key_of(event)
            self._add(event, time_ms, key, rows)
        except Exception as error:  # noqa: BLE001 - a user's function, or an item that is no event: handed on
            failure = noted_of(noted(error, self._stage, event), self._stage, signal)
            return self._hand_on((self._between(signal, rows), failure))
        source.received_ms = received_ms
        source.offset.latest_ms = ahead_ms
        return self._hand_on((self._between(signal, rows), None)) if rows else NOTHING

    def _made_of(self, signal: Signal[Any]) -> Produced:
        """A batch that closes nothing, as most do, costs no generator."""
        if not isinstance(signal, Batch):
            return self._pass(signal)
        if signal.received_ms > self.now_ms:
            self.now_ms = signal.received_ms
        rows: list[Row] = []
        failure: Exception | None = None
        try:
            take = self._take_each if self._updates_ms == 0 else self._take
            take(signal, rows)
        except Exception as error:  # noqa: BLE001 - a user's function, or an item that is no event: handed on
            failure = noted_of(error, self._stage, signal)
        return (self._between(signal, rows), failure) if rows or self._promises or failure is not None else NOTHING

    def _between(self, batch: Batch[Any], rows: list[Row]) -> list[Signal[Row]]:
        """Take these rows, and put the promises between them."""
        found: list[Signal[Row]] = []
        begin = 0
        for end, promise in self._promises:
            if end > begin:
                found.append(Batch(batch.channel, batch.received_ms, tuple(rows[begin:end])))
            found.append(promise)
            begin = end
        if len(rows) > begin:
            found.append(Batch(batch.channel, batch.received_ms, tuple(rows[begin:])))
        self._promises.clear()
        rows.clear()
        return found

    def _pass(self, mark: Mark) -> Produced:
        """Rows, then the mark, then how far the rows have come. A watermark of events is none of rows."""
        found: list[Signal[Row]] = []
        try:
            taken = super(Direct, self).on_signal(mark)  # what a form does that gives one signal after the other
            found.extend(each for each in taken if not isinstance(each, Watermark))
        except Exception as error:  # noqa: BLE001 - as above
            return found, noted_of(error, self._stage, mark)
        self._promise([])
        if self._promises:
            found.append(self._promises.pop()[1])
            self._promises.clear()
        return found, None

    def on_batch(self, batch: Batch[Any]) -> Iterable[Row]:
        take = self._take_each if self._updates_ms == 0 else self._take
        return self._collect(lambda rows: take(batch, rows))

    def on_mark(self, mark: Mark) -> Iterable[Row]:
        self._cursor.exchange, self._cursor.deadline_ms = None, NEVER  # it may change whom the watermark waits for
        self._offset.latest_ms = self._cursor.source.offset.latest_ms  # a sample of all sources too
        progress = self._progress
        begun_ms, watermark_ms = progress.begun_ms, progress.watermark
        progress.on_mark(mark)
        if progress.begun_ms < begun_ms:
            self._begun_earlier(watermark_ms)
        if progress.crowded:
            progress.forget_before(self._needed_from())
        now_ms = NEVER if self._updates_ms is None else progress.latest_ms
        return self._collect(lambda rows: self._release(now_ms, rows))

    def _begun_earlier(self, watermark_ms: int) -> None:
        """The comparison of clocks has moved the time back before which nothing was seen at all.

        `watermark_ms` is where the watermark stood before: what ends there or earlier has been closed.
        """

    def on_end(self) -> Iterable[Row]:
        return self._collect(self._finish)

    def _collect(self, work: Callable[[list[Row]], None]) -> Iterable[Row]:
        """The rows that `work` gives; if it raises, the rows before come first, then the error."""
        rows: list[Row] = []
        try:
            work(rows)
        except Exception as error:  # noqa: BLE001 - as above
            return _after(rows, error)
        return rows

    def _take(self, batch: Batch[Any], rows: list[Row]) -> None:
        """Take the events of a batch in, one by one."""
        cursor, offset, channel, received_ms = self._cursor, self._offset, batch.channel, batch.received_ms
        key_of, by_instrument, add = self._key_of, self._by_instrument, self._add
        limit_ms = received_ms + offset.reach_ms
        if channel is not cursor.channel:
            cursor.channel = channel
            cursor.exchange = None
        exchange, source = cursor.exchange, cursor.source
        event: Any = None
        time_ms: Any = None  # None: no event of this batch yet
        try:
            for event in batch.events:
                if event.exchange != exchange:
                    if time_ms is not None:
                        source.received_ms, source.offset.latest_ms = received_ms, time_ms - received_ms
                    exchange = event.exchange
                    source = self._turn(cursor, channel, exchange, received_ms)
                time_ms = event.time_ms
                if time_ms > source.time_ms:
                    if time_ms <= limit_ms:
                        source.time_ms = time_ms
                        source.time_received_ms = received_ms
                    else:
                        source.advance(offset.supported_ms(time_ms, received_ms), received_ms)
                    if source.time_ms >= cursor.trigger_ms:
                        self._release(source.time_ms, rows)
                        self._aim(cursor)
                # The usual key, which a call would cost more than.
                key = (exchange, event.symbol) if by_instrument else key_of(event)
                add(event, time_ms, key, rows)
        except Exception as error:
            noted(error, self._stage, event)
            raise
        if time_ms is not None:
            source.received_ms = received_ms
            source.offset.latest_ms = time_ms - received_ms

    def _turn(self, cursor: Cursor, channel: Channel | None, exchange: str, received_ms: int) -> Source:
        """The next events are of this source."""
        sources = self._progress.sources(channel)
        source = sources.get(exchange)
        if source is None or source.idle:
            source = self._progress.source(sources, exchange, received_ms)
            cursor.deadline_ms = NEVER  # it may hold the watermark up
        else:
            source.received_ms = received_ms
        cursor.channel, cursor.exchange, cursor.source = channel, exchange, source
        if cursor.deadline_ms != self._deadline:
            self._aim(cursor)
        else:
            cursor.trigger_ms = cursor.awaited_ms if source is cursor.awaited else self._update_at
        return source

    def _aim(self, cursor: Cursor) -> None:
        """Find the source that the watermark waits for, and which event of the present source may matter."""
        deadline_ms = cursor.deadline_ms = self._deadline
        if deadline_ms > self._promise_at:
            deadline_ms = self._promise_at
        cursor.awaited, awaited_ms = (None, FOREVER) if deadline_ms == FOREVER else self._progress.awaited(deadline_ms)
        cursor.awaited_ms = min(awaited_ms, self._update_at)
        cursor.trigger_ms = cursor.awaited_ms if cursor.source is cursor.awaited else self._update_at

    def _take_each(self, batch: Batch[Any], rows: list[Row]) -> None:
        """The same with `updates=0`: a running row stands behind each event that counts."""
        for event in batch.events:
            self._take(Batch(batch.channel, batch.received_ms, (event,)), rows)
            if self._changed:
                self._given_ms = max(self._given_ms, self._progress.latest_ms)
                self._give_running(self._given_ms, rows)

    def _release(self, now_ms: int, rows: list[Row]) -> None:
        """Close the windows whose end the watermark has reached, and give running rows if they are due."""
        count = len(rows)
        if self._deadline < FOREVER:
            self._close(rows)
        has_come = len(rows) > count or (self._promise_at < FOREVER and self._progress.reached(self._promise_at))
        if now_ms >= self._update_at:
            self._update(now_ms, rows)
        if has_come:
            self._promise(rows)

    def _promise(self, rows: list[Row]) -> None:
        """Say behind these rows how far they have come, if that is further than was said before."""
        safe_ms = self._safe_ms()
        if safe_ms > self._promised_ms:
            self._promised_ms = safe_ms
            self._promises.append((len(rows), Watermark(safe_ms)))

    # For subclasses to say

    def _safe_ms(self) -> int:
        """No row that speaks of an earlier time will follow, nor a final one that ends at this one."""
        return self._progress.watermark - self._settles_ms

    def _add(self, event: Any, time_ms: int, key: Key, rows: list[Row]) -> None:
        """Take in an event, when all windows that close before it are closed. Only `_take` of this class calls it."""

    def _close(self, rows: list[Row]) -> None:
        """Close the windows whose end the watermark has reached, in order of end and key, and set `_deadline`.

        Not called as long as `_deadline` is FOREVER.
        """

    @abstractmethod
    def _finish(self, rows: list[Row]) -> None:
        """The stream has completed: give the rows of all open windows."""

    @abstractmethod
    def _find_running(self, changed: dict[Key, int]) -> Iterator[OpenRow]:
        """Of each key that has changed, the open window that its running row is about."""

    @abstractmethod
    def _needed_from(self) -> int:
        """No window that is open or can still open begins before this time."""

    # For subclasses to use

    def _fields(self, key: Key) -> tuple[Any, ...]:
        return (key,) if self._single else key  # type: ignore[return-value]  # several fields are a tuple

    def _is_late(self, event: Any) -> None:
        self._late += 1
        if self._receive_late is not None:
            self._receive_late(event)

    def _enter(self, key: Key) -> None:
        """One more pane or window holds this key.

        Raises:
            TooManyKeysError: the key is new, and `max_keys` are open already.
        """
        count = self._open.get(key, 0)
        if not count and len(self._open) >= self._max_keys:
            raise TooManyKeysError(int(self._max_keys), self._fields(key))
        self._open[key] = count + 1

    def _leave(self, key: Key) -> None:
        count = self._open.pop(key)
        if count > 1:
            self._open[key] = count - 1

    def _quality(self, start_ms: int, end_ms: int, *, final: bool) -> Quality:
        gap_ms = self._progress.gap_ms(start_ms, end_ms)
        dropped = self._progress.dropped(start_ms, end_ms)
        return gap_ms, dropped, self._late, final, final and gap_ms == 0 and dropped == 0

    def _update(self, now_ms: int, rows: list[Row]) -> None:
        """A period of `updates` has begun: give running rows."""
        assert self._updates_ms
        period_ms = now_ms - now_ms % self._updates_ms
        self._update_at = period_ms + self._updates_ms
        self._give_running(period_ms, rows)

    def _give_running(self, time_ms: int, rows: list[Row]) -> None:
        """Give a running row for each key that has changed since the last time."""
        for row in sorted(self._find_running(self._changed), key=itemgetter(0, 1)):  # by end and key fields
            self._give_one(row, time_ms, rows)
        self._changed.clear()

    def _give_one(self, row: OpenRow, at_ms: int, rows: list[Row]) -> None:
        """Give the running row of an open window, at this event time."""
        end_ms, fields, start_ms, values, movable = row
        quality = self._running_quality(start_ms, end_ms, fields)
        made = self._make((start_ms, end_ms, *fields, *values, *quality))
        give_at(made, at_ms)
        if movable is not None:
            movable.given = made
        rows.append(made)

    def _withdraw(self, row: Row, rows: list[Row]) -> int:
        """Take back a running row whose window begins elsewhere now, or is part of another: at which event time.

        What follows of that window is given at the same time, so that who reads rows by their `time_ms` sees no hole.
        """
        self._given_ms = max(self._given_ms, row.time_ms, self._progress.latest_ms)
        rows.append(withdrawal(row, self._given_ms))
        return self._given_ms

    def _running_quality(self, start_ms: int, end_ms: int, fields: tuple[Any, ...]) -> Quality:
        return self._quality(start_ms, end_ms, final=False)


def _after(results: list[Row], error: Exception) -> Iterator[Row]:
    yield from results
    raise error
