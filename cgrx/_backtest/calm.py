"""What is known of most streams at a glance, without their course: no event is late, and which rows have closed.

A stream of one connection is calm where every clock is believed, so that each event moves time to its own. That is so
where the times of all events are as far from their receive times, within the lateness; and of those that come later, as
after a pause of the network, too few are samples of an offset. The watermark of a calm stream is never behind what the
sources that are active say now, and never beyond what the foremost says, or where all were silent what was proven
since. Only whether a window had closed is asked of it: where no window ends between the two, any time between them
answers as the watermark does. Elsewhere `lateness` finds the watermark itself.
"""

from typing import TypeAlias

import polars as pl

from cgrx._backtest.arrivals import Arrivals, before
from cgrx._backtest.lateness import Entry, Ledger
from cgrx._backtest.offset import median
from cgrx._model.limits import MAX_EXCHANGES
from cgrx._model.signals import Gap
from cgrx._model.times import FOREVER, NEVER

_MOST = 10
"""How many gaps among the events are looked at one by one; where there are more, the course is cheaper."""

_Standing: TypeAlias = tuple[int, int, int]
"""Of a source: the highest time of its events, when that was received, and when the last event was."""


def calm(
    arrivals: Arrivals, events: pl.DataFrame, until_ms: pl.Expr, closes: pl.Series, lateness_ms: int, idle_ms: int
) -> Ledger | None:
    """Which gaps became known, and how far the watermark had come; None where that is not seen at a glance.

    Args:
        arrivals: as of `ledgers`.
        events: as of `ledgers`.
        until_ms: as of `ledgers`.
        closes: when each row closes. Of these times alone the watermarks tell whether they were reached.
        lateness_ms: as of the window.
        idle_ms: as of the window.
    """
    if not len(events):
        return Ledger((), FOREVER, NEVER)
    gaps = [(loss.seq, loss.mark) for loss in arrivals.losses if isinstance(loss.mark, Gap)]
    if len(gaps) < len(arrivals.losses) or arrivals.promised_ms is not None:
        return None
    if arrivals.proofs["origin"].n_unique() > 1:
        return None
    if not _has_one_clock(arrivals, events, lateness_ms):
        return None
    glance = _Glance(arrivals, events, lateness_ms, idle_ms)
    if glance.may_be_late(events.select(until_ms).to_series()):
        return None
    seqs = [*(seq for seq, _ in gaps), *arrivals.proofs["seq"].head(1)]
    places = before(events["seq"], pl.Series(seqs, dtype=pl.Int64)).to_list()
    if sum(map(bool, places)) > _MOST or not glance.has_few_exchanges:
        return None
    bounds = [glance.bounds(place, seq) for place, seq in zip(places, seqs, strict=True)]
    bounds.append(glance.bounds(len(events), None))
    if any(low < high and ((closes > low) & (closes <= high)).any() for low, high in bounds):
        return None
    watermarks = [low for low, _ in bounds]
    entries = [
        Entry(watermark, gap.start_ms - lateness_ms, gap.end_ms + lateness_ms, None)
        for watermark, (_, gap) in zip(watermarks, gaps, strict=False)
    ]
    entries.append(Entry(watermarks[-1], glance.seen_ms, FOREVER, None))
    return Ledger(tuple(entries), min(watermarks[:-1], default=FOREVER), watermarks[-1])


def _by(arrivals: Arrivals) -> list[str]:
    """The columns that tell sources apart."""
    return [
        name for name in (("input", "exchange") if arrivals.several else ("exchange",)) if name not in arrivals.constant
    ]


def _has_one_clock(arrivals: Arrivals, events: pl.DataFrame, lateness_ms: int) -> bool:
    """Whether all clocks are as far from this machine's, within the lateness, so that each event moves time to its own.

    That is so if it holds for all events. Where some come later, it has to hold for the medians of the samples.
    """
    ahead_ms = events["time_ms"] - events["received_ms"]
    low_ms, high_ms = _range(ahead_ms)
    if high_ms > lateness_ms:
        return False
    if low_ms < max(-lateness_ms, high_ms - lateness_ms):
        low_ms, _ = _range(pl.concat([_medians(arrivals, events, ahead_ms), pl.Series([high_ms])]))
    return low_ms >= max(-lateness_ms, high_ms - lateness_ms)


def _medians(arrivals: Arrivals, events: pl.DataFrame, ahead_ms: pl.Series) -> pl.Series:
    """The offsets of the stream and of its sources, as far as they are known."""
    by = _by(arrivals)
    places = before(events["seq"], arrivals.proofs["seq"]).unique(maintain_order=True)
    known = median(ahead_ms.gather(places.filter(places > 0) - 1)).drop_nulls()
    if not by:
        return known
    interval = before(arrivals.proofs["seq"], events["seq"]).alias("interval")
    samples = events.select(*by, interval, ahead_ms.alias("ahead_ms")).filter(interval < len(arrivals.proofs))
    lasts = samples.group_by(*by, "interval").agg(pl.col("ahead_ms").last()).sort(*by, "interval")
    of_sources = lasts.group_by(*by, maintain_order=True).agg(median(pl.col("ahead_ms"))).explode("ahead_ms")
    return pl.concat([known, of_sources["ahead_ms"].drop_nulls()])


def _range(values: pl.Series) -> tuple[int, int]:
    found: tuple[int, int] = values.min(), values.max()  # type: ignore[assignment]  # of integers, and there are some
    return found


class _Glance:
    """What is seen of a stream with one clock, which has events.

    Args:
        arrivals: the stream; its proofs are of one connection.
        events: its events, in order of arrival.
        lateness_ms: as of the window.
        idle_ms: as of the window.
    """

    def __init__(self, arrivals: Arrivals, events: pl.DataFrame, lateness_ms: int, idle_ms: int) -> None:
        self._events = events
        self._lateness_ms = lateness_ms
        self._idle_ms = idle_ms
        self._proofs = arrivals.proofs["seq"]
        self._proven = arrivals.proofs["at_ms"].cum_max()
        self._highest = events["time_ms"].cum_max()
        _, ahead_ms = _range(events["time_ms"] - events["received_ms"])
        # Where all sources are silent, each proof moves time on; not beyond what it says on the clock of the events.
        places = before(events["seq"], self._proofs)
        heard = places > 0
        places, proven = places.filter(heard), self._proven.filter(heard)
        silent = proven - events["received_ms"].gather(places - 1) >= idle_ms
        self._quiet = self._proofs.filter(heard).filter(silent)
        self._quiet_places = places.filter(silent)
        self._quiet_ms = proven.filter(silent) + ahead_ms
        self._by = _by(arrivals)
        self._last = self._standing(len(events))

    @property
    def has_few_exchanges(self) -> bool:
        """Whether each exchange within a channel is a source of its own, even if all are in one channel."""
        return len(self._last) <= MAX_EXCHANGES

    @property
    def seen_ms(self) -> int:
        """Up to which time events were seen when the stream ended."""
        return self._come_ms(self._last, self._proven_before(None))

    def may_be_late(self, until_ms: pl.Series) -> bool:
        """Whether an event is late if only the foremost source counts."""
        if (until_ms <= self._highest - self._lateness_ms).any():
            return True
        if not len(self._quiet):
            return False
        followed = self._quiet_places < len(until_ms)
        least_ms = until_ms.cum_min(reverse=True).gather(self._quiet_places.filter(followed))
        return (least_ms <= self._quiet_ms.filter(followed) - self._lateness_ms).any()

    def bounds(self, place: int, seq: int | None) -> tuple[int, int]:
        """Between which times the watermark was before a mark.

        Args:
            place: how many events came before.
            seq: the place of the mark in the recording; None for the end.
        """
        if place == 0:
            return NEVER, NEVER
        standing = self._last if place == len(self._events) else self._standing(place)
        low_ms = self._come_ms(standing, self._proven_before(seq))
        quiet = len(self._quiet) if seq is None else self._quiet.search_sorted(seq)
        high_ms: int = max([self._highest[place - 1], *self._quiet_ms.head(quiet).tail(1)])
        return low_ms - self._lateness_ms, high_ms - self._lateness_ms

    def _proven_before(self, seq: int | None) -> tuple[int, int]:
        """What was proven before a mark, and the place of the last proof in the recording; None is the end."""
        count = len(self._proofs) if seq is None else self._proofs.search_sorted(seq)
        return (self._proven[count - 1], self._proofs[count - 1]) if count else (NEVER, NEVER)

    def _standing(self, count: int) -> list[tuple[_Standing, int]]:
        """Each source after so many events, and the place of its last one in the recording."""
        time_ms, received_ms = pl.col("time_ms"), pl.col("received_ms")
        events = self._events.head(count).lazy()
        state = (
            time_ms.max().alias("highest_ms"),
            received_ms.get(time_ms.arg_max()).alias("since_ms"),
            received_ms.last().alias("last_ms"),
            pl.col("seq").last(),
        )
        found = events.group_by(self._by).agg(state).drop(self._by) if self._by else events.select(state)
        return [
            ((highest_ms, since_ms, last_ms), seq) for highest_ms, since_ms, last_ms, seq in found.collect().iter_rows()
        ]

    def _come_ms(self, standing: list[tuple[_Standing, int]], proof: tuple[int, int]) -> int:
        """How far the sources that are active have come; where all are silent, how far time was proven since."""
        proven_ms, proof_seq = proof
        active = [
            source[0] for source, seq in standing if not (proof_seq > seq and proven_ms - source[2] >= self._idle_ms)
        ]
        if active:
            return min(active)
        highest_ms, since_ms, _ = max(source for source, _ in standing)
        return highest_ms + max(0, proven_ms - since_ms)
