"""Joins of two streams on a recording: event by event, and the same each time."""

from pathlib import Path
from typing import Any

import cgrx
from cgrx import operators as ops
from cgrx._model.signals import Alive, Gap
from cgrx._recording.entry import Recorded
from cgrx._recording.writer import write_recording
from tests.backtest.columns import LIQUIDATIONS, TRADES
from tests.backtest.test_backtest import some_trades, trades


def joined(feed: Any) -> cgrx.EventStream[Any]:
    """Large trades, each with the flow of its asset at that moment."""
    flow = trades(feed).pipe(ops.tumbling("10s", by="base_asset", updates="1s"))
    return trades(feed).pipe(ops.min_volume(30), ops.latest_of(flow, by="base_asset", max_age="1m"))


def test_a_join_on_a_recording(tmp_path: Path) -> None:
    begun = [Recorded(channel, Gap(channel, 0, 10, "subscribed")) for channel in (LIQUIDATIONS, TRADES)]
    proofs = [Recorded(TRADES, Alive("o", 20_000)), Recorded(TRADES, Alive("o", 21_000))]
    write_recording(tmp_path, [*begun, *some_trades(), *proofs])
    found = cgrx.backtest(joined, tmp_path)
    assert found.explain().reason == "latest_of joins two streams as their events come"
    assert [step.ran for step in found.explain().steps] == ["events"]
    assert [each.item.volume_usd for each in found.rows] == [float(usd) for usd in range(30, 61)]
    # The trade of the second n holds the flow of all before the latest whole second.
    assert {each.latest.count == (each.latest.time_ms - 1000) // 100 for each in found.rows} == {True}
    assert {each.age_ms < 1000 for each in found.rows} == {True}
    assert {each.quality for each in found.rows} == {"known"}
    assert cgrx.backtest(joined, tmp_path).rows == found.rows
