"""`cgrx.publish` to a real broker: what stands on the log afterwards, whatever happened to it meanwhile."""

import json
from pathlib import Path
from typing import Any

import pytest

import cgrx
from cgrx import Alive, Batch, Channel, Dropped, End, FuturesTrades, Gap, LiquidationOrders, Record, Watermark, sinks
from cgrx._shards.groups import Share, partition_of
from cgrx.testing import batch, liquidation, trade
from tests.delivery.systems import require_balance
from tests.log.logs import PARTITIONS, Log, Told, events
from tests.sinks.writing import until
from tests.support import run

L = LiquidationOrders()
T = FuturesTrades("Binance", "BTCUSDT", 0)
SIGNALS: dict[Channel, list[Any]] = {
    L: [
        Gap(L, 0, 1_000, "subscribed"),
        batch(liquidation("long", time="1s"), liquidation("short", time="2s")),
        Alive("cgrx", 3_000),
        Dropped(L, 2, "malformed"),
        Dropped(None, 1, "malformed"),
        Watermark(5),
    ],
    T: [Gap(T, 0, 1_000, "subscribed"), Batch(T, 4_000, (trade("buy"),)), Gap(T, 4_000, 6_000, "closed")],
}


async def published(log: Log, **options: Any) -> tuple[list[Record], sinks.SinkStats, Told]:
    """What stands on the log when a feed has said all these, in turns, and its streams have ended."""
    feed: Any = Told()
    async with cgrx.publish(feed, SIGNALS, log.target, **options) as sink:
        for turn in range(6):
            for channel, signals in SIGNALS.items():
                if channel in feed.sources and turn < len(signals):
                    feed.sources[channel].say(signals[turn])
        feed.sources[L].complete()
        feed.sources[T].fail(cgrx.PlanError(T.name, "need upgrade plan"))
        await sink.flush()
        require_balance(sink.stats)
    found = await log.records()
    for number, partition in enumerate(found):
        assert {partition_of(record.channel, PARTITIONS) for record in partition} <= {number}
    return [record for partition in found for record in partition], sink.stats, feed


def of(channel: Channel, records: list[Record]) -> list[Any]:
    """The signals of a channel, whose numbers have no hole."""
    mine = [record for record in records if record.channel == channel.name]
    assert [record.seq for record in mine] == list(range(len(mine)))
    return [record.signal for record in mine]


def test_every_signal_stands_on_the_log_in_order(log: Log) -> None:
    """Of one session. The end of a stream is no end of its channel, for the next session goes on with it."""

    async def main() -> None:
        records, stats, feed = await published(log)
        assert {channel: of(channel, records) for channel in SIGNALS} == SIGNALS
        assert len({record.session for record in records}) == 1
        assert stats.delivered == 9
        assert [str(told) for told in feed.notes.told if isinstance(told, cgrx.StreamFailed)]

    run(main)


def test_the_end_of_a_channel_is_published_where_that_is_asked_for(log: Log) -> None:
    async def main() -> None:
        records, _, _ = await published(log, ends=True)
        assert of(L, records)[-1] == End()
        failure = of(T, records)[-1].failure
        assert failure is not None
        assert failure[0] == "PlanError"

    run(main)


def test_a_foreign_error_is_told_by_its_feed(log: Log) -> None:
    async def main() -> None:
        feed: Any = Told()
        async with cgrx.publish(feed, [L], log.target, ends=True):
            feed.sources[L].fail(ValueError("mine"))
        assert feed.notes.told == []
        assert [record.signal for each in await log.records() for record in each] == [End(("ValueError", "mine"))]

    run(main)


def test_a_share_publishes_its_channels_alone() -> None:
    """And the share of nobody's group is empty."""
    feed: Any = Told()

    async def main() -> None:
        channels = [FuturesTrades("Binance", f"A{number}USDT", 0) for number in range(50)]
        taken: list[Channel] = []
        for number in range(1, 9):
            feed.sources.clear()
            async with cgrx.publish(feed, channels, "kafka://127.0.0.1:1/x", shard=f"{number}/8", drain="0s"):
                taken += feed.sources
                assert all(Share(number, 8).has(channel.name) for channel in feed.sources)
        assert sorted(channel.name for channel in taken) == sorted(channel.name for channel in channels)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cgrx._sinks.kafka.KAFKA_CONNECT_S", 0.01)
        run(main)


def test_the_exchanges_of_an_asset_are_in_one_partition(log: Log) -> None:
    async def main() -> None:
        feed: Any = Told()
        channels = [
            FuturesTrades(exchange, symbol, 0)
            for exchange, symbol in (("Binance", "SOLUSDT"), ("OKX", "SOL-USDT-SWAP"), ("Bybit", "SOLUSDT"))
        ]
        async with cgrx.publish(feed, channels, log.target, partition_by="base_asset") as sink:
            for channel in channels:
                feed.sources[channel].say(Gap(channel, 0, 1, "subscribed"))
            await sink.flush()
        counts = [len(each) for each in await log.records()]
        assert counts == [3 * (number == partition_of("SOL", PARTITIONS)) for number in range(PARTITIONS)]

    run(main)


def test_what_finds_no_room_leaves_a_hole(mortal: Log) -> None:
    """While the brokers are away. It is counted, told, and seen by whoever reads the log."""

    async def main() -> None:
        feed: Any = Told()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("cgrx._sinks.kafka.KAFKA_CONNECT_S", 0.1)
            async with cgrx.publish(feed, [L], mortal.target, buffer=3, batch=1, every="0s") as sink:
                source = feed.sources[L]
                source.say(Gap(L, 0, 1, "subscribed"))
                await until(lambda: sink.stats.in_flight == 1)
                for at_ms in range(2, 8):
                    source.say(Alive("cgrx", at_ms))
                assert sink.stats.dropped == 3
                assert any(isinstance(told, cgrx.DeliveryHeld) for told in feed.notes.told)
                await mortal.start()
                await sink.flush()
                require_balance(sink.stats)
        assert any(isinstance(told, cgrx.Undelivered) for told in feed.notes.told)
        assert sorted(record.seq for each in await mortal.records() for record in each) == [0, 4, 5, 6]

    run(main)


def test_what_is_too_large_is_dead_and_leaves_a_hole(log: Log, tmp_path: Path) -> None:
    async def main() -> None:
        feed: Any = Told()
        letters = tmp_path / "dead.jsonl"
        async with cgrx.publish(feed, [L], log.target, dead_letters=letters) as sink:
            feed.sources[L].say(Alive("cgrx", 1), Gap(L, 0, 1, "x" * 2_000_000), Alive("cgrx", 2))
            await sink.flush()
            assert (sink.stats.delivered, sink.stats.dead) == (2, 1)
        assert "MSG_SIZE_TOO_LARGE" in json.loads(letters.read_text())["reason"]
        assert [record.seq for each in await log.records() for record in each] == [0, 2]

    run(main)


def test_what_a_session_left_behind_is_delivered_by_the_next(mortal: Log, tmp_path: Path) -> None:
    """From the spill folder, before its own, and where its channel belongs."""

    async def main() -> None:
        feed: Any = Told()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("cgrx._sinks.kafka.KAFKA_CONNECT_S", 0.1)
            async with cgrx.publish(feed, [L], mortal.target, spill=tmp_path, drain="0s"):
                feed.sources[L].say(Alive("first", 1))
        await mortal.start()
        async with cgrx.publish(feed, [T], mortal.target, spill=tmp_path) as sink:
            feed.sources[T].say(Alive("second", 2))
            await sink.flush()
        found = {record.channel: record.signal for each in await mortal.records() for record in each}
        assert found == {L.name: Alive("first", 1), T.name: Alive("second", 2)}

    run(main)


def test_a_replay_waits_for_the_brokers(log: Log) -> None:
    async def main() -> None:
        feed: Any = Told(waits=True)
        async with cgrx.publish(feed, [T], log.target, buffer=10, batch=5) as sink:
            feed.sources[T].say(*(Batch(T, number, (trade("buy"),)) for number in range(50)))
            assert feed.notes.holds == 1
            await sink.flush()
            assert feed.notes.holds == 0
            assert sink.stats.dropped == 0
        found = [record.signal for each in await log.records() for record in each]
        assert len(events(found)) == 50

    run(main)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"channels": []}, ValueError, r"channels=\(\) holds nothing to publish"),
        ({"channels": "liquidationOrders"}, TypeError, "takes several channels"),
        ({"channels": ["nobody"]}, ValueError, "channel 'nobody' is not known"),
        ({"target": "redis://HOST/0"}, ValueError, "this is no target that records go to: give kafka://"),
        ({"target": 5}, TypeError, "a target is a text, and no int"),
        ({"target": "kafka://me:sesame@host:1/x"}, ValueError, r"give sasl.username= and sasl.password="),
        ({"target": "kafka://host:1"}, ValueError, "topic='' is no name of a topic"),
        ({"target": "kafka://host/x"}, ValueError, "servers='host' cannot be read"),
        ({"target": "kafka://host:1/x?acks=0"}, ValueError, r"config=\{'acks': ...\}: cgrx sets this property itself"),
        ({"shard": "9/8"}, ValueError, "shard='9/8' cannot be read"),
        ({"partition_by": "symbol"}, ValueError, "partition_by='symbol' is neither"),
        ({"batch": 0}, ValueError, "batch=0 must be a whole number"),
    ],
)
def test_arguments_that_cannot_be_used(arguments: dict[str, Any], error: type[Exception], message: str) -> None:
    async def main() -> None:
        feed: Any = Told()
        given: dict[str, Any] = {"channels": [L], "target": "kafka://host:1/x"} | arguments
        with pytest.raises(error, match=message) as raised:
            cgrx.publish(feed, given.pop("channels"), given.pop("target"), **given)
        assert "sesame" not in str(raised.value)

    run(main)
