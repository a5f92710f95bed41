"""The items of a join that have no answer yet, each until it is due, and the answers themselves.

held       an item waits until the other input has come as far as its time, so that all that could be the latest has
           come; an event also until its own input has, so that results are in order
answer     the latest that is not later than the item; known if nothing is missing in between
at first   with `missing="hold"` an item whose key the other input has not spoken of waits for the first that does
proofs     a proof of life of the first input waits for the items that came before it
"""

import math
from bisect import bisect_right
from collections.abc import Hashable
from typing import Any

from cgrx._model.signals import Alive, Signal
from cgrx._model.times import FOREVER, NEVER
from cgrx._streams.by_time import ByTime
from cgrx._streams.keeping import gathered, put_back
from cgrx.operators._windows.history import Histories, History
from cgrx.operators._windows.join_side import JoinSide
from cgrx.operators._windows.joined import Held, Joined, JoinQuality, JoinTerms, Period, Waiting


class Unanswered:
    """Those of one subscription. State: the items held, in order of time, and the proofs behind them."""

    def __init__(self, terms: JoinTerms, left: JoinSide, other: JoinSide) -> None:
        self.held: ByTime[Held] = ByTime()
        """Those that are due at some time."""
        self.number = 0
        """That of the latest item."""
        self.answered = 0
        """How many items have an answer."""
        self.period = Period()
        """The present one."""
        self.histories = Histories(terms.max_held)
        """What the answers are found in."""
        self._terms = terms
        self._left = left
        self._other = other
        self._waiting: dict[Hashable, dict[int, Held]] = {}  # by key and number, for the first of that key
        self._late = 0  # how many were due before that, and have no answer yet
        self._periods: list[Period] = [self.period]  # those with items without an answer, and the present one

    def state(self) -> object:
        """See `Running.state`."""
        return gathered(self, ("_terms", "_left", "_other"))

    def take_up(self, state: object) -> None:
        """See `Running.take_up`."""
        put_back(self, state)

    @property
    def count(self) -> int:
        """How many there are."""
        return self.number - self.answered

    @property
    def holds_back(self) -> bool:
        """Whether an item that may be earlier than the watermark waits for the first of its key."""
        return self._late > 0

    def hold(self, fresh: list[Held]) -> None:
        """Items that have come wait from here on."""
        count = len(fresh)
        self.number += count
        self.period.open += count
        self.held.add_all(fresh)
        fresh.clear()

    def hold_one(self, time_ms: int, item: Any, key: Hashable, received_ms: int) -> None:
        """The same with one."""
        self.number += 1
        self.period.open += 1
        self.held.add((time_ms, self.number, item, key, received_ms, self.period, None))

    def prove(self, proof: Alive) -> None:
        """A proof waits for the items that have come before it. Before others come, `give_proofs` is called."""
        self.period.proofs[proof.origin] = proof

    def give_proofs(self, out: list[Signal[Any]]) -> None:
        """Give those before which nothing waits. Between others of them nothing may wait any more."""
        waiting: list[Period] = []
        for period in self._periods:
            if period.open:
                waiting.append(period)
            elif waiting:
                waiting[-1].proofs |= period.proofs
            else:
                out.extend(period.proofs.values())
        if not waiting or waiting[-1].proofs:
            waiting.append(Period())
        self._periods, self.period = waiting, waiting[-1]

    def end_waiting_for(self, key: Hashable, time_ms: int) -> None:
        """The first of a key has come, of this time. Those that have waited for it are due then."""
        for held in self._waiting.pop(key, {}).values():
            self.held.add((max(time_ms, held[0]), *held[1:]))

    def end_waiting(self) -> None:
        """No first of any key will come: all are due at their own time."""
        for by_number in self._waiting.values():
            for held in by_number.values():
                self.held.add(held)
        self._waiting.clear()

    def release(self, results: list[Any]) -> None:
        """Answer those that are due, in order."""
        all_held, left, other = self.held, self._left, self._other
        if not all_held.items or not (other.reached(all_held.items[0][0]) or not other.heard):
            return
        other.arrival.aimed_ms = FOREVER
        come_ms = other.watermark if left.is_in_order else min(left.watermark, other.watermark)
        sure_ms = other.sure_from_ms
        histories, max_age_ms, is_blind = self.histories, self._terms.max_age_ms, not other.progress.knows_gaps
        # One that waits again may be due before others that are: then the next one is looked for anew.
        take_out = all_held.pop_one_until if self._terms.holds else all_held.pop_until
        while due := take_out(come_ms):
            given = 0
            for held in due:
                due_ms, _, item, key, _, period, waiting = held
                history = histories.get(key)
                if history is None or waiting is not None or history.withdrew:
                    self._answer(held, results, sure_ms)
                    continue
                # The same as there, for what mostly comes: something that is not too old.
                times = history.times
                at = bisect_right(times, due_ms) - 1
                if at < 0 or due_ms - times[at] > max_age_ms:
                    self._answer(held, results, sure_ms)
                    continue
                since_ms = times[at]
                missed = is_blind or (since_ms < sure_ms and other.has_missed(since_ms, due_ms))
                period.open -= 1
                given += 1
                results.append(Joined(item, history.items[at], due_ms - since_ms, "unknown" if missed else "known"))
            self.answered += given
        if not other.heard:
            self._release_unheard(results, sure_ms)

    def _release_unheard(self, results: list[Any], sure_ms: int) -> None:
        """The other input has said nothing at all: answer those for which it is proven to have nothing."""
        all_held, left, other = self.held, self._left, self._other
        while all_held.items:
            due_ms, _, _, _, received_ms, _, waiting = all_held.items[0]
            later_ms = 0 if waiting is None else due_ms - waiting.time_ms
            if not other.has_nothing_for(received_ms + later_ms):
                return
            if not (left.is_in_order or left.reached(due_ms)):
                return
            self._answer(all_held.pop(), results, sure_ms)

    def force(self, results: list[Any]) -> None:
        """One of too many: give the earliest, though the other input may still say something that it should have."""
        waiting = next(iter(self._waiting.values()), None)
        held = self.held.pop() if waiting is None else next(iter(waiting.values()))
        self._answer(held, results, FOREVER, forced=True)

    def _answer(self, held: Held, results: list[Any], sure_ms: int, *, forced: bool = False) -> None:
        """Give an item with the latest of its key; or let it wait for the first, where that is asked for.

        From `sure_ms` on nothing is missing of the other input.
        """
        due_ms, _, item, key, _, _, waiting = held
        if waiting is not None and waiting.answered:
            return
        time_ms, max_age_ms = due_ms if waiting is None else waiting.time_ms, self._terms.max_age_ms
        history = self.histories.get(key)
        at = -1 if history is None else history.find(time_ms)
        is_cut = history is not None and history.cut and at < 0
        if at < 0 and self._terms.holds and not is_cut:
            if not (waiting is not None or forced or self._other.ended):
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
        results.append(Joined(item, latest, age_ms, quality))

    def _leave(self, held: Held) -> None:
        _, number, _, key, _, period, waiting = held
        period.open -= 1
        self.answered += 1
        if waiting is None:
            return
        waiting.answered = True
        self._late -= 1
        others = self._waiting.get(key)
        if others:
            others.pop(number, None)
            if not others:
                del self._waiting[key]

    def _wait(self, held: Held, history: History | None) -> None:
        """Wait for the first of the key, and no longer than for one that is not too far away."""
        time_ms, number, item, key, received_ms, period, _ = held
        self._late += 1
        waiting = Waiting(time_ms)

        def due(at_ms: int) -> Held:
            return at_ms, number, item, key, received_ms, period, waiting

        if history is not None:
            self.held.add(due(history.times[0]))
            return
        self._waiting.setdefault(key, {})[number] = due(time_ms)
        if not math.isinf(self._terms.max_age_ms):
            self.held.add(due(time_ms + int(self._terms.max_age_ms)))
