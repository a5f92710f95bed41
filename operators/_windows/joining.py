"""The running form of `latest_of`: two inputs in, each item of the first with the latest of the second out.

What the first input says is held in `unanswered` until it is due; what the other one says is kept in `history` for as
long as an item may still ask for it. The marks of the first input keep their place: a proof goes on behind the items
that came before it, a loss at once. Those of the other input are told by the quality of the answers.
"""

import math
from bisect import bisect_right
from collections.abc import Hashable
from typing import Any, cast

from cgrx._model.channels import Channel
from cgrx._model.signals import Alive, Batch, Dropped, Gap, Mark, Signal, Watermark, proof_ms
from cgrx._model.times import FOREVER, NEVER
from cgrx._streams.keeping import gathered, put_back
from cgrx._streams.running import noted
from cgrx.operators._stages.items import too_many
from cgrx.operators._windows.history import History
from cgrx.operators._windows.join_side import JoinSide
from cgrx.operators._windows.joined import Held, JoinTerms
from cgrx.operators._windows.unanswered import Unanswered


class Joining:
    """One subscription. State: the items without an answer, the histories of the other input by key."""

    def __init__(self, operator: object, terms: JoinTerms) -> None:
        self.has_ended = False
        """Whether the first input has."""
        self._operator = operator
        self._terms = terms
        self._by_asset = terms.by == ("base_asset",)  # the usual key, which a call would cost more than
        self._left = JoinSide(operator, terms.by, terms.lateness_ms, terms.idle_ms)
        self._other = JoinSide(operator, terms.by, terms.lateness_ms, terms.idle_ms)
        self._unanswered = Unanswered(terms, self._left, self._other)
        self._told_ms = 0
        self._now_ms = 0

    def state(self) -> object:
        """See `Running.state`."""
        held = gathered(self, ("_operator", "_terms", "_by_asset", "_left", "_other", "_unanswered"))
        return self._left.state(), self._other.state(), self._unanswered.state(), held

    def take_up(self, state: object) -> None:
        """See `Running.take_up`."""
        left, other, unanswered, held = cast("tuple[object, object, object, object]", state)
        self._left.take_up(left)
        self._other.take_up(other)
        self._unanswered.take_up(unanswered)
        put_back(self, held)

    # Signals

    def on_left(self, signal: Signal[Any], out: list[Signal[Any]]) -> None:
        """Take a signal of the first input in, and add those that go on to `out`, also where it raises."""
        if isinstance(signal, Batch):
            if signal.received_ms > self._now_ms:
                self._now_ms = signal.received_ms
            if len(signal.events) == 1 and self._take_one_left(signal, out):
                return
            results: list[Any] = []
            try:
                self._take_left(signal, results)
            finally:
                self._put(results, out, signal.channel)
            return
        self._left.on_mark(signal)
        if isinstance(signal, Alive):
            self._unanswered.prove(signal)
        elif isinstance(signal, Gap | Dropped):
            out.append(signal)
        self._after_mark(signal, out)

    def on_other(self, signal: Signal[Any], out: list[Signal[Any]]) -> None:
        """The same for a signal of the other input."""
        if isinstance(signal, Batch):
            if signal.received_ms > self._now_ms:
                self._now_ms = signal.received_ms
            if len(signal.events) == 1 and self._take_one_other(signal, out):
                return
            results: list[Any] = []
            try:
                self._take_other(signal, results)
            finally:
                self._put(results, out)
            return
        self._other.on_mark(signal)
        self._after_mark(signal, out)

    def on_left_end(self, out: list[Signal[Any]]) -> None:
        """The first input has ended. What is held still waits for the other one."""
        self._left.end()
        self.has_ended = True
        self._after_end(out)

    def on_other_end(self, out: list[Signal[Any]]) -> None:
        """The other input has ended: nobody waits for it any more."""
        self._other.end()
        self._unanswered.end_waiting()
        self._after_end(out)

    def finish(self, out: list[Signal[Any]]) -> None:
        """Give all that is held as it can be answered now."""
        results: list[Any] = []
        while self._unanswered.count:
            self._unanswered.force(results)
        self._put(results, out)

    @property
    def is_done(self) -> bool:
        """Whether nothing can follow."""
        return self.has_ended and not self._unanswered.count

    def _after_end(self, out: list[Signal[Any]]) -> None:
        self._answer(out)
        self._unanswered.give_proofs(out)

    def _after_mark(self, mark: Mark, out: list[Signal[Any]]) -> None:
        """Results first, then the proofs that have waited for them, then how far all has come."""
        self._now_ms = max(self._now_ms, proof_ms(mark))
        self._answer(out)
        self._unanswered.give_proofs(out)
        left_ms = self._left.watermark
        come_ms = min(left_ms, self._other.watermark)
        if come_ms > self._told_ms and not self._left.ended and not self._unanswered.holds_back:
            self._told_ms = come_ms
            out.append(Watermark(come_ms))
        age_ms = self._terms.max_age_ms
        self._left.forget_before(come_ms)
        self._other.forget_before(come_ms if math.isinf(age_ms) else come_ms - int(age_ms))

    def _put(self, results: list[Any], out: list[Signal[Any]], channel: Channel | None = None) -> None:
        if results:
            out.append(Batch(channel, self._now_ms, tuple(results)))

    # Items

    # What an item costs is in these two loops. They read of an item by what `JoinSide.read` found out about the one
    # before, and look for a source only where the exchange changes, as windows do. Items are released behind a batch;
    # before a late one, too, and before one too many: so that batching decides nothing.

    def _take_left(self, batch: Batch[Any], results: list[Any]) -> None:
        side, arrival, item = self._left, self._left.arrival, None
        fresh: list[Held] = []
        unanswered, number, received_ms = self._unanswered, self._unanswered.number, batch.received_ms
        period, all_held, max_held = unanswered.period, unanswered.held, self._terms.max_held
        full_at = unanswered.answered + max_held  # with an item of a higher number there are too many
        inner: Any
        known, reader = side.known, side.reader
        by_asset, key_of, is_event, is_row = self._by_asset, reader.key, reader.is_event, reader.is_row
        exchange, last_ms, top_ms = None, 0, NEVER
        lateness_ms, come_ms = side.lateness_ms, side.progress.come_ms
        limit_ms = arrival.begin(batch)
        try:
            for item in batch.events:
                inner = item
                if type(item) is not known:
                    inner = side.read(item)
                    known, reader = side.known, side.reader
                    key_of, is_event, is_row = reader.key, reader.is_event, reader.is_row
                time_ms = inner.time_ms
                number += 1
                key = inner.base_asset if by_asset else key_of(inner)
                fresh.append((time_ms, number, item, key, received_ms, period, None))
                if is_event:
                    if inner.exchange != exchange:
                        exchange = inner.exchange
                        top_ms = arrival.turn_to(exchange, last_ms, top_ms)
                    last_ms = time_ms
                    if time_ms > top_ms:
                        top_ms = time_ms if time_ms <= limit_ms else arrival.advance(top_ms)
                    elif time_ms <= top_ms - lateness_ms:
                        come_ms = top_ms - lateness_ms
                    if time_ms > come_ms and number <= full_at:
                        continue
                elif is_row:
                    side.on_row(inner)
                unanswered.hold(fresh)
                arrival.tell(top_ms)
                unanswered.release(results)
                while unanswered.count > max_held:
                    unanswered.force(results)
                come_ms, full_at = side.progress.come_ms, unanswered.answered + max_held
        except Exception as error:
            noted(error, self._operator, item)
            unanswered.hold(fresh)
            arrival.tell(top_ms)
            unanswered.release(results)
            raise
        unanswered.hold(fresh)
        come_ms = arrival.end(last_ms, top_ms) - lateness_ms
        if all_held.items and come_ms >= all_held.items[0][0]:
            unanswered.release(results)

    def _take_other(self, batch: Batch[Any], results: list[Any]) -> None:
        side, arrival, item = self._other, self._other.arrival, None
        histories, lateness_ms = self._unanswered.histories, side.lateness_ms
        said, worth_a_look = histories.said, histories.worth_a_look
        inner: Any
        known, reader = side.known, side.reader
        key_of, rank, is_event, is_row = reader.key, reader.rank, reader.is_event, reader.is_row
        by_asset = self._by_asset
        exchange, last_ms, top_ms = None, 0, NEVER
        limit_ms = arrival.begin(batch)
        try:
            for item in batch.events:
                inner = item
                if type(item) is not known:
                    inner = side.read(item)
                    known, reader = side.known, side.reader
                    key_of, rank, is_event, is_row = reader.key, reader.rank, reader.is_event, reader.is_row
                time_ms = inner.time_ms
                if is_event:
                    if inner.exchange != exchange:
                        exchange = inner.exchange
                        top_ms = arrival.turn_to(exchange, last_ms, top_ms)
                    if time_ms > top_ms:
                        top_ms = time_ms if time_ms <= limit_ms else arrival.advance(top_ms)
                    elif time_ms <= top_ms - lateness_ms:
                        arrival.tell(top_ms)
                        self._unanswered.release(results)
                    last_ms = time_ms
                elif is_row and side.on_row(inner):
                    arrival.tell(top_ms)
                    self._unanswered.release(results)
                key = inner.base_asset if by_asset else key_of(inner)
                history = histories.get(key)
                if history is None:
                    history = self._begin(key, time_ms)
                if is_row and inner.withdrawn:
                    history.withdrew = True
                times = history.times
                if not times or time_ms > times[-1]:
                    times.append(time_ms)
                    history.items.append(item)
                else:
                    at = bisect_right(times, time_ms)
                    if at and times[at - 1] == time_ms:
                        history.replace(at - 1, item, rank)
                    else:
                        times.insert(at, time_ms)
                        history.items.insert(at, item)
                said += 1
                if said > worth_a_look:  # behind the answers, which may need what is forgotten
                    arrival.tell(top_ms)
                    self._unanswered.release(results)
                    worth_a_look = self._forget(said)
        except Exception as error:
            noted(error, self._operator, item)
            arrival.tell(top_ms)
            self._unanswered.release(results)
            raise
        come_ms = arrival.end(last_ms, top_ms) - lateness_ms
        histories.said = said
        held = self._unanswered.held.items
        if held and come_ms >= held[0][0] and side.reached(held[0][0]):
            self._unanswered.release(results)

    # Where many channels interleave, most batches are of one, and what the loops make ready costs more than the event.
    # So what they do with an event in order, of a source and a key that are known, stands here again.

    def _take_one_left(self, batch: Batch[Any], out: list[Signal[Any]]) -> bool:
        """Hold the one event of a batch; False, and nothing done, where the loop has to."""
        side, unanswered = self._left, self._unanswered
        item: object = batch.events[0]
        if type(item) is not side.known_event or unanswered.count >= self._terms.max_held:
            return False
        event: Any = item
        key, time_ms = event.base_asset if self._by_asset else side.reader.key(event), event.time_ms
        if time_ms <= side.progress.come_ms:
            return False
        source = side.arrival.alone(batch, event.exchange, time_ms)
        if source is None:
            return False
        unanswered.hold_one(time_ms, event, key, batch.received_ms)
        due_ms = unanswered.held.items[0][0]
        if source.time_ms - side.lateness_ms >= due_ms and not self._other.arrival.is_known_behind(due_ms):
            self._answer(out, batch.channel)
        return True

    def _take_one_other(self, batch: Batch[Any], out: list[Signal[Any]]) -> bool:
        """Keep the one event of a batch; False, and nothing done, where the loop has to."""
        side, histories = self._other, self._unanswered.histories
        item: object = batch.events[0]
        if type(item) is not side.known_event:
            return False
        event: Any = item
        reader, time_ms = side.reader, event.time_ms
        history = histories.get(event.base_asset if self._by_asset else reader.key(event))
        if history is None:
            return False
        arrival = side.arrival
        source = arrival.alone(batch, event.exchange, time_ms)
        if source is None:
            return False
        times = history.times
        if not times or time_ms > times[-1]:
            times.append(time_ms)
            history.items.append(event)
        else:
            at = bisect_right(times, time_ms)
            if at and times[at - 1] == time_ms:
                history.replace(at - 1, event, reader.rank)
            else:
                times.insert(at, time_ms)
                history.items.insert(at, event)
        held = self._unanswered.held.items
        if held and (held[0][0] < arrival.aimed_ms or (source is arrival.awaited and time_ms >= arrival.awaited_ms)):
            arrival.aim(held[0][0])
            if arrival.awaited is None:
                self._answer(out)
        said = histories.said = histories.said + 1
        if said > histories.worth_a_look:
            self._forget(said)
        return True

    def _answer(self, out: list[Signal[Any]], channel: Channel | None = None) -> None:
        results: list[Any] = []
        self._unanswered.release(results)
        self._put(results, out, channel)

    def _begin(self, key: Hashable, time_ms: int) -> History:
        """The other input speaks of a key for the first time. Those that have waited for that are due then.

        Raises:
            TooManyKeysError: it is one too many.
        """
        if len(self._unanswered.histories) >= self._terms.max_keys:
            raise too_many(self._terms.max_keys, key)
        self._unanswered.end_waiting_for(key, time_ms)
        history = self._unanswered.histories[key] = History()
        return history

    def _forget(self, said: int) -> int:
        """Forget what no item that is held, or can still come in time, asks for; with which item to do so again."""
        held = self._unanswered.held.items
        earliest_ms = min(self._left.watermark, held[0][0] if held else FOREVER)
        needed_from_ms = NEVER if self._unanswered.holds_back else earliest_ms
        return self._unanswered.histories.forget_before(needed_from_ms, said, at_most_ms=self._other.watermark)
