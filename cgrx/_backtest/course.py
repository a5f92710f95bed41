"""How far the watermark had come at events and proofs of life, in columns, where one connection was heard.

A source is active from each of its events up to the proof that shows it silent. At each step the watermark is the
lowest time of the active sources, or, where all are silent, the latest event's time plus the silence that is proven
since; and it never goes back. So it is the running maximum of a minimum over a few columns, and no step is looked at on
its own. The minimum goes back only where a source wakes, so the events before those are enough, and those that may be
late. That is what `Progress` says event by event; it takes over at the few moments at which something is noted.
"""

import attrs
import polars as pl

from cgrx._backtest.arrivals import before
from cgrx._backtest.moments import RUN, Moment, Moments, SourceColumns, running
from cgrx._model.signals import Alive, Mark
from cgrx._model.times import NEVER
from cgrx.operators._windows.watermark import Progress


@attrs.frozen(eq=False)
class _Standing:
    """Of one source, before the moments of all runs: whether it was heard at all, and is idle; and where it stood."""

    columns: SourceColumns
    heard: list[bool]
    idle: list[bool]
    states: list[tuple[int, int, int]]


class Course:
    """The course of the watermark of each run.

    Args:
        moments: their events, marks and sources; with proofs of one connection at the most.
    """

    def __init__(self, moments: Moments) -> None:
        self._moments = moments
        place, run = pl.col("place"), pl.col("run")
        # Of the proofs between the same two events the last; and those that are always kept.
        last = ((place != place.shift(-1)) | (run != run.shift(-1))).fill_null(True)
        self._proofs = moments.proofs.filter(pl.col("kept") | last)
        self.moments: list[Moment] = self._find()
        """The moments of each run, run after run: gaps and losses, the proofs before them, the end."""
        self._wakes: list[pl.Series] = []
        self._proofs = self._proofs.with_columns(self._at_proofs().alias("of_proofs"))
        self._noted = self._at_events()

    @property
    def late(self) -> list[int]:
        """How many events of each run come too late."""
        late = self._noted.filter(pl.col("until_ms") <= pl.col("watermark")).group_by("run").len()
        found = dict(late.iter_rows())
        return [found.get(run, 0) for run in range(len(self._moments.runs))]

    def _find(self) -> list[Moment]:
        count, runs = len(self._moments.runs), self._moments.runs
        # All runs have the same marks; where they come among the events is their own.
        shared = self._moments.proofs.head(len(self._moments.proofs) // count)
        shown = shared.filter(pl.col("kept") | (pl.int_range(pl.len()) == pl.len() - 1))
        marks: list[tuple[int, Mark]] = [
            (seq, Alive(origin, at_ms)) for seq, origin, at_ms in shown.select("seq", "origin", "at_ms").iter_rows()
        ]
        # Where an input has said nothing, a merge tells its gap at the same place as a proof, and before it.
        marks = sorted([*self._moments.marks, *marks], key=lambda mark: mark[0])
        seqs = [seq for seq, _ in marks]
        places = self._moments.places([run for run in range(count) for _ in seqs], seqs * count).to_list()
        found: list[Moment] = []
        for run, end in enumerate(runs["end"]):
            own = places[run * len(marks) : (run + 1) * len(marks)]
            found += [(place, 0, seq, mark) for place, (seq, mark) in zip(own, marks, strict=True)]
            found.append((end, 1, 0, None))
        return found

    def standing(self) -> tuple[list[int], list[_Standing]]:
        """The watermark before each moment, and where the sources stood."""
        count = len(self._moments.runs)
        runs = pl.select(pl.int_range(count).repeat_by(len(self.moments) // count).explode()).to_series()
        # All that was proven comes before the end, which has no place of its own among the marks.
        seqs = pl.Series([seq if kind == 0 else RUN // 2 for _, kind, seq, _ in self.moments], dtype=pl.Int64)
        said = before(self._proofs["seq"] + self._proofs["run"] * RUN, seqs + runs * RUN) - 1
        places = pl.Series([place for place, *_ in self.moments], dtype=pl.Int64)
        moments = self._proven(pl.DataFrame({"place": places, "run": runs}), said).with_columns(
            start=self._moments.runs["start"].gather(runs)
        )
        noted = before(self._noted["place"], places) - 1
        of_events = self._noted["watermark"].gather(noted.set((noted < 0) | (places == moments["start"]), None))
        watermarks = moments.select(pl.max_horizontal("of_proofs", of_events).fill_null(NEVER)).to_series().to_list()
        found: list[_Standing] = []
        for columns in self._moments.sources:
            last = columns.last(places, moments["start"])
            idle = self._is_idle(columns, last, moments)
            found.append(_Standing(columns, last.is_not_null().to_list(), idle.to_list(), columns.states(places)))
        return watermarks, found

    def _proven(self, table: pl.DataFrame, said: pl.Series) -> pl.DataFrame:
        """The table with what was proven at these proofs, where they are of the same run; null elsewhere."""
        proofs = self._proofs
        own = (proofs["run"].gather(said.set(said < 0, None)) == table["run"]).fill_null(False)
        said = said.set(~own, None)
        return table.with_columns(
            proof_place=proofs["place"].gather(said),
            proven_ms=proofs["proven_ms"].gather(said),
            of_proofs=proofs["of_proofs"].gather(said),
        )

    def _is_idle(self, columns: SourceColumns, last: pl.Series, proven: pl.DataFrame) -> pl.Series:
        """Whether a source is idle, after the event `last` of its own and a proof; False where it was not heard."""
        silent = proven["proven_ms"] - columns.received.gather(last) >= self._moments.idle_ms
        return (silent & (proven["proof_place"] > columns.places.gather(last))).fill_null(False)

    def _at_proofs(self) -> pl.Series:
        """The watermark after each proof, as far as proofs moved it."""
        proofs = self._proofs
        proven = proofs.with_columns(proof_place="place")
        columns: dict[str, pl.Series] = {}
        for index, source in enumerate(self._moments.sources):
            last = source.last(proofs["place"], proofs["start"])
            highest_ms, idle = source.highest.gather(last), self._is_idle(source, last, proven)
            # A source wakes with its first event, and with the one after it fell idle.
            wakes = last.filter(idle).unique() + 1
            self._wakes += [
                source.places.gather(wakes.filter(wakes < len(source.places))),
                source.places.gather(source.firsts(self._moments.runs["start"])),
            ]
            columns[f"active {index}"] = highest_ms.set(idle, None)
            columns[f"time {index}"] = highest_ms
            columns[f"since {index}"] = source.since.gather(last)
        count = range(len(self._moments.sources))
        latest_ms = pl.max_horizontal(f"time {index}" for index in count)
        latest_since_ms = pl.max_horizontal(
            pl.when(pl.col(f"time {index}") == latest_ms).then(pl.col(f"since {index}")) for index in count
        )
        silent_ms = latest_ms + (pl.col("proven_ms") - latest_since_ms).clip(0)
        reached_ms = pl.coalesce(pl.min_horizontal(f"active {index}" for index in count), silent_ms)
        table = pl.DataFrame({"proven_ms": proofs["proven_ms"], **columns})
        return running(table.select(reached_ms - self._moments.lateness_ms).to_series(), proofs["run"])

    def _at_events(self) -> pl.DataFrame:
        """The watermark after each event where it counts: `run`, `place`, `until_ms`, `watermark`."""
        moments, events = self._moments, self._moments.events
        suspects = self._find_suspects()
        ends = pl.Series([place for place, *_ in self.moments], dtype=pl.Int64)
        places = pl.concat([suspects, *(places - 1 for places in (*self._wakes, ends))]).unique().sort()
        places = places.filter(places >= 0)
        noted = events.select("run", "place", "until_ms")[places]
        noted = noted.with_columns(start=moments.runs["start"].gather(noted["run"]))
        noted = self._proven(noted, before(self._proofs["place"], places + 1) - 1)
        active: dict[str, pl.Series] = {}
        for index, source in enumerate(moments.sources):
            last = source.last(places + 1, noted["start"])
            active[f"active {index}"] = source.highest.gather(last).set(self._is_idle(source, last, noted), None)
        lowest_ms = pl.DataFrame(active).select(pl.min_horizontal(pl.all()) - moments.lateness_ms).to_series()
        watermark = pl.max_horizontal(running(lowest_ms, noted["run"]), "of_proofs")
        return noted.select("run", "place", "until_ms", watermark.alias("watermark"))

    def _find_suspects(self) -> pl.Series:
        """The places of the events that are late if no source but the foremost counts."""
        events, latest_ms = self._moments.events, self._moments.latest - self._moments.lateness_ms
        proofs, bound = self._proofs, pl.col("latest_ms")
        foremost_ms = latest_ms.gather((proofs["place"] - 1).clip(0))
        beyond = proofs.filter((proofs["of_proofs"] > foremost_ms) & (proofs["place"] > proofs["start"]))
        bounded = events.select("place", "until_ms", latest_ms.alias("latest_ms"))
        if len(beyond):  # silence was proven, and moved time on
            known = beyond.select("place", "of_proofs", of_run="run")
            bounded = bounded.with_columns(events["run"]).join_asof(known, on="place")
            bound = pl.max_horizontal("latest_ms", pl.when(pl.col("of_run") == pl.col("run")).then("of_proofs"))
        return bounded.filter(pl.col("until_ms") <= bound)["place"]


def take_over(progress: Progress, watermark_ms: int, standing: list[_Standing], at: int) -> None:
    """Bring `Progress` to where it stood before a moment."""
    for each in standing:
        if each.heard[at]:
            each.columns.stand(progress, each.states[at], idle=each.idle[at])
    progress.take_over(watermark_ms)
