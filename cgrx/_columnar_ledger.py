"""What windows knew when they closed, found out without running every event.

Whether an event is late, and which gaps and losses a row knows of, depends on how far the watermark had come at that
moment. `Progress`, which says so event by event, is given only the moments at which it may say something new:

    a source is heard of for the first time, falls idle, or speaks again
    an event that may be late: what it must not come behind lies before the latest time of all, less the lateness
    a gap, a loss, the end

Between these the latest times of the sources are read off columns, by bisection. So a busy channel costs a pass over
its times and a few steps of Python, and the answers are those of the very same arithmetic.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs

from cgrx._channels import Channel, parse_channel
from cgrx._columnar_source import Inexpressible, Placed
from cgrx._signals import Alive
from cgrx.operators._missing import FOREVER, NEVER, Missing
from cgrx.operators._progress import Progress

if TYPE_CHECKING:
    import polars as pl

SUSPECTS = 10_000
"""So many events that may be late are looked at one by one; where there are more, nothing is gained by columns."""


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


class _Source:
    """One exchange within one channel, as columns: its events, and where they stand among all."""

    def __init__(self, channel: Channel, exchange: str, events: "pl.DataFrame") -> None:
        self.channel = channel
        self.exchange = exchange
        self.places = events["place"]
        self.times = events["time_ms"]
        self.highest = self.times.cum_max()
        self.received = events["received_ms"]

    def say(self, progress: Progress, place: int) -> None:
        """Tell how far it has come before this place."""
        known = progress.sources(self.channel).get(self.exchange)
        if known is not None:
            last = int(self.places.search_sorted(place)) - 1
            highest_ms: int = self.highest[last]
            known.advance(highest_ms, self.received[int(self.highest.search_sorted(highest_ms, "left"))])
            known.received_ms = self.received[last]


def ledger(
    events: "pl.DataFrame", marks: Sequence[Placed], until_ms: "pl.Expr", lateness_ms: int, idle_ms: int
) -> Ledger:
    """Go through a stream of events and marks, and note what is known when.

    Args:
        events: in order of arrival; `seq`, `received_ms`, `channel`, `exchange`, `time_ms`.
        marks: in order.
        until_ms: an event has its place in every window as long as the watermark is before this time.
        lateness_ms: as of the window.
        idle_ms: likewise.

    Raises:
        Inexpressible: an event comes when the watermark is there already.
    """
    return _Walk(events, marks, until_ms, lateness_ms, idle_ms).go()


def _before(ordered: "pl.Series", values: "Sequence[int] | pl.Series") -> "pl.Series":
    """How many of the ordered numbers lie before each of the values."""
    import polars as pl

    wanted = pl.Series(values, dtype=pl.Int64) if not isinstance(values, pl.Series) else values
    return ordered.search_sorted(wanted.cast(ordered.dtype), "left").cast(pl.Int64)


class _Walk:
    def __init__(
        self, events: "pl.DataFrame", marks: Sequence[Placed], until_ms: "pl.Expr", lateness_ms: int, idle_ms: int
    ) -> None:
        self._events = events.select(
            "seq", "received_ms", "channel", "exchange", "time_ms", until_ms.alias("until_ms")
        ).with_row_index("place")
        self._marks = marks
        self._places: list[int] = _before(events["seq"], [each.seq for each in marks]).to_list()
        self._lateness_ms = lateness_ms
        self._idle_ms = idle_ms
        self._sources = self._find_sources()
        self._journal = _Journal()
        self._progress = Progress(lateness_ms, idle_ms, self._journal)

    def go(self) -> Ledger:
        progress, journal, marks = self._progress, self._journal, self._marks
        kept, moments, quiet = self._find_idleness()
        suspects = self._find_suspects(quiet)
        steps = [(self._places[index], 0, index) for index in kept] + [(place, 1, 0) for place in moments | suspects]
        late = 0
        marked = FOREVER
        for place, is_event, index in sorted(steps):
            self._say(place)
            journal.watermark = progress.watermark
            if is_event:
                late += self._see(place)
            else:
                marked = min(marked, journal.watermark)
                progress.on_mark(marks[index].mark)
        if late:
            raise Inexpressible(f"{late:,} {'event comes' if late == 1 else 'events come'} too late")
        self._say(len(self._events))
        journal.watermark = watermark = progress.watermark
        progress.end()
        return Ledger(tuple(journal.entries), marked, watermark)

    def _say(self, place: int) -> None:
        for source in self._sources:
            source.say(self._progress, place)

    def _see(self, place: int) -> bool:
        """One event; whether it is late."""
        _, _, received_ms, channel, exchange, time_ms, until_ms = self._events.row(place)
        self._progress.see(parse_channel(channel), exchange, time_ms, received_ms)
        return self._progress.reached(until_ms)

    def _find_sources(self) -> list[_Source]:
        import polars as pl

        events = self._events
        if not len(events):
            return []
        named = pl.col("channel", "exchange")
        if events.select((named == named.first()).all()).row(0) == (True, True):
            groups = [events]
        else:
            groups = events.partition_by("channel", "exchange")
        return [_Source(parse_channel(group["channel"][0]), group["exchange"][0], group) for group in groups]

    def _find_idleness(self) -> tuple[set[int], set[int], "pl.DataFrame"]:
        """The marks that matter, the events that come first or after idleness, and where all sources are silent."""
        import polars as pl

        alive = self._find_alive()
        kept = {index for index, each in enumerate(self._marks) if not isinstance(each.mark, Alive)}
        kept |= {0} if self._marks else set()
        # What a loss may concern depends on how late it is, which the last proof before it says.
        kept |= {int(alive["index"][at - 1]) for at in _before(alive["index"], sorted(kept)).to_list() if at}
        if alive["origin"].n_unique() > 1:
            kept |= set(alive["index"].to_list())
        moments: set[int] = set()
        all_silent, any_known = pl.lit(True), pl.lit(False)
        for number, source in enumerate(self._sources):
            moments.add(source.places[0])
            said = _before(source.places, alive["place"])
            last_ms = source.received.gather((said - 1).clip(0))
            silent = (said > 0) & (alive["proven_ms"] - last_ms >= self._idle_ms)
            alive = alive.with_columns(said.alias(f"said {number}"), silent.alias(f"silent {number}"))
            falls = alive.filter(f"silent {number}").unique(f"said {number}", keep="first")
            kept |= set(falls["index"].to_list())
            wakes = falls.filter(pl.col(f"said {number}") < len(source.places))
            moments |= set(source.places.gather(wakes[f"said {number}"]).to_list())
            all_silent &= pl.col(f"silent {number}") | (pl.col(f"said {number}") == 0)
            any_known |= pl.col(f"said {number}") > 0
        quiet = alive.filter(all_silent & any_known)
        return kept | set(quiet["index"].to_list()), moments, quiet

    def _find_alive(self) -> "pl.DataFrame":
        """The proofs of life, with what is proven of all connections."""
        import polars as pl

        found: list[tuple[int, int, int, str]] = []
        proven: dict[str, int] = {}
        for index, (place, placed) in enumerate(zip(self._places, self._marks, strict=True)):
            mark = placed.mark
            if isinstance(mark, Alive):
                proven[mark.origin] = max(mark.at_ms, proven.get(mark.origin, NEVER))
                found.append((index, place, min(proven.values()), mark.origin))
        schema = {"index": pl.Int64, "place": pl.Int64, "proven_ms": pl.Int64, "origin": pl.String}
        # A second connection may know of less: who has fallen idle stays so.
        return pl.DataFrame(found, schema, orient="row").with_columns(pl.col("proven_ms").cum_max())

    def _find_suspects(self, quiet: "pl.DataFrame") -> set[int]:
        """The events that are late if no source but the foremost counts."""
        import polars as pl

        latest = self._events["time_ms"].cum_max()
        bounded = self._events.select("place", "until_ms", latest.alias("bound"))
        if len(quiet):
            # All idle: time goes on, as far as it is proven, from the latest event on.
            before = latest.gather((quiet["place"] - 1).clip(0))
            told_ms = self._events["received_ms"].gather(latest.search_sorted(before, "left"))
            since = pl.DataFrame({"place": quiet["place"], "idle": before + (quiet["proven_ms"] - told_ms).clip(0)})
            since = since.with_columns(pl.col("idle").cum_max(), pl.col("place").cast(pl.get_index_type()))
            bounded = bounded.join_asof(since, on="place").with_columns(pl.max_horizontal("bound", "idle"))
        found = bounded.filter(pl.col("until_ms") <= pl.col("bound") - self._lateness_ms)["place"]
        if len(found) > SUSPECTS:
            raise Inexpressible(f"{len(found):,} events may come too late")
        return set(found.to_list())


def qualified(rows: "pl.LazyFrame", ledger: Ledger, around_ms: int) -> "pl.DataFrame":
    """The rows with what they say of their quality.

    Args:
        rows: with `start_ms` and `end_ms`.
        ledger: what became known when.
        around_ms: a window closes so long after its end, and what is missing so near to it may belong to it.
    """
    import polars as pl

    found = rows.collect()
    closes = pl.col("end_ms") + around_ms
    final = closes <= ledger.watermark
    quality = _missing(_concerned(found, ledger, around_ms), ledger, around_ms)
    found = found.join(quality, on=("start_ms", "end_ms"), how="left", maintain_order="left")
    gap_ms = pl.when(closes > ledger.marked).then(pl.col("gap_ms").fill_null(0))
    whole = (pl.col("gap_ms") == 0).fill_null(False) & (pl.col("dropped") == 0)
    return (
        found.with_columns(gap_ms, pl.col("dropped").fill_null(0), pl.lit(0, pl.Int64).alias("late"), final.alias("final"))
        .with_columns((pl.col("final") & whole).alias("complete"))
    )


def _concerned(rows: "pl.DataFrame", ledger: Ledger, around_ms: int) -> "pl.DataFrame":
    """The windows that may know of a gap or a loss: most know of none."""
    import polars as pl

    apart = Missing()
    for entry in ledger.entries:
        apart.add_gap(entry.start_ms, entry.end_ms)
    largest, least = 2**63 - 1, -(2**63)
    spans = [(max(start_ms, least), min(end_ms, largest)) for start_ms, end_ms in apart.gaps]
    schema = {"from_ms": pl.Int64, "until_ms": pl.Int64}
    found = (
        rows.select("start_ms", "end_ms")
        .unique()
        .with_columns((pl.col("end_ms") + around_ms - 1).alias("last_ms"))
        .sort("last_ms")
        .join_asof(pl.DataFrame(spans, schema, orient="row"), left_on="last_ms", right_on="from_ms")
    )
    return found.filter(pl.col("until_ms") > pl.col("start_ms") - around_ms).select("start_ms", "end_ms")


def _missing(windows: "pl.DataFrame", ledger: Ledger, around_ms: int) -> "pl.DataFrame":
    """What each of these windows misses, by the arithmetic of windows; they are in order of their end."""
    import polars as pl

    entries = iter(ledger.entries)
    coming = next(entries, None)
    known = Missing()
    found: list[tuple[int, int, int, int]] = []
    for start_ms, end_ms in windows.iter_rows():
        while coming is not None and coming.watermark < end_ms + around_ms:
            coming.enter(known)
            coming = next(entries, None)
        from_ms, until_ms = start_ms - around_ms, end_ms + around_ms
        found.append((start_ms, end_ms, known.gap_ms(from_ms, until_ms), known.dropped(from_ms, until_ms)))
    return pl.DataFrame(found, dict.fromkeys(("start_ms", "end_ms", "gap_ms", "dropped"), pl.Int64), orient="row")
