"""How far each event moves time, in columns: what `cgrx._streams.offset` says event by event."""

import polars as pl

from cgrx._backtest.arrivals import Arrivals, before
from cgrx._backtest.plan import Inexpressible
from cgrx._model.limits import MAX_EXCHANGES
from cgrx._streams.offset import ENOUGH, SAMPLES


def offsets(arrivals: Arrivals, events: pl.DataFrame) -> pl.DataFrame:
    """The offset from each sample on: `place`, the number of events before it, and `offset_ms`."""
    places = before(events["seq"], arrivals.proofs["seq"]).alias("place").unique(maintain_order=True)
    places = places.filter(places > 0)
    sampled = events[(places - 1).to_list()].select(offset_ms=pl.col("time_ms") - pl.col("received_ms"))
    median = pl.col("offset_ms").rolling_quantile(0.5, "lower", SAMPLES, min_samples=ENOUGH)
    return sampled.select(median.fill_null(0).cast(pl.Int64), place=places.cast(pl.get_index_type()))


def moved(events: pl.DataFrame, offsets: pl.DataFrame, tolerance_ms: int) -> pl.Series:
    """The time to which each event moves time: its own, or that of its receive time where it is too far ahead of it.

    Args:
        events: in order of arrival, with their number as `place`.
        offsets: as of `offsets`.
        tolerance_ms: how much further ahead of its receive time an event may be.
    """
    time_ms, received_ms, offset_ms = pl.col("time_ms"), pl.col("received_ms"), pl.col("offset_ms").fill_null(0)
    is_supported = time_ms <= received_ms + offset_ms + tolerance_ms
    return (
        events.select("place", "time_ms", "received_ms")
        .join_asof(offsets, on="place")
        .select(pl.when(is_supported).then(time_ms).otherwise(received_ms + offset_ms).alias("moved_ms"))
        .to_series()
    )


def require_few_exchanges(events: pl.DataFrame, *, several: bool) -> None:
    """Check that each exchange within a channel is a source of its own.

    Raises:
        Inexpressible: there are so many that the last ones count as one.
    """
    by_channel = [pl.col("exchange").n_unique().over("input")] if several else [pl.col("exchange").n_unique()]
    if (events.select(by_channel).to_series() > MAX_EXCHANGES).any():
        raise Inexpressible(f"more than {MAX_EXCHANGES} exchanges in a channel")
