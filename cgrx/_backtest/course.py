"""How far the watermark had come at every event and proof of life, in columns, where one connection was heard.

A source is active from each of its events up to the proof that shows it silent. At each step the watermark is the
lowest time of the active sources, or, where all are silent, the latest event's time plus the silence that is proven
since; and it never goes back. So it is the running maximum of a minimum over a few columns, and no step is looked at on
its own. That is what `Progress` says event by event; it takes over at the few moments at which something is noted.
"""

import attrs
import polars as pl

from cgrx._backtest.arrivals import before
from cgrx._backtest.moments import Moment, Moments, SourceColumns
from cgrx._model.signals import Alive
from cgrx._model.times import NEVER
from cgrx.operators._windows.watermark import Progress


@attrs.frozen(eq=False)
class _Standing:
    """Of one source, before some moments: whether it was heard at all, and is idle; and where it stood."""

    columns: SourceColumns
    heard: list[bool]
    idle: list[bool]
    states: list[tuple[int, int, int]]


class Course:
    """The course of the watermark of one stream.

    Args:
        moments: its events, marks and sources; with proofs of one connection at the most.
    """

    def __init__(self, moments: Moments) -> None:
        self._moments = moments
        self._proofs = self._needed(moments.find_proofs())
        self._of_proofs = self._at_proofs()
        self._of_events = self._at_events()

    def _needed(self, proofs: pl.DataFrame) -> pl.DataFrame:
        """Of the proofs between the same two events the last; and those that are always kept."""
        last = (pl.col("place") != pl.col("place").shift(-1)).fill_null(True)
        return proofs.filter(pl.col("kept") | last)

    @property
    def late(self) -> int:
        """How many events come too late."""
        return len(self._of_events.filter(self._moments.until_ms <= self._of_events))

    def find(self) -> list[Moment]:
        """The moments at which something is noted: gaps and losses, the proofs before them, the end."""
        proofs = self._proofs.filter(pl.col("kept") | (pl.int_range(pl.len()) == pl.len() - 1))
        shown = proofs.select("place", "seq", "origin", "at_ms")
        moments: list[Moment] = [
            (place, 0, seq, Alive(origin, at_ms)) for place, seq, origin, at_ms in shown.iter_rows()
        ]
        return [*sorted([*moments, *self._moments.losses()], key=lambda moment: moment[:3]), self._moments.end]

    def standing(self, moments: list[Moment]) -> tuple[list[int], list[_Standing]]:
        """The watermark before each of these moments, and where the sources stood."""
        places = pl.Series([place for place, *_ in moments], dtype=pl.Int64)
        # All that was proven comes before the end, which has no place of its own among the marks.
        seqs = [seq if kind == 0 else 2**63 - 1 for _, kind, seq, _ in moments]
        said = before(self._proofs["seq"], pl.Series(seqs, dtype=pl.Int64)) - 1
        proofs = pl.DataFrame({"place": places, "said": said}).select(
            place="place",
            proof_place=_gathered(self._proofs["place"], said),
            proven_ms=_gathered(self._proofs["proven_ms"], said),
            of_proofs=_gathered(self._of_proofs, said),
            of_events=_gathered(self._of_events, places - 1),
        )
        watermarks = proofs.select(pl.max_horizontal("of_proofs", "of_events").fill_null(NEVER)).to_series().to_list()
        found: list[_Standing] = []
        for columns in self._moments.sources:
            last = before(columns.places, places) - 1
            idle = self._is_idle(columns, last, proofs["proof_place"], proofs["proven_ms"])
            found.append(_Standing(columns, (last >= 0).to_list(), idle.to_list(), columns.states(places)))
        return watermarks, found

    def _is_idle(
        self, columns: SourceColumns, last: pl.Series, proof_place: pl.Series, proven_ms: pl.Series
    ) -> pl.Series:
        """Whether a source is idle, after the event `last` of its own and this proof; False where it was not heard."""
        place, received_ms = _gathered(columns.places, last), _gathered(columns.received, last)
        return ((proof_place > place) & (proven_ms - received_ms >= self._moments.idle_ms)).fill_null(False)

    def _at_proofs(self) -> pl.Series:
        """The watermark after each proof, as far as proofs moved it."""
        proofs = self._proofs
        active: list[pl.Series] = []
        heard: list[pl.DataFrame] = []
        for index, columns in enumerate(self._moments.sources):
            last = before(columns.places, proofs["place"]) - 1
            highest_ms = _gathered(columns.highest, last)
            first = before(columns.highest, columns.highest.gather(last.clip(0)))
            idle = self._is_idle(columns, last, proofs["place"], proofs["proven_ms"])
            active.append(highest_ms.set(idle, None).alias(f"active {index}"))
            since_ms = columns.received.gather(first)
            heard.append(pl.DataFrame({f"time {index}": highest_ms, f"since {index}": since_ms}))
        count = range(len(heard))
        table = pl.concat([proofs.select("proven_ms"), pl.DataFrame(active), *heard], how="horizontal")
        latest_ms = pl.max_horizontal(f"time {index}" for index in count)
        latest_since_ms = pl.max_horizontal(
            pl.when(pl.col(f"time {index}") == latest_ms).then(pl.col(f"since {index}")) for index in count
        )
        silent_ms = latest_ms + (pl.col("proven_ms") - latest_since_ms).clip(0)
        reached_ms = pl.coalesce(pl.min_horizontal(f"active {index}" for index in count), silent_ms)
        return _running(table.select(reached_ms - self._moments.lateness_ms).to_series())

    def _at_events(self) -> pl.Series:
        """The watermark after each event."""
        events = self._moments.events.select("place", source=self._moments.source_of)
        known = self._proofs.select(
            pl.col("place").cast(events["place"].dtype), proof_place="place", proven_ms="proven_ms"
        ).with_columns(of_proofs=self._of_proofs)
        events = events.join_asof(known, on="place")
        active: list[pl.Series] = []
        for index, columns in enumerate(self._moments.sources):
            last = (events["source"] == index).cum_sum().cast(pl.Int64) - 1
            idle = self._is_idle(columns, last, events["proof_place"], events["proven_ms"])
            active.append(_gathered(columns.highest, last).set(idle, None).alias(f"active {index}"))
        lowest_ms = pl.DataFrame(active).select(pl.min_horizontal(pl.all()) - self._moments.lateness_ms).to_series()
        return pl.select(pl.max_horizontal(_running(lowest_ms), events["of_proofs"])).to_series()


def take_over(progress: Progress, watermark_ms: int, standing: list[_Standing], at: int) -> None:
    """Bring `Progress` to where it stood before a moment."""
    for each in standing:
        if each.heard[at]:
            each.columns.stand(progress, each.states[at], idle=each.idle[at])
    progress.take_over(watermark_ms)


def _gathered(values: pl.Series, index: pl.Series) -> pl.Series:
    """The values at these places; null for those before the first."""
    return values.gather(index.set(index < 0, None))


def _running(times: pl.Series) -> pl.Series:
    return times.cum_max().forward_fill()
