"""What columns leave to events because of a bound."""

from pathlib import Path
from typing import Any

import pytest

import cgrx
from cgrx import operators as ops
from cgrx.operators import agg
from tests.backtest.test_backtest import BEGUN, batch, trades, write
from tests.windows.windowing import trade


@pytest.mark.parametrize("ordered", [False, True])
def test_more_exchanges_than_are_told_apart(tmp_path: Path, ordered: bool) -> None:
    many = tuple(trade(1000 + i, exchange=f"E{i}") for i in range(300))
    recording = write(tmp_path, [*BEGUN, batch(2000, *many)])

    def build(feed: Any) -> Any:
        source = cgrx.merge_exchanges(trades(feed), max_delay="1s") if ordered else trades(feed)
        return source.pipe(ops.tumbling("1s", n=agg.count()))

    found = cgrx.backtest(build, recording)
    assert found.explain().reason == "more than 256 exchanges in a channel"
    assert sum(row["n"] for row in found.rows) == 300


@pytest.mark.parametrize(
    "behind",
    [
        ops.tumbling("4s", n=agg.sum("n")),
        ops.rolling(2, n=agg.sum("n")),
        ops.top(1, "n"),
    ],
    ids=str,
)
def test_stages_on_the_rows_of_a_window_run_event_by_event(tmp_path: Path, behind: Any) -> None:
    """And give what they give live."""
    said = [*BEGUN, batch(2000, trade(1000), trade(2500)), batch(9000, trade(3000), trade(9000))]
    recording = write(tmp_path, said)

    def build(feed: Any) -> Any:
        return trades(feed).pipe(ops.tumbling("1s", n=agg.count()), behind)

    found = cgrx.backtest(build, recording)
    assert found.explain().reason == f"{behind!r} behind the window has a state"
    assert found.rows
