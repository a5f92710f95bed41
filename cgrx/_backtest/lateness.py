"""What windows knew when they closed, found out without running every event.

Whether an event is late, and which gaps and losses a row knows of, depends on how far the watermark had come at that
moment. `Progress`, which says so event by event, is told only of the moments at which it may say something new:

    a source is heard of for the first time, falls idle, or speaks again
    an event that may be late: it would be if no source but the foremost counted
    a gap, a loss, the end

Between these the latest times of the sources are read off columns, by bisection. So a busy channel costs a pass over
its times and a few steps of Python, and the answers are those of the very same arithmetic.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, TypeAlias

import attrs

from cgrx._backtest.arrivals import Inexpressible, Told, before
from cgrx._model.channels import Channel
from cgrx._model.signals import Alive, Mark, Watermark
from cgrx._model.times import FOREVER, NEVER
from cgrx._streams.offset import ENOUGH, SAMPLES
from cgrx.operators._windows.missing import Missing
from cgrx.operators._windows.watermark import Progress, Source

if TYPE_CHECKING:
    import polars as pl

SUSPECTS = 10_000
"""So many events that may be late are looked at one by one; where there are more, columns gain nothing."""


@attrs.frozen
class Entry:
    """A gap or a loss, and how far the watermark had come before it was known: what had closed does not know of it."""

    watermark: int
    start_ms: int
    end_ms: int
    lost: int | None
    """How many events; None for a gap."""

    def enter(self, missing: Missing) -> None:
        """Let it be known."""
        if self.lost is None:
            missing.add_gap(self.start_ms, self.end_ms)
        else:
            missing.add_loss(self.start_ms, self.end_ms, self.lost)


@attrs.frozen
class Ledger:
    """What became known when."""

    entries: tuple[Entry, ...]
    """In order."""
    marked: int
    """The watermark before the first mark: what closed before knows nothing of its quality."""
    watermark: int
    """At the end: what is not closed then is not final."""


def ledger(told: Told, events: "pl.DataFrame", until_ms: "pl.Expr", lateness_ms: int, idle_ms: int) -> Ledger:
    """Go through a stream of events and marks, and note what is known when.

    Args:
        told: the stream.
        events: its events, in order of arrival.
        until_ms: an event has its place in every window as long as the watermark is before this time.
        lateness_ms: as of the window.
        idle_ms: likewise.

    Raises:
        Inexpressible: an event comes when the watermark is there already.
    """
    walk = _Walk(told, events.with_row_index("place"), until_ms, lateness_ms, idle_ms)
    return walk.go()


class _Journal(Missing):
    """Notes what it is told, with the watermark before it."""

    def __init__(self) -> None:
        super().__init__()
        self.watermark = NEVER
        self.entries: list[Entry] = []

    def add_gap(self, start_ms: int, end_ms: int) -> None:
        self.entries.append(Entry(self.watermark, start_ms, end_ms, None))

    def add_loss(self, start_ms: int, end_ms: int, count: int) -> None:
        self.entries.append(Entry(self.watermark, start_ms, end_ms, count))


@attrs.frozen
class _Arrival:
    """An event at which its source wakes, or that may be late."""

    source: "_Columns"
    received_ms: int
    moved_ms: int
    """How far it moves time."""
    until_ms: int


_Moment: TypeAlias = tuple[int, int, int, "Mark | _Arrival | None"]
"""The place of the event that it is about or that follows; 0 for a mark, 1 for an event; `seq`; what happens, None
for the end."""


class _Columns:
    """One source, which is an exchange within a channel: its events, and where they stand among all."""

    def __init__(self, channel: Channel, events: "pl.DataFrame") -> None:
        self.channel = channel
        self.exchange: str = events["exchange"][0]
        self.places = events["place"]
        self.highest = events["moved_ms"].cum_max()
        self.received = events["received_ms"]
        self.source: Source | None = None
        """As `Progress` knows it, if it does."""

    def states(self, places: "pl.Series") -> list[tuple[int, int, int]]:
        """Before each of these: the highest time, when that was received, and when the last event was."""
        last = (before(self.places, places) - 1).clip(0)
        highest = self.highest.gather(last)
        first = before(self.highest, highest)
        columns = (highest, self.received.gather(first), self.received.gather(last))
        return list(zip(*(column.to_list() for column in columns), strict=True))

    def wake(self, progress: Progress, arrival: _Arrival) -> None:
        """An event of it is seen."""
        sources = progress.sources(self.channel)
        self.source = progress.source(sources, self.exchange, arrival.received_ms)
        self.source.advance(arrival.moved_ms, arrival.received_ms)


class _Walk:
    """The progress of one stream, in large steps."""

    def __init__(self, told: Told, events: "pl.DataFrame", until_ms: "pl.Expr", lateness_ms: int, idle_ms: int) -> None:
        self._told = told
        self._events = events.with_columns(_moved(told, events, lateness_ms))
        self._until_ms = until_ms
        self._lateness_ms = lateness_ms
        self._idle_ms = idle_ms
        self._sources = self._find_sources()
        only = self._sources[0].highest if len(self._sources) == 1 else None
        self._latest = self._events["moved_ms"].cum_max() if only is None else only

    def go(self) -> Ledger:
        import polars as pl

        journal = _Journal()
        progress = Progress(self._lateness_ms, self._idle_ms, journal)
        moments = self._find_moments()
        places = pl.Series([place for place, *_ in moments], dtype=pl.Int64)
        states = [columns.states(places) for columns in self._sources]
        promised_ms = self._told.promised_ms
        # A stage that orders events says how far with the first that it lets go.
        marked, late = FOREVER if promised_ms is None else NEVER, 0
        for at, (_, _, _, what) in enumerate(moments):
            for columns, told in zip(self._sources, states, strict=True):
                if columns.source is not None:
                    highest_ms, highest_received_ms, columns.source.received_ms = told[at]
                    columns.source.advance(highest_ms, highest_received_ms)
            journal.watermark = progress.watermark
            match what:
                case _Arrival():
                    what.source.wake(progress, what)
                    late += progress.reached(what.until_ms)
                case None:
                    if promised_ms is not None:
                        progress.on_mark(Watermark(promised_ms))
                        journal.watermark = progress.watermark
                    progress.end()
                case _:
                    marked = min(marked, journal.watermark)
                    progress.on_mark(what)
        if late:
            raise Inexpressible(f"{late:,} {'event comes' if late == 1 else 'events come'} too late")
        return Ledger(tuple(journal.entries), marked, journal.watermark)

    def _find_sources(self) -> list[_Columns]:
        import polars as pl

        events = self._events
        channels: tuple[Channel, ...] = self._told.channels
        if not len(events):
            return []
        if self._told.several:
            found: list[_Columns] = []
            for group in events.partition_by("input", "exchange"):
                index: int = group["input"][0]
                found.append(_Columns(channels[index], group))
            return found
        exchange = pl.col("exchange")
        one = events.select((exchange == exchange.first()).all()).item()
        return [_Columns(channels[0], group) for group in ([events] if one else events.partition_by("exchange"))]

    def _find_moments(self) -> list[_Moment]:
        """All that is to be told, in order."""
        import polars as pl

        losses = self._told.losses
        placed = self._places(pl.Series([loss.seq for loss in losses], dtype=pl.Int64))
        proofs, woken = self._find_idleness(self._find_proofs())
        suspects = self._find_suspects(proofs.filter("quiet"))
        moments: list[_Moment] = [(place, 0, loss.seq, loss.mark) for place, loss in zip(placed, losses, strict=True)]
        kept = proofs.filter("kept").select("place", "seq", "origin", "at_ms")
        moments += [(place, 0, seq, Alive(origin, at_ms)) for place, seq, origin, at_ms in kept.iter_rows()]
        moments += self._arrivals(sorted({*woken, *suspects}))
        return [*sorted(moments, key=lambda moment: moment[:3]), (len(self._events), 1, 0, None)]

    def _places(self, seqs: "pl.Series") -> "pl.Series":
        """How many events came before."""
        return before(self._events["seq"], seqs).alias("place")

    def _find_proofs(self) -> "pl.DataFrame":
        """The proofs of life: where they stand, what is proven of all connections, which are to be told anyway."""
        import polars as pl

        told = self._told
        proofs = told.proofs.with_columns(self._places(told.proofs["seq"]))
        several = proofs["origin"].n_unique() > 1
        proven = pl.Series(_proven(proofs), dtype=pl.Int64) if several else proofs["at_ms"]
        # The first one counts as a mark; and the last one before a loss says how late it is then.
        last = before(proofs["seq"], pl.Series([loss.seq for loss in told.losses], dtype=pl.Int64)) - 1
        index = pl.int_range(pl.len())
        return proofs.with_columns(
            index.alias("index"),
            # A connection that is new may know of less, but who has fallen idle stays so.
            proven.cum_max().alias("proven_ms"),
            (pl.lit(several) | (index == 0) | index.is_in(last.implode())).alias("kept"),
        )

    def _find_idleness(self, proofs: "pl.DataFrame") -> "tuple[pl.DataFrame, list[int]]":
        """The proofs, with which to tell and where all are silent; and the events that come first, or wake sources."""
        import polars as pl

        woken: list[int] = []
        told: list[pl.Series] = []
        quiet = pl.repeat(bool(self._sources), len(proofs), eager=True)
        for columns in self._sources:
            said = before(columns.places, proofs["place"])
            last_ms = columns.received.gather((said - 1).clip(0))
            silent = (said > 0) & (proofs["proven_ms"] - last_ms >= self._idle_ms)
            # It falls idle at the first proof of those between the same two events.
            falls = pl.DataFrame({"index": proofs["index"], "said": said}).filter(silent)
            falls = falls.filter((pl.col("said") != pl.col("said").shift()).fill_null(True))
            told.append(falls["index"])
            wakes = falls["said"].filter(falls["said"] < len(columns.places))
            woken += [columns.places[0], *columns.places.gather(wakes)]
            quiet &= silent | (said == 0)
        kept = pl.col("kept") | pl.lit(quiet) | pl.col("index").is_in(pl.concat(told).implode()) if told else "kept"
        return proofs.with_columns(kept=kept, quiet=quiet), woken

    def _find_suspects(self, quiet: "pl.DataFrame") -> list[int]:
        """The events that are late if no source but the foremost counts."""
        import polars as pl

        events, latest = self._events, self._latest
        bounded = events.select("place", self._until_ms.alias("until_ms"), latest.alias("bound_ms"))
        quiet = quiet.filter(pl.col("place") > 0)
        if len(quiet):
            # All idle: time goes on, as far as it is proven, from the latest event on.
            last_ms = latest.gather(quiet["place"] - 1)
            told_ms = events["received_ms"].gather(before(latest, last_ms))
            idle_ms = (last_ms + (quiet["proven_ms"] - told_ms).clip(0)).cum_max()
            since = pl.DataFrame({"place": quiet["place"].cast(events["place"].dtype), "idle_ms": idle_ms})
            bounded = bounded.join_asof(since, on="place").with_columns(
                bound_ms=pl.max_horizontal("bound_ms", "idle_ms")
            )
        found = bounded.filter(pl.col("until_ms") <= pl.col("bound_ms") - self._lateness_ms)["place"]
        if len(found) > SUSPECTS:
            raise Inexpressible(f"{len(found):,} events may come too late")
        return found.to_list()

    def _arrivals(self, places: list[int]) -> "Iterable[_Moment]":
        """These events."""
        import polars as pl

        columns = ("place", "seq", "received_ms", "exchange", "moved_ms")
        input_ = pl.col("input") if self._told.several else pl.lit(0)
        chosen = self._events[places].select(*columns, self._until_ms.alias("until_ms"), input_.alias("input"))
        channels: tuple[Channel, ...] = self._told.channels
        sources = {(each.channel, each.exchange): each for each in self._sources}
        for place, seq, received_ms, exchange, moved_ms, until_ms, index in chosen.iter_rows():
            source = sources[channels[index], exchange]
            yield place, 1, seq, _Arrival(source, received_ms, moved_ms, until_ms)


def _moved(told: Told, events: "pl.DataFrame", lateness_ms: int) -> "pl.Series":
    """How far each event moves time: as `Offset` has it, which samples the events before the proofs.

    Raises:
        Inexpressible: the clocks are so far apart that gaps have to be moved, which columns do not do.
    """
    import polars as pl

    time_ms, received_ms = pl.col("time_ms"), pl.col("received_ms")
    sampled = before(events["seq"], told.proofs["seq"]).alias("place").unique(maintain_order=True)
    sampled = sampled.filter(sampled > 0)
    samples = events.select((time_ms - received_ms).alias("offset_ms"))[(sampled - 1).to_list()].with_columns(
        pl.col("offset_ms").rolling_quantile(0.5, "lower", SAMPLES, min_samples=ENOUGH).fill_null(0).cast(pl.Int64),
        place=sampled.cast(pl.get_index_type()),
    )
    if (samples["offset_ms"].abs() > lateness_ms).any():
        raise Inexpressible("event times and receive times are further apart than the lateness")
    offset_ms = pl.col("offset_ms").fill_null(0)
    supported = time_ms <= received_ms + offset_ms + lateness_ms
    return (
        events.select("place", "time_ms", "received_ms")
        .join_asof(samples, on="place")
        .select(pl.when(supported).then(time_ms).otherwise(received_ms + offset_ms).alias("moved_ms"))
        .to_series()
    )


def _proven(proofs: "pl.DataFrame") -> "Iterable[int]":
    """What is proven of all connections, after each of the proofs."""
    known: dict[str, int] = {}
    for at_ms, origin in proofs.select("at_ms", "origin").iter_rows():
        known[origin] = max(at_ms, known.get(origin, NEVER))
        yield min(known.values())
