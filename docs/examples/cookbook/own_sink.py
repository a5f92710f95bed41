"""Rows into SQLite, by a sink of one's own: a function of a batch.

On the real feed: `cgrx.connect()` in place of `cgrx.replay(recorded(folder))`, and a file of your own.
"""

import json
import sqlite3
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import trio

import cgrx
from cgrx import operators as ops
from cgrx.testing import liquidation

TABLE = """create table if not exists flow (start_ms integer, base_asset text, volume real, delta real, gap_ms integer,
    final integer, primary key (start_ms, base_asset))"""
UPSERT = "insert or replace into flow values (:start_ms, :base_asset, :volume, :delta, :gap_ms, :final)"

QUERY = "select time(start_ms / 1000, 'unixepoch'), base_asset, volume, delta, gap_ms from flow order by 1, 2"


class Sqlite:
    """A table of SQLite, with one row for each window and asset."""

    def __init__(self, path: Path) -> None:
        self.path = path

    async def __call__(self, batch: Sequence[ops.Flow]) -> None:
        """Return when the batch is on disk."""
        await trio.to_thread.run_sync(self._write, cgrx.to_dicts(batch))

    def _write(self, rows: list[dict[str, object]]) -> None:
        with closing(sqlite3.connect(self.path, timeout=5)) as database, database:
            database.execute(TABLE)
            try:
                database.executemany(UPSERT, rows)
            except (sqlite3.IntegrityError, sqlite3.DataError) as error:
                raise cgrx.sinks.SinkDataError(f"SQLite refuses the row: {error}") from error


async def main(folder: Path) -> None:
    async with cgrx.replay(recorded(folder)) as feed:
        rows = feed.liquidations().pipe(ops.tumbling("1m", by="base_asset"))
        sqlite = Sqlite(folder / "flow.db")
        async with cgrx.sinks.deliver(sqlite, rows, name="flow.db", final_only=True) as sink:
            await feed.run()
        print(sink.stats.delivered, "delivered,", sink.stats.dropped + sink.stats.dead, "lost")
    with closing(sqlite3.connect(folder / "flow.db")) as database:
        for row in database.execute(QUERY):
            print("{}  {}  {:>9,.0f} USD  delta {:>+9,.0f}  {} ms not seen".format(*row))


def recorded(folder: Path) -> Path:
    """Three minutes, a liquidation every second."""
    events = [
        liquidation(("long", "short")[n % 5 == 0], 1e3 * (n % 7 + 1), time=n, base_asset=("BTC", "ETH")[n % 3 == 0])
        for n in range(190)
    ]
    file = folder / "liquidations.jsonl"
    file.write_text("\n".join(json.dumps(each.asdict()) for each in events))
    cgrx.import_jsonl(file, folder / "recording", events="liquidations", gapless=True)
    return folder / "recording"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        trio.run(main, Path(temporary))
