"""The simulator behaves as PROTOCOL.md says, over loopback as in memory: handshake, key, plan, commands."""

from typing import Any, Literal

import pytest
import trio
import trio_websocket

from cgrx._simulator.access import Plan
from cgrx._simulator.journal import Connected, Ended, Refused, Said
from cgrx._simulator.simulator import Simulator
from tests.simulator.simulating import (
    BINARY,
    LIQUIDATIONS,
    MEMORY,
    PING,
    PONG,
    RESOURCE,
    TRADES,
    RawClient,
    Way,
    both_ways,
    liquidation,
    trade,
)
from tests.support import run_mock


@both_ways
def test_a_client_of_the_library_gets_its_events(way: Way) -> None:
    """The reference client, end to end: subscribe, ping, one event a frame, close."""

    async def main() -> None:
        async with Simulator(listen=way.listen) as simulator, trio.open_nursery() as nursery:
            # trio-websocket takes any stream, whatever it says.
            stream: Any = await way.open(simulator)
            client = await trio_websocket.wrap_client_stream(nursery, stream, "simulator.test", RESOURCE)
            await client.send_message('{"method":"subscribe","channels":["liquidationOrders"]}')
            await client.send_message("ping")
            assert await client.get_message() == "pong"
            await simulator.send(liquidation(1))
            assert await client.get_message() == (
                '{"channel":"liquidationOrders","data":[{"baseAsset":"BTC","exName":"Binance","symbol":"BTCUSDT",'
                '"side":1,"price":60000.0,"volUsd":1000.0,"time":1000}]}'
            )
            await client.aclose(1000)
            await simulator.wait_connections(0)
            assert [type(entry) for entry in simulator.log] == [Connected, Said, Ended]
            assert simulator.log[-1] == Ended(1, simulator.log[-1].at_s, 1000)

    way.run(main)


@both_ways
@pytest.mark.parametrize(
    ("resource", "status"),
    [
        ("/ws-api?cg-api-key=good", 101),
        ("/ws-api?other=1&cg-api-key=good", 101),
        ("/ws-api?cg-api-key=bad", 401),
        ("/ws-api", 401),
        ("/other?cg-api-key=good", 404),
    ],
)
def test_path_and_key_are_looked_at(way: Way, resource: str, status: int) -> None:
    """The key travels in the query; another path is 404."""

    async def main() -> None:
        async with Simulator(listen=way.listen, keys=["good"]) as simulator:
            client = RawClient(await way.open(simulator))
            head = await client.handshake(resource)
            assert head.startswith(f"HTTP/1.1 {status}")
            if status != 101:
                await client.rest()
                assert simulator.stats.refused == 1
                assert simulator.log == (Refused(1, simulator.log[0].at_s, str(status)),)
            await client.stream.aclose()

    way.run(main)


def test_any_key_will_do_by_default() -> None:
    """Any but none at all."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator:
            assert (await RawClient(await MEMORY.open(simulator)).handshake("/ws-api?cg-api-key=x"))[9:12] == "101"
            assert (await RawClient(await MEMORY.open(simulator)).handshake("/ws-api?cg-api-key="))[9:12] == "401"

    run_mock(main)


def test_a_wrong_key_may_be_refused_with_another_status() -> None:
    async def main() -> None:
        async with Simulator(listen=False, keys=[], on_bad_key=403) as simulator:
            assert (await RawClient(await MEMORY.open(simulator)).handshake())[9:12] == "403"

    run_mock(main)


@pytest.mark.parametrize(("reaction", "notices"), [("notice", 1), ("close", 0)])
def test_a_wrong_key_may_be_told_after_the_handshake(reaction: Literal["notice", "close"], notices: int) -> None:
    """By a text and a close, or by a close alone."""

    async def main() -> None:
        async with Simulator(listen=False, keys=[], on_bad_key=reaction) as simulator:
            client = await MEMORY.connect(simulator)
            for _ in range(notices):
                assert (await client.frame()).text == "invalid api key"
            assert (await client.frame()).close_code == 1008
            await client.answer_close()
            assert simulator.stats.notices == notices

    run_mock(main)


def test_a_wrong_key_may_be_met_with_silence() -> None:
    """Pings are answered, commands are not."""

    async def main() -> None:
        async with Simulator(listen=False, keys=[], on_bad_key="ignore") as simulator:
            client = await MEMORY.connect(simulator)
            await client.command("subscribe", LIQUIDATIONS)
            await client.send("ping")
            assert (await client.frame()).text == "pong"
            assert simulator.stats.commands_ignored == 1
            assert not simulator.stats.subscriptions

    run_mock(main)


@pytest.mark.parametrize("plan", ["hobbyist", "startup"])
def test_a_plan_too_low_gets_a_notice_for_each_channel(plan: Plan) -> None:
    """The handshake succeeds; the text is no JSON and names the channel as the client wrote it."""

    async def main() -> None:
        async with Simulator(listen=False, plan=plan) as simulator:
            client = await MEMORY.connect(simulator)
            await client.command("subscribe", LIQUIDATIONS, TRADES)
            assert (await client.frame()).text == f"{LIQUIDATIONS} need upgrade plan"
            assert (await client.frame()).text == f"{TRADES} need upgrade plan"
            await simulator.send([liquidation(), trade(0, 20_000.0)])
            await client.silence()
            assert simulator.stats.notices == 2
            assert simulator.stats.events_unheard == 2

    run_mock(main)


@pytest.mark.parametrize("plan", ["standard", "professional", "enterprise"])
def test_one_of_two_channels_may_need_an_upgrade(plan: Plan) -> None:
    """The other one works."""

    async def main() -> None:
        async with Simulator(listen=False, plan=plan, need_upgrade=[TRADES]) as simulator:
            client = await MEMORY.connect(simulator)
            await client.command("subscribe", LIQUIDATIONS, TRADES)
            assert (await client.frame()).text == f"{TRADES} need upgrade plan"
            await simulator.send(liquidation(1))
            assert (await client.frame()).events == (liquidation(1),)
            assert simulator.stats.subscriptions == {LIQUIDATIONS: 1}

    run_mock(main)


@pytest.mark.parametrize(
    "message",
    [
        "hello",
        "",
        "[]",
        '{"method":"subscribe"}',
        '{"method":"subscribe","channels":"liquidationOrders"}',
        '{"method":"subscribe","channels":[1]}',
        '{"method":"other","channels":[]}',
        '{"method":"subscribe","channels":[],"more":1}',
        "[" * 10_000,
    ],
)
def test_a_malformed_command_is_met_with_silence(message: str) -> None:
    """Nothing comes, it is counted, and the connection goes on."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator:
            client = await MEMORY.connect(simulator)
            await client.send(message)
            await client.silence()
            assert simulator.stats.commands_ignored == 1
            assert simulator.said() == (message,)
            await client.send("ping")
            assert (await client.frame()).text == "pong"

    run_mock(main)


def test_binary_messages_are_no_commands() -> None:
    async def main() -> None:
        async with Simulator(listen=False) as simulator:
            client = await MEMORY.connect(simulator)
            await client.send(b"ping", BINARY)
            await client.silence()
            assert simulator.stats.commands_ignored == 1
            assert simulator.said() == ("b'ping'",)

    run_mock(main)


def test_unknown_names_are_met_with_silence() -> None:
    """The known ones of the same command count."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator:
            client = await MEMORY.connect(simulator)
            await client.command("subscribe", "nonsense", LIQUIDATIONS)
            await simulator.wait_subscribed(LIQUIDATIONS)
            await client.silence()
            assert simulator.stats.names_ignored == 1
            assert simulator.stats.commands == 1

    run_mock(main)


def test_a_message_too_long_closes_the_connection() -> None:
    """With 1009, as trio-websocket does it."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator:
            client = await MEMORY.connect(simulator)
            data = b"x" * 65_000
            await client.send(data)
            await client.stream.send_all(b"\x01\xfe\xff\xff" + bytes(4) + bytes(65_535))
            await client.stream.send_all(b"\x80\xfe\xff\xff" + bytes(4) + bytes(65_535))
            assert (await client.frame()).close_code == 1009
            await client.answer_close()

    run_mock(main)


def test_text_pings_are_answered_in_order_and_control_pings_too() -> None:
    """Behind the events sent before: a pong vouches for them."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator:
            client = await MEMORY.connect(simulator, LIQUIDATIONS)
            await simulator.send(liquidation(1))
            await client.send("ping")
            await client.send(b"hello", PING)
            assert (await client.frame()).events == (liquidation(1),)
            frames = {await client.frame(), await client.frame()}
            assert {(frame.opcode, frame.text) for frame in frames} == {(1, "pong"), (PONG, "hello")}
            assert (simulator.stats.pings, simulator.stats.pongs) == (1, 1)
            assert simulator.said() == ('{"method":"subscribe","channels":["liquidationOrders"]}',)

    run_mock(main)
