"""How far each event moves time, in columns: what `cgrx._streams.offset` says event by event."""

import polars as pl

from cgrx._backtest.plan import Inexpressible
from cgrx._model.limits import MAX_EXCHANGES
from cgrx._streams.offset import ENOUGH, SAMPLES


def offsets(events: pl.DataFrame, proofs: pl.DataFrame) -> pl.DataFrame:
    """The offset of each run from each sample on: `run`, `start`, `place` and `offset_ms`; all as in `moments`."""
    place = pl.col("place")
    sampled = proofs.select("run", "start", "place").filter(place > pl.col("start"))
    sampled = sampled.filter((place != place.shift()).fill_null(True))
    ahead = (events["time_ms"] - events["received_ms"]).gather(sampled["place"] - 1)
    return sampled.with_columns(ahead.alias("ahead_ms")).with_columns(_median().fill_null(0).alias("offset_ms"))


def offsets_of(last: pl.Series, ahead_ms: pl.Series, runs: pl.Series) -> pl.Series:
    """The offset of one source at each sample; null where it is not known.

    Args:
        last: the index of its last event before each sample; null where there is none.
        ahead_ms: how far each of its events is ahead of its receive time.
        runs: of the samples.
    """
    heard = pl.DataFrame({"last": last, "run": runs}).with_row_index("sample").drop_nulls()
    heard = heard.filter((pl.col("last") != pl.col("last").shift()).fill_null(True))
    known = heard.with_columns(ahead_ms.gather(heard["last"]).alias("ahead_ms")).select("last", offset_ms=_median())
    return pl.DataFrame({"last": last}).join(known, on="last", how="left", maintain_order="left")["offset_ms"]


def _median() -> pl.Expr:
    """The offset at each sample, from those of its run up to then."""
    samples = pl.col("ahead_ms").rolling_quantile(0.5, "lower", SAMPLES, min_samples=ENOUGH)
    return samples.cast(pl.Int64).over("run")


def less_than(samples: pl.Expr, bound_ms: int) -> pl.Expr:
    """After each sample, whether the offset is less than this; null as long as there are too few.

    The lower median is, where at least half of them are. To count these costs less than to find it.
    """
    less = (samples < bound_ms).cast(pl.Int64).rolling_sum(SAMPLES, min_samples=ENOUGH)
    among = pl.int_range(1, pl.len() + 1).clip(upper_bound=SAMPLES)
    return 2 * less >= among


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
        events: in order of arrival, with `run` and `place`.
        offsets: as of `offsets`.
        tolerance_ms: how much further ahead of its receive time an event may be.
    """
    # No join where each event is near enough to its receive time by any of the offsets.
    ahead_ms: int | None = events.select((pl.col("time_ms") - pl.col("received_ms")).max()).item()
    if ahead_ms is None or ahead_ms <= min([0, *offsets["offset_ms"]]) + tolerance_ms:
        return events["time_ms"].alias("moved_ms")
    time_ms, received_ms, offset_ms = pl.col("time_ms"), pl.col("received_ms"), pl.col("offset_ms").fill_null(0)
    is_supported = time_ms <= received_ms + offset_ms + tolerance_ms
    return (
        events.select("run", "place", "time_ms", "received_ms")
        .join_asof(offsets.select("place", "offset_ms", of_run="run"), on="place")
        .with_columns(pl.when(pl.col("of_run") == pl.col("run")).then("offset_ms"))
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
