"""`dedupe` in columns: the first of equal events within a time, on the stream's own clock."""

import math

import attrs
import polars as pl

from cgrx._backtest.arrivals import Arrivals
from cgrx._backtest.engine import collected
from cgrx._backtest.plan import Inexpressible
from cgrx.operators._aggregates.primitives import FIELDS
from cgrx.operators._stages.dedupe import Dedupe


def deduped(stage: Dedupe, arrivals: Arrivals) -> Arrivals:
    """The events that `stage` keeps.

    Raises:
        Inexpressible: its key is a function, or it remembers more events than it may.
    """
    if callable(stage.key):
        raise Inexpressible(f"{stage!r}: its key is a Python function")
    if arrivals.promised_ms is not None:
        raise Inexpressible(f"{stage!r} behind merge_exchanges goes by when that lets events go")
    several = ("trade",) if arrivals.several else ()
    keys = (*FIELDS, *several) if stage.key is None else stage.key
    clock = arrivals.proofs.select("seq", pl.col("at_ms").cum_max())
    events = collected(
        arrivals.arrived()
        .join_asof(clock.lazy(), on="seq")
        .with_columns(pl.max_horizontal(pl.col("received_ms").cum_max(), "at_ms").alias("now_ms"))
        .drop("at_ms")
        .with_row_index("place")
    )
    kept = _kept(events.select("place", "now_ms", *keys), keys, stage.ttl_ms)
    _require_memory(stage, events["now_ms"].gather(kept))
    found = events[kept].drop("place", "now_ms")
    return attrs.evolve(arrivals, events=found.lazy, table=None, in_order=True)


def _kept(events: pl.DataFrame, keys: tuple[str, ...], ttl_ms: int) -> pl.Series:
    """The places of the events that are kept, in order."""
    now_ms, place = pl.col("now_ms"), pl.col("place")
    begins = (now_ms - now_ms.shift().over(keys) >= ttl_ms).fill_null(True)
    runs = events.with_columns(begins.cum_sum().over(keys).alias("run"))
    spans = runs.group_by(*keys, "run").agg(place, now_ms)
    # Where a run of equal events, each within `ttl` of the one before, is no longer than that, its first is kept.
    long = now_ms.list.last() - now_ms.list.first() >= ttl_ms
    firsts = spans.select(place.list.first())["place"]
    more = [
        kept
        for places, times in spans.filter(long).select(place, now_ms).iter_rows()
        for kept in _repeated(places, times, ttl_ms)
    ]
    return pl.concat([firsts, pl.Series("place", more, firsts.dtype)]).sort()


def _repeated(places: list[int], times: list[int], ttl_ms: int) -> list[int]:
    """The places that are kept behind the first of a run."""
    kept: list[int] = []
    remembered_ms = times[0]
    for place, time_ms in zip(places, times, strict=True):
        if time_ms - remembered_ms >= ttl_ms:
            kept.append(place)
            remembered_ms = time_ms
    return kept


def _require_memory(stage: Dedupe, times: pl.Series) -> None:
    """Check that no more than `max_keys` events are remembered at once.

    Raises:
        Inexpressible: there are more.
    """
    if math.isinf(stage.max_keys) or len(times) <= stage.max_keys:
        return
    forgotten = times.search_sorted(times - stage.ttl_ms, "right")
    remembered = pl.int_range(len(times), eager=True) - forgotten.cast(pl.Int64)
    if (remembered >= stage.max_keys).any():
        raise Inexpressible(f"{stage!r} forgets events early")
