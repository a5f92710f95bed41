"""A day, replayed at sixty times its speed: an hour takes a minute.

On a recording of your own: `cgrx.replay("folder", speed=60)`, and `cgrx.run(main)` in place of the last line.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import trio

import cgrx
from cgrx import operators as ops
from cgrx.testing import liquidation, run

START_S = int(datetime(2024, 8, 5, tzinfo=UTC).timestamp())


def record_a_day(folder: Path) -> None:
    """A liquidation every minute, and one every second from 13:00 to 13:10."""
    seconds = [second for second in range(86_400) if second % 60 == 0 or 46_800 <= second < 47_400]
    lines = folder / "day.jsonl"
    lines.write_text("\n".join(json.dumps(liquidation("long", 5_000, time=START_S + s).asdict()) for s in seconds))
    cgrx.import_jsonl(lines, folder / "day", events="liquidations", gapless=True)


async def main(folder: Path) -> None:
    began = trio.current_time()
    print("hours     liquidations  the row comes after")
    async with cgrx.replay(folder / "day", speed=60) as feed:
        async with cgrx.stream(feed.liquidations().pipe(ops.tumbling("4h"))) as rows:
            async for row in rows:
                hour, passed = row.start_ms // 3_600_000 % 24, (trio.current_time() - began) / 60
                print(f"{hour:2} to {hour + 4:2} {row.count:>14}  {passed:.1f} minutes")
        print(f"{feed.progress.events} events, {feed.progress.fraction:.0%} of the recording")


with TemporaryDirectory() as name:
    record_a_day(Path(name))
    run(main, Path(name))  # this clock jumps over every wait
