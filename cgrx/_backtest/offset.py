"""How far each event moves time, in columns: what `cgrx._streams.offset` says event by event."""

from typing import TypeVar

import polars as pl

from cgrx._backtest.arrivals import Arrivals, before
from cgrx._backtest.plan import Inexpressible
from cgrx._model.limits import MAX_EXCHANGES
from cgrx._streams.offset import ENOUGH, SAMPLES

Samples = TypeVar("Samples", pl.Series, pl.Expr)


def offsets(arrivals: Arrivals, events: pl.DataFrame) -> pl.DataFrame:
    """The offset from each sample on: `place`, the number of events before it, and `offset_ms`."""
    places = before(events["seq"], arrivals.proofs["seq"]).alias("place").unique(maintain_order=True)
    places = places.filter(places > 0)
    sampled = events[(places - 1).to_list()].select(pl.col("time_ms") - pl.col("received_ms")).to_series()
    return pl.DataFrame({"offset_ms": median(sampled).fill_null(0), "place": places.cast(pl.get_index_type())})


def offsets_of(source: pl.Series, ahead_ms: pl.Series, places: pl.Series) -> pl.Series:
    """The offset of one source at each of these places; null where it is not known.

    Args:
        source: the places of its events, in order.
        ahead_ms: how far each of them is ahead of its receive time.
        places: of the proofs.
    """
    heard = before(source, places)
    counts = heard.filter(heard > 0).unique(maintain_order=True)
    sampled = pl.DataFrame({"heard": counts, "offset_ms": median(ahead_ms.gather(counts - 1))})
    return pl.DataFrame({"heard": heard}).join_asof(sampled, on="heard")["offset_ms"]


def median(samples: Samples) -> Samples:
    """After each sample the offset; null as long as there are too few."""
    return samples.rolling_quantile(0.5, "lower", SAMPLES, min_samples=ENOUGH).cast(pl.Int64)


def require_one_clock(offsets: pl.Series, lateness_ms: int, of_all: pl.Series | None = None) -> None:
    """Check that no clock is further off than the lateness: neither from this machine's nor from that of all events.

    Raises:
        Inexpressible: one is.
    """
    if (offsets.abs() > lateness_ms).any() or (of_all is not None and ((offsets - of_all).abs() > lateness_ms).any()):
        raise Inexpressible("event times and receive times are further apart than the lateness, so gaps are moved")


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
