"""Cascades against their definition, on generated liquidations and on the recorded ones."""

import math
import random
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgrx import Batch, Liquidation, LiquidationOrders, Watermark
from cgrx import operators as ops
from cgrx._wire.codec import decode
from cgrx.testing import alive, batch, gap, liquidation, play, watermark
from tests.recordings import LIQUIDATIONS, REQUIRED
from tests.wire.wire_events import as_frame

CHANNEL = LiquidationOrders()
BEGUN: Any = gap(0, "1s")
END: Any = watermark("9m")


def reference(events: Iterable[Liquidation], gap_ms: int, min_volume: float, min_count: int) -> list[tuple[Any, ...]]:
    """Cascades by asset as they are defined: sort, split at each silence, keep the large ones."""
    assets: dict[str, list[Liquidation]] = {}
    for event in sorted(events, key=lambda event: event.time_ms):
        assets.setdefault(event.base_asset, []).append(event)
    found: list[tuple[Any, ...]] = []
    for asset, ordered in assets.items():
        runs: list[list[Liquidation]] = []
        for event in ordered:
            if not runs or event.time_ms - runs[-1][-1].time_ms > gap_ms:
                runs.append([])
            runs[-1].append(event)
        for run in runs:
            volume = math.fsum(event.volume_usd for event in run)
            if len(run) >= min_count and volume >= min_volume:
                names = tuple(sorted({event.exchange for event in run}))
                found.append((run[-1].time_ms + 1, asset, run[0].time_ms, len(run), names, pytest.approx(volume)))
    return sorted(found, key=lambda row: row[:2])


def rows_of(rows: Iterable[ops.Cascade]) -> list[tuple[Any, ...]]:
    return [(row.end_ms, row["base_asset"], row.start_ms, row.count, row.exchanges, row.volume) for row in rows]


events_in_disorder = st.lists(
    st.builds(
        liquidation,
        st.sampled_from(["long", "short"]),
        st.sampled_from([1.0, 0.1, 1e6]),
        time=st.integers(0, 60).map(lambda tick: tick / 4),
        price=st.sampled_from([1.0, 2.0]),
        exchange=st.sampled_from(["A", "B"]),
        base_asset=st.sampled_from(["BTC", "ETH"]),
    ),
    max_size=25,
)


@given(events_in_disorder, st.randoms(use_true_random=False))
def test_any_order_and_any_batching_gives_the_same_rows(events: list[Liquidation], rng: random.Random) -> None:
    """Within the lateness, to the byte; and those that the definition says."""
    stage = ops.cascades("1s", min_volume=1.1, lateness="1m")
    end = [alive("5m"), alive("9m")]
    rows = play(stage, [BEGUN, Batch(CHANNEL, 60_000, tuple(events)), *end])
    assert rows_of(rows) == reference(events, 1000, 1.1, 2)
    shuffled = rng.sample(events, len(events))
    singles = [Batch(CHANNEL, 60_000, (event,)) for event in shuffled]
    assert play(stage, [BEGUN, *singles, *end]) == rows


@given(events_in_disorder)
def test_each_final_row_was_announced_when_it_became_large(events: list[Liquidation]) -> None:
    """Under the same key and start; in the order of time there is one such row for each final one."""
    ordered = sorted(events, key=lambda event: event.time_ms)
    rows = play(ops.cascades("1s", min_volume=1.1, emit="crossed"), [*map(batch, ordered), END])
    announced = [(row["base_asset"], row.start_ms) for row in rows if not row.final]
    final = [(row["base_asset"], row.start_ms) for row in rows if row.final]
    assert sorted(announced) == sorted(final)
    assert all(row.count >= 2 and row.volume >= 1.1 for row in rows)


@REQUIRED
@pytest.mark.parametrize(("min_volume", "min_count"), [(0.0, 1), (0.0, 2), (10_000.0, 3), (1e9, 1)])
def test_the_recorded_cascades(min_volume: float, min_count: int) -> None:
    events: list[Any] = [event for frame in LIQUIDATIONS.frames(100) for event in as_frame(decode(frame)).events]
    rng = random.Random(7)
    arrivals = sorted(events, key=lambda event: event.time_ms + rng.randint(0, 1900))
    stage = ops.cascades("3s", min_volume=min_volume, min_count=min_count)
    last_ms = max(event.time_ms for event in events)
    rows = play(stage, [Batch(CHANNEL, event.time_ms, (event,)) for event in arrivals] + [Watermark(last_ms + 10**6)])
    assert rows_of(rows) == reference(events, 3000, min_volume, min_count)
    assert bool(rows) == (min_volume < 1e9)
