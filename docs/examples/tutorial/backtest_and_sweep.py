"""An hour of liquidations on disk: a backtest of one rule, then a sweep over its parameters."""

import json
import tempfile
from itertools import islice
from pathlib import Path

import cgrx
from cgrx import operators as ops
from cgrx.testing import Generator

market = Generator(seed=3, rate=2, liquidation_share=1)


def cascades(feed: cgrx.Feed, *, threshold: float, gap: str) -> cgrx.EventStream[ops.Cascade]:
    return feed.liquidations().pipe(ops.side("long"), ops.cascades(gap, min_volume=threshold))


def measure(found: cgrx.Backtest[ops.Cascade]) -> dict[str, object]:
    volumes = [row.volume for row in found.rows]
    return {"cascades": len(volumes), "largest": round(max(volumes, default=0))}


with tempfile.TemporaryDirectory() as temporary:
    lines, recording = Path(temporary, "liquidations.jsonl"), Path(temporary, "recording")
    lines.write_text("\n".join(json.dumps(event.asdict()) for event in islice(market, 7_200)))
    imported = cgrx.import_jsonl(lines, recording, events="liquidations", gapless=True)
    print(imported.events, "events in the recording")

    found = cgrx.backtest(lambda feed: cascades(feed, threshold=250_000, gap="3s"), recording)
    for row in found.rows[:3]:
        print(f"{row.base_asset:5} {row.volume:9,.0f} USD in {row.count:3} liquidations")

    grid = {"threshold": [100_000, 250_000, 500_000], "gap": ["1s", "3s"]}
    for line in cgrx.sweep(cascades, recording, grid, measure=measure).to_polars().iter_rows(named=True):
        print(line)
