"""What a server can send that makes no sense, or comes in an unusual way: nothing of it ends the feed."""

import pytest
import trio

import cgrx
from cgrx._model.events import LATEST_MS
from cgrx._simulator.faults import (
    Binary,
    Drip,
    Duplicate,
    Fault,
    Fragmented,
    Garbage,
    Huge,
    Late,
    RawBytes,
    WrongTypes,
)
from cgrx._simulator.frames import BAD_EVENTS
from cgrx._simulator.journal import Ended
from cgrx._simulator.market import Generator
from cgrx._simulator.simulator import Simulator
from tests.feed.feeding import START_MS, Statuses, feed_on, ms_after, record
from tests.simulator.simulating import liquidation, trade
from tests.support import run_mock

L = cgrx.LiquidationOrders()


def test_bad_events_cost_only_themselves() -> None:
    """The good ones of the same frame flow; the bad ones are counted, charged and reported with a path."""

    async def main() -> None:
        async with Simulator(listen=False, faults=[WrongTypes()]) as simulator, feed_on(simulator) as feed:
            statuses, seen = Statuses(feed), record(feed.liquidations())
            trades = record(feed.futures_trades("Binance", "BTCUSDT", min_volume=0))
            await trio.sleep(5)
            await simulator.send([liquidation(1), liquidation(2)])
            await trio.sleep(1)
            assert seen.events == [liquidation(1), liquidation(2)]
            assert seen.dropped == BAD_EVENTS
            assert trades.dropped == 0
            assert feed.stats.malformed == BAD_EVENTS
            assert feed.stats.channels[L].malformed == BAD_EVENTS
            reported = statuses.of(cgrx.MalformedInput)
            assert [each.path for each in reported] == [
                "$.data[0].side",
                "$.data[1].price",
                "$.data[2].price",
                "$.data[5].time",
                "$.data[6].price",
                "$.data[7]",
            ]
            assert {each.channel for each in reported} == {"liquidationOrders"}
            assert {each.at_ms for each in reported} == {ms_after(5)}
            assert all(each.reason and len(each.excerpt) <= 120 for each in reported)
            assert seen.signals[-2] == cgrx.Dropped(L, BAD_EVENTS, "malformed")

    run_mock(main)


@pytest.mark.parametrize(
    "garbage",
    [
        '{"channel":"liquidationOrders","data":[{"baseAsset":',
        "[" * 100_000,
        "null",
        '{"channel":42,"data":[]}',
        '{"channel":"unknown","data":[]}',
        '{"data":[]}',
        b"\xff\xfe\xfd",
        "",
    ],
    ids=lambda value: repr(value)[:40],
)
def test_text_that_makes_no_sense_is_counted_and_reported(garbage: str | bytes) -> None:
    """What comes before and behind it arrives, on the same connection."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            statuses, seen = Statuses(feed), record(feed.liquidations())
            await trio.sleep(1)
            await simulator.send(liquidation(1))
            simulator.script([Garbage(message=garbage)])
            await simulator.send(liquidation(2))
            await trio.sleep(1)
            assert seen.events == [liquidation(1), liquidation(2)]
            (malformed,) = statuses.of(cgrx.MalformedInput)
            # What could not be read at all may have held events of any channel.
            assert seen.dropped == (1 if malformed.path == "$" else 0)
            assert malformed.path.startswith("$")
            assert len(malformed.excerpt) <= 120
            assert (feed.stats.malformed, feed.stats.connections) == (1, 1)

    run_mock(main)


@pytest.mark.parametrize("data", ["{}", '"text"', "null", "7"])
def test_data_that_is_no_list_is_charged_to_its_channel(data: str) -> None:
    """As one event, for nobody knows how many it was."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            statuses, seen = Statuses(feed), record(feed.liquidations())
            await trio.sleep(1)
            await simulator.send_raw(f'{{"channel":"liquidation_orders","data":{data}}}')
            await trio.sleep(1)
            assert seen.of(cgrx.Dropped) == [cgrx.Dropped(L, 1, "malformed")]
            (malformed,) = statuses.of(cgrx.MalformedInput)
            assert (malformed.path, malformed.channel) == ("$.data", "liquidation_orders")

    run_mock(main)


@pytest.mark.parametrize(
    ("time_ms", "good"), [(0, True), (ms_after(7_200), True), (LATEST_MS, True), (LATEST_MS + 1, False), (-1, False)]
)
def test_any_time_that_a_clock_can_show_is_accepted(time_ms: int, good: bool) -> None:
    """The clock of this machine may be the wrong one; what an event may move is for the windows to decide."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            seen = record(feed.liquidations())
            await trio.sleep(1)
            await simulator.send_raw(
                '{"channel":"liquidationOrders","data":[{"baseAsset":"BTC","exName":"Binance","price":1,"side":1,'
                f'"symbol":"BTCUSDT","time":{time_ms},"volUsd":1}}]}}'
            )
            await trio.sleep(1)
            assert (len(seen.events), seen.dropped) == ((1, 0) if good else (0, 1))

    run_mock(main)


def test_malformed_events_of_a_channel_nobody_wants_are_counted_alone() -> None:
    """There is no stream to charge."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            trades = record(feed.futures_trades("Binance", "BTCUSDT", min_volume=0))
            await trio.sleep(1)
            await simulator.send_raw('{"channel":"liquidationOrders","data":[7]}')
            await trio.sleep(1)
            assert trades.dropped == 0
            assert feed.stats.malformed == 1

    run_mock(main)


def test_a_notice_is_reported_and_counted() -> None:
    """Text for humans, which means nothing to the feed."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            statuses = Statuses(feed)
            await trio.sleep(1)
            await simulator.send_raw("maintenance at noon")
            await trio.sleep(1)
            assert statuses.of(cgrx.NoticeReceived) == [cgrx.NoticeReceived(ms_after(1), "maintenance at noon")]
            assert feed.stats.notices == 1
            assert feed.stats.malformed == 0

    run_mock(main)


@pytest.mark.parametrize("fragments", [1, 7])
def test_a_huge_message_ends_the_connection_with_1009(fragments: int) -> None:
    """More than 1 MiB, whole or in fragments; what came before arrives, and the next connection works."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            statuses, seen = Statuses(feed), record(feed.liquidations())
            await trio.sleep(1)
            await simulator.send(liquidation(1))
            simulator.script([Huge(size=2**20 + 1, fragments=fragments)])
            await simulator.wait_for(lambda stats: stats.connections_total == 2)
            await trio.sleep(1)
            await simulator.send(liquidation(2))
            await trio.sleep(1)
            assert seen.events == [liquidation(1), liquidation(2)]
            (disconnected,) = statuses.of(cgrx.Disconnected)
            assert isinstance(disconnected.error, cgrx.DisconnectedError)
            assert disconnected.error.code == 1009
            assert [entry.code for entry in simulator.log if isinstance(entry, Ended)] == [1009]

    run_mock(main)


def test_a_message_just_within_the_bound_is_read() -> None:
    """1 MiB to the byte."""

    async def main() -> None:
        async with Simulator(listen=False, faults=[Huge(size=2**20)]) as simulator, feed_on(simulator) as feed:
            await trio.sleep(1)
            assert (feed.stats.received_bytes or 0) >= 2**20
            assert (feed.stats.connections, feed.stats.malformed) == (1, 0)

    run_mock(main)


def test_bytes_that_are_no_frame_end_the_connection_with_1002() -> None:
    """The protocol is broken: only a new connection helps."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            statuses, seen = Statuses(feed), record(feed.liquidations())
            await trio.sleep(1)
            await simulator.send(liquidation(1))
            simulator.script([RawBytes()])
            await simulator.wait_for(lambda stats: stats.connections_total == 2)
            await trio.sleep(1)
            await simulator.send(liquidation(2))
            await trio.sleep(1)
            assert seen.events == [liquidation(1), liquidation(2)]
            (disconnected,) = statuses.of(cgrx.Disconnected)
            assert isinstance(disconnected.error, cgrx.DisconnectedError)
            assert disconnected.error.code == 1002

    run_mock(main)


@pytest.mark.parametrize("fault", [Fragmented(parts=5), Binary(), Drip(delay="1ms")], ids=repr)
def test_a_frame_may_come_in_unusual_ways(fault: Fault) -> None:
    """In fragments with pings in between, as binary, byte by byte: in order, once."""

    async def main() -> None:
        async with Simulator(listen=False, faults=[fault]) as simulator, feed_on(simulator) as feed:
            seen = record(feed.liquidations())
            await trio.sleep(1)
            for number in range(3):
                await simulator.send(liquidation(number))
            await trio.sleep(2)
            assert seen.events == [liquidation(number) for number in range(3)]
            assert (feed.stats.malformed, feed.stats.connections) == (0, 1)

    run_mock(main)


def test_duplicates_pass() -> None:
    """Identical fills are common: nothing is taken away without being asked."""

    async def main() -> None:
        async with Simulator(listen=False, faults=[Duplicate()]) as simulator, feed_on(simulator) as feed:
            seen = record(feed.liquidations())
            await trio.sleep(1)
            await simulator.send(liquidation(1))
            await trio.sleep(1)
            assert seen.events == [liquidation(1), liquidation(1)]
            assert feed.stats.events == 2

    run_mock(main)


def test_late_events_pass_in_the_order_received() -> None:
    """What to do with them is for windows to say."""

    async def main() -> None:
        async with Simulator(listen=False, faults=[Late(delay="5s")]) as simulator, feed_on(simulator) as feed:
            seen = record(feed.liquidations())
            await trio.sleep(1)
            await simulator.send(liquidation(1))
            await simulator.send(liquidation(2))
            await trio.sleep(10)
            assert seen.events == [liquidation(2), liquidation(1)]
            assert [batch.received_ms for batch in seen.batches] == [ms_after(1), ms_after(6)]

    run_mock(main)


def test_the_counters_add_up() -> None:
    """Every event the server sent is in exactly one place, every message is of one kind."""

    async def main() -> None:
        events = Generator(seed=3, rate=200, start_ms=START_MS)
        async with (
            Simulator(events, listen=False, frame_events=3, times="recorded") as simulator,
            feed_on(simulator) as feed,
        ):
            liquidations = record(feed.liquidations())
            all_trades = feed.futures_trades("Binance", "BTCUSDT", min_volume=0)
            trades, leaving = record(all_trades), all_trades.subscribe(print)
            other = feed.futures_trades("Bybit", "BTCUSDT", min_volume=0).subscribe(lambda _: None)
            leaving.dispose()
            await trio.sleep(10)
            simulator.script([WrongTypes(), Garbage()])
            await simulator.send_raw("hello")
            await trio.sleep(10)
            other.dispose()
            await trio.sleep(10)
            stats, server = feed.stats, simulator.stats
            assert stats.events + (stats.unclaimed or 0) == server.events
            assert stats.channels[L].events == len(liquidations.events) > 0
            gone = stats.channels[cgrx.FuturesTrades("Bybit", "BTCUSDT", 0)]
            assert gone.subscribers == 0 < gone.events
            assert sum(each.events for each in stats.channels.values()) == stats.events
            assert len(trades.events) == stats.channels[cgrx.FuturesTrades("Binance", "BTCUSDT", 0)].events
            assert stats.malformed == BAD_EVENTS + 1
            assert stats.messages == server.frames + server.pongs + 2
            assert (stats.pings, stats.pongs) == (server.pings, server.pongs)
            assert stats.notices == 1
            assert stats.subscribers == 2
            assert stats.round_trip_ms == 0
            assert stats.channels[L].last_event_ms == liquidations.events[-1].time_ms
            assert stats.channels[L].last_received_ms == liquidations.batches[-1].received_ms

    run_mock(main)


def test_trades_of_several_instruments_come_in_the_order_of_their_times() -> None:
    """One stream of several subscriptions."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            pairs = [("Binance", "BTCUSDT"), ("OKX", "BTC-USDT-SWAP")]
            seen = record(feed.futures_trades_across(pairs, min_volume=0))
            await trio.sleep(1)
            okx = [trade(number, exchange="OKX", symbol="BTC-USDT-SWAP") for number in (1, 3, 5)]
            binance = [trade(number) for number in (2, 4, 6)]
            await simulator.send(okx)
            await simulator.send(binance)
            await trio.sleep(1)
            await feed.aclose()
            assert [event.time_ms for event in seen.events] == [1_000, 2_000, 3_000, 4_000, 5_000, 6_000]

    run_mock(main)


def test_two_feeds_in_one_program_merge() -> None:
    """Each vouches for its own connection; what one loses, the other still gives."""

    async def main() -> None:
        async with Simulator(listen=False) as first, Simulator(listen=False) as second:
            async with feed_on(first) as one, feed_on(second) as two:
                both = record(one.liquidations().merge(two.futures_trades("Binance", "BTCUSDT", min_volume=0)))
                await trio.sleep(5)
                await first.send(liquidation(1))
                await trio.sleep(1)
                await second.send(trade(2))
                await trio.sleep(1)
                assert both.events == [liquidation(1), trade(2)]
                assert len({mark.origin for mark in both.of(cgrx.Alive)}) == 2
                await one.aclose()
                await second.send(trade(3))
                await trio.sleep(1)
                assert both.events[-1] == trade(3)
                assert both.end is None
            assert both.end == "completed"

    run_mock(main)
