"""What is known of most streams at a glance, without their course: no event is late, and which rows have closed.

A stream of one connection is calm where every clock is believed, so that each event moves time to its own. That is so
where the times of all events are as far from their receive times, within the lateness; and of those that come later, as
after a pause of the network, too few are samples of an offset. The watermark of a calm stream is never behind what the
sources that are active say now, and never beyond what the foremost says, or where all were silent what was proven
since. Only whether a window had closed is asked of it: where no window ends between the two, any time between them
answers as the watermark does. Where one does, the slowest source is asked how long it has been the slowest: if it was
active since any other passed it, the watermark is where it stands. Elsewhere `lateness` finds the watermark itself.

Of runs that are parts of one stream most is seen of all together: an event that is not late among all of them is not
late among some. How far the sources of each had come is found where the same runs hold an event, and put together.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Sequence
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import polars as pl

from cgrx._backtest.apart import runs_apart
from cgrx._backtest.arrivals import Arrivals
from cgrx._backtest.behind import Numbers, some_behind
from cgrx._backtest.lateness import Entry, Ledger
from cgrx._backtest.runs import HOLDERS, RUN, Runs, held_by
from cgrx._model.limits import MAX_EXCHANGES
from cgrx._model.signals import Gap
from cgrx._model.times import FOREVER, NEVER

_MOST = 10
"""How many gaps among the events are looked at one by one; where there are more, the course is cheaper."""

_Bounds: TypeAlias = dict[int, tuple[int, int]]
"""By runs, between which times the watermark was."""


def calm(
    arrivals: Arrivals,
    runs: Runs,
    until_ms: pl.Expr,
    closes: Callable[[], pl.DataFrame],
    lateness_ms: int,
    idle_ms: int,
) -> list[Ledger | None]:
    """Which gaps became known in each run, and how far the watermark had come; None where that is not seen at a glance.

    Args:
        arrivals: as of `ledgers`.
        runs: the events of several streams with these marks, in order of arrival.
        until_ms: of each of the events, as of `ledgers`.
        closes: gives the `run` of each row, and when it closes, `close_ms`. Of these times alone the watermarks tell
            whether they were reached. Asked when the rest is known.
        lateness_ms: as of the window.
        idle_ms: as of the window.
    """
    found: list[Ledger | None] = [None if count else Ledger((), FOREVER, NEVER) for count in runs.counts]
    gaps = [(loss.seq, loss.mark) for loss in arrivals.losses if isinstance(loss.mark, Gap)]
    if None not in found or len(gaps) < len(arrivals.losses) or arrivals.promised_ms is not None:
        return found
    if arrivals.proofs["origin"].n_unique() > 1:
        return found
    glance = _Glance(arrivals, runs, lateness_ms, idle_ms)
    chosen = glance.with_one_clock()
    sure = glance.ledgers(chosen, gaps, until_ms, closes)
    for run in chosen:
        if run in sure:
            found[run] = sure[run]
        elif len(runs) > 1:  # alone, more is seen of it
            own = Runs(runs.of_run(run, runs.events))
            closing = partial(_of_run, closes, run)
            (found[run],) = calm(arrivals, own, until_ms, closing, lateness_ms, idle_ms)
    return found


def _of_run(closes: Callable[[], pl.DataFrame], run: int) -> pl.DataFrame:
    """When the rows of a run close, which is then the only one."""
    return closes().filter(pl.col(RUN) == run).with_columns(pl.lit(0, pl.Int64).alias(RUN))


class _Standing(NamedTuple):
    """How far a source has come."""

    highest_ms: int
    """The highest time of its events."""
    last_ms: int
    """When the last of its events was received."""
    seq: int
    """The place of that in the recording."""
    name: tuple[int, ...]
    """What tells it from other sources."""


_STATE = ("highest_ms", "last_ms", "seq")


class _Glance:
    """What is seen of runs with the same marks.

    Args:
        arrivals: one of the streams, for its marks; its proofs are of one connection.
        runs: their events, of which there are some.
        lateness_ms: as of the window.
        idle_ms: as of the window.
    """

    def __init__(self, arrivals: Arrivals, runs: Runs, lateness_ms: int, idle_ms: int) -> None:
        events = runs.events
        self._runs = runs
        self._lateness_ms = lateness_ms
        self._idle_ms = idle_ms
        self._proofs = arrivals.proofs["seq"].to_numpy()
        self._proven = np.maximum.accumulate(arrivals.proofs["at_ms"].to_numpy())
        self._by = _by(arrivals)
        ahead_ms = (events["time_ms"] - events["received_ms"]).alias("ahead_ms")
        self._events = events[["seq", "time_ms", "received_ms", *self._by]].hstack([ahead_ms])
        if "exchange" in self._by:  # a number costs less to compare than a text
            text = pl.col("exchange")
            coded = text.cast(pl.Categorical) if self._events["exchange"].dtype == pl.String else text
            self._events = self._events.with_columns(coded.to_physical())
        if runs.masks:
            self._events = self._events.with_columns(runs.holders)
        self._ahead = self._ranges()
        self._known: dict[int, dict[int, list[_Standing]]] = {}
        self._found_since: dict[int, dict[tuple[int, ...], int]] = {}
        # Where all sources are silent, each proof moves time on; not beyond what it says on the clock of the events.
        self._places = np.searchsorted(events["seq"].to_numpy(), self._proofs)
        is_quiet = self._places > 0
        if len(runs) == 1:  # of several, some may be silent where others are not
            is_quiet &= self._proven - events["received_ms"].to_numpy()[self._places - 1] >= idle_ms
        quiet = (each[is_quiet] for each in (self._proofs, self._places, self._proven))
        self._quiet, self._quiet_places, self._quiet_proven = quiet

    def with_one_clock(self) -> list[int]:
        """The runs in which all clocks are as far from this machine's, within the lateness.

        Then each event moves time to its own. That is so if it holds for all events. Where some come later, it has to
        hold for the medians of the samples.
        """
        least_ms = {run: max(-self._lateness_ms, most - self._lateness_ms) for run, (_, most) in self._ahead.items()}
        near = [run for run, (_, most) in self._ahead.items() if most <= self._lateness_ms]
        doubtful = [run for run in near if self._ahead[run][0] < least_ms[run]]
        bounds_ms = {run: least_ms[run] for run in doubtful}
        apart = runs_apart(self._events, self._places, self._by, bounds_ms) if doubtful else ()
        return [run for run in near if run not in apart]

    def ledgers(
        self,
        chosen: Collection[int],
        gaps: Sequence[tuple[int, Gap]],
        until_ms: pl.Expr,
        closes: Callable[[], pl.DataFrame],
    ) -> dict[int, Ledger]:
        """Those of these runs that are calm, with what became known in them."""
        if not chosen or some_behind(self._runs.events, until_ms, self._moved_ms, self._lateness_ms):
            return {}
        if not self._has_few_exchanges:
            return {}
        seqs = [*(seq for seq, _ in gaps), *self._proofs[:1].tolist()]
        places = np.searchsorted(self._events["seq"].to_numpy(), seqs).tolist()
        if sum(map(bool, places)) > _MOST:
            return {}
        marks = [*zip(places, seqs, strict=True), (len(self._events), None)]
        bounds = [self._bounds(place, seq) for place, seq in marks]
        closing = closes()
        ends = np.searchsorted(closing[RUN].to_numpy(), range(len(self._runs) + 1))
        own = [closing["close_ms"].to_numpy()[start:end] for start, end in pairwise(ends)]
        unsure = set[int]()
        for (place, seq), each in zip(marks, bounds, strict=True):
            for run in _closing(own, each):
                each[run] = self._close_bounds(run, place, seq, each[run])
            unsure |= _closing(own, each)
        return {run: self._ledger(run, gaps, bounds) for run in chosen if run not in unsure}

    def _ledger(self, run: int, gaps: Sequence[tuple[int, Gap]], bounds: Sequence[_Bounds]) -> Ledger:
        watermarks = [each.get(run, (NEVER, NEVER))[0] for each in bounds]
        entries = [
            Entry(watermark, gap.start_ms - self._lateness_ms, gap.end_ms + self._lateness_ms, None)
            for watermark, (_, gap) in zip(watermarks, gaps, strict=False)
        ]
        # Up to which time events were seen when the stream ended.
        count = len(self._events)
        seen_ms = self._come_ms(run, count, self._standing(count)[run], self._proven_before(None))
        entries.append(Entry(watermarks[-1], seen_ms, FOREVER, None))
        return Ledger(tuple(entries), min(watermarks[:-1], default=FOREVER), watermarks[-1])

    @property
    def _has_few_exchanges(self) -> bool:
        """Whether each exchange within a channel is a source of its own, even if all are in one channel."""
        return all(len(standing) <= MAX_EXCHANGES for standing in self._standing(len(self._events)).values())

    @property
    def _moved_ms(self) -> Numbers:
        """To what time each event moves time, if only the foremost source counts, or the proof in front of it does."""
        times, quiet = self._events["time_ms"].to_numpy(), self._quiet_places
        if not len(quiet):
            return times
        # Of the proofs in front of the same event the last, which has proven most.
        is_last = (quiet < len(times)) & np.append(np.diff(quiet) > 0, True)
        places, moved = quiet[is_last], times.copy()
        proven_ms = self._quiet_proven[is_last] + max(most for _, most in self._ahead.values())
        moved[places] = np.maximum(times[places], proven_ms)
        return moved

    def _bounds(self, place: int, seq: int | None) -> _Bounds:
        """Between which times the watermark of each run was before a mark; runs without events before it lack.

        Args:
            place: how many events came before.
            seq: the place of the mark in the recording; None for the end.
        """
        if place == 0:
            return {}
        proof = self._proven_before(seq)
        found: _Bounds = {}
        for run, sources in self._standing(place).items():
            high_ms = max(self._idle_ahead_ms(run, sources, seq), *(each.highest_ms for each in sources))
            come_ms = self._come_ms(run, place, sources, proof)
            found[run] = come_ms - self._lateness_ms, high_ms - self._lateness_ms
        return found

    def _close_bounds(self, run: int, place: int, seq: int | None, bounds: tuple[int, int]) -> tuple[int, int]:
        """The same of one run as its slowest source tells: if it was active since any other passed it, all waited."""
        proof, sources = self._proven_before(seq), self._standing(place)[run]
        active = [source for source in sources if not self._is_idle(source, proof)]
        if not active:
            return bounds
        slowest = min(active)
        further = (self._events["time_ms"] > slowest.highest_ms).arg_true()
        passed: int = further[0] if len(further) else len(self._events)
        heard = self._events.head(passed).filter(self._of_source(run, slowest))["received_ms"]
        if not len(heard) or proof[0] - heard[-1] >= self._idle_ms:
            return bounds
        high_ms = max(slowest.highest_ms, self._idle_ahead_ms(run, sources, seq))
        return bounds[0], high_ms - self._lateness_ms

    def _idle_ahead_ms(self, run: int, sources: Sequence[_Standing], seq: int | None) -> int:
        """How far time was proven before a mark where all sources were silent; `NEVER` where they never were."""
        last = max(sources, key=lambda each: each.seq)
        # Where it was not silent in the end, it was before its last event at the latest.
        until = seq if self._is_idle(last, self._proven_before(seq)) else last.seq
        quiet = len(self._quiet) if until is None else bisect_left(self._quiet, until)
        return int(self._quiet_proven[quiet - 1]) + self._ahead[run][1] if quiet else NEVER

    def _proven_before(self, seq: int | None) -> tuple[int, int]:
        """What was proven before a mark, and the place of the last proof in the recording; None is the end."""
        count = len(self._proofs) if seq is None else bisect_left(self._proofs, seq)
        return (int(self._proven[count - 1]), int(self._proofs[count - 1])) if count else (NEVER, NEVER)

    def _is_idle(self, source: _Standing, proof: tuple[int, int]) -> bool:
        proven_ms, proof_seq = proof
        return proof_seq > source.seq and proven_ms - source.last_ms >= self._idle_ms

    def _come_ms(self, run: int, place: int, sources: Sequence[_Standing], proof: tuple[int, int]) -> int:
        """How far the sources that are active have come; where all are silent, how far time was proven since."""
        active = [source.highest_ms for source in sources if not self._is_idle(source, proof)]
        if active:
            return min(active)
        highest_ms = max(source.highest_ms for source in sources)
        since = self._since(place)
        since_ms = max(since[run, *each.name] for each in sources if each.highest_ms == highest_ms)
        return highest_ms + max(0, proof[0] - since_ms)

    def _since(self, place: int) -> dict[tuple[int, ...], int]:
        """When the highest event of each source of each run was received, after so many events."""
        if place not in self._found_since:
            foremost, name = pl.col("time_ms").arg_max(), (RUN, *self._by)
            state = pl.struct(
                pl.col("time_ms").max(), -pl.col("seq").get(foremost), pl.col("received_ms").get(foremost)
            )
            found = (
                self._grouped(self._events.head(place), state.alias("state"))
                .group_by(name)
                .agg(pl.col("state").sort(descending=True).first().struct.field("received_ms"))
            )
            self._found_since[place] = {tuple(source): since_ms for *source, since_ms in found.iter_rows()}
        return self._found_since[place]

    def _grouped(self, events: pl.DataFrame, *state: pl.Expr) -> pl.DataFrame:
        """What is told of the events of each source that the same runs hold, for each of these runs."""
        if self._runs.masks:
            return self._of_runs(events.group_by(HOLDERS, *self._by).agg(state))
        found = events.group_by(self._by).agg(state) if self._by else events.select(state)
        return found.hstack([pl.Series(RUN, [0]).new_from_index(0, len(found))])

    def _of_source(self, run: int, source: _Standing) -> pl.Expr:
        """Whether an event is of this source, in this run."""
        own = [pl.col(by) == name for by, name in zip(self._by, source.name, strict=True)]
        if self._runs.masks:
            own.append(pl.col(HOLDERS) & 2**run != 0)
        return pl.all_horizontal(pl.lit(True), *own)

    def _of_runs(self, found: pl.DataFrame) -> pl.DataFrame:
        """What was found where the same runs hold an event, for each of these runs: in the column `run`."""
        runs = pl.Series(RUN, [held_by(holders) for holders in found[HOLDERS]], pl.List(pl.Int64))
        return found.with_columns(runs).explode(RUN)

    def _ranges(self) -> dict[int, tuple[int, int]]:
        """How far the events of each run are ahead of their receive times, at least and at most."""
        if not self._runs.masks:
            ahead: Any = self._events["ahead_ms"]
            return {0: (ahead.min(), ahead.max())}
        ahead_ms = pl.col("ahead_ms")
        state = (ahead_ms.min().alias("least"), ahead_ms.max().alias("most"))
        found = self._of_runs(self._events.group_by(HOLDERS).agg(state))
        ranges = found.group_by(RUN).agg(pl.col("least").min(), pl.col("most").max())
        return {run: (least_ms, most_ms) for run, least_ms, most_ms in ranges.iter_rows()}

    def _standing(self, count: int) -> dict[int, list[_Standing]]:
        """The sources of each run after so many events."""
        if count not in self._known:
            self._known[count] = self._find_standing(count)
        return self._known[count]

    def _find_standing(self, count: int) -> dict[int, list[_Standing]]:
        state = (
            pl.col("time_ms").max().alias("highest_ms"),
            pl.col("received_ms").last().alias("last_ms"),
            pl.col("seq").last(),
        )
        found = self._grouped(self._events.head(count), *state)
        if self._runs.masks:
            last = pl.col("last_ms").get(pl.col("seq").arg_max())
            found = found.group_by(RUN, *self._by).agg(pl.col("highest_ms").max(), last, pl.col("seq").max())
        standing: dict[int, list[_Standing]] = {}
        for run, highest_ms, last_ms, seq, *name in found[[RUN, *_STATE, *self._by]].iter_rows():
            standing.setdefault(run, []).append(_Standing(highest_ms, last_ms, seq, tuple(name)))
        return standing


def _by(arrivals: Arrivals) -> list[str]:
    """The columns that tell sources apart."""
    return [
        name for name in (("input", "exchange") if arrivals.several else ("exchange",)) if name not in arrivals.constant
    ]


def _closing(closes: Sequence[Numbers], bounds: _Bounds) -> set[int]:
    """Which runs have a row that closes between these times. Of each run it is known when its rows close, in order."""
    return {
        run for run, (low, high) in bounds.items() if bisect_right(closes[run], low) < bisect_right(closes[run], high)
    }
