"""Subscriptions as desired state: what the server is told, when, and in how many messages."""

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

import cgrx
from cgrx._simulator.faults import NoPong, Refuse
from cgrx._simulator.routes import Generation
from cgrx._simulator.simulator import Simulator
from tests.feed.feeding import Record, Statuses, feed_on, record, subscribe_text, unsubscribe_text
from tests.simulator.simulating import liquidation, trade
from tests.support import run_mock

L = "liquidationOrders"
T = "futures_trades@Binance_BTCUSDT@0"
OKX = "futures_trades@OKX_BTC-USDT-SWAP@10000"


def all_three(
    feed: cgrx.Feed,
) -> tuple[cgrx.EventStream[cgrx.Liquidation], cgrx.EventStream[cgrx.Trade], cgrx.EventStream[cgrx.Trade]]:
    return (
        feed.liquidations(),
        feed.futures_trades("Binance", "BTCUSDT", min_volume=0),
        feed.futures_trades("OKX", "BTC-USDT-SWAP", min_volume=10_000),
    )


def test_the_first_one_in_subscribes_and_the_last_one_out_unsubscribes() -> None:
    """Those in between cost nothing."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            stream = feed.liquidations()
            first = stream.subscribe(print)
            await trio.sleep(1)
            second = feed.liquidations().subscribe(print)
            await trio.sleep(1)
            first.dispose()
            await trio.sleep(1)
            assert simulator.said() == (subscribe_text(L),)
            assert feed.stats.subscribers == 1
            second.dispose()
            await trio.sleep(1)
            assert simulator.said() == (subscribe_text(L), unsubscribe_text(L))
            assert feed.stats.subscribers == 0
            assert [each.subscribers for each in feed.stats.channels.values()] == [0]

    run_mock(main)


def test_changes_of_one_tick_go_in_one_message_and_a_ping_follows() -> None:
    """One for what is new, one for what is given up."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            await wait_all_tasks_blocked()
            pings = simulator.stats.pings
            subscriptions = [stream.subscribe(print) for stream in all_three(feed)]
            await wait_all_tasks_blocked()
            assert simulator.said() == (subscribe_text(L, T, OKX),)
            assert simulator.stats.pings == pings + 1
            subscriptions[0].dispose()
            subscriptions[2].dispose()
            feed.futures_trades("OKX", "BTC-USDT-SWAP", min_volume=0).subscribe(print)
            await wait_all_tasks_blocked()
            assert simulator.said()[1:] == (
                unsubscribe_text(L, OKX),
                subscribe_text("futures_trades@OKX_BTC-USDT-SWAP@0"),
            )
            assert simulator.stats.pings == pings + 2

    run_mock(main)


def test_after_a_change_the_next_ping_is_a_whole_interval_away() -> None:
    """Every 20 s, counted from the last one."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            await trio.sleep(15)
            feed.liquidations().subscribe(print)
            await trio.sleep(19.9)
            pings = simulator.stats.pings
            await trio.sleep(0.2)
            assert simulator.stats.pings == pings + 1

    run_mock(main)


def test_the_whole_set_is_sent_after_a_reconnect_in_one_message() -> None:
    """In the order in which the channels got their first subscriber."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            for stream in all_three(feed):
                stream.subscribe(print)
                await trio.sleep(1)
            await simulator.close_all()
            await trio.sleep(5)
            assert simulator.said(1) == (subscribe_text(L), subscribe_text(T), subscribe_text(OKX))
            assert simulator.said(2) == (subscribe_text(L, T, OKX),)

    run_mock(main)


def test_what_changes_while_disconnected_is_in_the_set_of_the_next_connection() -> None:
    """Subscribed, unsubscribed, and both."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            liquidations, binance, okx = all_three(feed)
            leaving = liquidations.subscribe(print)
            await trio.sleep(1)
            simulator.script([Refuse(connections=3)])
            await simulator.close_all()
            await trio.sleep(1)
            leaving.dispose()
            binance.subscribe(print)
            okx.subscribe(print).dispose()
            await trio.sleep(60)
            assert simulator.said() == (subscribe_text(L), subscribe_text(T))

    run_mock(main)


def test_with_nothing_desired_nothing_is_sent_after_a_reconnect() -> None:
    """Pings alone."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            feed.liquidations().subscribe(print).dispose()
            await trio.sleep(1)
            await simulator.close_all()
            await trio.sleep(5)
            assert simulator.said() == ()
            assert simulator.stats.connections == 1

    run_mock(main)


def test_left_and_rejoined_within_one_tick_nothing_is_sent() -> None:
    """The channel has worked all the time: the new subscriber's gap ends at once."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            leaving = feed.liquidations().subscribe(print)
            await trio.sleep(5)
            leaving.dispose()
            seen = record(feed.liquidations())
            await wait_all_tasks_blocked()
            assert seen.gaps == [(-float("inf"), 5)]
            await simulator.send(liquidation(1))
            await wait_all_tasks_blocked()
            assert seen.events == [liquidation(1)]
            assert simulator.said() == (subscribe_text(L),)

    run_mock(main)


def test_left_and_rejoined_within_one_tick_the_gap_comes_before_a_frame_of_that_tick() -> None:
    """A frame that is read before the feed has looked at its subscriptions."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            leaving = feed.liquidations().subscribe(print)
            for round_ in range(20):  # the tasks run in either order
                await trio.sleep(1)
                await simulator.send(liquidation(round_))
                leaving.dispose()
                seen = Record()
                leaving = feed.liquidations().subscribe_signals(seen)
                await wait_all_tasks_blocked()
                assert isinstance(seen.signals[0], cgrx.Gap)
                assert len(seen.gaps) == 1
            assert simulator.said() == (subscribe_text(L),)

    run_mock(main)


def test_rejoined_after_the_unsubscribe_only_a_pong_is_proof() -> None:
    """A frame may be left over from before: it is delivered, behind a first gap, and the gap goes on."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            leaving = feed.liquidations().subscribe(print)
            await trio.sleep(5)
            simulator.script([NoPong()])
            leaving.dispose()
            await trio.sleep(1)
            seen = record(feed.liquidations())
            await simulator.wait_subscribed(L)
            await trio.sleep(1)
            await simulator.send(liquidation(1))
            await trio.sleep(1)
            assert not feed.stats.channels[cgrx.LiquidationOrders()].proven
            assert seen.events == [liquidation(1)]
            await simulator.send_raw("pong")  # of the ping behind the unsubscribe: what follows is new
            await simulator.send(liquidation(2))
            await trio.sleep(1)
            assert feed.stats.channels[cgrx.LiquidationOrders()].proven
            assert [type(signal).__name__ for signal in seen.signals] == ["Gap", "Batch", "Gap", "Batch", "Alive"]
            assert seen.gaps == [(-float("inf"), 7), (7, 8)]

    run_mock(main)


def test_a_frame_between_the_unsubscribe_and_the_next_subscribe_is_nobody_s() -> None:
    """It is counted as unclaimed."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            leaving = feed.liquidations().subscribe(print)
            await trio.sleep(1)
            await simulator.send(liquidation(1))
            await wait_all_tasks_blocked()
            assert (feed.stats.events, feed.stats.unclaimed) == (1, 0)
            leaving.dispose()
            await simulator.send(liquidation(2))
            await wait_all_tasks_blocked()
            assert (feed.stats.events, feed.stats.unclaimed) == (1, 1)

    run_mock(main)


# The plan


def test_a_plan_too_low_ends_that_channel_s_streams_alone() -> None:
    """With a typed error that says what is needed; the other channel goes on."""

    async def main() -> None:
        async with Simulator(listen=False, need_upgrade=[L]) as simulator, feed_on(simulator) as feed:
            statuses = Statuses(feed)
            first, second = record(feed.liquidations()), record(feed.liquidations())
            trades = record(feed.futures_trades("Binance", "BTCUSDT", min_volume=0))
            await trio.sleep(1)
            assert isinstance(first.end, cgrx.PlanError)
            assert first.end is second.end
            assert (first.end.channel, first.end.notice) == (L, "liquidationOrders need upgrade plan")
            assert "Standard" in str(first.end)
            await simulator.send(trade(1))
            await trio.sleep(100)
            assert trades.events == [trade(1)]
            assert trades.end is None
            assert [each.subscribers for each in feed.stats.channels.values()] == [1, 0]
            assert feed.stats.notices == 1
            assert [status.text for status in statuses.of(cgrx.NoticeReceived)] == [first.end.notice]
            assert simulator.said() == (subscribe_text(L, T),), "there is nothing to unsubscribe from"

    run_mock(main)


@pytest.mark.parametrize(
    "notice",
    [
        f"{OKX} need upgrade plan",
        "FUTURES_TRADES needs upgrade plan",
        "futures_trades@okx_btc-usdt-swap@10000.0 need upgrade plan",
    ],
)
def test_the_notice_may_name_the_channel_in_other_ways(notice: str) -> None:
    """In another case, or without its parameters."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            trades = record(feed.futures_trades("OKX", "BTC-USDT-SWAP", min_volume=10_000))
            other = record(feed.liquidations())
            await trio.sleep(1)
            await simulator.send_raw(notice)
            await trio.sleep(1)
            assert isinstance(trades.end, cgrx.PlanError)
            assert other.end is None

    run_mock(main)


def test_without_on_error_a_plan_too_low_goes_to_the_status() -> None:
    """It ends that subscription, and neither the feed nor the program."""

    async def main() -> None:
        async with Simulator(listen=False, need_upgrade=[L]) as simulator, feed_on(simulator) as feed:
            statuses = Statuses(feed)
            feed.liquidations().subscribe(print)
            await trio.sleep(100)
            (failed,) = statuses.of(cgrx.StreamFailed)
            assert isinstance(failed.error, cgrx.PlanError)
            assert statuses.of(cgrx.SubscriberFailed) == []
            assert feed.state is cgrx.State.CONNECTED

    run_mock(main)


def test_a_channel_refused_by_the_plan_can_be_subscribed_to_again() -> None:
    """The server is asked again, and a pong in between proves nothing."""

    async def main() -> None:
        async with Simulator(listen=False, need_upgrade=[L]) as simulator, feed_on(simulator) as feed:
            again = Record()

            def retry(_: Exception) -> None:
                feed.liquidations().subscribe_signals(again)

            feed.liquidations().subscribe(print, retry)
            await trio.sleep(1)
            assert isinstance(again.end, cgrx.PlanError)
            assert again.signals == []
            assert simulator.said() == (subscribe_text(L), subscribe_text(L))

    run_mock(main)


# Names


@pytest.mark.parametrize("generation", [1, 2])
def test_both_generations_of_names_are_understood(generation: Generation) -> None:
    """Whatever was subscribed to, and over a whole connection: subscribing is done with the first generation's."""

    async def main() -> None:
        async with Simulator(listen=False, generation=generation) as simulator, feed_on(simulator) as feed:
            liquidations, trades, _ = all_three(feed)
            first, second = record(liquidations), record(trades)
            await trio.sleep(1)
            await simulator.send([liquidation(1), trade(2), liquidation(3)])
            await trio.sleep(1)
            assert first.events == [liquidation(1), liquidation(3)]
            assert second.events == [trade(2)]
            assert simulator.said() == (subscribe_text(L, T),)

    run_mock(main)


def frame(name: str, number: int) -> str:
    return (
        f'{{"channel":"{name}","data":[{{"baseAsset":"BTC","exName":"Binance","price":60000.0,"side":2,'
        f'"symbol":"BTCUSDT","time":{number * 1000},"volUsd":1000.0}}]}}'
    )


def test_a_channel_is_found_by_any_spelling_of_its_name() -> None:
    """The exact one first; another case or form of the number where there is none."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            upper = record(feed.futures_trades("BINANCE", "BTCUSDT", min_volume=0))
            exact = record(feed.futures_trades("Binance", "BTCUSDT", min_volume=0))
            large = record(feed.futures_trades("Binance", "BTCUSDT", min_volume=10_000))
            await trio.sleep(1)
            for name in (
                "futures_trades@Binance_BTCUSDT@0",
                "futures_trades@binance_btcusdt@0.0",
                "futures_trades@Binance_BTCUSDT@1e4",
                "futures_trades@Binance_BTCUSDT@5",
            ):
                await simulator.send_raw(frame(name, 1))
            await trio.sleep(1)
            assert (len(exact.events), len(upper.events), len(large.events)) == (1, 1, 1)
            assert feed.stats.unclaimed == 1

    run_mock(main)


def test_any_number_of_foreign_names_is_bounded_in_memory() -> None:
    """A server that makes up names costs no more than the memo holds."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            seen = record(feed.liquidations())
            await trio.sleep(1)
            for number in range(2_500):
                await simulator.send_raw(frame(f"futures_trades@Binance_X{number}@0", number))
            await simulator.send(liquidation(1))
            await trio.sleep(1)
            assert feed.stats.unclaimed == 2_500
            assert seen.events == [liquidation(1)]

    run_mock(main)
