"""The engine of polars that reads, groups and orders the events of a backtest."""

import polars as pl


def collected(query: pl.LazyFrame) -> pl.DataFrame:
    """What a query gives: the same digits each time, where the engine that streams adds up as its threads come."""
    return query.collect(engine="in-memory")
