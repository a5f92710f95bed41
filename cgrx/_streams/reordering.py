"""Events of several inputs into the order of their times, as a state machine: signals in, signals out.

    held       an event waits in a heap until every source has come as far as its time, or for `max_delay_ms`
    released   in order of time, ties in order of arrival; then a `Watermark` says how far the order has come
    late       an event from before that passes at once, out of order, and is counted
    too early  an event that is more than two seconds further ahead of its receive time than others are takes the place
               that its receive time gives it, so that the order does not jump there; see `offset`

A source is one exchange within one channel of one input. An input of which nothing has come yet counts as one source;
an input that has ended, as none. Events wait for a quiet source as for any other, because it may be about to speak.
That is the cost of order, and `max_delay_ms` bounds it, on the stream's own clock: the latest receive time or proof.

Marks keep their place. `Alive` goes on behind the last of the events that came before it, since it says that those have
been heard. So do `Gap` and `Dropped`, but they never fall behind an event or a `Watermark` that something later has
released: a window must not close without knowing of them.
"""

from collections import deque
from heapq import heappop, heappush
from typing import Any, Generic, TypeAlias, TypeVar

import attrs

from cgrx._model.channels import Channel
from cgrx._model.limits import MAX_EXCHANGES, OTHER_EXCHANGES
from cgrx._model.signals import Alive, Batch, Dropped, Gap, Mark, Signal, Watermark, proof_ms
from cgrx._model.times import FOREVER, NEVER
from cgrx._streams.keeping import gathered, put_back
from cgrx._streams.offset import Offset

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

TOLERANCE_MS = 2_000
"""An event may be so much further ahead of its receive time than others are."""


class FromInput(Batch[T_co], frozen=True):
    """Events, with the number of the input that they came by."""

    index: int


@attrs.frozen
class Promised:
    """Nothing earlier than this time will follow from an input: a stage in it that orders events says so."""

    index: int
    time_ms: int


@attrs.frozen
class Ended:
    """Nothing at all will follow from an input."""

    index: int
    unseen: tuple[Channel, ...] = ()
    """The channels that are not seen any more from now on, because the input has failed."""


_HeldMark: TypeAlias = tuple[int, int, Mark]
"""The number of the event that came before it, its own number among marks, and the mark."""

Incoming: TypeAlias = Signal[T] | Promised | Ended
"""What an ordered merge takes in. Every batch says which input it is from; watermarks of inputs come as promises."""


@attrs.define
class OrderCounts:
    """See `OrderStats`."""

    events: int = 0
    late: int = 0
    worst_late_ms: int = 0

    def add_late(self, late_ms: int) -> None:
        """One more that was late, by so much."""
        self.late += 1
        self.worst_late_ms = max(self.worst_late_ms, late_ms)


@attrs.define(eq=False)
class _Input:
    """What one input has promised, and its sources. Before its first event it counts as one source, without a name."""

    promised_ms: int = NEVER
    sources: dict[Channel | None, "dict[str, _Source]"] = attrs.field(
        factory=dict[Channel | None, "dict[str, _Source]"]
    )
    unnamed: "_Source | None" = None
    """That source, until its first event names it."""


@attrs.define(eq=False)
class _Source:
    """One exchange within one channel of one input: the highest event time seen."""

    input: _Input
    time_ms: int = NEVER


class _Sources:
    """How far all of them have come.

    Not the `Progress` of windows, whose watermark never goes back: here an exchange that is heard of for the first time
    is waited for from then on, wherever the others are.
    """

    def __init__(self, inputs: int) -> None:
        self._inputs = {index: _Input() for index in range(inputs)}
        self._all: list[_Source] = []
        for each in self._inputs.values():
            each.unnamed = _Source(each)
            self._all.append(each.unnamed)
        self.last = self._all[0]
        """The source that was furthest behind when `come_to` last looked."""

    def of(self, index: int, channel: Channel | None) -> dict[str, _Source]:
        """The sources of an input within a channel, by exchange."""
        return self._inputs[index].sources.setdefault(channel, {})

    def begin(self, index: int, channel: Channel | None, exchange: str) -> _Source:
        """A source that is heard of for the first time; beyond the bound, the one that stands for all further ones."""
        owner = self._inputs[index]
        named = owner.sources[channel]
        if len(named) >= MAX_EXCHANGES:
            exchange = OTHER_EXCHANGES
            if exchange in named:
                return named[exchange]
        source, owner.unnamed = owner.unnamed, None
        if source is None:
            source = _Source(owner)
            self._all.append(source)
        named[exchange] = source
        return source

    def promise(self, index: int, time_ms: int) -> None:
        """No source of this input will say anything earlier."""
        self._inputs[index].promised_ms = time_ms

    def end(self, index: int) -> None:
        """Nothing will come of this input."""
        ended = self._inputs.pop(index)
        self._all = [source for source in self._all if source.input is not ended]
        self.come_to()

    def end_all(self) -> None:
        self._inputs.clear()
        self._all.clear()

    def come_to(self) -> int:
        """The event time that every source has reached: that of the one furthest behind."""
        least_ms = FOREVER
        for source in self._all:
            time_ms = source.time_ms
            if time_ms < least_ms and source.input.promised_ms < least_ms:
                least_ms = max(time_ms, source.input.promised_ms)
                self.last = source
        return least_ms


class _Outgoing(Generic[T]):
    """The signals that go on. Events that came in one batch and go out side by side are one batch again."""

    def __init__(self, signals: list[Signal[T]]) -> None:
        self._signals = signals
        self._events: list[T] = []
        self._channel: Channel | None = None
        self._received_ms = 0

    def event(self, event: T, channel: Channel | None, received_ms: int) -> None:
        if self._events and (received_ms != self._received_ms or channel != self._channel):
            self.close()
        self._channel, self._received_ms = channel, received_ms
        self._events.append(event)

    def mark(self, mark: Mark) -> None:
        self.close()
        self._signals.append(mark)

    def close(self) -> None:
        if self._events:
            self._signals.append(Batch(self._channel, self._received_ms, tuple(self._events)))
            self._events.clear()


class Reordering(Generic[T]):
    """The order of one subscription. State: the events held, at most `max_held`, the marks among them, the sources."""

    def __init__(self, inputs: int, max_delay_ms: float, max_held: float, counts: OrderCounts) -> None:
        self._sources = _Sources(inputs)
        self._max_delay_ms = max_delay_ms
        self._max_held = max_held
        self._counts = counts
        self._now_ms = NEVER
        self._number = 0  # of the event that arrived last
        self._heap: list[tuple[int, int, T, Channel | None, int]] = []  # time, number, event, channel, receive time
        self._arrived: deque[tuple[int, int, int]] = deque()  # number, arrival, time; the first one is still held
        self._marks: deque[_HeldMark] = deque()  # all but the losses
        self._losses: deque[_HeldMark] = deque()  # gaps and drops, which do not wait for events that came later
        self._mark_number = 0
        self._order_ms = NEVER  # the order has come so far: nothing earlier goes out, but what is late
        self._latest_ms = NEVER  # the highest event time
        self._latest_arrival_ms = NEVER
        self._alive_ms: dict[str, int] = {}
        self._offset = Offset(TOLERANCE_MS)

    def take(self, incoming: Incoming[T], signals: list[Signal[T]]) -> None:
        """Take something in, and add the signals that go on to `signals`, also where an event cannot be ordered.

        Raises:
            TypeError: an event without a time or an exchange.
        """
        out = _Outgoing(signals)
        try:
            match incoming:
                case FromInput():
                    self._take_events(incoming, out)
                case Promised(index, time_ms):
                    self._sources.promise(index, time_ms)
                    self._settle(out)
                case Ended(index):
                    self._sources.end(index)
                    self._settle(out)
                case mark:
                    assert not isinstance(mark, Batch), "every batch says which input it is from"
                    self._take_mark(mark, out)
        finally:
            out.close()

    def state(self) -> object:
        """See `Running.state`; the counts are those of the stream."""
        return gathered(self, ("_max_delay_ms", "_max_held", "_counts"))

    def take_up(self, state: object) -> None:
        """See `Running.take_up`."""
        put_back(self, state)

    def finish(self, signals: list[Signal[T]]) -> None:
        """Release all that is held, in order."""
        out = _Outgoing(signals)
        self._sources.end_all()
        self._settle(out)
        out.close()

    def _take_mark(self, mark: Mark, out: _Outgoing[T]) -> None:
        self._now_ms = max(self._now_ms, proof_ms(mark))
        self._mark_number += 1
        held = self._losses if isinstance(mark, Gap | Dropped) else self._marks
        held.append((self._number, self._mark_number, mark))
        self._settle(out)
        if isinstance(mark, Alive):
            self._offset.on_proof()
            self._alive_ms[mark.origin] = mark.at_ms
            self._prove(out)

    def _prove(self, out: _Outgoing[T]) -> None:
        """Where nothing is held, proven silence moves the order on: `max_delay` behind the time that it must be now."""
        if self._heap or self._latest_ms == NEVER:
            return
        silent_ms = min(self._alive_ms.values()) - self._latest_arrival_ms
        if silent_ms > self._max_delay_ms:
            self._advance(self._latest_ms + silent_ms - int(self._max_delay_ms), out)

    def _take_events(self, batch: FromInput[T], out: _Outgoing[T]) -> None:
        """Each event passes at once where the order has come as far as it already, or is held and lets others go.

        Before and after each one holds: nothing that is held could go out. So an event behind which the source that was
        furthest behind is still that, and behind all that is held, changes nothing, and nobody need look.
        """
        channel, received_ms = batch.channel, batch.received_ms
        if received_ms > self._now_ms:
            self._now_ms = received_ms
            self._settle(out)  # what is overdue now went out before these came
        heap, arrived, counts, of_all, offset = self._heap, self._arrived, self._counts, self._sources, self._offset
        limit_ms = received_ms + offset.reach_ms
        may_wait, max_held = self._max_delay_ms > 0, self._max_held
        sources = of_all.of(batch.index, channel)
        own_ms = received_ms
        event: Any
        for event in batch.events:
            try:
                own_ms = event.time_ms
                exchange: str = event.exchange
            except AttributeError as error:
                raise TypeError(f"merge_exchanges() orders events by time_ms and exchange, not {event!r}") from error
            time_ms = own_ms if own_ms <= limit_ms else received_ms + offset.ms
            source = sources.get(exchange) or of_all.begin(batch.index, channel, exchange)
            if time_ms > source.time_ms:
                source.time_ms = time_ms
            counts.events += 1
            if time_ms <= self._order_ms:
                if own_ms < self._order_ms:
                    counts.add_late(self._order_ms - own_ms)
                self._give_losses(FOREVER, out)  # nothing that is held can have waited for this event
                out.event(event, channel, received_ms)
                continue
            if time_ms > self._latest_ms:
                self._latest_ms, self._latest_arrival_ms = time_ms, self._now_ms
            self._number += 1
            heappush(heap, (time_ms, self._number, event, channel, received_ms))
            arrived.append((self._number, self._now_ms, time_ms))
            first_ms, last = heap[0][0], of_all.last
            is_waited_for = last.time_ms < first_ms and last.input.promised_ms < first_ms
            if not (is_waited_for and may_wait and len(heap) <= max_held):
                self._settle(out)
        if batch.events:
            offset.latest_ms = own_ms - received_ms

    def _settle(self, out: _Outgoing[T]) -> None:
        """Let go of all that need not wait any longer, and of the marks behind it."""
        heap = self._heap
        reached_ms = NEVER
        if heap:
            free_ms = max(self._find_overdue(), self._sources.come_to())
            while heap and (heap[0][0] <= free_ms or len(heap) > self._max_held):
                reached_ms, number, event, channel, received_ms = heappop(heap)
                free_ms = max(free_ms, reached_ms)
                if self._losses:
                    self._give_losses(number, out)
                out.event(event, channel, received_ms)
        if reached_ms > self._order_ms:
            self._give_marks(reached_ms, out)
            self._advance(reached_ms, out)
        else:
            self._give_marks(self._order_ms, out)

    def _find_overdue(self) -> int:
        """The highest time of the events that have been held for long enough."""
        overdue_ms = NEVER
        for _, arrival_ms, time_ms in self._arrived:
            if self._now_ms - arrival_ms < self._max_delay_ms:
                break
            overdue_ms = max(overdue_ms, time_ms)
        return overdue_ms

    def _advance(self, time_ms: int, out: _Outgoing[T]) -> None:
        if time_ms > self._order_ms:
            self._order_ms = time_ms
            self._give_losses(FOREVER, out)
            out.mark(Watermark(time_ms))

    def _give_marks(self, order_ms: int, out: _Outgoing[T]) -> None:
        """The marks before which no event is held, where all up to `order_ms` are released."""
        arrived, marks = self._arrived, self._marks
        while arrived and arrived[0][2] <= order_ms:
            arrived.popleft()
        first_held = arrived[0][0] if arrived else FOREVER
        while marks and marks[0][0] < first_held:
            _, mark_number, mark = marks.popleft()
            self._give_losses(FOREVER, out, before=mark_number)
            out.mark(mark)
        self._give_losses(first_held, out)

    def _give_losses(self, number: int, out: _Outgoing[T], before: int = FOREVER) -> None:
        """The gaps and drops that came before the event of this number and that mark, whatever else is held."""
        losses = self._losses
        while losses and losses[0][0] < number and losses[0][1] < before:
            out.mark(losses.popleft()[2])
