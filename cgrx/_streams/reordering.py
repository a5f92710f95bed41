"""Events of several inputs into the order of their times, as a state machine: signals in, signals out.

    held       an event waits until every source has come as far as its time, or for `max_delay_ms`
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

from bisect import insort
from collections import deque
from typing import Any, Generic, TypeAlias, TypeVar

import attrs

from cgrx._model.channels import Channel
from cgrx._model.signals import Alive, Batch, Dropped, Gap, Mark, Signal, Watermark, proof_ms
from cgrx._model.times import FOREVER, NEVER
from cgrx._streams.by_time import MANY, ByTime
from cgrx._streams.keeping import gathered, put_back
from cgrx._streams.offset import Offset
from cgrx._streams.order_out import Held, Outgoing
from cgrx._streams.order_sources import Source, Sources
from cgrx._streams.order_stats import OrderCounts

T = TypeVar("T")

TOLERANCE_MS = 2_000
"""An event may be so much further ahead of its receive time than others are."""


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

Incoming: TypeAlias = Mark | Promised | Ended
"""What an ordered merge takes in, but for batches. Watermarks of inputs come as promises."""


class Reordering(Generic[T]):
    """The order of one subscription. State: the events held, at most `max_held`, the marks among them, the sources."""

    def __init__(self, inputs: int, max_delay_ms: float, max_held: float, counts: OrderCounts) -> None:
        self._sources = Sources(inputs)
        self._max_delay_ms = max_delay_ms
        self._max_held = max_held
        self._counts = counts
        self.now_ms = NEVER
        """The latest receive time or proof."""
        self._number = 0  # of the event that arrived last
        self._held: ByTime[Held[T]] = ByTime()
        self._fresh: list[Held[T]] = []  # those of them that have come since some were last let go
        self._first_ms = FOREVER  # the earliest of all that are held
        self._full: float = max_held if max_delay_ms > 0 else 0  # an event of a higher number would be one too many
        # Up to this number so few are held, and in order, that one more is put in its place at once. So it is of the
        # first ones in any case, also when a state was taken up.
        self._few = MANY
        # Of what came at once: the number of the first, the arrival, the highest time so far. Of the first one of these
        # an event is still held.
        self._arrived: deque[tuple[int, int, int]] = deque()
        self._marks: deque[_HeldMark] = deque()  # all but the losses
        self._losses: deque[_HeldMark] = deque()  # gaps and drops, which do not wait for events that came later
        self._mark_number = 0
        self._order_ms = NEVER  # the order has come so far: nothing earlier goes out, but what is late
        self._latest_ms = NEVER  # the highest event time
        self._latest_arrival_ms = NEVER
        self._alive_ms: dict[str, int] = {}
        self._offset = Offset(TOLERANCE_MS)
        self._out: Outgoing[T] = Outgoing()

    def take(self, incoming: Incoming, signals: list[Signal[T]]) -> None:
        """Take something in, and add the signals that go on to `signals`."""
        out = self._out
        out.signals = signals
        match incoming:
            case Promised(index, time_ms):
                self._sources.promise(index, time_ms)
                self._settle(out)
            case Ended(index):
                self._sources.end(index)
                self._settle(out)
            case mark:
                self._take_mark(mark, out)
        out.close()

    def take_batch(self, index: int, batch: Batch[T], signals: list[Signal[T]]) -> None:
        """The same with events of an input; what goes on is added also where an event cannot be ordered.

        Raises:
            TypeError: an event without a time or an exchange.
        """
        out = self._out
        out.signals = signals
        if batch.received_ms > self.now_ms:
            self.now_ms = batch.received_ms
            if self._is_overdue:
                self._settle(out)  # that went out before these came
        try:
            sources = self.sources_of(index, batch.channel)
            lets_go = self.hold(sources, batch) if len(batch.events) == 1 else None
            if lets_go is None:
                self._take_events(index, sources, batch, out)
            elif lets_go:
                self._settle(out)
        finally:
            out.close()

    def sources_of(self, index: int, channel: Channel | None) -> dict[str, Source]:
        """The sources of an input within a channel, by exchange: for `hold`, to be asked for once for many batches."""
        return self._sources.of(index, channel)

    # Where many channels interleave, most batches are of one, and what `take_batch` makes ready costs more than the
    # event. So what it does with an event that is only held, of a source that is known, stands here again.

    def hold(self, sources: dict[str, Source], batch: Batch[T]) -> bool | None:
        """Hold an event that is alone in its batch, and tell whether it lets go of something.

        None: more has to be done than to hold it, and it is left to `take_batch`. `sources` are those of its channel.
        """
        event: Any = batch.events[0]
        received_ms, offset = batch.received_ms, self._offset
        try:
            time_ms: int = event.time_ms
            source = sources[event.exchange]
        except (AttributeError, KeyError):
            return None
        if not self._order_ms < time_ms <= received_ms + offset.reach_ms:
            return None
        if received_ms > self.now_ms:
            arrived = self._arrived
            if arrived and received_ms - arrived[0][1] >= self._max_delay_ms:
                return None
            self.now_ms = received_ms
        if time_ms > source.time_ms:
            source.time_ms = time_ms
        self._number = number = self._number + 1
        self._counts.events += 1
        first_ms = self._first_ms
        if time_ms < first_ms:
            self._first_ms = first_ms = time_ms
        item = (time_ms, number, event, batch)
        is_latest = time_ms > self._latest_ms
        if is_latest:
            self._latest_ms, self._latest_arrival_ms = time_ms, self.now_ms
            self._arrived.append((number, self.now_ms, time_ms))
        if number > self._few:
            self._fresh.append(item)
        elif is_latest:
            self._held.items.append(item)
        else:
            insort(self._held.items, item)
        offset.latest_ms = time_ms - received_ms
        return self._sources.last.time_ms >= first_ms or number > self._full

    def let_go(self, signals: list[Signal[T]]) -> None:
        """Let go of all that need not wait any longer."""
        out = self._out
        out.signals = signals
        self._settle(out)
        out.close()

    def state(self) -> object:
        """See `Running.state`; the counts are those of the stream."""
        return gathered(self, ("_max_delay_ms", "_max_held", "_counts", "_out", "_few"))

    def take_up(self, state: object) -> None:
        """See `Running.take_up`."""
        put_back(self, state)

    def finish(self, signals: list[Signal[T]]) -> None:
        """Release all that is held, in order."""
        self._sources.end_all()
        self.let_go(signals)

    def _take_mark(self, mark: Mark, out: Outgoing[T]) -> None:
        self.now_ms = max(self.now_ms, proof_ms(mark))
        self._mark_number += 1
        held = self._losses if isinstance(mark, Gap | Dropped) else self._marks
        held.append((self._number, self._mark_number, mark))
        self._settle(out)
        if isinstance(mark, Alive):
            self._offset.on_proof()
            self._alive_ms[mark.origin] = mark.at_ms
            self._prove(out)

    def _prove(self, out: Outgoing[T]) -> None:
        """Where nothing is held, proven silence moves the order on: `max_delay` behind the time that it must be now."""
        if self._first_ms < FOREVER or self._latest_ms == NEVER:
            return
        silent_ms = min(self._alive_ms.values()) - self._latest_arrival_ms
        if silent_ms > self._max_delay_ms:
            self._advance(self._latest_ms + silent_ms - int(self._max_delay_ms), out)

    def _take_events(self, index: int, sources: dict[str, Source], batch: Batch[T], out: Outgoing[T]) -> None:
        """Each event passes at once where the order has come as far as it already, or is held and lets others go.

        While one source speaks in order, no later event of it can change what an earlier one has let go: the order
        comes to no time to which a source has not. So a run of them is settled at once, behind the last one.
        """
        channel, received_ms = batch.channel, batch.received_ms
        origin: Batch[T] = batch if len(batch.events) == 1 else Batch(channel, received_ms, ())
        of_all, offset, fresh = self._sources, self._offset, self._fresh
        limit_ms = received_ms + offset.reach_ms
        source, exchange, come_ms, own_ms = None, None, NEVER, received_ms
        number, first_ms, latest_ms, full = self._number, self._first_ms, self._latest_ms, self._full
        event: Any
        try:
            for event in batch.events:
                try:
                    own_ms, its_exchange = event.time_ms, event.exchange
                except AttributeError as error:
                    raise _foreign(event) from error
                if its_exchange != exchange or source is None:
                    if source is not None:
                        first_ms, full = self._came(number, first_ms, latest_ms, out)
                    exchange = its_exchange
                    source = sources.get(exchange) or of_all.begin(index, channel, exchange)
                    come_ms = source.time_ms
                time_ms = own_ms if own_ms <= limit_ms else received_ms + offset.ms
                if time_ms > come_ms:
                    source.time_ms = come_ms = time_ms
                else:
                    first_ms, full = self._came(number, first_ms, latest_ms, out)
                if time_ms <= self._order_ms:
                    first_ms, full = self._came(number, first_ms, latest_ms, out)
                    self._pass(event, origin, out)
                    continue
                if time_ms < first_ms:
                    first_ms = time_ms
                if time_ms > latest_ms:
                    latest_ms = time_ms
                number += 1
                fresh.append((time_ms, number, event, origin))
                if number > full:
                    first_ms, full = self._came(number, first_ms, latest_ms, out)
        finally:
            self._came(number, first_ms, latest_ms, out)
        if batch.events:
            offset.latest_ms = own_ms - received_ms

    def _pass(self, event: Any, origin: Batch[T], out: Outgoing[T]) -> None:
        """An event to whose time the order has come: it goes out at once."""
        counts = self._counts
        counts.events += 1
        if event.time_ms < self._order_ms:
            counts.add_late(self._order_ms - event.time_ms)
        self._give_losses(FOREVER, out)  # nothing that is held can have waited for this event
        out.events([(event.time_ms, 0, event, origin)])

    def _came(self, number: int, first_ms: int, latest_ms: int, out: Outgoing[T]) -> tuple[int, float]:
        """Events up to this number have come, and are held: let go of those that need not wait any longer.

        Of all that are held the earliest is of `first_ms`; of all that have come the latest is of `latest_ms`. Gives
        the earliest of those that are held now, and the number beyond which one more would be too many.
        """
        if number == self._number:
            return self._first_ms, self._full
        begun = self._number + 1
        self._counts.events += number - self._number
        self._number, self._first_ms = number, first_ms
        if latest_ms > self._latest_ms:
            self._latest_ms, self._latest_arrival_ms = latest_ms, self.now_ms
            self._arrived.append((begun, self.now_ms, latest_ms))
        # If the source that was furthest behind is behind all that is held, nothing can go.
        if self._sources.last.time_ms >= first_ms or number > self._full:
            self._settle(out, begun)
        return self._first_ms, self._full

    def _settle(self, out: Outgoing[T], begun: int = FOREVER) -> None:
        """Let go of all that need not wait any longer, and of the marks behind it.

        The events from the number `begun` on have come one after the other since that was done: each has let those up
        to its own time go.
        """
        held, arrived, reached_ms = self._held, self._arrived, NEVER
        free_ms = self._find_free() if self._first_ms < FOREVER else NEVER
        if free_ms >= self._first_ms or self._number > self._full:
            if self._fresh:
                held.add_all(self._fresh)
                self._fresh.clear()
            due = held.pop_until(free_ms)
            if due:
                reached_ms = due[-1][0]
                if self._losses or self._marks:
                    self._give_between_marks(due, begun, out)
                else:
                    stepped_ms = out.events(due, begun)
                    if stepped_ms > self._order_ms:
                        self._order_ms = stepped_ms
            while len(held.items) > self._max_held:
                reached_ms = held.items[0][0]
                self._give_between_marks(held.pop_until(reached_ms), FOREVER, out)
            self._first_ms = held.items[0][0] if held.items else FOREVER
            self._full = self._number + (self._max_held - len(held.items) if self._max_delay_ms > 0 else 0)
            self._few = self._number + MANY - len(held.items) if held.is_sorted else 0
        goes_on = reached_ms > self._order_ms
        order_ms = reached_ms if goes_on else self._order_ms
        if self._losses or self._marks:
            self._give_marks(order_ms, out)
        else:
            while arrived and arrived[0][2] <= order_ms:
                arrived.popleft()
        if goes_on:
            self._advance(reached_ms, out)

    def _give_between_marks(self, due: list[Held[T]], begun: int, out: Outgoing[T]) -> None:
        """Events in their order, each behind the losses that came before it; a step behind each from `begun` on."""
        for held in due:
            self._give_losses(held[1], out)
            out.events([held])
            if held[1] >= begun:
                self._give_marks(held[0], out)
                self._advance(held[0], out)

    @property
    def _is_overdue(self) -> bool:
        """Whether the event that came first of those that are held has been held for long enough."""
        return bool(self._arrived) and self.now_ms - self._arrived[0][1] >= self._max_delay_ms

    def _find_free(self) -> int:
        """What is held up to this time need not wait: all sources have come so far, or it was held for long enough."""
        free_ms = self._sources.come_to()
        for _, arrival_ms, latest_ms in self._arrived:
            if self.now_ms - arrival_ms < self._max_delay_ms:
                break
            free_ms = max(free_ms, latest_ms)
        return free_ms

    def _advance(self, time_ms: int, out: Outgoing[T]) -> None:
        if time_ms > self._order_ms:
            self._order_ms = time_ms
            if self._losses:
                self._give_losses(FOREVER, out)
            out.mark(Watermark(time_ms))

    def _give_marks(self, order_ms: int, out: Outgoing[T]) -> None:
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

    def _give_losses(self, number: int, out: Outgoing[T], before: int = FOREVER) -> None:
        """The gaps and drops that came before the event of this number and that mark, whatever else is held."""
        losses = self._losses
        while losses and losses[0][0] < number and losses[0][1] < before:
            out.mark(losses.popleft()[2])


def _foreign(event: object) -> TypeError:
    return TypeError(f"merge_exchanges() orders events by time_ms and exchange, not {event!r}")
