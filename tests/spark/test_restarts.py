"""Restarts before the log and of the log, while a query reads: rows are there once, and only an outage is missing."""

import shutil
import signal
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from zlib import crc32

import polars as pl
import pytest
import trio
from polars.testing import assert_frame_equal

import cgrx
from cgrx import Alive, Batch, End, EngineError, FuturesTrades, Gap, Record, Trade
from cgrx._model.events import LATEST_MS
from cgrx._simulator.simulator import Simulator
from cgrx._trio.clock import WallClock
from cgrx.engines import spark
from cgrx.testing import trade
from tests.log.logs import PARTITIONS, Log, events, publisher
from tests.sinks.object_store import object_store
from tests.spark.backtested import KEYS, assert_backtested, backtested
from tests.spark.cluster import until
from tests.spark.market import CHANNELS, LATENESS_MS, bars, entries, record, records, seconds
from tests.spark.topic import broker, publish, start

pytest.importorskip("pyspark", reason="pyspark is not installed; `nox -s spark` brings it")
pytestmark = [
    pytest.mark.skipif(shutil.which("java") is None, reason="Spark needs Java, and there is none on the path"),
    # What py4j and Spark's own accumulators leave to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT")
TRADED = [FuturesTrades("Binance", symbol, 0) for symbol in SYMBOLS]


async def trading(simulator: Simulator, enough: Callable[[], bool]) -> list[Trade]:
    """Trades of all symbols, twenty of each a second, until it is enough after a second. Returns them."""
    clock, sent = WallClock(), list[Trade]()
    while len(sent) % 60 or not sent or not enough():
        for symbol in SYMBOLS:
            now_ms = clock.now_ms()
            sent.append(trade("buy", time=f"{now_ms}ms", symbol=symbol, price=100.0 + len(sent) % 7))
            await simulator.send(sent[-1])
        await trio.sleep(0.05)
    return sent


def gaps_of(records: Sequence[Record]) -> list[tuple[int, int]]:
    """When nothing was heard: before the first of two sessions, between them, and behind the second.

    As windows count it, which widen it by their lateness.
    """
    names = dict.fromkeys(each.session for each in records)
    sessions = [[each.signal for each in records if each.session == name] for name in names]
    begun = [said[0].end_ms for said in sessions if isinstance(said[0], Gap)]
    ended: list[int] = []
    for said in sessions:
        proofs = [each.at_ms for each in said if isinstance(each, Alive)]
        ended.append(max(proofs + [each.received_ms for each in said if isinstance(each, Batch)]))
    gaps = zip((0, *ended), (*begun, LATEST_MS), strict=True)
    return [(start_ms - LATENESS_MS, end_ms + LATENESS_MS) for start_ms, end_ms in gaps]


async def consumed(target: str, folder: Path) -> list[Any]:
    """The rows of the same pipeline in one process behind the log, which is recorded too."""
    rows: list[Any] = []
    async with (
        cgrx.consume(target, start="earliest") as feed,
        cgrx.record(feed, folder, channels=TRADED) as recorder,
    ):
        for channel in TRADED:
            seconds(feed, channel).subscribe(rows.append)
        await feed.run()
        await recorder.flush()
    return rows


def test_a_publisher_that_is_killed(session: Any, tmp_path: Path) -> None:
    """`cgrx publish`, by signal 9, and started anew while the feed goes on.

    What the feed says meanwhile is a gap in the windows that it touches, and in no others.
    """
    (file := tmp_path / "channels.txt").write_text("".join(f"{channel.name}\n" for channel in TRADED))
    out = tmp_path / "bars"

    def latest_ms() -> int:
        """Where the last window begins that is there."""
        written = [part for done in out.glob("batch=*/_SUCCESS") for part in done.parent.glob("*.parquet")]
        return max((int(row) for part in written for row in pl.read_parquet(part)["start_ms"]), default=0)

    async def main(log: Log) -> list[Trade]:
        clock = WallClock()
        with trio.fail_after(120):
            async with Simulator(listen=True) as simulator:
                with publisher(file, simulator.url, log) as process:
                    await simulator.wait_subscribed(TRADED[-1])
                    sent = await trading(simulator, lambda: latest_ms() > 0)
                    process.send_signal(signal.SIGKILL)
                    await simulator.wait_connections(0)
                killed_ms = clock.now_ms()
                sent += await trading(simulator, lambda: clock.now_ms() > killed_ms + 2_000)
                with publisher(file, simulator.url, log):
                    await simulator.wait_subscribed(TRADED[-1])
                    again_ms = clock.now_ms()
                    return sent + await trading(simulator, lambda: latest_ms() > again_ms + 1_000)

    with broker("signals", partitions=PARTITIONS) as server:
        log = Log(server, "signals")
        with spark.start(
            seconds,
            channels=TRADED,
            source=spark.Kafka(log.target),
            sink=spark.Parquet(str(out)),
            checkpoint=tmp_path / "checkpoint",
            every="100ms",
            session=session,
        ) as query:
            sent = trio.run(main, log)
            by_channel = {each[0].channel: each for each in trio.run(log.records) if each}
            for last in [each[-1] for each in by_channel.values()]:  # so that both readers see the end
                end = Record(last.channel, last.session, last.seq + 1, last.received_ms, End())
                log.put(end, partition=crc32(last.channel.encode()) % PARTITIONS)
            query.query.processAllAvailable()
        wanted = cgrx.to_frame(trio.run(consumed, log.target, tmp_path / "recorded")).sort(KEYS)

    rows = pl.read_parquet(out / "**/*.parquet").sort(KEYS)
    assert_frame_equal(rows, wanted)
    assert_backtested(rows, backtested(tmp_path / "recorded", *TRADED, build=seconds))
    for channel in TRADED:
        before, outage, behind = gaps_of(by_channel[channel.name])
        mine = [each for each in sent if each.symbol == channel.symbol]
        heard = events(each.signal for each in by_channel[channel.name])
        assert heard == [each for each in mine if each in heard]
        lost = [each.time_ms for each in mine if each not in heard]
        assert all(any(start <= time_ms <= end for start, end in (outage, behind)) for time_ms in lost)
        assert any(outage[0] + 1_000 < time_ms < outage[1] - 1_000 for time_ms in lost)
        of_channel = rows.filter(symbol=channel.symbol)
        assert of_channel["count"].sum() == sum(each.time_ms < of_channel["end_ms"][-1] for each in heard)
        expected = [
            sum(max(0, min(end, gap[1]) - max(start, gap[0])) for gap in (before, outage))
            for start, end in of_channel.select("start_ms", "end_ms").iter_rows()
        ]
        assert of_channel["gap_ms"].to_list() == expected
        assert of_channel["complete"].to_list() == [each == 0 for each in expected]
        assert 2 <= sum(each > 0 for each in expected) <= 6
        assert expected.count(0) >= 3


def test_a_broker_that_is_restarted(session: Any, tmp_path: Path) -> None:
    """The broker's process is killed by signal 9, and started again with its log.

    A query waits for it. Where it stays away for longer than a query waits, the error says so, and the next run goes on
    from the checkpoint.
    """
    said = entries(60)
    all_records = records(said)
    out, third = tmp_path / "bars", len(all_records) // 3
    parts = [all_records[:third], all_records[third : 2 * third], all_records[2 * third :]]

    def batches() -> int:
        return len(list(out.glob("batch=*/_SUCCESS")))

    with object_store() as store, broker("signals", partitions=2, store=store) as log:
        running = partial(
            spark.start,
            bars,
            channels=CHANNELS,
            source=spark.Kafka(f"kafka://{log.servers}/signals", most=90, timeout="6s"),
            sink=spark.Parquet(str(out)),
            checkpoint=tmp_path / "checkpoint",
            every="100ms",
            session=session,
        )
        publish(log, "signals", parts[0], partitions=2)
        with running() as query:
            until(lambda: batches() > 0, "the first rows")
            log.kill()
            assert not query.wait(3)
            start(log)
            before = batches()
            publish(log, "signals", parts[1], partitions=2)
            until(lambda: batches() > before, "rows behind the restart")
            log.kill()
            with pytest.raises(EngineError, match=r"^Spark: LogError: topic 'signals' at \S+ gave .* not within 6 s"):
                query.wait(60)
        start(log)
        publish(log, "signals", parts[2], partitions=2)
        with running(once=True) as query:
            query.wait()

    wanted = backtested(record(tmp_path / "r", said), *CHANNELS)
    assert_backtested(pl.read_parquet(out / "**/*.parquet"), wanted)
