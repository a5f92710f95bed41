"""What a feed would have said of the rows of a file: channels, times of receipt, batches, marks where vouched for."""

import math
from collections.abc import Iterable
from itertools import islice
from typing import Any

import pytest

import cgrx
from cgrx import Alive, Batch, Dropped, FuturesTrades, Gap
from cgrx import operators as ops
from cgrx._importing.entries import Entries
from cgrx._importing.rows import Good, Reader, Reject, json_rows
from cgrx._recording.entry import Recorded
from cgrx.testing import liquidation, trade
from tests import recordings
from tests.feed.feeding import record
from tests.recordings import Recording, channel_of
from tests.replay.replaying import L, Log
from tests.support import run_mock

BTC = FuturesTrades("Binance", "BTCUSDT", 0)


def good(line: int, event: Any, received_ms: int | None = None) -> Good:
    return Good(line, event, received_ms, "text")


def entries_of(rows: Iterable[Good | Reject], entries: Entries) -> tuple[list[Recorded], list[Reject]]:
    """All that comes out of some rows."""
    said: list[Recorded] = []
    rejects: list[Reject] = []
    for row in rows:
        judged = entries.judge("file", row)
        if isinstance(judged, Good):
            said += entries.take(judged)
        else:
            rejects.append(judged)
            said += entries.lose()
    said += entries.finish()
    return said, rejects


def test_rows_received_together_are_one_batch() -> None:
    """Of one channel, and in the same millisecond; the order of the file stays."""
    rows = [good(n, liquidation(time=n, price=n), 5_000) for n in (1, 2)]
    rows += [good(3, trade(time=3), 5_000), good(4, trade(time=4), 5_001), good(5, liquidation(time=5), 5_001)]
    said, _ = entries_of(rows, Entries(0, gapless=False))
    batches = [each.said for each in said if isinstance(each.said, Batch)]
    assert [(batch.channel, batch.received_ms, len(batch.events)) for batch in batches] == [
        (L, 5_000, 2), (BTC, 5_000, 1), (BTC, 5_001, 1), (L, 5_001, 1),
    ]  # fmt: skip


def test_without_a_time_of_receipt_a_row_came_with_the_one_before() -> None:
    """But not before it happened; and the time never goes back."""
    rows = [
        good(1, liquidation(time=10)),
        good(2, liquidation(time=9)),
        good(3, liquidation(time=12)),
        good(4, liquidation(time=1), 11_000),
        good(5, liquidation(time=1), 13_000),
        good(6, liquidation(time=1)),
    ]
    said, _ = entries_of(rows, Entries(0, gapless=False))
    batches = [each.said for each in said if isinstance(each.said, Batch)]
    assert [(batch.received_ms, len(batch.events)) for batch in batches] == [(10_000, 2), (12_000, 2), (13_000, 2)]


def test_no_batch_is_larger_than_its_bound() -> None:
    said, _ = entries_of([good(n, liquidation(time=1)) for n in range(2500)], Entries(0, gapless=False))
    assert [len(each.said.events) for each in said if isinstance(each.said, Batch)] == [1000, 1000, 500]


def test_trades_are_of_the_channel_of_their_instrument() -> None:
    """With the least volume that was said; what is below, and what no channel can be named after, is rejected."""
    rows = [
        good(1, trade(volume_usd=500, symbol="A")),
        good(2, trade(volume_usd=499, symbol="A")),
        good(3, trade(volume_usd=500, symbol="A@B")),
        good(4, trade(volume_usd=600, exchange="OKX")),
    ]
    entries = Entries(500, gapless=False)
    _, rejects = entries_of(rows, entries)
    assert entries.channels == (FuturesTrades("Binance", "A", 500), FuturesTrades("OKX", "BTCUSDT", 500))
    assert [(reject.line, reject.path) for reject in rejects] == [(2, "$"), (3, "$")]
    assert "below the least volume, 500" in rejects[0].reason
    assert "cannot stand in a channel name" in rejects[1].reason


def test_by_default_nothing_is_known_of_what_a_file_misses() -> None:
    """No marks: a window's row says so."""

    async def main() -> None:
        said, _ = entries_of([good(n, liquidation(time=n)) for n in range(1, 20)], Entries(0, gapless=False))
        assert all(isinstance(each.said, Batch) for each in said)
        async with cgrx.replay(Log(said)) as feed:
            rows = record(feed.liquidations().pipe(ops.tumbling("5s", ops.Flow)))
            await feed.run()
        assert {(row.gap_ms, row.complete) for row in rows.events} == {(None, False)}

    run_mock(main)


def test_a_file_that_is_vouched_for_gives_complete_rows() -> None:
    """A gap up to its first row, proofs every second; the lines that were rejected are losses of every channel."""
    rows: list[Good | Reject] = [good(n, liquidation(time=100 + n / 4)) for n in range(40)]
    rows.insert(30, Reject("file", 31, "$", "no", "x"))
    rows.append(good(50, trade(time=111)))
    said, _ = entries_of(rows, Entries(0, gapless=True))
    assert said[0] == Recorded(L, Gap(L, 0, 100_000, "imported"))
    assert said[-5:] == [
        Recorded(BTC, Gap(BTC, 0, 100_000, "imported")),
        Recorded(BTC, Dropped(None, 1, "rejected")),
        Recorded(BTC, Batch(BTC, 111_000, (trade(time=111),))),
        *(Recorded(channel, Alive("import", 111_000)) for channel in (L, BTC)),
    ]
    assert [each.said.at_ms for each in said if each.channel == L and isinstance(each.said, Alive)] == [
        *range(101_000, 110_000, 1000), 111_000,
    ]  # fmt: skip

    async def main() -> None:
        async with cgrx.replay(Log(said)) as feed:
            rows = record(feed.liquidations().pipe(ops.tumbling("1s", ops.Flow)))
            await feed.run()
        complete = [(row.start_ms, row.complete) for row in rows.events]
        assert (102_000, True) in complete
        assert any(not whole for _, whole in complete)
        assert sum(row.dropped > 0 for row in rows.events) >= 1

    run_mock(main)


def test_rows_lost_before_the_first_are_charged_when_a_channel_begins() -> None:
    rows: list[Good | Reject] = [Reject("file", 1, "$", "no", "x")] * 3
    said, _ = entries_of([*rows, good(4, liquidation(time=1))], Entries(0, gapless=True))
    assert said[1] == Recorded(L, Dropped(None, 3, "rejected"))
    assert entries_of(rows, Entries(0, gapless=True))[0] == []


@recordings.REQUIRED
@pytest.mark.parametrize("speed", [math.inf, 100])
@pytest.mark.parametrize("recording", recordings.RECORDINGS, ids=lambda recording: recording.file)
@recordings.AS_FAR_AS
def test_real_files_replayed_are_the_file(recording: Recording, speed: float, count: int) -> None:
    """Every event of every channel once, in the order of the file."""
    event_type = cgrx.Liquidation if recording is recordings.LIQUIDATIONS else cgrx.Trade
    reader = Reader(event_type, "recv")
    read = islice(json_rows(recordings.FOLDER / recording.file, reader), count)
    rows = [row for row in read if isinstance(row, Good)]
    said, rejects = entries_of(rows, Entries(0, gapless=False))
    assert rejects == []

    async def main() -> None:
        log = Log(said)
        async with cgrx.replay(log, speed=speed) as feed:
            seen = {channel: record(feed.channel(channel)) for channel in log.channels}
            await feed.run()
        for channel, observer in seen.items():
            wanted = [row.event for row in rows if channel_of(row.event) == channel]
            assert observer.events == wanted
        assert sum(len(observer.events) for observer in seen.values()) == min(count, recording.events)

    run_mock(main)
