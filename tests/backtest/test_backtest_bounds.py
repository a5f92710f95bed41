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
