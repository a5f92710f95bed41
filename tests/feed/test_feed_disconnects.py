"""Connections that end: what is said of it, when the next attempt comes, what is given up."""

import random

import pytest
import trio
from trio.testing import MockClock

import cgrx
from cgrx._simulator.faults import Close, CloseAtOnce, Drop, DropInFrame, Fault, HalfFrame, NoPong, Refuse, Stall
from cgrx._simulator.journal import Ended
from cgrx._simulator.simulator import Simulator
from tests.feed.feeding import Record, Statuses, feed_on, raises, record
from tests.simulator.simulating import liquidation
from tests.support import run_mock


async def reconnected(simulator: Simulator, feed: cgrx.Feed, connections: int = 2) -> None:
    """Wait until the feed has reconnected and its subscription has arrived."""
    await simulator.wait_for(lambda stats: stats.connections_total == connections)
    await simulator.wait_subscribed("liquidationOrders")


@pytest.mark.parametrize("code", [1000, 1001, 1008, 1011, 1012])
def test_a_close_by_the_server_is_survived(code: int) -> None:
    """With whatever code: what came before arrives, the feed reconnects, what comes then arrives too."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            statuses, seen = Statuses(feed), record(feed.liquidations())
            await simulator.wait_subscribed("liquidationOrders")
            await trio.sleep(1)
            await simulator.send(liquidation(1))
            simulator.script([Close(code=code, reason="because")])
            await reconnected(simulator, feed)
            await simulator.send(liquidation(2))
            await trio.sleep(1)
            (disconnected,) = statuses.of(cgrx.Disconnected)
            assert isinstance(disconnected.error, cgrx.DisconnectedError)
            assert (disconnected.error.code, disconnected.error.reason) == (code, "because")
            assert disconnected.retry_in_s == 0.5
            assert seen.events == [liquidation(1), liquidation(2)]
            assert [entry.code for entry in simulator.log if isinstance(entry, Ended)] == [code]

    run_mock(main)


@pytest.mark.parametrize("fault", [Drop(), DropInFrame()], ids=repr)
def test_an_abrupt_drop_is_survived(fault: Drop | DropInFrame) -> None:
    """Also in mid-frame: the half that came is no event, and no malformed one."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            statuses, seen = Statuses(feed), record(feed.liquidations())
            await simulator.wait_subscribed("liquidationOrders")
            await trio.sleep(1)
            simulator.script([fault])
            await simulator.send(liquidation(1))
            await reconnected(simulator, feed)
            await simulator.send(liquidation(2))
            await trio.sleep(1)
            (disconnected,) = statuses.of(cgrx.Disconnected)
            assert isinstance(disconnected.error, cgrx.DisconnectedError)
            assert disconnected.error.code == 1006
            assert liquidation(2) in seen.events
            assert feed.stats.malformed == 0

    run_mock(main)


def test_while_it_reconnects_the_state_says_so() -> None:
    """Connected, reconnecting, connected, closed."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            states = [feed.state]
            simulator.script([Refuse(connections=2)])
            await trio.sleep(1)
            await simulator.close_all()
            await trio.sleep(1)
            states.append(feed.state)
            await trio.sleep(10)
            states.append(feed.state)
            await feed.aclose()
            states.append(feed.state)
            assert [state.value for state in states] == ["connected", "reconnecting", "connected", "closed"]
            assert (feed.stats.connections, feed.stats.attempts) == (2, 4)

    run_mock(main)


# Half-open


@pytest.mark.parametrize("fault", [NoPong(), Stall(), HalfFrame()], ids=repr)
def test_without_a_pong_the_connection_is_dead_ten_seconds_after_the_ping(fault: NoPong | Stall | HalfFrame) -> None:
    """To the moment, however open it looks, and no closing handshake is waited for."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            statuses, seen = Statuses(feed), record(feed.liquidations())
            await trio.sleep(1)
            simulator.script([fault])
            await simulator.send(liquidation(1))
            await trio.sleep(40)
            (disconnected,) = statuses.of(cgrx.Disconnected)
            assert isinstance(disconnected.error, cgrx.HeartbeatError)
            assert disconnected.error.timeout_s == 10
            assert statuses.times(cgrx.Disconnected) == [30], "the ping of 20 s"
            assert statuses.times(cgrx.Connected) == [0, 30.5]
            assert seen.gaps[1:] == [(1 if isinstance(fault, NoPong) else 0, 30.5)]

    run_mock(main)


def test_frames_do_not_replace_a_pong() -> None:
    """The peer still sends and yet does not answer: that is not a connection to rely on."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            statuses = Statuses(feed)
            record(feed.liquidations())
            await trio.sleep(1)
            simulator.script([NoPong()])
            for number in range(40):
                await simulator.send(liquidation(number))
                await trio.sleep(1)
            assert statuses.times(cgrx.Disconnected) == [30]

    run_mock(main)


@pytest.mark.parametrize("where", ["in a callback", "in another task"])
@pytest.mark.parametrize("busy_s", [15.0, 100.0])
def test_a_busy_program_does_not_lose_its_connection(where: str, busy_s: float) -> None:
    """The pong is in the socket by then; only the program had no time to read it."""
    clock = MockClock(autojump_threshold=0)

    async def main() -> None:
        async with trio.open_nursery() as nursery, Simulator(listen=False) as simulator, feed_on(simulator) as feed:

            def work(_: object) -> None:
                nursery.start_soon(simulator.send_raw, "pong")
                clock.jump(busy_s)

            statuses = Statuses(feed)
            feed.liquidations().subscribe(work if where == "in a callback" else None)
            await trio.sleep(1)
            simulator.script([NoPong()])
            before = feed.stats.pongs or 0
            await trio.sleep(20)
            if where == "in a callback":
                await simulator.send(liquidation(1))
            else:
                work(None)
            await trio.sleep_until(29 + busy_s)
            assert statuses.of(cgrx.Disconnected) == []
            assert feed.stats.pongs == before + 1

    trio.run(main, clock=clock)


def test_a_busy_program_still_finds_a_dead_connection_dead() -> None:
    """A second after it has time again, in which the pong could have been found."""
    clock = MockClock(autojump_threshold=0)

    async def main() -> None:
        async with Simulator(listen=False, faults=[NoPong()]) as simulator, feed_on(simulator) as feed:
            statuses = Statuses(feed)
            await trio.sleep(5)
            clock.jump(15)
            await trio.sleep(20)
            assert statuses.times(cgrx.Disconnected) == [21]

    trio.run(main, clock=clock)


# Three in a row


def test_three_connections_closed_before_any_proof_are_final() -> None:
    """The last notice and the last code say why."""

    async def main() -> None:
        statuses = Statuses()
        faults = [CloseAtOnce(code=1000, notice="who are you"), CloseAtOnce(code=1000), CloseAtOnce(code=1008)]
        async with Simulator(listen=False, faults=faults) as simulator:
            seen = Record()
            with raises(cgrx.RejectedError) as caught:
                async with feed_on(simulator) as feed:
                    statuses.watch(feed)
                    feed.liquidations().subscribe_signals(seen)
                    await trio.sleep_forever()
            error = caught.value
            assert (error.attempts, error.code, error.notice) == (3, 1008, "who are you")
            assert seen.end is error
            assert statuses.feed.state is cgrx.State.FAILED
            assert trio.current_time() == 1.5
            assert simulator.stats.connections_total == 3

    run_mock(main)


def test_a_proof_sets_the_count_back() -> None:
    """Two, then one that works, then two again: no rejection."""

    async def main() -> None:
        closed = CloseAtOnce(connections=2)
        async with Simulator(listen=False, faults=[closed]) as simulator, feed_on(simulator) as feed:
            await simulator.wait_for(lambda stats: stats.pongs > 0)
            await trio.sleep(1)
            simulator.script([closed])
            await simulator.close_all()
            await trio.sleep(60)
            assert feed.state is cgrx.State.CONNECTED
            assert feed.stats.connections == 6

    run_mock(main)


def test_an_attempt_that_fails_in_between_does_not_set_the_count_back() -> None:
    """Nor does a connection that dies without being closed."""

    async def main() -> None:
        faults: list[Fault] = [CloseAtOnce(), Refuse(), CloseAtOnce(), Refuse(how=503), CloseAtOnce()]
        async with Simulator(listen=False, faults=faults) as simulator:
            with pytest.raises(cgrx.RejectedError, match="3 connections in a row"):
                async with feed_on(simulator) as feed:
                    await feed.run()

    run_mock(main)


def test_a_connection_that_never_answers_is_no_rejection() -> None:
    """It was not closed: it is tried again for ever."""

    async def main() -> None:
        faults = [NoPong(connection=number) for number in range(1, 6)]
        async with Simulator(listen=False, faults=faults) as simulator, feed_on(simulator) as feed:
            await trio.sleep(100)
            assert feed.state is cgrx.State.CONNECTED
            assert feed.stats.connections == 6

    run_mock(main)


# Backoff


def test_delays_grow_until_a_connection_was_healthy_for_a_minute() -> None:
    """A shorter one does not start them afresh."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            statuses = Statuses(feed)
            for connected_s in (1, 59, 60, 1):
                await simulator.wait_connections(1)
                await trio.sleep(connected_s)
                await simulator.close_all()
                await simulator.wait_connections(0)
            await simulator.wait_connections(1)
            assert [each.retry_in_s for each in statuses.of(cgrx.Disconnected)] == [0.5, 1, 0.5, 1]

    run_mock(main)


def test_the_wall_clock_catches_up_with_a_laptop_s_sleep() -> None:
    """trio's clock stood for an hour: the gap shows it."""
    wall = [1_700_000_000.0]

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator, wall_clock=lambda: wall[0]) as feed:
            seen = record(feed.liquidations())
            await trio.sleep(5)
            wall[0] += 3_605
            await simulator.close_all()
            await reconnected(simulator, feed)
            await trio.sleep(1)
            assert seen.gaps[1:] == [(0, 3_605)]
            assert seen.alive == [0, 3_605]

    run_mock(main)


def test_after_the_clock_moved_a_channel_with_events_waits_for_its_next_one() -> None:
    """Its windows would close as if an hour had passed, where the clock was only set."""
    wall = [1_700_000_000.0]

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator, wall_clock=lambda: wall[0]) as feed:
            seen = record(feed.liquidations())
            quiet = record(feed.futures_trades("Binance", "BTCUSDT", min_volume=0))
            await trio.sleep(5)
            await simulator.send(liquidation(1))
            await trio.sleep(1)
            wall[0] += 3_606
            await simulator.close_all()
            await reconnected(simulator, feed)
            await trio.sleep(2)
            assert (seen.alive, quiet.alive) == ([0, 5], [0, 5, 3_606])
            await simulator.send(liquidation(2))
            await trio.sleep(1)
            assert (seen.alive, quiet.alive) == ([0, 5, 3_608], [0, 5, 3_606, 3_608])
            assert isinstance(seen.signals[-2], cgrx.Batch)

    run_mock(main)


def test_fifty_reconnects_in_a_row_keep_the_subscriptions() -> None:
    """Nothing is subscribed to twice, each time in one message, and every event in between arrives."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator, rng=random.Random(1)) as feed:
            liquidations = record(feed.liquidations())
            trades = record(feed.futures_trades("Binance", "BTCUSDT", min_volume=0))
            for number in range(50):
                await reconnected(simulator, feed, number + 1)
                await simulator.send(liquidation(number))
                await simulator.flush()
                simulator.script([Drop() if number % 2 else Close()])
                await simulator.wait_connections(0)
            await reconnected(simulator, feed, 51)
            await trio.sleep(1)
            assert liquidations.events == [liquidation(number) for number in range(50)]
            assert len(simulator.said()) == 51
            assert len(set(simulator.said())) == 1
            assert feed.stats.connections == 51
            assert feed.stats.channels[cgrx.LiquidationOrders()].gaps == 50
            assert len(trades.of(cgrx.Gap)) == 51

    run_mock(main)
