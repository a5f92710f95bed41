"""The running form of `latest_of`: two inputs in, each item of the first with the latest of the second out.

    held       an item waits in a heap until the other input has come as far as its time, so that all that could be the
               latest has come; an event also until its own input has, so that results are in order
    history    what the other input has said is kept for as long as an item may still ask for it
    answer     the latest that is not later than the item; known if nothing is missing in between
    at first   with `missing="hold"` an item whose key the other input has not spoken of waits for the first that does

The marks of the first input keep their place: a proof goes on behind the items that came before it, a loss at once.
Those of the other input are told by the quality of the answers.
"""

import heapq
import math
from collections import deque
from collections.abc import Hashable
from typing import Any, Generic, Literal, TypeAlias, TypeVar

import attrs

from cgrx._model.signals import Alive, Batch, Dropped, Gap, Mark, Signal, Watermark, proof_ms
from cgrx._model.times import FOREVER, NEVER
from cgrx._streams.running import noted
from cgrx.operators._stages.items import Carried, too_many
from cgrx.operators._windows.history import History
from cgrx.operators._windows.join_side import JoinSide, Reader

T_co = TypeVar("T_co", covariant=True)
U_co = TypeVar("U_co", covariant=True)

JoinQuality: TypeAlias = Literal["known", "none", "unknown"]


@attrs.frozen
class Joined(Carried[T_co], Generic[T_co, U_co]):
    """An event or a row, with the latest of another stream as of its time."""

    latest: U_co | None
    """The latest of the same key, however it came; None if there is none, or only an older one than `max_age`."""
    age_ms: int | None
    """How much earlier that is than the item, milliseconds of event time; below 0 where the item was held for it."""
    quality: JoinQuality
    """`"known"`: it is the latest. `"none"`: there is none. `"unknown"`: the other stream has a gap since, or from the
    time before, or may still say something; so there may be a later one than `latest`."""


@attrs.frozen(kw_only=True)
class JoinTerms:
    """The arguments of `latest_of`, but for the other stream."""

    by: tuple[str, ...]
    max_age_ms: float
    holds: bool
    lateness_ms: int
    idle_ms: int
    max_keys: float
    max_held: float


@attrs.define(eq=False)
class _Held:
    """An item that waits for its answer."""

    item: Any
    time_ms: int
    key: Hashable
    received_ms: int
    number: int
    looked: bool = False
    """Whether it waits for the first of its key."""
    answered: bool = False


class Joining:
    """One subscription. State: the items held, the histories of the other input by key."""

    def __init__(self, operator: object, terms: JoinTerms) -> None:
        self._operator = operator
        self._terms = terms
        self._left = JoinSide(operator, terms.by, terms.lateness_ms, terms.idle_ms)
        self._other = JoinSide(operator, terms.by, terms.lateness_ms, terms.idle_ms)
        self._held: list[tuple[int, int, _Held]] = []  # a heap: when it is due, its number
        self._waiting: dict[Hashable, dict[int, _Held]] = {}  # by key and number, for the first of that key
        self._pending = 0  # items without an answer
        self._number = 0
        self._arrived: deque[_Held] = deque()  # the first one has no answer yet
        self._proofs: deque[tuple[int, Alive]] = deque()  # each behind the item of this number
        self._histories: dict[Hashable, History] = {}
        self._kept = 0  # items in all histories
        self._worth_a_sweep = terms.max_held
        self._told_ms = 0
        self._now_ms = 0

    # Signals

    def on_left(self, signal: Signal[Any], out: list[Signal[Any]]) -> None:
        """Take a signal of the first input in, and add those that go on to `out`, also where it raises."""
        results: list[Any] = []
        if isinstance(signal, Batch):
            self._now_ms = max(self._now_ms, signal.received_ms)
            try:
                self._take_left(signal, results)
            finally:
                self._put(Batch(signal.channel, signal.received_ms, tuple(results)), out)
            return
        self._left.on_mark(signal)
        if isinstance(signal, Alive):
            self._proofs.append((self._number, signal))
        elif isinstance(signal, Gap | Dropped):
            out.append(signal)
        self._after_mark(signal, out)

    def on_other(self, signal: Signal[Any], out: list[Signal[Any]]) -> None:
        """The same for a signal of the other input."""
        results: list[Any] = []
        if isinstance(signal, Batch):
            self._now_ms = max(self._now_ms, signal.received_ms)
            try:
                self._take_other(signal, results)
            finally:
                self._put(Batch(None, self._now_ms, tuple(results)), out)
            return
        self._other.on_mark(signal)
        self._after_mark(signal, out)

    def on_left_end(self, out: list[Signal[Any]]) -> None:
        """The first input has ended. What is held still waits for the other one."""
        self._left.end()
        self._after_end(out)

    def on_other_end(self, out: list[Signal[Any]]) -> None:
        """The other input has ended: nobody waits for it any more."""
        self._other.end()
        for held in self._waiting.values():
            for each in held.values():
                heapq.heappush(self._held, (each.time_ms, each.number, each))
        self._waiting.clear()
        self._after_end(out)

    def finish(self, out: list[Signal[Any]]) -> None:
        """Give all that is held as it can be answered now."""
        results: list[Any] = []
        while self._pending:
            self._force(results)
        self._put(Batch(None, self._now_ms, tuple(results)), out)

    @property
    def is_done(self) -> bool:
        """Whether nothing can follow."""
        return self._left.ended and not self._pending

    def _after_end(self, out: list[Signal[Any]]) -> None:
        results: list[Any] = []
        self._release(results)
        self._put(Batch(None, self._now_ms, tuple(results)), out)
        self._give_proofs(out)

    def _after_mark(self, mark: Mark, out: list[Signal[Any]]) -> None:
        """Results first, then the proofs that have waited for them, then how far all has come."""
        self._now_ms = max(self._now_ms, proof_ms(mark))
        results: list[Any] = []
        self._release(results)
        self._put(Batch(None, self._now_ms, tuple(results)), out)
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

    @staticmethod
    def _put(batch: Batch[Any], out: list[Signal[Any]]) -> None:
        if batch.events:
            out.append(batch)

    def _give_proofs(self, out: list[Signal[Any]]) -> None:
        arrived, proofs = self._arrived, self._proofs
        while arrived and arrived[0].answered:
            arrived.popleft()
        first = arrived[0].number if arrived else math.inf
        while proofs and proofs[0][0] < first:
            out.append(proofs.popleft()[1])

    # Items

    def _take_left(self, batch: Batch[Any], results: list[Any]) -> None:
        side, other = self._left, self._other
        for item in batch.events:
            try:
                inner, reader = side.read(item)
                time_ms, key = inner.time_ms, reader.key(inner)
                self._move(side, inner, reader, batch, results)
            except Exception as error:
                noted(error, self._operator, item)
                raise
            self._number += 1
            held = _Held(item, time_ms, key, batch.received_ms, self._number)
            self._pending += 1
            if other.reached(time_ms) and (not reader.is_event or side.reached(time_ms)):
                self._answer(held, results)
            else:
                heapq.heappush(self._held, (time_ms, self._number, held))
            if not held.answered:
                self._arrived.append(held)
                while self._pending > self._terms.max_held:
                    self._force(results)

    def _take_other(self, batch: Batch[Any], results: list[Any]) -> None:
        side, histories = self._other, self._histories
        for item in batch.events:
            try:
                inner, reader = side.read(item)
                time_ms, key = inner.time_ms, reader.key(inner)
                self._move(side, inner, reader, batch, results)
                history = histories.get(key)
                if history is None:
                    if len(histories) >= self._terms.max_keys:
                        raise too_many(self._terms.max_keys, key)
                    history = histories[key] = History()
                    for each in self._waiting.pop(key, {}).values():
                        heapq.heappush(self._held, (max(time_ms, each.time_ms), each.number, each))
            except Exception as error:
                noted(error, self._operator, item)
                raise
            self._kept += history.add(time_ms, item, reader.rank)
            if len(history.times) > history.worth_a_look:
                self._kept -= history.forget_before(self._needed_from())
                if self._kept > self._worth_a_sweep:
                    self._sweep()

    def _move(self, side: JoinSide, inner: Any, reader: Reader, batch: Batch[Any], results: list[Any]) -> None:
        """An item moves the time of its input; that may release others, before it is taken in itself."""
        if reader.is_event:
            is_due = side.on_event(inner, batch, self._held[0][0] if self._held else FOREVER)
        else:
            is_due = reader.is_row and side.on_row(inner)
        if is_due:
            self._release(results)

    def _release(self, results: list[Any]) -> None:
        """Answer those that are due, in order."""
        held, left, other = self._held, self._left, self._other
        while held:
            due_ms, _, first = held[0]
            if not first.answered:
                behind_ms = due_ms - first.time_ms
                if not (other.reached(due_ms) or other.has_nothing_for(first.received_ms + behind_ms)):
                    return
                if not (left.is_in_order or left.reached(due_ms)):
                    return
            heapq.heappop(held)
            self._answer(first, results)

    def _force(self, results: list[Any]) -> None:
        """One of too many: give the earliest, though the other input may still say something that it should have."""
        waiting = next(iter(self._waiting.values()), None)
        held = heapq.heappop(self._held)[2] if waiting is None else next(iter(waiting.values()))
        self._answer(held, results, forced=True)

    def _answer(self, held: _Held, results: list[Any], *, forced: bool = False) -> None:
        """Give an item with the latest of its key; or let it wait for the first, where that is asked for."""
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
            at = 0
        latest = age_ms = None
        since_ms = NEVER if math.isinf(max_age_ms) else time_ms - int(max_age_ms)
        if history is not None and at >= 0 and abs(time_ms - history.times[at]) <= max_age_ms:
            latest, since_ms = history.items[at], history.times[at]
            age_ms = time_ms - since_ms
        missed = self._other.has_missed(min(since_ms, time_ms), max(since_ms, time_ms))
        quality: JoinQuality = "unknown" if forced or is_cut or missed else "none" if age_ms is None else "known"
        self._leave(held)
        results.append(Joined(held.item, latest, age_ms, quality))

    def _leave(self, held: _Held) -> None:
        held.answered = True
        self._pending -= 1
        waiting = self._waiting.get(held.key) if held.looked else None
        if waiting:
            waiting.pop(held.number, None)
            if not waiting:
                del self._waiting[held.key]

    def _wait(self, held: _Held, history: History | None) -> None:
        """Wait for the first of the key, and no longer than for one that is not too far away."""
        held.looked = True
        if history is not None:
            heapq.heappush(self._held, (history.times[0], held.number, held))
            return
        self._waiting.setdefault(held.key, {})[held.number] = held
        if not math.isinf(self._terms.max_age_ms):
            heapq.heappush(self._held, (held.time_ms + int(self._terms.max_age_ms), held.number, held))

    # Histories

    def _needed_from(self) -> int:
        """No item that is held or can still come in time asks for an earlier time."""
        if self._waits:
            return NEVER
        return min(self._left.watermark, self._held[0][0] if self._held else FOREVER)

    def _sweep(self) -> None:
        """So much is kept that the first input is given up for those of its items that come later than the other's."""
        for history in self._histories.values():
            self._kept -= history.forget_before(self._other.watermark)
        self._worth_a_sweep = max(self._terms.max_held, 2 * self._kept)
