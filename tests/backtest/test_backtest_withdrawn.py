"""Running rows whose session turns out to begin elsewhere, in a backtest."""

from pathlib import Path
from typing import Any

import cgrx
from cgrx import operators as ops
from cgrx._model.signals import Alive
from cgrx._recording.entry import Recorded
from tests.backtest.columns import TRADES
from tests.backtest.test_backtest import BEGUN, batch, trades, write
from tests.backtest.test_backtest_joined import replayed
from tests.windows.windowing import trade


def test_withdrawn_rows(tmp_path: Path) -> None:
    """They come as in a replay; tables leave them out."""
    times = (20_000, 21_000, 18_000, 30_000)
    said = [batch(21_000 + time_ms // 2, trade(time_ms)) for time_ms in times]
    recording = write(tmp_path, [*BEGUN, *said, Recorded(TRADES, Alive("o", 90_000))])
    stage = ops.session("4s", by="exchange", updates="1s", lateness="9s")

    def build(feed: Any) -> cgrx.EventStream[ops.Flow]:
        return trades(feed).pipe(stage)

    found = cgrx.backtest(build, recording)
    assert list(found.rows) == replayed(build, [recording])
    assert [(row.start_ms, row.withdrawn, row.final) for row in found.rows] == [
        (20_000, False, False),
        (20_000, True, False),
        (18_000, False, False),
        (18_000, False, True),
        (30_000, False, True),
    ]
    assert found.to_polars(final_only=False)["start_ms"].to_list() == [18_000, 18_000, 30_000]
    assert found.to_polars()["start_ms"].to_list() == [18_000, 30_000]
