"""The moments of a stream at which its watermark, or what is known of gaps and losses, may change in a new way.

    a source is heard of for the first time, falls idle, or speaks again
    an event that may be late: it would be if no source but the foremost counted
    a gap, a loss, the end

They are found in columns: a pass over the times of the events, and bisections. Between two moments the state of a
source is read off its columns.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

import attrs
import polars as pl

from cgrx._backtest.arrivals import Arrivals, before
from cgrx._backtest.offset import moved, offsets, offsets_of, require_few_exchanges, require_one_clock
from cgrx._backtest.plan import Inexpressible
from cgrx._model.channels import Channel
from cgrx._model.signals import Alive, Dropped, Mark
from cgrx._model.times import NEVER
from cgrx.operators._windows.clocks import Source
from cgrx.operators._windows.watermark import Progress

SUSPECTS = 10_000
"""How many events that may be late are looked at one by one; where there are more, columns gain nothing."""


RUN = 2**51
"""Between the numbers of one run and those of the next, where columns of several are searched as one; times and places
in a recording are less than half of it."""

MOST_RUNS = 1000
"""How many runs go together."""


class SourceColumns:
    """One source, which is an exchange within a channel: its events, and where they stand among all."""

    def __init__(self, channel: Channel, events: pl.DataFrame) -> None:
        self.channel = channel
        self.exchange: str = events["exchange"][0]
        self.places = events["place"]
        self.highest = running(events["moved_ms"], events["run"])
        self.received = events["received_ms"]
        self.since = self._since(events["run"])
        """When the highest event so far was received."""
        self.ahead = events["time_ms"] - self.received
        self.source: Source | None = None
        """As `Progress` knows it; None until its first event is shown."""

    def _since(self, runs: pl.Series) -> pl.Series:
        highest, run = pl.col("highest"), pl.col("run")
        rises = ((highest != highest.shift()) | (run != run.shift())).fill_null(True)
        found = pl.DataFrame({"highest": self.highest, "run": runs, "received": self.received})
        return found.select(pl.when(rises).then("received").forward_fill()).to_series()

    def firsts(self, starts: pl.Series) -> pl.Series:
        """The index of its first event in each run."""
        first = before(self.places, starts)
        return first.filter(first < len(self.places)).unique()

    def last(self, places: pl.Series, starts: pl.Series) -> pl.Series:
        """The index of its last event before each of these places in the runs that start there; null without one."""
        index = before(self.places, places) - 1
        return index.set((index < 0) | (self.places.gather(index.clip(0)) < starts), None)

    def offsets(self, known: pl.DataFrame) -> pl.Series:
        """Its own offset at each of those of the stream; null where it is not known."""
        return offsets_of(self.last(known["place"], known["start"]), self.ahead, known["run"])

    def states(self, places: pl.Series) -> list[tuple[int, int, int]]:
        """Before each of these places: the highest time, when that was received, and when the last event was."""
        last = (before(self.places, places) - 1).clip(0)
        columns = (self.highest.gather(last), self.since.gather(last), self.received.gather(last))
        return list(zip(*(column.to_list() for column in columns), strict=True))

    def move_to(self, state: tuple[int, int, int]) -> None:
        """Bring the source to one of its `states`."""
        if self.source is not None:
            highest_ms, highest_received_ms, self.source.received_ms = state
            self.source.advance(highest_ms, highest_received_ms)

    def stand(self, progress: Progress, state: tuple[int, int, int], *, idle: bool) -> None:
        """Make the source known to `Progress` as it stands in one of its `states`."""
        if self.source is None:
            self.source = progress.sources(self.channel)[self.exchange] = Source()
        self.source.idle = idle
        self.move_to(state)

    def show(self, progress: Progress, received_ms: int, moved_ms: int) -> None:
        """Show an event of the source to `Progress`."""
        self.source = progress.source(progress.sources(self.channel), self.exchange, received_ms)
        self.source.advance(moved_ms, received_ms)


@attrs.frozen
class Arrival:
    """An event at which its source wakes, or that may be late."""

    source: SourceColumns
    received_ms: int
    moved_ms: int
    """How far it moves time."""
    until_ms: int
    """The event is late if the watermark has come to here before it."""


Moment: TypeAlias = tuple[int, int, int, Mark | Arrival | None]
"""The place of the event that the moment is about or that follows it; 0 for a mark and 1 for an event; `seq`; and what
happens, None for the end. Moments are in the order of the first three."""


class Moments:
    """Finds the sources and the moments of streams with the same marks, but not the same events.

    Each is a run. Their events are in one table, run after run; `run` is the number of a run, `place` that of an event
    in the table, and `start` the place of the first event of a run.

    Args:
        arrivals: one of the streams, for its marks.
        runs: the events of each stream, in order of arrival. An event has its place in every window as long as the
            watermark is before `until_ms`.
        lateness_ms: as of the window.
        idle_ms: as of the window.

    Raises:
        Inexpressible: clocks are too far apart, or too many events may be late.
    """

    def __init__(self, arrivals: Arrivals, runs: Sequence[pl.DataFrame], lateness_ms: int, idle_ms: int) -> None:
        self._arrivals = arrivals
        counts = pl.Series([len(events) for events in runs], dtype=pl.Int64)
        run = pl.int_range(len(runs), eager=True)
        self.runs = pl.DataFrame({"run": run, "start": counts.cum_sum() - counts, "end": counts.cum_sum()})
        """Of each run `start` and `end`, behind its last event."""
        columns = ("seq", "received_ms", "time_ms", "exchange", "until_ms", *(["input"] if arrivals.several else []))
        numbers = pl.concat([run.new_from_index(at, len(events)) for at, events in enumerate(runs)])
        placed = pl.concat([events.select(columns) for events in runs]).with_columns(
            numbers.alias("run"), pl.int_range(pl.len()).alias("place")
        )
        self._order = placed["seq"] + placed["run"] * RUN
        self.proofs = self._find_proofs()
        """The proofs for each run, with `place`, the joint proof so far, and a flag for those that are always shown."""
        known = offsets(placed, self.proofs)
        require_one_clock(known["offset_ms"], lateness_ms)
        self.events = placed.with_columns(moved(placed, known, lateness_ms))
        self.lateness_ms = lateness_ms
        self.idle_ms = idle_ms
        self.sources = self._find_sources()
        for each in self.sources:
            require_one_clock(each.offsets(known), lateness_ms, known["offset_ms"])
        only = self.sources[0].highest if len(self.sources) == 1 else None
        self.latest = running(self.events["moved_ms"], self.events["run"]) if only is None else only
        """The highest time so far in the run."""

    def find(self) -> list[Moment]:
        """All moments in order; the end is the last."""
        proofs, woken = self._find_idleness(self.proofs)
        suspects = self._find_suspects(proofs.filter("quiet"))
        moments = self.losses()
        kept = proofs.filter("kept").select("place", "seq", "origin", "at_ms")
        moments += [(place, 0, seq, Alive(origin, at_ms)) for place, seq, origin, at_ms in kept.iter_rows()]
        moments += self._find_arrivals(sorted({*woken, *suspects}))
        return [*sorted(moments, key=lambda moment: moment[:3]), self.end]

    @property
    def marks(self) -> list[tuple[int, Mark]]:
        """The gaps and losses, with their `seq`."""
        return [(loss.seq, loss.mark) for loss in self._arrivals.losses]

    def losses(self) -> list[Moment]:
        """The moments of gaps and losses."""
        losses = self._arrivals.losses
        placed = self.places([0] * len(losses), [loss.seq for loss in losses])
        return [(place, 0, loss.seq, loss.mark) for place, loss in zip(placed, losses, strict=True)]

    @property
    def end(self) -> Moment:
        """The last moment."""
        return len(self.events), 1, 0, None

    @property
    def follows_columns(self) -> bool:
        """Whether `Course` can say how the watermark went on: of one connection, and where each loss has its time."""
        if self._arrivals.proofs["origin"].n_unique() > 1:
            return False
        drops = [loss.seq for loss in self._arrivals.losses if isinstance(loss.mark, Dropped)][:1]
        seqs = drops * len(self.runs)
        return not (self.places(self.runs["run"].head(len(seqs)), seqs) == self.runs["start"].head(len(seqs))).any()

    def _find_sources(self) -> list[SourceColumns]:
        events = self.events
        channels: tuple[Channel, ...] = self._arrivals.channels
        require_few_exchanges(events, several=self._arrivals.several)
        names = ("input", "exchange") if self._arrivals.several else ("exchange",)
        if events.select((pl.col(name) == pl.col(name).first()).all() for name in names).row(0) == (True,) * len(names):
            only: int = events["input"][0] if self._arrivals.several else 0
            return [SourceColumns(channels[only], events)]
        # Numbers in place of names are compared, and copied, for less.
        numbered = events.with_columns(pl.col("exchange").cast(pl.Categorical).to_physical().alias("number"))
        index: int
        found: list[SourceColumns] = []
        by = [pl.col("number"), pl.col("input") if self._arrivals.several else pl.lit(0).alias("input")]
        columns = ("run", "place", "exchange", "moved_ms", "received_ms", "time_ms")
        for number, index in numbered.select(by).unique(maintain_order=True).iter_rows():
            own = (pl.col("number") == number) & (by[1] == index)
            found.append(SourceColumns(channels[index], numbered.filter(own).select(columns)))
        return found

    def places(self, runs: Sequence[int] | pl.Series, seqs: Sequence[int] | pl.Series) -> pl.Series:
        """The places at which these marks came in these runs."""
        return before(self._order, pl.Series(seqs, dtype=pl.Int64) + pl.Series(runs, dtype=pl.Int64) * RUN).alias(
            "place"
        )

    def _find_proofs(self) -> pl.DataFrame:
        arrivals = self._arrivals
        proofs = arrivals.proofs
        several = proofs["origin"].n_unique() > 1
        proven = pl.Series(_proven(proofs), dtype=pl.Int64) if several else proofs["at_ms"]
        # The first proof counts as a mark; the last one before a loss says how late it is at the loss.
        last = before(proofs["seq"], pl.Series([loss.seq for loss in arrivals.losses], dtype=pl.Int64)) - 1
        index = pl.int_range(pl.len())
        shown = proofs.with_columns(
            index.alias("index"),
            # A new connection may prove less, but a source that has fallen idle stays idle.
            proven.cum_max().alias("proven_ms"),
            (pl.lit(several) | (index == 0) | index.is_in(last.implode())).alias("kept"),
        )
        if len(self.runs) > 1:
            shown = self.runs.select("run", "start").join(shown, how="cross", maintain_order="left_right")
        else:
            shown = shown.with_columns(run=pl.lit(0, pl.Int64), start=pl.lit(0, pl.Int64))
        return shown.with_columns(self.places(shown["run"], shown["seq"]))

    def _find_idleness(self, proofs: pl.DataFrame) -> tuple[pl.DataFrame, list[int]]:
        """The proofs, flagged where they are shown and where all are silent; and the events that wake sources."""
        woken: list[int] = []
        shown: list[pl.Series] = []
        quiet = pl.repeat(bool(self.sources), len(proofs), eager=True)
        for columns in self.sources:
            said = before(columns.places, proofs["place"])
            last_ms = columns.received.gather((said - 1).clip(0))
            silent = (said > 0) & (proofs["proven_ms"] - last_ms >= self.idle_ms)
            # It falls idle at the first proof of those between the same two events.
            falls = pl.DataFrame({"index": proofs["index"], "said": said}).filter(silent)
            falls = falls.filter((pl.col("said") != pl.col("said").shift()).fill_null(True))
            shown.append(falls["index"])
            wakes = falls["said"].filter(falls["said"] < len(columns.places))
            woken += [columns.places[0], *columns.places.gather(wakes)]
            quiet &= silent | (said == 0)
        # Where all are silent, each proof moves time on; of those between the same two events the last is enough.
        latest = (proofs["place"] != proofs["place"].shift(-1)).fill_null(True) & quiet
        kept = pl.col("kept") | pl.lit(latest) | pl.col("index").is_in(pl.concat(shown).implode()) if shown else "kept"
        return proofs.with_columns(kept=kept, quiet=quiet), woken

    def _find_suspects(self, quiet: pl.DataFrame) -> list[int]:
        """The events that are late if no source but the foremost counts."""
        events, latest = self.events, self.latest
        bounded = events.select("place", "until_ms", latest.alias("bound_ms"))
        quiet = quiet.filter(pl.col("place") > 0)
        if len(quiet):
            # All idle: time goes on, as far as it is proven, from the latest event on.
            last_ms = latest.gather(quiet["place"] - 1)
            since_ms = events["received_ms"].gather(before(latest, last_ms))
            idle_ms = (last_ms + (quiet["proven_ms"] - since_ms).clip(0)).cum_max()
            since = pl.DataFrame({"place": quiet["place"].cast(events["place"].dtype), "idle_ms": idle_ms})
            bounded = bounded.join_asof(since, on="place").with_columns(
                bound_ms=pl.max_horizontal("bound_ms", "idle_ms")
            )
        found = bounded.filter(pl.col("until_ms") <= pl.col("bound_ms") - self.lateness_ms)["place"]
        if len(found) > SUSPECTS:
            raise Inexpressible(f"{len(found):,} events may come too late")
        return found.to_list()

    def _find_arrivals(self, places: list[int]) -> Iterator[Moment]:
        """The events at these places."""
        columns = ("place", "seq", "received_ms", "exchange", "moved_ms", "until_ms")
        input_ = pl.col("input") if self._arrivals.several else pl.lit(0)
        chosen = self.events[places].select(*columns, input_.alias("input"))
        channels: tuple[Channel, ...] = self._arrivals.channels
        sources = {(each.channel, each.exchange): each for each in self.sources}
        for place, seq, received_ms, exchange, moved_ms, until_ms, index in chosen.iter_rows():
            source = sources[channels[index], exchange]
            yield place, 1, seq, Arrival(source, received_ms, moved_ms, until_ms)


def _proven(proofs: pl.DataFrame) -> Iterable[int]:
    """After each proof, the time up to which all connections are proven alive."""
    known: dict[str, int] = {}
    for at_ms, origin in proofs.select("at_ms", "origin").iter_rows():
        known[origin] = max(at_ms, known.get(origin, NEVER))
        yield min(known.values())


def running(times: pl.Series, runs: pl.Series) -> pl.Series:
    """The highest so far in each run; null before the first."""
    highest = (times + runs * RUN).cum_max().forward_fill() - runs * RUN
    return highest.set(highest < -RUN // 2, None)
