"""Proofs of life in columns: one stream's as a table, and those of a union of streams.

A union has come as far as the slowest of its inputs: `FanIn` says so of signals, one by one. Here all are asked at
once: a time is proven for the union where the last of the inputs has proven it.
"""

from collections.abc import Iterable, Sequence
from itertools import accumulate

import polars as pl

_UNREACHED = 2**63 - 1
"""Behind all places: an input never came so far."""


def proofs(marks: Iterable[tuple[int, int, str]]) -> pl.DataFrame:
    """A table of proofs of life."""
    return pl.DataFrame(list(marks), {"seq": pl.Int64, "at_ms": pl.Int64, "origin": pl.String}, orient="row")


def steady_from(tables: Sequence[pl.DataFrame]) -> int | None:
    """The place from which on all inputs of a union have given proofs of one connection; None where there is none.

    Up to there the union has come as far as the slowest of those that have given some.
    """
    if not all(map(len, tables)) or pl.concat(table["origin"] for table in tables).n_unique() > 1:
        return None
    return max(int(table["seq"][0]) for table in tables)


def joined(early: pl.DataFrame, tables: Sequence[pl.DataFrame], steady_seq: int, end_seq: int) -> pl.DataFrame:
    """The proofs of a union whose inputs end one after another.

    Args:
        early: those up to `steady_seq`, of which there are some.
        tables: the proofs of each input, in the order in which these end.
        steady_seq: as `steady_from` says.
        end_seq: the place at which the inputs end.
    """
    proven_ms: int = early["at_ms"][-1]
    different = _different(tables)
    times = pl.concat(at_ms.filter(at_ms > proven_ms) for _, at_ms in different).unique().sort()
    reached = pl.repeat(steady_seq, len(times), dtype=pl.Int64, eager=True)
    for seqs, at_ms in different:
        places = pl.concat([seqs, pl.Series([_UNREACHED], dtype=pl.Int64)])
        reached = _later(reached, places.gather(at_ms.cum_max().search_sorted(times, "left")))
    found = pl.DataFrame({"seq": reached, "at_ms": times}).filter(reached < _UNREACHED)
    # The input that ends may have been the slowest: those that are left have come further.
    left_ms = pl.Series(accumulate((table["at_ms"].max() for table in reversed(tables)), min), dtype=pl.Int64)
    ended = pl.DataFrame({"at_ms": left_ms.unique().sort()}).select(pl.lit(end_seq, pl.Int64).alias("seq"), "at_ms")
    moved = pl.concat([found.unique("seq", keep="last", maintain_order=True), ended])
    news = moved["at_ms"] > moved["at_ms"].cum_max().shift(fill_value=proven_ms).clip(proven_ms)
    return early.vstack(moved.filter(news).with_columns(origin=pl.lit(early["origin"][0])))


def _different(tables: Iterable[pl.DataFrame]) -> list[tuple[pl.Series, pl.Series]]:
    """Places and times: of tables with equal times, as one connection gives them, the later places."""
    apart: dict[tuple[int, int, int], list[tuple[pl.Series, pl.Series]]] = {}
    for table in tables:
        seqs, times = table["seq"], table["at_ms"]
        alike = apart.setdefault((len(times), times[0], times[-1]), [])
        for at, (others, other_times) in enumerate(alike):
            if other_times.equals(times):
                alike[at] = _later(others, seqs), times
                break
        else:
            alike.append((seqs, times))
    return [each for alike in apart.values() for each in alike]


def _later(one: pl.Series, other: pl.Series) -> pl.Series:
    return one.zip_with(one > other, other)
