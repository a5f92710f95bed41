"""The running form of tumbling and sliding windows, which lie on a grid of time.

Time is cut into panes: those of sliding windows are as long as the greatest common divisor of size and step. An event
goes into one pane, however many windows that pane is part of; a tumbling window is one pane. A pane takes events until
the first of its windows closes. Then its partial results move into a queue for each key, which gives the totals of the
sliding windows. Where panes and windows lie, a `Ruler` knows: by arithmetic, or by the calendar.
"""

import heapq
from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

import attrs

from cgrx._model.signals import Batch, Mark, Signal
from cgrx._model.times import FOREVER, NEVER
from cgrx._streams.running import NO_SIGNALS, NOTHING, Produced, noted, noted_of
from cgrx.operators._aggregates.accumulators import Accumulator
from cgrx.operators._rows.row import Row
from cgrx.operators._windows.calendar import Calendar
from cgrx.operators._windows.keys import Key
from cgrx.operators._windows.open_row import OpenRow, Quality
from cgrx.operators._windows.panes import PaneQueue
from cgrx.operators._windows.spacing import Regular
from cgrx.operators._windows.window import Window
from cgrx.operators._windows.window_running import Cursor, WindowRunning

_QUIET = 10_000
"""The most windows in a row that give empty rows: an event whose time is years off must not fill the memory."""

_Pane: TypeAlias = dict[Key, Accumulator]


@attrs.define(eq=False)
class _PaneCursor(Cursor):
    """The same at the pane of the event before too: if its time is in [`start_ms`, `end_ms`), it goes into `pane`.

    The pane is open. What begins a pane sets `trigger_ms` anew.
    """

    start_ms: int = NEVER
    end_ms: int = NEVER
    """NEVER: look the pane of the next event up, whatever its time."""
    pane: _Pane = attrs.field(factory=dict[Key, Accumulator])


class GridRunning(WindowRunning):
    """Windows where `spacing` says. State: the panes of the open windows, by key."""

    remade = WindowRunning.remade | {"_ruler", "_pane_ms", "_first_ms", "_tumbling"}

    __slots__ = ("_known", "_panes")

    _cursor: _PaneCursor

    def __init__(self, stage: Window[Any], spacing: Regular | Calendar, *, emit_empty: bool) -> None:
        super().__init__(stage)
        self._ruler = spacing.ruler()
        self._pane_ms = spacing.pane_ms
        self._first_ms = spacing.offset_ms
        self._tumbling = not spacing.overlapping
        self._panes: dict[int, _Pane] = {}  # those that still take events, by start
        self._starts: list[int] = []  # the starts of these, as a heap
        self._queues: dict[Key, PaneQueue] = {}
        self._next_ms = FOREVER  # the start of the window that closes next
        self._closed_to = FOREVER  # that of the window behind the one that closed last
        self._known: dict[Key, int] | None = {} if emit_empty else None  # each key that ever came, and since when
        self._quiet = 0  # how many windows in a row had no event
        self._cursor = _PaneCursor()

    def on_mark(self, mark: Mark) -> Iterable[Row]:
        self._cursor.end_ms = NEVER  # it may close panes
        return super().on_mark(mark)

    # Where many channels interleave, most batches are of one, and what the loop below makes ready costs more than the
    # event. So what it does with an event of the same pane as the one before, which closes nothing, stands here again.

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
        if time_ms >= cursor.end_ms or time_ms < cursor.start_ms:
            return self._produce_whole(signal)
        source = cursor.source
        if time_ms > source.time_ms:
            if time_ms >= cursor.trigger_ms or ahead_ms > self._offset.reach_ms:
                return self._produce_whole(signal)
            source.time_ms = time_ms
            source.time_received_ms = received_ms
        if received_ms > self.now_ms:
            self.now_ms = received_ms
        try:
            key = (exchange, event.symbol) if self._by_instrument else self._key_of(event)
            accumulator = cursor.pane.get(key)
            if accumulator is None:
                accumulator = cursor.pane[key] = self._enter_pane(key, cursor.start_ms)
            accumulator.add(event)
        except Exception as error:  # noqa: BLE001 - a user's function, or an item that is no event: handed on
            return self._hand_on((NO_SIGNALS, noted_of(noted(error, self._stage, event), self._stage, signal)))
        source.received_ms = received_ms
        if self._updates_ms is not None and self._changed.get(key, NEVER) < cursor.start_ms:
            self._changed[key] = cursor.start_ms
        source.offset.latest_ms = ahead_ms
        return NOTHING

    # This loop is what a window costs: it calls a function only where a source, a pane or a key changes, and where the
    # time of an event may close a window. What it reads of the cursor it holds in local variables too.

    def _take(self, batch: Batch[Any], rows: list[Row]) -> None:
        cursor, channel, received_ms, events = self._cursor, batch.channel, batch.received_ms, batch.events
        panes, key_of, by_instrument = self._panes, self._key_of, self._by_instrument
        pane_ms, first_ms = self._pane_ms, self._first_ms
        changed = None if self._updates_ms is None else self._changed
        offset = self._offset
        limit_ms = received_ms + offset.reach_ms
        exchange, source, trigger_ms = cursor.exchange, cursor.source, cursor.trigger_ms
        start_ms, end_ms, pane = cursor.start_ms, cursor.end_ms, cursor.pane
        if channel is not cursor.channel:
            cursor.channel = channel
            exchange = cursor.exchange = None
        key: Key = ()
        symbol: str | None = None  # None: the event before was of another exchange or pane
        accumulator: Any = None  # of this pane and key
        event: Any = None
        time_ms: Any = None  # None: no event of this batch yet
        try:
            for event in events:
                if event.exchange != exchange:
                    if time_ms is not None:
                        source.received_ms, source.offset.latest_ms = received_ms, time_ms - received_ms
                    exchange = event.exchange
                    symbol = None
                    source = self._turn(cursor, channel, exchange, received_ms)
                    trigger_ms = cursor.trigger_ms
                time_ms = event.time_ms
                if time_ms > source.time_ms:
                    if time_ms <= limit_ms:
                        source.time_ms = time_ms
                        source.time_received_ms = received_ms
                    else:
                        source.advance(offset.supported_ms(time_ms, received_ms), received_ms)
                    if source.time_ms >= trigger_ms:
                        self._release(source.time_ms, rows)
                        trigger_ms = NEVER  # found below, where a pane may begin that closes earlier
                        end_ms = cursor.end_ms = NEVER  # the pane may have been closed
                if not start_ms <= time_ms < end_ms:
                    if pane_ms:  # the arithmetic of the ruler, without a call
                        start_ms = cursor.start_ms = time_ms - (time_ms - first_ms) % pane_ms
                        pane_end_ms = start_ms + pane_ms
                    else:
                        start_ms, pane_end_ms = self._ruler.pane(time_ms)
                        cursor.start_ms = start_ms
                    found = panes.get(start_ms)
                    if found is None:
                        found = self._begin(start_ms, event)
                        trigger_ms = NEVER
                    if trigger_ms == NEVER:
                        self._aim(cursor)
                        trigger_ms = cursor.trigger_ms
                    if found is None:  # the event is late
                        end_ms = cursor.end_ms = NEVER
                        continue
                    pane = cursor.pane = found
                    end_ms = cursor.end_ms = pane_end_ms
                    symbol = None
                # Bars always have this key. A call for it would cost as much as all else here, and often the key is
                # that of the event before.
                if not by_instrument or event.symbol != symbol:
                    symbol = event.symbol
                    key = (exchange, symbol) if by_instrument else key_of(event)
                    accumulator = pane.get(key)
                    if accumulator is None:
                        accumulator = pane[key] = self._enter_pane(key, start_ms)
                accumulator.add(event)
                if changed is not None and changed.get(key, NEVER) < start_ms:
                    changed[key] = start_ms
        except Exception as error:
            noted(error, self._stage, event)
            raise
        if events:
            source.received_ms = received_ms
            source.offset.latest_ms = time_ms - received_ms

    def _begin(self, start_ms: int, event: Any) -> _Pane | None:
        """A new pane for an event; None if the event is late, because a window of that pane has closed."""
        ruler = self._ruler
        first_ms = ruler.open_at(start_ms)
        if self._progress.reached(ruler.end(first_ms)):
            self._is_late(event)
            if not self._progress.reached(ruler.end(ruler.last(start_ms))):
                self._amend(start_ms, event)
            return None
        made = self._panes[start_ms] = {}
        if self._promise_at == FOREVER:
            self._promise_at = ruler.pane(start_ms)[1] if self._progress.reached(start_ms) else start_ms
        heapq.heappush(self._starts, start_ms)
        self._close_from(first_ms)
        return made

    def _amend(self, start_ms: int, event: Any) -> None:
        """Add a late event to those of its windows that are still open."""
        key = self._key_of(event)
        queue = self._queues.get(key)
        if queue is None:
            self._enter(key)
            queue = self._queues[key] = PaneQueue(self._accumulator)
        queue.amend(start_ms).add(event)
        first_open_ms = self._ruler.open_at(self._progress.watermark)
        if self._known is not None:
            self._know(self._known, key, first_open_ms)
        self._close_from(first_open_ms)

    def _enter_pane(self, key: Key, start_ms: int) -> Accumulator:
        self._enter(key)
        if self._known is not None:
            self._know(self._known, key, self._ruler.open_at(start_ms))
        return self._accumulator()

    def _know(self, known: dict[Key, int], key: Key, since_ms: int) -> None:
        if key not in known:
            self._enter(key)  # for good: a known key is an open one
        known[key] = min(since_ms, known.get(key, FOREVER))

    # Windows

    def _promise(self, rows: list[Row]) -> None:
        super()._promise(rows)
        if self._progress.reached(self._promise_at):  # a longer window over the rows may end where a pane does
            self._promise_at = self._ruler.pane(self._progress.come_ms)[1]

    def _close_from(self, start_ms: int) -> None:
        if start_ms < self._next_ms:
            self._next_ms = start_ms
            self._deadline = self._ruler.end(start_ms)

    def _close(self, rows: list[Row]) -> None:
        while self._deadline < FOREVER and self._progress.reached(self._deadline):
            self._close_next(rows, final=True)

    def _finish(self, rows: list[Row]) -> None:
        self._progress.end()
        while self._panes or any(queue.latest_ms >= self._next_ms for queue in self._queues.values()):
            self._close_next(rows, final=False)

    def _close_next(self, rows: list[Row], *, final: bool) -> None:
        """Give the rows of the window that closes next, by key, and find the one after it."""
        start_ms = self._next_ms
        end_ms = self._deadline
        found = self._close_pane(start_ms) if self._tumbling else self._close_window(start_ms, end_ms)
        self._quiet = 0 if found else self._quiet + 1
        # Before the subscription began nothing was seen, so no key is known to have been without events then.
        if self._known is not None and end_ms > self._progress.begun_ms:
            empty = (key for key, since_ms in self._known.items() if since_ms <= start_ms and key not in found)
            found.update([(key, self._accumulator()) for key in empty])
        if found:
            self._give_rows(found, (start_ms, end_ms), self._quality(start_ms, end_ms, final=final), rows)
        self._closed_to = self._ruler.next(start_ms)
        self._next_ms = self._find_next(self._closed_to)
        self._deadline = self._ruler.end(self._next_ms) if self._next_ms < FOREVER else FOREVER

    def _give_rows(
        self, found: dict[Any, Accumulator], window: tuple[int, int], quality: Quality, rows: list[Row]
    ) -> None:
        """The rows of a window, by key: keys order as their fields do."""
        make, single = self._make, self._single
        for key in sorted(found):
            total = found[key]
            fields: tuple[Any, ...] = (key,) if single else key
            # A sum of tuples takes less time than one tuple made of all that is in them.
            rows.append(make(window + fields + total.values() + quality, total.sums()))

    def _close_pane(self, start_ms: int) -> _Pane:
        found = self._panes.pop(start_ms, None)
        if found is None:
            return {}
        heapq.heappop(self._starts)
        for key in found:
            self._leave(key)
        return found

    def _close_window(self, start_ms: int, end_ms: int) -> _Pane:
        queues = self._queues
        while self._starts and self._starts[0] < end_ms:
            pane_ms = heapq.heappop(self._starts)
            for key, partial in self._panes.pop(pane_ms).items():
                queue = queues.get(key)
                if queue is None:
                    queue = queues[key] = PaneQueue(self._accumulator)  # it counts as open in place of the pane
                else:
                    self._leave(key)
                queue.push(pane_ms, partial)
        found: _Pane = {}
        for key, queue in tuple(queues.items()):
            queue.evict_before(start_ms)
            if queue:
                found[key] = queue.total()
            else:
                del queues[key]
                self._leave(key)
        return found

    def _find_next(self, start_ms: int) -> int:
        """The start of the first window from `start_ms` on that has a row to give."""
        if self._queues:
            return start_ms
        held_ms = self._ruler.open_at(self._starts[0]) if self._starts else FOREVER
        if self._known and self._quiet < _QUIET:
            held_ms = min(held_ms, self._ruler.open_at(self._progress.begun_ms))
        if held_ms < start_ms:
            return start_ms
        return held_ms

    def _begun_earlier(self, watermark_ms: int) -> None:
        # `_find_next` may have passed over windows that nobody had seen, as it seemed then.
        if self._known and self._quiet < _QUIET and self._closed_to < self._next_ms:
            seen_ms = max(self._progress.begun_ms, watermark_ms)
            self._close_from(max(self._closed_to, self._ruler.open_at(seen_ms)))

    def _needed_from(self) -> int:
        return min(self._next_ms, self._progress.watermark - self._ruler.longest_ms)

    # Running rows

    def _find_running(self, changed: dict[Key, int]) -> Iterator[OpenRow]:
        """For each key the first window that ends after its latest event: of its open windows the fullest one."""
        for key, pane_start_ms in changed.items():
            if pane_start_ms in self._panes:
                start_ms = self._ruler.open_at(pane_start_ms)
                end_ms = self._ruler.end(start_ms)
                if self._tumbling:
                    total = self._panes[start_ms][key]
                else:
                    total = self._total(key, start_ms, end_ms)
                yield end_ms, self._fields(key), start_ms, total.values(), None

    def _total(self, key: Key, start_ms: int, end_ms: int) -> Accumulator:
        queue = self._queues.get(key)
        total = self._accumulator() if queue is None else queue.total_from(start_ms)
        for pane_start_ms in sorted(each for each in self._panes if start_ms <= each < end_ms):
            partial = self._panes[pane_start_ms].get(key)
            if partial is not None:
                total.merge(partial)
        return total
