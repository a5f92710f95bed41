"""Whether a clock is apart: whether the offset of all events, or that of one source, is ever less than a bound.

The last event of a source before a proof of life is a sample. Events so late come in few moments and are seldom the
last ones there; so what came in those moments alone shows of most sources that their clock is not apart.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from cgrx._backtest.behind import Numbers
from cgrx._backtest.offset import less_than
from cgrx._backtest.runs import HOLDERS, RUN
from cgrx._streams.offset import ENOUGH

_FEWEST = (ENOUGH + 1) // 2
"""At least so many samples are less than the bound where the offset is."""

_THIN = 3
"""How often events that are no samples are looked for; each time some more are seen to be none."""

_INTERVAL = "interval"
"""The column that tells events apart between which there was a proof of life."""


def runs_apart(
    events: pl.DataFrame, places: Numbers, by: Sequence[str], least_ms: Mapping[int, int]
) -> Collection[int]:
    """The runs in which an offset is less than the bound of the run.

    Args:
        events: in order of arrival: `ahead_ms`, the time of each minus its receive time, the columns that tell sources
            apart, and of several runs `HOLDERS`, which of them have it.
        places: how many events came before each proof of life.
        by: the columns that tell sources apart; none where there is one source.
        least_ms: the bounds, by runs.
    """
    if HOLDERS in events.columns:
        return _of_several(_in_intervals(events, pl.Series(places)), by, least_ms)
    return [run for run, bound_ms in least_ms.items() if _is_apart(events, places, by, bound_ms)]


def _is_apart(events: pl.DataFrame, places: Numbers, by: Sequence[str], bound_ms: int) -> bool:
    """The same of events that are all of one run."""
    last = places[np.diff(places, prepend=0) > 0] - 1
    if _is_less(events[["ahead_ms"]][pl.Series(last)], (), bound_ms):
        return True
    if not by:
        return False
    suspects = _with_late_samples(events, pl.Series(places), by, bound_ms)
    if not len(suspects):
        return False
    own = _in_intervals(events, pl.Series(places)).join(suspects, on=by, how="semi", maintain_order="left")
    return _is_less(own.sort(by, maintain_order=True).filter(_changing(*by, _INTERVAL)), by, bound_ms)


def _is_less(samples: pl.DataFrame, by: Sequence[str], bound_ms: int) -> bool:
    """Whether the offset of some source is ever less than the bound, by the samples of each in order."""
    if (samples["ahead_ms"] < bound_ms).sum() < _FEWEST:
        return False
    less = less_than(pl.col("ahead_ms"), bound_ms)
    return bool(samples.select((less.over(by) if by else less).any()).item())


def _with_late_samples(events: pl.DataFrame, places: pl.Series, by: Sequence[str], bound_ms: int) -> pl.DataFrame:
    """The sources with as many samples that are less than the bound as make the offset so."""
    late = (events["ahead_ms"] < bound_ms).arg_true().cast(pl.Int64)
    # With what came behind it before the next proof; that begins with the first one that is late.
    moments = pl.DataFrame({"first": late, _INTERVAL: places.search_sorted(late, "right")})
    moments = moments.filter(pl.col(_INTERVAL) < len(places)).group_by(_INTERVAL).agg(pl.col("first").min())
    came = moments.select(_INTERVAL, place=pl.int_ranges("first", places[moments[_INTERVAL]])).explode("place")
    samples = (
        events.select("ahead_ms", *by)[came["place"]]
        .with_columns(came[_INTERVAL])
        .group_by(_INTERVAL, *by)
        .agg(pl.col("ahead_ms").last())
    )
    counts = samples.filter(pl.col("ahead_ms") < bound_ms).group_by(by).len()
    return counts.filter(pl.col("len") >= _FEWEST).select(by)


def _of_several(events: pl.DataFrame, by: Sequence[str], least_ms: Mapping[int, int]) -> Collection[int]:
    """See `runs_apart`; of events in front of the last proof, with their intervals."""
    found: list[pl.LazyFrame] = []
    told_apart: list[Sequence[str]] = [(), by] if by else [()]
    for names in told_apart:
        changing = _changing(*names, _INTERVAL)
        sampled = _thinned(events.sort(names, maintain_order=True) if names else events, changing, list(least_ms))
        for run, bound_ms in least_ms.items():
            samples = sampled.lazy().filter(pl.col(HOLDERS) & 2**run != 0).filter(changing)
            less = less_than(pl.col("ahead_ms"), bound_ms)
            apart = samples.select((less.over(names) if names else less).any().alias("apart"))
            found.append(apart.select(pl.lit(run).alias(RUN), "apart"))
    return set(pl.concat(found).collect().filter("apart")[RUN])


def _thinned(events: pl.DataFrame, changing: pl.Expr, chosen: Sequence[int]) -> pl.DataFrame:
    """Without events that are samples in none of these runs: those that have them have the next one, too."""
    holders = pl.col(HOLDERS) & sum(2**run for run in chosen)
    for _ in range(_THIN):
        events = events.filter(changing & (holders != 0) | (holders & ~pl.col(HOLDERS).shift(-1) != 0))
    return events


def _in_intervals(events: pl.DataFrame, places: pl.Series) -> pl.DataFrame:
    """The events in front of the last proof, each with its interval."""
    begins = pl.zeros(len(events) + 1, pl.UInt32, eager=True).scatter(places.unique(), 1)
    count: Any = places.max() or 0
    return events.head(count).with_columns(begins.cum_sum().head(count).alias(_INTERVAL))


def _changing(*columns: str) -> pl.Expr:
    """Whether the next row has another value in one of these columns."""
    return pl.any_horizontal(pl.col(name) != pl.col(name).shift(-1) for name in columns).fill_null(True)
