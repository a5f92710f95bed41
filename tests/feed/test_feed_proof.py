"""What a stream is told of the time: gaps, proofs that the connection is alive, silence."""

import pytest
import trio

import cgrx
from cgrx._simulator.faults import Drip, Fault, HalfFrame, NoPong, Refuse
from cgrx._simulator.simulator import Simulator
from tests.feed.feeding import INF, Statuses, feed_on, ms_after, record
from tests.simulator.simulating import liquidation, trade
from tests.support import run_mock


async def send_every_second(simulator: Simulator, seconds: int, offset_s: float = 0.0) -> None:
    """A liquidation now and after each second."""
    await trio.sleep(offset_s)
    for number in range(seconds):
        await simulator.send(liquidation(number))
        await trio.sleep(1)


# Gaps


def test_a_subscription_begins_with_a_gap_up_to_its_first_pong() -> None:
    """From the beginning of time: the ping that follows every subscribe proves it."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            await trio.sleep(3)
            seen = record(feed.liquidations())
            await trio.sleep(1)
            assert seen.signals[0] == cgrx.Gap(cgrx.LiquidationOrders(), 0, ms_after(3), "subscribed")
            assert seen.gaps == [(-INF, 3)]

    run_mock(main)


def test_a_frame_before_the_pong_is_proof_for_its_own_channel_alone() -> None:
    """The other one waits for its pong."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            await trio.sleep(1)
            simulator.script([NoPong()])
            first = record(feed.liquidations())
            second = record(feed.futures_trades("Binance", "BTCUSDT", min_volume=0))
            await trio.sleep(4)
            await simulator.send(liquidation(1))
            await trio.sleep(1)
            assert first.gaps == [(-INF, 5)]
            assert first.alive == [5]
            assert second.signals == []
            await simulator.send_raw("pong")
            await trio.sleep(1)
            assert second.gaps == [(-INF, 6)]
            assert second.alive == []

    run_mock(main)


def test_a_later_subscriber_has_its_own_gap() -> None:
    """Up to the moment at which it came, since its channel works."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            first = record(feed.liquidations())
            await trio.sleep(7)
            second = record(feed.liquidations())
            assert (first.gaps, second.gaps) == ([(-INF, 0)], [(-INF, 7)])
            assert len(simulator.said()) == 1

    run_mock(main)


def test_a_gap_after_a_reconnect_starts_at_the_last_frame() -> None:
    """And ends at the pong of the new connection."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            seen = record(feed.liquidations())
            await send_every_second(simulator, 5)
            await trio.sleep(5)
            await simulator.close_all(1001, "bye")
            await trio.sleep(5)
            assert seen.gaps == [(-INF, 0), (4, 10.5)]
            assert seen.of(cgrx.Gap)[1].reason == "connection closed with code 1001: bye"

    run_mock(main)


def test_a_gap_after_a_reconnect_starts_at_the_last_answered_ping() -> None:
    """Where no frame came since."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            seen = record(feed.liquidations())
            await trio.sleep(25)
            simulator.script([Refuse(connections=3)])
            await simulator.close_all()
            await trio.sleep(60)
            assert seen.gaps == [(-INF, 0), (20, 25 + 0.5 + 1 + 2 + 4)]

    run_mock(main)


def test_a_gap_after_a_reconnect_ends_at_the_first_frame() -> None:
    """Where it comes before the pong, which may never come."""

    async def main() -> None:
        async with Simulator(listen=False, faults=[NoPong(connection=2)]) as simulator, feed_on(simulator) as feed:
            seen = record(feed.liquidations())
            await trio.sleep(5)
            await simulator.close_all()
            await trio.sleep(3)
            await simulator.send(liquidation(1))
            await trio.sleep(1)
            assert seen.gaps == [(-INF, 0), (0, 8)]
            assert [type(each).__name__ for each in seen.signals[-3:]] == ["Gap", "Batch", "Alive"]

    run_mock(main)


def test_at_the_close_there_is_a_gap_for_who_misses_something() -> None:
    """Its end is the close; then the stream completes."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            seen = record(feed.liquidations())
            await trio.sleep(5)
            simulator.script([Refuse(connections=99)])
            await simulator.close_all()
            await trio.sleep(60)
            never_proven = record(feed.futures_trades("Binance", "BTCUSDT", min_volume=0))
            await feed.aclose()
            assert seen.gaps == [(-INF, 0), (0, 65)]
            assert never_proven.gaps == [(-INF, 65)]
            assert (seen.end, never_proven.end) == ("completed", "completed")

    run_mock(main)


def test_at_the_close_of_a_working_connection_there_is_none() -> None:
    """What can still come is nobody's: the stream has ended."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            seen = record(feed.liquidations())
            await trio.sleep(5)
            await feed.aclose()
            assert seen.gaps == [(-INF, 0)]
            assert seen.end == "completed"

    run_mock(main)


# Alive


def test_frames_are_proof_at_most_once_a_second() -> None:
    """With the time of their receipt."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            seen = record(feed.liquidations())
            for number in range(25):
                await trio.sleep(0.3)
                await simulator.send(liquidation(number))
            await trio.sleep(0.1)
            assert [round(time, 3) for time in seen.alive] == [0, 1.2, 2.4, 3.6, 4.8, 6.0, 7.2]
            assert len(seen.events) == 25

    run_mock(main)


def test_the_frames_of_one_channel_vouch_for_the_others() -> None:
    """One connection is ordered: what one channel says at 5 s comes behind all that the other had to say."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            liquidations = record(feed.liquidations())
            trades = record(feed.futures_trades("Binance", "BTCUSDT", min_volume=0))
            await trio.sleep(5)
            await simulator.send(trade(1))
            await trio.sleep(1)
            assert liquidations.events == []
            assert liquidations.alive == trades.alive == [0, 5]
            origins = {mark.origin for mark in liquidations.of(cgrx.Alive) + trades.of(cgrx.Alive)}
            assert len(origins) == 1

    run_mock(main)


def test_a_pong_is_proof_of_the_time_its_ping_was_sent() -> None:
    """Not of its own: what the server said while the pong was under way is not known to be all."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            seen = record(feed.liquidations())
            await trio.sleep(10)
            simulator.script([NoPong()])
            await trio.sleep(17)
            await simulator.send_raw("pong")
            await trio.sleep(1)
            assert seen.alive == [0, 20]
            assert feed.stats.round_trip_ms == 7_000

    run_mock(main)


def test_a_pong_that_nobody_asked_for_proves_nothing() -> None:
    """It is counted."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            seen = record(feed.liquidations())
            await trio.sleep(5)
            pongs = feed.stats.pongs or 0
            await simulator.send_raw("pong")
            await trio.sleep(1)
            assert seen.alive == [0]
            assert feed.stats.pongs == pongs + 1

    run_mock(main)


@pytest.mark.parametrize("text", ["PONG", ' "pong"\n'])
def test_a_pong_may_be_spelled_in_other_ways(text: str) -> None:
    """In any case, with quotes or white space around it."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            await trio.sleep(10)
            simulator.script([NoPong()])
            await trio.sleep(11)
            await simulator.send_raw(text)
            await trio.sleep(15)
            assert feed.stats.connections == 1

    run_mock(main)


def test_without_proof_there_is_no_alive() -> None:
    """Not for a channel whose subscription is not known to work, nor while disconnected."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            trades = record(feed.futures_trades("Binance", "BTCUSDT", min_volume=0))
            await trio.sleep(5)
            simulator.script([NoPong()])
            liquidations = record(feed.liquidations())
            for number in range(4):
                await trio.sleep(2)
                await simulator.send(trade(number))
            await trio.sleep(1)
            assert trades.alive == [0, 7, 9, 11, 13]
            assert liquidations.signals == []
            simulator.script([Refuse(connections=99)])
            await simulator.close_all()
            await trio.sleep(100)
            assert trades.alive == [0, 7, 9, 11, 13]

    run_mock(main)


def test_alive_never_goes_back_over_reconnects() -> None:
    """Its origin is the feed, not the connection."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            seen = record(feed.liquidations())
            for _ in range(20):
                await send_every_second(simulator, 2, offset_s=0.7)
                await simulator.close_all()
                await simulator.wait_connections(1)
            assert seen.alive == sorted(seen.alive)
            assert len(seen.alive) >= 40
            assert len({mark.origin for mark in seen.of(cgrx.Alive)}) == 1

    run_mock(main)


def test_a_frame_that_drips_in_counts_from_its_end() -> None:
    """It is received when it is whole."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            seen = record(feed.liquidations())
            await trio.sleep(1)
            simulator.script([Drip(delay="50ms")])
            await simulator.send(liquidation(1))
            await trio.sleep(30)
            (batch,) = seen.batches
            assert ms_after(6) < batch.received_ms < ms_after(12)
            assert seen.alive[1] * 1000 == batch.received_ms - ms_after(0)

    run_mock(main)


# Silent


def test_a_channel_without_an_event_for_a_minute_is_reported_once() -> None:
    """Proven alive that long; the status names the channel and how else its instrument is spelled."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            statuses = Statuses(feed)
            record(feed.futures_trades("OKX", "BTCUSDT", min_volume=0))
            record(feed.liquidations())
            await trio.sleep(59.9)
            assert statuses.of(cgrx.Silent) == []
            await trio.sleep(300)
            assert [(each.at_ms, each.channel, each.hint) for each in statuses.of(cgrx.Silent)] == [
                (
                    ms_after(60),
                    cgrx.FuturesTrades("OKX", "BTCUSDT", 0),
                    "OKX spells this BTC-USDT-SWAP",
                ),
                (ms_after(60), cgrx.LiquidationOrders(), None),
            ]

    run_mock(main)


@pytest.mark.parametrize(
    ("exchange", "symbol"), [("OKX", "BTC-USDT-SWAP"), ("Binance", "???"), ("An exchange", "BTCUSDT")]
)
def test_where_no_other_spelling_is_known_there_is_no_hint(exchange: str, symbol: str) -> None:
    """It is the usual one, cannot be read, or the exchange is not known."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            statuses = Statuses(feed)
            record(feed.futures_trades(exchange, symbol, min_volume=0))
            await trio.sleep(100)
            assert [each.hint for each in statuses.of(cgrx.Silent)] == [None]

    run_mock(main)


def test_a_channel_with_an_event_is_never_reported() -> None:
    """However long ago: quiet is normal."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            statuses = Statuses(feed)
            record(feed.liquidations())
            await trio.sleep(30)
            await simulator.send(liquidation(1))
            await trio.sleep(1_000)
            assert statuses.of(cgrx.Silent) == []

    run_mock(main)


def test_time_that_is_not_proven_does_not_count_as_silence() -> None:
    """A minute without a connection says nothing about the channel."""

    async def main() -> None:
        faults: list[Fault] = [HalfFrame(connection=1), Refuse(connections=8, connection=2)]
        async with Simulator(listen=False, faults=faults) as simulator, feed_on(simulator) as feed:
            statuses = Statuses(feed)
            record(feed.futures_trades("Binance", "BTCUSDT", min_volume=0))
            await trio.sleep(30)
            await simulator.close_all()
            await trio.sleep(150)
            connected_s = statuses.times(cgrx.Connected)[-1]
            assert 90 < connected_s < 180
            await trio.sleep(200)
            (silent_s,) = statuses.times(cgrx.Silent)
            assert silent_s == connected_s + 40, "20 s were proven before: the ping of 20 s"

    run_mock(main)
