"""How large a cascade is, and how long a pause in it may be: each combination, on a recording that is read once.

On a recording of your own: its folder in place of `recording`.
"""

import json
from itertools import takewhile
from pathlib import Path
from tempfile import TemporaryDirectory

import cgrx
from cgrx import operators as ops
from cgrx.testing import Generator


def rule(feed: cgrx.Feed, *, threshold: float, pause: str) -> cgrx.EventStream[ops.Cascade]:
    """Runs on a live feed too: `rule(feed, threshold=5e5, pause="3s").subscribe(print)`."""
    return feed.liquidations().pipe(ops.cascades(pause, min_volume=threshold))


def measure(found: cgrx.Backtest[ops.Cascade]) -> dict[str, object]:
    """The columns of a combination."""
    seconds = [(row.end_ms - row.start_ms) / 1000 for row in found.rows]
    return {"cascades": len(seconds), "longest": max(seconds, default=0), "whole": all(r.complete for r in found.rows)}


def record_an_hour(folder: Path) -> None:
    market = Generator(seed=3, rate=2.0, assets=("BTC", "ETH"), liquidation_share=1.0)
    hour = takewhile(lambda event: event.time_ms < market.start_ms + 3_600_000, market)
    lines = folder.with_suffix(".jsonl")
    lines.write_text("\n".join(json.dumps(event.asdict()) for event in hour))
    cgrx.import_jsonl(lines, folder, events="liquidations", gapless=True)


with TemporaryDirectory() as name:
    recording = Path(name, "recording")
    record_an_hour(recording)
    found = cgrx.sweep(rule, recording, {"threshold": [1e5, 2e5, 5e5], "pause": ["2s", "5s"]}, measure=measure)
    print("threshold  pause  cascades  longest  whole")
    for threshold, pause, cascades, longest, whole, _ in found.to_polars().rows():
        print(f"{threshold:>9,.0f}  {pause:>5}  {cascades:>8}  {longest:>5.1f} s  {whole}")
