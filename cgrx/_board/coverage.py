"""How well one channel was watched, window by window.

rows       a window over the channel says of each of its windows what was missed: `gap_ms`, `dropped`, `complete`
late       events that came when their window was closed are counted by the window that they belong to
marks      a row tells of a gap when reception is back, and often only with the next event. So gaps and losses are
           kept as they come too, for the windows that have no final row yet
down       while the feed is disconnected no mark comes at all: what is missing lasts from then until now
no event   a window over a channel gives rows from its first event on. Before that, and in between, a window is over
           once the connection is proven alive behind it
"""

from functools import lru_cache
from typing import NamedTuple

from cgrx import operators as ops
from cgrx._board.bounds import LATENESS
from cgrx._board.messages import Quality, Watched
from cgrx._model.events import Event
from cgrx._model.signals import Alive, Batch, Dropped, Gap, Signal
from cgrx._model.times import FOREVER, NEVER, to_ms
from cgrx.operators._windows.missing import Missing

_LATENESS_MS = to_ms(LATENESS)

_SETTLED_MS = 2 * _LATENESS_MS
"""So long behind its end a window is over that has no row, once the connection is proven alive."""

_RECENT = 100
"""So many windows back, at the most, a mark changes what is known of windows without a final row."""

_SOUND = frozenset({"complete", "running"})


class _Said(NamedTuple):
    """What the latest row of a window said."""

    gap_ms: int | None
    dropped: int
    final: bool


class Coverage:
    """What is known of one channel. State: what was said of each window that is kept, and recent gaps and losses."""

    def __init__(self, window_ms: int) -> None:
        self._window_ms = window_ms
        self._said: dict[int, _Said] = {}
        self._before: dict[int, int] = {}
        """What a recording missed of the windows that were open at its end."""
        self._late: dict[int, int] = {}
        self._missing = Missing()
        self._begun_ms: int | None = None
        """Since when it is watched; None: not yet."""
        self._seen_ms = NEVER
        """When something was received or proven last."""
        self._down_since_ms: int | None = None
        """As `judge` was told last."""
        self._judged_ms = NEVER
        """The present when it was judged last."""
        self._failure: str | None = None
        self._completed = False
        self.late = 0
        """How many events came too late, in all."""
        self.lost = 0
        """How many were lost on the way because somebody was too slow."""
        self.changed: set[int] = set()
        """The windows of which something else may be known than when this was cleared last."""
        self.bad: set[int] = set()
        """The windows of which something is missing, as far as `judge` was told of them."""

    # What is told

    def on_row(self, row: ops.Row) -> None:
        """A row of a window over the channel, running or final."""
        start_ms, gap_ms = row.start_ms, row.gap_ms
        before_ms = self._before.get(start_ms)
        if before_ms is not None and gap_ms is not None:
            # What both have missed, of whom one was watching behind the other.
            gap_ms = max(0, before_ms + gap_ms - self._window_ms)
        said = _Said(gap_ms, row.dropped, row.final)
        if said != self._said.get(start_ms):
            self._said[start_ms] = said
            self.changed.add(start_ms)

    def on_late(self, event: Event) -> None:
        """An event whose window was closed when it came."""
        start_ms = event.time_ms - event.time_ms % self._window_ms
        self._late[start_ms] = self._late.get(start_ms, 0) + 1
        self.late += 1
        self.changed.add(start_ms)

    def on_signal(self, signal: Signal[object]) -> None:
        """A signal of the channel."""
        match signal:
            case Batch(received_ms=at_ms) | Alive(at_ms=at_ms):
                self._see(at_ms)
            case Gap(start_ms=start_ms, end_ms=end_ms):
                if self._begun_ms is None:
                    self._begun_ms = end_ms
                self._missing.add_gap(start_ms - _LATENESS_MS, end_ms + _LATENESS_MS)
                self._change(start_ms - _LATENESS_MS, end_ms + _LATENESS_MS)
            case Dropped(count=count, reason=reason):
                self.lost += 0 if reason == "malformed" else count
                self._missing.add_loss(self._seen_ms - _SETTLED_MS, self._seen_ms + _LATENESS_MS, count)
                self._change(self._seen_ms - _SETTLED_MS, self._seen_ms + _LATENESS_MS)
            case _:
                pass

    def _see(self, at_ms: int) -> None:
        over_ms, at_ms = self._seen_ms - _SETTLED_MS, max(at_ms, self._seen_ms)
        self._seen_ms = at_ms
        at_ms -= _SETTLED_MS
        if at_ms // self._window_ms != over_ms // self._window_ms:
            self._change(over_ms - self._window_ms, at_ms)

    def _change(self, start_ms: int, end_ms: int) -> None:
        first_ms = max(start_ms, end_ms - _RECENT * self._window_ms)
        self.changed.update(range(first_ms - first_ms % self._window_ms, end_ms, self._window_ms))

    def complete(self) -> None:
        """It has ended: all that will be said of its windows has been said."""
        self._completed = True

    def fail(self, words: str) -> None:
        """It gives nothing any more."""
        self._failure = words

    def follow(self) -> None:
        """What was told so far came from a recording, which has ended; the feed itself follows."""
        self._before = {start_ms: said.gap_ms or 0 for start_ms, said in self._said.items() if not said.final}
        self._missing = Missing()
        self._seen_ms, self._begun_ms, self._failure, self._completed = NEVER, None, None, False

    def forget_before(self, start_ms: int) -> None:
        """Windows before this one are kept no more."""
        self._missing.forget_before(start_ms)
        for kept in (self._said, self._late, self._before):
            for each in [each for each in kept if each < start_ms]:
                del kept[each]
        for windows in (self.changed, self.bad):
            windows.difference_update([each for each in windows if each < start_ms])

    # What is asked

    def judge(self, now_ms: int, down_since_ms: int | None) -> None:
        """Bring `bad` up to date; the arguments are those of `watched`."""
        if (down_since_ms is None) != (self._down_since_ms is None):
            self._down_since_ms = down_since_ms
            self._change(self._seen_ms - _LATENESS_MS, now_ms)
        grows = down_since_ms is not None or self._missing.until_ms > self._judged_ms
        moves, self._judged_ms = now_ms != self._judged_ms, now_ms
        if moves and (self._begun_ms is None or self._failure is not None or grows):
            self.changed.update((now_ms - each) // self._window_ms * self._window_ms for each in (0, self._window_ms))
        for start_ms in self.changed:
            if self.watched(start_ms, now_ms, down_since_ms).quality in _SOUND:
                self.bad.discard(start_ms)
            else:
                self.bad.add(start_ms)

    def watched(self, start_ms: int, now_ms: int, down_since_ms: int | None) -> Watched:
        """How well it was watched in a window, as far as that is known.

        Args:
            start_ms: where the window begins.
            now_ms: the present.
            down_since_ms: since when the feed is disconnected; None while it is not.
        """
        said, late = self._said.get(start_ms), self._late.get(start_ms, 0)
        end_ms = start_ms + self._window_ms
        begun_ms = now_ms if self._begun_ms is None else self._begun_ms
        if end_ms <= begun_ms and (said is None or said.gap_ms == self._window_ms):
            return Watched("unknown", None, 0, late, self._failure or "nobody watched")
        if said is not None and (said.final or self._completed):
            return _in_words(said.gap_ms, said.dropped, late, over=said.final)
        if self._failure is not None and said is None:
            return Watched("unknown", None, 0, late, self._failure)
        missed_ms = self._missed_ms(start_ms, min(end_ms, now_ms), now_ms, down_since_ms)
        dropped = self._missing.dropped(start_ms, end_ms)
        if said is None:
            return _in_words(missed_ms, dropped, late, over=self._seen_ms >= end_ms + _SETTLED_MS)
        gap_ms = None if said.gap_ms is None else max(missed_ms, said.gap_ms)
        return _in_words(gap_ms, max(dropped, said.dropped), late, over=False)

    def _missed_ms(self, start_ms: int, end_ms: int, now_ms: int, down_since_ms: int | None) -> int:
        """How much of [start_ms, end_ms) is missing, of a window without a final row."""
        since_ms = FOREVER if down_since_ms is None else min(down_since_ms, self._seen_ms) - _LATENESS_MS
        if self._begun_ms is None:
            since_ms = NEVER
        missing, gone_ms, back_ms = self._missing, max(start_ms, since_ms), min(end_ms, now_ms)
        if gone_ms >= back_ms:
            return missing.gap_ms(start_ms, end_ms)
        return missing.gap_ms(start_ms, gone_ms) + back_ms - gone_ms + missing.gap_ms(back_ms, end_ms)


@lru_cache(1_000)  # most windows of a snapshot are alike
def _in_words(gap_ms: int | None, dropped: int, late: int, *, over: bool) -> Watched:
    why: list[str] = []
    quality: Quality = "complete" if over else "running"
    if dropped or late:
        quality = "incomplete"
    if gap_ms is None:
        quality = "unknown"
        why.append("whether anything is missing cannot be said")
    elif gap_ms:
        quality = "gap"
        why.append(f"no reception for {max(gap_ms, 100) / 1000:,.1f} s")
    if dropped:
        why.append(f"{dropped:,} lost")
    if late:
        why.append(f"{late:,} too late")
    return Watched(quality, gap_ms, dropped, late, ", ".join(why))
