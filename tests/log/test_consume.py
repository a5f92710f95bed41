"""`cgrx.consume` from a real broker: what was published comes out, whatever the log did to it."""

from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any

import pytest
import trio
from reactivex import Observable

import cgrx
from cgrx import Alive, Batch, End, FuturesTrades, Gap, Record
from cgrx import operators as ops
from cgrx._shards.record import Numbering
from cgrx.testing import liquidation, play
from tests.log.logs import Heard, L, Log, T, events, heard, plain, session
from tests.sinks.writing import until
from tests.streams.streaming import rx_any
from tests.support import run


def test_a_channel_comes_as_it_was_published(log: Log) -> None:
    """Its time is that of the receipt; the feed's status and counters are those of any feed."""
    log.put(*session("a"))

    async def main() -> None:
        async with cgrx.consume(log.target, start="earliest") as feed:
            assert feed.state is cgrx.State.CONNECTED
            assert feed.now_ms == 1_000  # that of the first record
            found = Heard(feed, [L])
            times: list[tuple[int, int]] = []
            feed.liquidations().subscribe(lambda _: times.append((feed.now_ms, feed.offsets[0])))
            async with trio.open_nursery() as nursery:
                nursery.start_soon(feed.run)
                await until(lambda: found.signals == 6)
                nursery.cancel_scope.cancel()
            assert found.by_name[L.name] == plain(session("a"))
            assert times == [(2_000, 1), (3_000, 2), (5_000, 4), (6_000, 5)]  # not yet handed on
            assert feed.read.records == 6
            assert feed.stats.events == 4
            assert feed.stats.connections == 1
            assert feed.stats.channels[L].gaps == 0
            late = Heard(feed, [L])
            assert late.by_name[L.name] == [Gap(L, 0, 6_000, "subscribed")]

    run(main)


def test_repetitions_holes_and_sessions(log: Log) -> None:
    first, second = session("a"), session("b", 20_000)
    log.put(*first[:4], *first[1:4], first[5], *second[:3], first[5], *second[2:])

    async def main() -> None:
        said, feed = await heard(log, 12)
        joined = [*plain(first[:4]), Gap(L, 4_000, 6_000, "records 4 to 4 are missing"), first[5].signal]
        outage = Gap(L, 6_000, 20_000, "subscribed")
        proofs = [attr for attr in plain(second) if isinstance(attr, Alive)]
        assert said[:6] == joined
        assert said[6] == outage
        assert [each for each in said[6:] if isinstance(each, Alive)] == [Alive("a", each.at_ms) for each in proofs]
        assert events(said[6:]) == events(plain(second))
        assert feed.read == cgrx.LogStats(records=16, repeated=5, missing=1, damaged=4)

    run(main)


def test_several_partitions_come_by_the_time_of_receipt(log: Log) -> None:
    """And what is damaged is told and stepped over, wherever it stands."""
    log.put(*session("a"), partition=2)
    log.say(("nobody", b"{}", 3), *((record.channel, record.encode(), 1) for record in session("b", 1_500, T)))

    async def main() -> None:
        order: list[int] = []
        statuses: list[cgrx.Status] = []
        async with cgrx.consume(log.target, start="earliest") as feed:
            feed.status.subscribe(statuses.append)
            for stream in (feed.channel(L), feed.channel(T)):
                stream.subscribe(lambda event: order.append(event.time_ms))
            async with trio.open_nursery() as nursery:
                nursery.start_soon(feed.run)
                await until(lambda: len(order) == 8)
                nursery.cancel_scope.cancel()
        assert order == sorted(order)
        (told,) = [str(each) for each in statuses if isinstance(each, cgrx.MalformedInput) and "nobody" in str(each)]
        assert f"{log.topic}[3] at offset 1" in told

    run(main)


@pytest.mark.parametrize(
    ("start", "first"),
    [({0: 3, 1: 0}, 3), (4_000, 3), (datetime(1970, 1, 1, 0, 0, 4, tzinfo=UTC), 3), ({}, 0), ("earliest", 0)],
)
def test_where_reading_begins(log: Log, start: Any, first: int) -> None:
    """A channel that is read from its midst begins with a gap from 0."""
    records = session("a")
    log.put(*records)

    async def main() -> None:
        before = [Gap(L, 0, 4_000, "records before 3 are missing")] if first else []
        said, feed = await heard(log, len(before) + 6 - first, start=start)
        assert said == [*before, *plain(records[first:])]
        assert feed.offsets[0] in (6, 7)  # with the message that shows the others

    run(main)


def test_the_latest_is_what_is_published_from_now_on(log: Log) -> None:
    """Its first records tell the time."""
    before, behind = session("a"), session("b", cgrx.to_ms("1h"))
    log.put(*before)

    async def main() -> None:
        async with cgrx.consume(log.target) as feed:
            found = Heard(feed, [L])
            await trio.to_thread.run_sync(lambda: log.put(*behind))
            async with trio.open_nursery() as nursery:
                nursery.start_soon(feed.run)
                await until(lambda: found.signals == 6)
                nursery.cancel_scope.cancel()
            assert found.by_name[L.name] == plain(behind)

    run(main)


def test_a_partition_that_is_not_there(log: Log) -> None:
    async def main() -> None:
        with pytest.raises(ValueError, match=rf"start=\{{9: 1\}}: kafka {log.topic} at .* has no partition 9"):
            async with cgrx.consume(log.target, start={9: 1}):
                pytest.fail("it was entered")

    run(main)


def test_a_channel_that_is_wanted_again_begins_anew(log: Log) -> None:
    """What came meanwhile was not read: nobody has missed it on the log."""
    records = session("a", count=12)
    log.put(*records[:9])
    log.put(*session("a", channel=T, count=9), partition=1)

    async def main() -> None:
        async with cgrx.consume(log.target, start="earliest") as feed:
            before: list[Any] = []
            again: list[Any] = []
            first = feed.liquidations().signals().subscribe(before.append)
            feed.channel(T).subscribe(lambda event: first.dispose() if event.time_ms == 3_000 else None)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(feed.run)
                await until(lambda: feed.now_ms == 9_000)
                feed.liquidations().signals().subscribe(again.append)
                await trio.to_thread.run_sync(lambda: log.put(*records[9:]))
                await until(lambda: len(again) == 4)
                nursery.cancel_scope.cancel()
            assert before == plain(records[:3])
            assert again == [Gap(L, 0, 10_000, "records before 9 are missing"), *plain(records[9:])]
            assert feed.read.missing == 0

    run(main)


def test_a_group_goes_on_where_it_was(log: Log) -> None:
    """Other groups are not affected."""
    records = session("a")
    log.put(*records[:3])

    async def main() -> None:
        said, _ = await heard(log, 3, group="one")
        assert said == plain(records[:3])
        await trio.to_thread.run_sync(lambda: log.put(*records[3:]))
        said, _ = await heard(log, 4, group="one")
        assert said == [Gap(L, 0, 4_000, "records before 3 are missing"), *plain(records[3:])]
        said, _ = await heard(log, 6, group="two")
        assert said == plain(records)

    run(main)


def test_a_partition_that_is_ahead_waits_for_the_others(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not read meanwhile, and nothing of it is left out."""
    monkeypatch.setattr("cgrx._log.order.MOST", 2)
    monkeypatch.setattr("cgrx._log.reader.READ", 4)
    log.put(*session("a", 5_000, count=20))
    log.put(*session("b", 1_000, T, count=20), partition=1)

    async def main() -> None:
        said, feed = await heard(log, 40, channels=(L, T))
        assert said == {L.name: plain(session("a", 5_000, count=20)), T.name: plain(session("b", 1_000, T, count=20))}
        assert feed.read.missing == 0

    run(main)


def test_shares_of_the_partitions_are_complete_and_disjoint(log: Log) -> None:
    channels = tuple(FuturesTrades("Binance", f"A{number}USDT", 0) for number in range(4))
    for partition, channel in enumerate(channels):
        log.put(*session("a", channel=channel), partition=partition)

    async def main() -> None:
        for shard, mine in (("1/3", {0, 3}), ("2/3", {1}), ("3/3", {2})):
            async with cgrx.consume(log.target, start="earliest", shard=shard) as feed:
                said = Heard(feed, channels)
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(feed.run)
                    await until(lambda: feed.read.damaged == 4 * len(mine))  # noqa: B023 - at once
                    nursery.cancel_scope.cancel()
                assert {number for number, channel in enumerate(channels) if said.by_name[channel.name]} == mine

    run(main)


def test_a_feed_ends_when_its_channels_have_ended(log: Log) -> None:
    """Completed; or, of a channel that had failed, with its error."""
    done, failed = session("a"), session("a", channel=T)
    log.put(*done, Record(L.name, "a", 6, 9_000, End()), Record(L.name, "a", 7, 9_500, Alive("a", 9_500)))
    log.put(*failed, Record(T.name, "a", 6, 9_000, End(("PlanError", "need upgrade plan"))), partition=1)

    async def main() -> None:
        async with cgrx.consume(log.target, start="earliest") as feed:
            found = Heard(feed, [L, T])
            await feed.run()
        assert found.by_name[L.name] == plain(done)
        assert found.by_name[T.name] == plain(failed)
        assert found.ended == [repr(cgrx.RecordedError("PlanError", "need upgrade plan")), "completed"]

    run(main)


def test_a_pipeline_gives_the_rows_of_its_feed(log: Log) -> None:
    """And a timed operator of reactivex goes by the time of the receipt."""
    records = session("a", count=20)
    log.put(*records, Record(L.name, "a", 20, 20_000, End()))
    bars = ops.tumbling("1s", by="exchange")

    async def main() -> None:
        async with cgrx.consume(log.target, start="earliest") as feed:
            rows: list[Any] = []
            buffers: list[int] = []
            feed.liquidations().pipe(bars).subscribe(rows.append)
            by_time: Observable[list[Any]] = feed.liquidations().pipe(rx_any.buffer_with_time(2.0))
            by_time.subscribe(lambda some: buffers.append(len(some)))
            await feed.run()
        assert rows == play(bars, plain(records))
        assert any(row.complete for row in rows)
        assert (sum(buffers), max(buffers)) == (13, 2)

    run(main)


def test_a_slow_consumer_holds_the_reading_up(log: Log) -> None:
    """What it has not taken waits on the log: nothing overflows."""
    numbering = Numbering("a")
    log.put(
        *(
            numbering.record(L.name, Batch(L, at_ms, (liquidation("long", time=f"{at_ms}ms"),)))
            for at_ms in range(1, 1_001)
        )
    )

    async def main() -> None:
        times: list[int] = []
        async with (
            cgrx.consume(log.target, start="earliest") as feed,
            cgrx.stream(feed.liquidations(), buffer=10, overflow="block", block_timeout="20s") as some,
        ):
            async for event in some:
                times.append(event.time_ms)
                if len(times) == 20:
                    assert feed.read.records < 100
                if len(times) == 1_000:
                    break
        assert times == list(range(1, 1_001))

    run(main)


def test_a_consumer_that_stalls_ends_its_stream(log: Log) -> None:
    """As on any feed."""
    log.put(*session("a", count=20))

    async def main() -> None:
        feed = await stack.enter_async_context(cgrx.consume(log.target, start="earliest"))
        blocking = cgrx.stream(feed.liquidations(), buffer=1, overflow="block", block_timeout="10ms")
        some = await stack.enter_async_context(blocking)
        await anext(some)
        await trio.sleep(0.2)
        with pytest.raises(cgrx.BackpressureError):
            async for _ in some:
                pass

    async def around() -> None:
        async with stack:
            await main()

    stack = AsyncExitStack()
    run(around)


def test_a_feed_that_nobody_waits_for_is_left_at_once(log: Log) -> None:
    async def main() -> None:
        async with cgrx.consume(log.target) as feed:
            await feed.aclose()
            assert feed.state is cgrx.State.CLOSED

    run(main)
