"""Who gets which event of a simulator, under which names, in which frames."""

import pytest
import trio

from cgrx._model.channels import FuturesTrades
from cgrx._model.events import Event
from cgrx._simulator.journal import Client, Ended
from cgrx._simulator.simulator import Simulator
from tests.simulator.simulating import LIQUIDATIONS, MEMORY, TRADES, Way, both_ways, liquidation, send_each, trade
from tests.support import run_mock


@both_ways
def test_two_clients_each_get_what_they_subscribed_to(way: Way) -> None:
    """Several names in one command, several clients, each with its own set; the log tells them apart."""

    async def main() -> None:
        async with Simulator(listen=way.listen) as simulator:
            both = await way.connect(simulator, LIQUIDATIONS, TRADES)
            one = await way.connect(simulator, LIQUIDATIONS)
            await simulator.wait_subscribed(LIQUIDATIONS, clients=2)
            sold = trade(2, 20_000.0)
            await send_each(simulator, [liquidation(1), sold, liquidation(3)])
            assert await both.events(3) == [liquidation(1), sold, liquidation(3)]
            assert await one.events(2) == [liquidation(1), liquidation(3)]
            assert simulator.clients == (Client(1, (LIQUIDATIONS, TRADES), 3), Client(2, (LIQUIDATIONS,), 2))
            assert simulator.stats.events_per_channel == {LIQUIDATIONS: 2, TRADES: 1}
            assert simulator.stats.subscriptions == {LIQUIDATIONS: 2, TRADES: 1}
            assert simulator.said(2) == ('{"method":"subscribe","channels":["liquidationOrders"]}',)
            assert len(simulator.said()) == 2
            await both.stream.aclose()
            await one.stream.aclose()
            await simulator.wait_connections(0)
            assert not simulator.stats.subscriptions
            assert len(simulator.clients) == 0

    way.run(main)


@pytest.mark.parametrize(
    ("event", "heard"),
    [
        (trade(1, 10_000.0), True),
        (trade(1, 9_999.99), False),
        (trade(1, 20_000.0, exchange="BINANCE"), True),
        (trade(1, 20_000.0, exchange="OKX"), False),
        (trade(1, 20_000.0, symbol="ETHUSDT"), False),
        (liquidation(1, 20_000.0), False),
    ],
)
def test_trades_match_by_exchange_symbol_and_volume(event: Event, heard: bool) -> None:
    """Exchanges are compared without case, symbols exactly, and `minVol` is honoured."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator:
            client = await MEMORY.connect(simulator, TRADES)
            await simulator.send(event)
            assert simulator.stats.events == heard
            assert simulator.stats.events_unheard == (not heard)
            if heard:
                assert (await client.frame()).text.startswith(f'{{"channel":"{TRADES}"')
            await client.silence()

    run_mock(main)


def test_two_minimum_volumes_are_two_channels() -> None:
    """An event that is large enough for both comes once under each name, and counts once."""

    async def main() -> None:
        small, large = "futures_trades@Binance_BTCUSDT@10", "futures_trades@Binance_BTCUSDT@1000"
        async with Simulator(listen=False) as simulator:
            client = await MEMORY.connect(simulator, small, large)
            await simulator.send([trade(1, 500.0), trade(2, 5_000.0)])
            first, second = await client.frame(), await client.frame()
            assert (small in first.text, first.events) == (True, (trade(1, 500.0), trade(2, 5_000.0)))
            assert (large in second.text, second.events) == (True, (trade(2, 5_000.0),))
            assert simulator.stats.events == 2
            assert simulator.stats.events_per_channel == {small: 2, large: 1}

    run_mock(main)


def test_unsubscribing_ends_a_channel_under_any_of_its_names() -> None:
    """Subscribing twice is subscribing once; unsubscribing what is not subscribed changes nothing."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator:
            client = await MEMORY.connect(simulator, LIQUIDATIONS, "liquidation_orders")
            await simulator.send(liquidation(1))
            assert await client.events(1) == [liquidation(1)]
            await client.command("unsubscribe", TRADES, "liquidation_orders")
            await simulator.wait_for(lambda stats: not stats.subscriptions)
            await client.command("unsubscribe", LIQUIDATIONS)
            await simulator.wait_for(lambda stats: stats.commands == 3)
            await simulator.send(liquidation(2))
            await client.silence()
            assert simulator.stats.events_unheard == 1

    run_mock(main)


def test_generation_two_has_its_own_names() -> None:
    """Of the fields and of the liquidation channel, whatever was subscribed; trade channels keep theirs."""

    async def main() -> None:
        async with Simulator(listen=False, generation=2) as simulator:
            client = await MEMORY.connect(simulator, LIQUIDATIONS, TRADES)
            await simulator.send(liquidation(1))
            assert (await client.frame()).text == (
                '{"channel":"liquidation_orders","data":[{"base_asset":"BTC","exchange":"Binance","symbol":"BTCUSDT",'
                '"side":1,"price":60000.0,"volume_usd":1000.0,"time":1000}]}'
            )
            await simulator.send(trade(1, 20_000.0))
            assert (await client.frame()).text.startswith(f'{{"channel":"{TRADES}","data":[{{"base_asset"')

    run_mock(main)


def test_frames_may_carry_the_time_of_sending() -> None:
    """The key that one capture shows: on the wall clock, in milliseconds, moved by the mock clock too."""

    async def main() -> None:
        async with Simulator(listen=False, send_time=True, wall_clock=lambda: 1.7e9) as simulator:
            client = await MEMORY.connect(simulator, LIQUIDATIONS)
            await simulator.send(liquidation(1))
            first = (await client.frame()).text
            await trio.sleep(10)
            await simulator.send(liquidation(1))
            second = (await client.frame()).text
            times = [int(text.rpartition('"time":')[2].rstrip("}")) for text in (first, second)]
            assert times[1] - times[0] == pytest.approx(10_000, abs=2)
            assert 0 <= times[0] - 1_700_000_000_000 < 1_000

    run_mock(main)


def test_events_pushed_together_share_a_frame() -> None:
    """One frame a call and channel, in the order given; on a channel by name whatever it carries."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator:
            client = await MEMORY.connect(simulator, LIQUIDATIONS, TRADES)
            await simulator.send([liquidation(1), liquidation(2)])
            assert (await client.frame()).events == (liquidation(1), liquidation(2))
            await simulator.send(trade(3, 5.0), TRADES)
            assert (await client.frame()).events == (trade(3, 5.0),)
            await simulator.send([trade(4, 5.0)], FuturesTrades("Binance", "BTCUSDT", 10_000))
            assert (await client.frame()).events == (trade(4, 5.0),)
            await simulator.send([])
            await simulator.send([], TRADES)
            await simulator.send(trade(5), "futures_trades@OKX_BTC-USDT@0")
            await client.silence()
            assert (simulator.stats.events, simulator.stats.events_unheard) == (4, 1)

    run_mock(main)


def test_raw_messages_go_to_everybody() -> None:
    """A text in a frame, bytes without one; also to clients without a subscription."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator:
            client = await MEMORY.connect(simulator)
            await simulator.send_raw("any text")
            assert (await client.frame()).text == "any text"
            await simulator.send_raw(b"\x81\x02hi")
            assert (await client.frame()).text == "hi"

    run_mock(main)


@both_ways
def test_closing_all_waits_for_the_answers(way: Way) -> None:
    """Each client gets the code, behind what was sent before."""

    async def main() -> None:
        async with Simulator(listen=way.listen) as simulator:
            client = await way.connect(simulator, LIQUIDATIONS)
            await simulator.send(liquidation(1))
            async with trio.open_nursery() as nursery:
                nursery.start_soon(simulator.close_all, 1012, "restart")
                assert await client.events(1) == [liquidation(1)]
                close = await client.frame()
                assert (close.close_code, close.payload[2:]) == (1012, b"restart")
                await client.answer_close()
            assert simulator.stats.connections == 0
            assert simulator.log[-1] == Ended(1, simulator.log[-1].at_s, 1012)
            await client.stream.aclose()

    way.run(main)


def test_closing_all_drops_who_does_not_answer() -> None:
    """Within twice the close time-out, also where its buffer is full and the close frame never reaches it."""

    async def main() -> None:
        async with Simulator(listen=False, close_timeout="2s", overflow="block") as simulator:
            deaf = await MEMORY.connect(simulator)
            clogged = await MEMORY.connect(simulator)
            await simulator.send_raw(bytes(1_000_000))
            assert len(await deaf.stream.receive_some()) > 0
            start = trio.current_time()
            await simulator.close_all(1001)
            assert trio.current_time() - start == pytest.approx(4.0)
            assert simulator.stats.connections == 0
            with pytest.raises(trio.BrokenResourceError):
                await clogged.frame()

    run_mock(main)


@both_ways
def test_dropping_all_resets_every_connection(way: Way) -> None:
    """Without a close frame."""

    async def main() -> None:
        async with Simulator(listen=way.listen) as simulator:
            client = await way.connect(simulator)
            await simulator.wait_connections(1)
            simulator.drop_all()
            with pytest.raises(trio.BrokenResourceError):
                await client.frame()
            await simulator.wait_connections(0)
            assert simulator.log[-1] == Ended(1, simulator.log[-1].at_s, 1006)
            await client.stream.aclose()

    way.run(main)
