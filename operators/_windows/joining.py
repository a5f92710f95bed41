"""The running form of `latest_of`: two inputs in, each item of the first with the latest of the second out.

    held       an item waits in a heap until the other input has come as far as its time, so that all that could be the
               latest has come; an event also until its own input has, so that results are in order
    history    what the other input has said is kept for as long as an item may still ask for it
    answer     the latest that is not later than the item; known if nothing is missing in between
    at first   with `missing="hold"` an item whose key the other input has not spoken of waits for the first that does

The marks of the first input keep their place: a proof goes on behind the items that came before it, a loss at once.
Those of the other input are told by the quality of the answers.
"""

import math
from bisect import bisect_right
from collections import deque
from collections.abc import Hashable
from typing import Any, cast

from cgrx._model.channels import Channel
from cgrx._model.signals import Alive, Batch, Dropped, Gap, Mark, Signal, Watermark, proof_ms
from cgrx._model.times import FOREVER, NEVER
from cgrx._streams.by_time import ByTime
from cgrx._streams.keeping import gathered, put_back
from cgrx._streams.running import noted
from cgrx.operators._stages.items import too_many
from cgrx.operators._windows.history import Histories, History
from cgrx.operators._windows.join_side import JoinSide
from cgrx.operators._windows.joined import Held, Joined, JoinQuality, JoinTerms


class Joining:
    """One subscription. State: the items held, the histories of the other input by key."""

    def __init__(self, operator: object, terms: JoinTerms) -> None:
        self.has_ended = False
        """Whether the first input has."""
        self._operator = operator
        self._terms = terms
        self._left = JoinSide(operator, terms.by, terms.lateness_ms, terms.idle_ms)
        self._other = JoinSide(operator, terms.by, terms.lateness_ms, terms.idle_ms)
        self._held: ByTime[tuple[int, int, Held]] = ByTime()  # when it is due, its number
        self._waiting: dict[Hashable, dict[int, Held]] = {}  # by key and number, for the first of that key
        self._pending = 0  # items without an answer
        self._number = 0
        self._arrived: deque[Held] = deque()  # the first one has no answer yet
        self._proofs: deque[tuple[int, Alive]] = deque()  # each behind the item of this number
        self._histories = Histories(terms.max_held)
        self._told_ms = 0
        self._now_ms = 0

    def state(self) -> object:
        """See `Running.state`."""
        held = gathered(self, ("_operator", "_terms", "_left", "_other"))
        return self._left.state(), self._other.state(), held

    def take_up(self, state: object) -> None:
        """See `Running.take_up`."""
        left, other, held = cast("tuple[object, object, object]", state)
        self._left.take_up(left)
        self._other.take_up(other)
        put_back(self, held)

    # Signals

    def on_left(self, signal: Signal[Any], out: list[Signal[Any]]) -> None:
        """Take a signal of the first input in, and add those that go on to `out`, also where it raises."""
        if isinstance(signal, Batch):
            results: list[Any] = []
            if signal.received_ms > self._now_ms:
                self._now_ms = signal.received_ms
            try:
                self._take_left(signal, results)
            finally:
                self._put(results, out, signal.channel)
            return
        self._left.on_mark(signal)
        if isinstance(signal, Alive):
            self._proofs.append((self._number, signal))
        elif isinstance(signal, Gap | Dropped):
            out.append(signal)
        self._after_mark(signal, out)

    def on_other(self, signal: Signal[Any], out: list[Signal[Any]]) -> None:
        """The same for a signal of the other input."""
        if isinstance(signal, Batch):
            results: list[Any] = []
            if signal.received_ms > self._now_ms:
                self._now_ms = signal.received_ms
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
        for held in self._waiting.values():
            for each in held.values():
                self._held.add((each.time_ms, each.number, each))
        self._waiting.clear()
        self._after_end(out)

    def finish(self, out: list[Signal[Any]]) -> None:
        """Give all that is held as it can be answered now."""
        results: list[Any] = []
        while self._pending:
            self._force(results)
        self._put(results, out)

    @property
    def is_done(self) -> bool:
        """Whether nothing can follow."""
        return self.has_ended and not self._pending

    def _after_end(self, out: list[Signal[Any]]) -> None:
        results: list[Any] = []
        self._release(results)
        self._put(results, out)
        self._give_proofs(out)

    def _after_mark(self, mark: Mark, out: list[Signal[Any]]) -> None:
        """Results first, then the proofs that have waited for them, then how far all has come."""
        self._now_ms = max(self._now_ms, proof_ms(mark))
        results: list[Any] = []
        self._release(results)
        self._put(results, out)
        self._give_proofs(out)
        left_ms = self._left.watermark
        come_ms = min(left_ms, self._other.watermark)
        if come_ms > self._told_ms and not self._left.ended and not self._waits:
            self._told_ms = come_ms
            out.append(Watermark(come_ms))
        age_ms = self._terms.max_age_ms
        self._left.forget_before(come_ms)
        self._other.forget_before(come_ms if math.isinf(age_ms) else come_ms - int(age_ms))

    @property
    def _waits(self) -> bool:
        """Whether an item that may be earlier than the watermark waits for the first of its key."""
        return bool(self._waiting) or bool(self._arrived and self._arrived[0].looked)

    def _put(self, results: list[Any], out: list[Signal[Any]], channel: Channel | None = None) -> None:
        if results:
            out.append(Batch(channel, self._now_ms, tuple(results)))

    def _give_proofs(self, out: list[Signal[Any]]) -> None:
        arrived, proofs = self._arrived, self._proofs
        while arrived and arrived[0].answered:
            arrived.popleft()
        first = arrived[0].number if arrived else math.inf
        while proofs and proofs[0][0] < first:
            out.append(proofs.popleft()[1])

    # Items

    # What an item costs is in these two loops. They read of an item by what `JoinSide.read` found out about the one
    # before, and look for a source only where the exchange changes, as windows do. Items are released behind a batch;
    # before a late one, too, and before one too many: so that batching decides nothing.

    def _take_left(self, batch: Batch[Any], results: list[Any]) -> None:
        side, arrival, item = self._left, self._left.arrival, None
        fresh: list[tuple[int, int, Held]] = []
        all_held, arrived, received_ms, max_held = self._held, self._arrived, batch.received_ms, self._terms.max_held
        inner: Any
        known, reader = side.known, side.reader
        key_of, is_event, is_row = reader.key, reader.is_event, reader.is_row
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
                time_ms, key = inner.time_ms, key_of(inner)
                if is_event:
                    if inner.exchange != exchange:
                        exchange = inner.exchange
                        top_ms = arrival.turn_to(exchange, last_ms, top_ms)
                    if time_ms <= top_ms:
                        is_due = time_ms <= top_ms - lateness_ms or time_ms <= come_ms
                    else:
                        is_due = time_ms <= come_ms
                        top_ms = time_ms if time_ms <= limit_ms else arrival.advance(top_ms)
                    last_ms = time_ms
                else:
                    is_due = True
                    if is_row:
                        side.on_row(inner)
                number = self._number = self._number + 1
                held = Held(item, time_ms, key, received_ms, number)
                self._pending += 1
                fresh.append((time_ms, number, held))
                arrived.append(held)
                if is_due or self._pending > max_held:
                    all_held.add_all(fresh)
                    fresh.clear()
                    arrival.tell(top_ms)
                    self._release(results)
                    come_ms = side.progress.come_ms
                    while self._pending > max_held:
                        self._force(results)
        except Exception as error:
            noted(error, self._operator, item)
            all_held.add_all(fresh)
            arrival.tell(top_ms)
            self._release(results)
            raise
        if len(fresh) == 1:
            all_held.add(fresh[0])
        else:
            all_held.add_all(fresh)
        come_ms = arrival.end(last_ms, top_ms) - lateness_ms
        if all_held.items and come_ms >= all_held.items[0][0]:
            self._release(results)

    def _take_other(self, batch: Batch[Any], results: list[Any]) -> None:
        side, arrival, item = self._other, self._other.arrival, None
        histories, lateness_ms = self._histories, side.lateness_ms
        inner: Any
        known, reader = side.known, side.reader
        key_of, rank, is_event, is_row = reader.key, reader.rank, reader.is_event, reader.is_row
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
                        self._release(results)
                    last_ms = time_ms
                elif is_row and side.on_row(inner):
                    arrival.tell(top_ms)
                    self._release(results)
                key = key_of(inner)
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
                if len(times) > history.worth_a_look:
                    self._forget(history)
        except Exception as error:
            noted(error, self._operator, item)
            arrival.tell(top_ms)
            self._release(results)
            raise
        come_ms = arrival.end(last_ms, top_ms) - lateness_ms
        if self._held.items and come_ms >= self._held.items[0][0] and side.reached(self._held.items[0][0]):
            self._release(results)

    def _begin(self, key: Hashable, time_ms: int) -> History:
        """The other input speaks of a key for the first time. Those that have waited for that are due then.

        Raises:
            TooManyKeysError: it is one too many.
        """
        if len(self._histories) >= self._terms.max_keys:
            raise too_many(self._terms.max_keys, key)
        for each in self._waiting.pop(key, {}).values():
            self._held.add((max(time_ms, each.time_ms), each.number, each))
        history = self._histories[key] = History()
        return history

    def _release(self, results: list[Any]) -> None:
        """Answer those that are due, in order."""
        held, left, other = self._held, self._left, self._other
        if not held.items or not (other.reached(held.items[0][0]) or not other.heard):
            return
        come_ms = other.watermark if left.is_in_order else min(left.watermark, other.watermark)
        sure_ms = other.sure_from_ms
        histories, max_age_ms, is_blind = self._histories, self._terms.max_age_ms, not other.progress.knows_gaps
        # One that waits again may be due before others that are: then the next one is looked for anew.
        take_out = held.pop_one_until if self._terms.holds else held.pop_until
        while due := take_out(come_ms):
            for due_ms, _, first in due:
                history = histories.get(first.key)
                at = -1 if history is None or first.looked else bisect_right(history.times, due_ms) - 1
                if history is None or at < 0 or due_ms - history.times[at] > max_age_ms or history.withdrew:
                    self._answer(first, results, sure_ms)
                    continue
                # The same as there, for what mostly comes: something that is not too old.
                since_ms = history.times[at]
                missed = is_blind or (since_ms < sure_ms and other.has_missed(since_ms, due_ms))
                first.answered = True
                self._pending -= 1
                quality: JoinQuality = "unknown" if missed else "known"
                results.append(Joined(first.item, history.items[at], due_ms - since_ms, quality))
        if not other.heard:
            self._release_unheard(results, sure_ms)
        arrived = self._arrived
        while arrived and arrived[0].answered:
            arrived.popleft()

    def _release_unheard(self, results: list[Any], sure_ms: int) -> None:
        """The other input has said nothing at all: answer those for which it is proven to have nothing."""
        held, left, other = self._held, self._left, self._other
        while held.items:
            due_ms, _, first = held.items[0]
            if not other.has_nothing_for(first.received_ms + due_ms - first.time_ms):
                return
            if not (left.is_in_order or left.reached(due_ms)):
                return
            self._answer(held.pop()[2], results, sure_ms)

    def _force(self, results: list[Any]) -> None:
        """One of too many: give the earliest, though the other input may still say something that it should have."""
        waiting = next(iter(self._waiting.values()), None)
        held = self._held.pop()[2] if waiting is None else next(iter(waiting.values()))
        self._answer(held, results, FOREVER, forced=True)

    def _answer(self, held: Held, results: list[Any], sure_ms: int, *, forced: bool = False) -> None:
        """Give an item with the latest of its key; or let it wait for the first, where that is asked for.

        From `sure_ms` on nothing is missing of the other input.
        """
        if held.answered:
            return
        time_ms, max_age_ms = held.time_ms, self._terms.max_age_ms
        history = self._histories.get(held.key)
        at = -1 if history is None else history.find(time_ms)
        is_cut = history is not None and history.cut and at < 0
        if at < 0 and self._terms.holds and not is_cut:
            if not (held.looked or forced or self._other.ended):
                self._wait(held, history)
                return
            at = -1 if history is None else history.first()
        latest = age_ms = None
        since_ms = NEVER if max_age_ms == math.inf else time_ms - int(max_age_ms)
        if history is not None and at >= 0 and abs(time_ms - history.times[at]) <= max_age_ms:
            latest, since_ms = history.items[at], history.times[at]
            age_ms = time_ms - since_ms
        missed = forced or is_cut or (since_ms < sure_ms and self._other.has_missed(since_ms, time_ms))
        quality: JoinQuality = "unknown" if missed else "none" if age_ms is None else "known"
        self._leave(held)
        results.append(Joined(held.item, latest, age_ms, quality))

    def _leave(self, held: Held) -> None:
        held.answered = True
        self._pending -= 1
        waiting = self._waiting.get(held.key) if held.looked else None
        if waiting:
            waiting.pop(held.number, None)
            if not waiting:
                del self._waiting[held.key]

    def _wait(self, held: Held, history: History | None) -> None:
        """Wait for the first of the key, and no longer than for one that is not too far away."""
        held.looked = True
        if history is not None:
            self._held.add((history.times[0], held.number, held))
            return
        self._waiting.setdefault(held.key, {})[held.number] = held
        if not math.isinf(self._terms.max_age_ms):
            self._held.add((held.time_ms + int(self._terms.max_age_ms), held.number, held))

    # Histories

    def _forget(self, history: History) -> None:
        """Forget what no item that is held, or can still come in time, asks for."""
        needed_from_ms = (
            NEVER if self._waits else min(self._left.watermark, self._held.items[0][0] if self._held.items else FOREVER)
        )
        self._histories.forget_before(needed_from_ms, history, at_most_ms=self._other.watermark)
