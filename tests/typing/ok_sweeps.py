"""What must type-check: sweeps. Read by mypy and pyright, never run."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import assert_type

import polars as pl

import cgrx
from cgrx import operators as ops


def rule(feed: cgrx.Feed, *, threshold: float) -> cgrx.EventStream[ops.Cascade]:
    return feed.liquidations().pipe(ops.cascades("3s", min_volume=threshold))


def measure(found: cgrx.Backtest[ops.Cascade]) -> dict[str, float]:
    return {"usd": sum(row.volume for row in found.rows), "cascades": found.count}


def sweeping() -> None:
    found = cgrx.sweep(rule, "recording", {"threshold": [1, 2.5]}, measure=measure, progress=print)
    assert_type(found, cgrx.Sweep[ops.Cascade])
    assert_type(found.combinations[0].rows, tuple[ops.Cascade, ...])
    assert_type(found.combinations[0].error, Exception | None)
    assert_type(found.to_polars(), pl.DataFrame)
    with ThreadPoolExecutor() as executor:
        cgrx.sweep(rule, ["a", "b"], [{"threshold": 1}, {"threshold": 2}], executor=executor, jobs=2)
    grid: Mapping[str, range] = {"threshold": range(5)}
    cgrx.sweep(rule, "recording", grid, measure=lambda found: {"usd": found.rows[0].volume})


def in_jobs(feed: cgrx.Feed) -> cgrx.EventStream[ops.Cascade]:
    return cgrx.merge(rule(feed, threshold=1.0), rule(feed, threshold=2.0))


def jobs() -> None:
    with ThreadPoolExecutor() as executor:
        found = cgrx.backtest(in_jobs, ["a", "b"], executor=executor, progress=print)
    assert_type(found, cgrx.Backtest[ops.Cascade])
    assert_type(found.jobs, tuple[cgrx.BacktestJob[ops.Cascade], ...])
    assert_type(found.jobs[0].backtest, cgrx.Backtest[ops.Cascade] | None)
