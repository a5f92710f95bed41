"""When scripted faults happen: after a time, after events, to a connection by its number."""

import math

import pytest
import trio
import trio.testing

from cgrx._simulator.faults import ArrivalFault, Binary, Drop, Duplicate, Fault, Garbage, Late, Refuse
from cgrx._simulator.journal import Connected
from cgrx._simulator.simulator import Simulator
from tests.simulator.simulating import (
    BINARY,
    LIQUIDATIONS,
    MEMORY,
    TEXT,
    RawClient,
    Way,
    both_ways,
    happened,
    liquidation,
    send_each,
    with_client,
)
from tests.support import run_mock


def test_after_a_time() -> None:
    """Counted from the script, to the second on the mock clock."""

    async def test(simulator: Simulator, client: RawClient) -> None:
        start = trio.current_time()
        assert (await client.frame()).text == "!"
        assert trio.current_time() - start == 90
        simulator.script([Garbage("?", after=1, connection=1)])
        assert (await client.frame()).text == "?"
        assert trio.current_time() - start == 91

    with_client(test, Garbage("!", after="90s"))


def test_after_events_in_the_order_of_the_script() -> None:
    """Each behind the event that it counted, whatever the order in which they were scripted."""

    async def test(simulator: Simulator, client: RawClient) -> None:
        await send_each(simulator, [liquidation(1), liquidation(2), liquidation(3)])
        said = [(await client.frame()).text for _ in range(6)]
        assert ["event" if text.startswith("{") else text for text in said] == [
            "event", "one", "event", "two", "also two", "event",
        ]  # fmt: skip
        simulator.script([Garbage("later", after_events=1)])
        await simulator.send([liquidation(4), liquidation(5)])
        assert len((await client.frame()).events) == 2
        assert (await client.frame()).text == "later"

    with_client(
        test, Garbage("two", after_events=2), Garbage("one", after_events=1), Garbage("also two", after_events=2)
    )


def test_behind_the_frame_that_the_event_shares() -> None:
    """A fault does not split a frame of several events, with a source as by hand."""

    async def main() -> None:
        events = [liquidation(1)] * 5
        faults = [Garbage("!", after_events=1), Garbage("?", after_events=1, connection=1)]
        async with Simulator(events, listen=False, frame_events=3, faults=faults, start=1, speed=math.inf) as simulator:
            client = await MEMORY.connect(simulator, LIQUIDATIONS)
            assert len((await client.frame()).events) == 3
            # Counted on the connection first, then over all.
            assert [(await client.frame()).text for _ in range(2)] == ["?", "!"]
            assert len((await client.frame()).events) == 2

    run_mock(main)


def test_on_a_connection_by_number() -> None:
    """Counted in the events and from the handshake of that connection; refused ones are counted as arrivals."""
    faults: list[Fault] = [
        Refuse(connection=2),
        Garbage("three", connection=3),
        Drop(connection=1, after_events=2),
        Garbage("late", connection=3, after=7),
    ]

    async def main() -> None:
        async with Simulator(listen=False, faults=faults) as simulator:
            first = await MEMORY.connect(simulator, LIQUIDATIONS)
            with pytest.raises(ConnectionRefusedError):
                await MEMORY.open(simulator)
            await simulator.send(liquidation(1))
            third = await MEMORY.connect(simulator, LIQUIDATIONS)
            await simulator.wait_subscribed(LIQUIDATIONS, 2)
            start = trio.current_time()
            assert (await third.frame()).text == "three"
            await simulator.send(liquidation(2))
            assert await third.events(1) == [liquidation(2)]
            with pytest.raises(trio.BrokenResourceError):
                await first.events(3)
            assert (await third.frame()).text == "late"
            assert trio.current_time() == start + 7
            simulator.script([Garbage("open already", connection=3, after_events=1)])
            await simulator.send(liquidation(3))
            assert await third.events(1) == [liquidation(3)]
            assert (await third.frame()).text == "open already"

    run_mock(main)


def test_to_every_connection_or_the_next() -> None:
    """A fault without a number happens to all that are open; where none is, to the first that comes."""

    async def main() -> None:
        async with Simulator(listen=False, faults=[Garbage("first")]) as simulator:
            one = await MEMORY.connect(simulator)
            assert (await one.frame()).text == "first"
            two = await MEMORY.connect(simulator)
            simulator.script([Garbage("all")])
            assert (await one.frame()).text == (await two.frame()).text == "all"
            await two.silence()

    run_mock(main)


def test_arrival_faults_at_a_moment() -> None:
    """After events or a time; several at once take their turns in the order of the script."""
    faults: list[ArrivalFault] = [
        Refuse(503, connections=1, after_events=1),
        Refuse(502, connections=1, after="10s"),
        Refuse(500, connections=1, after="10s"),
    ]

    async def main() -> None:
        async with Simulator(listen=False, faults=faults) as simulator:
            client = await MEMORY.connect(simulator, LIQUIDATIONS)
            await simulator.send(liquidation(1))
            assert await status(simulator) == 503
            assert await status(simulator) == 101
            await trio.sleep(11)
            assert [await status(simulator) for _ in range(3)] == [502, 500, 101]
            assert await client.events(1) == [liquidation(1)]

    async def status(simulator: Simulator) -> int:
        return int((await RawClient(await MEMORY.open(simulator)).handshake())[9:12])

    run_mock(main)


def test_several_frame_faults_take_a_frame_each() -> None:
    """In the order scripted."""

    async def test(simulator: Simulator, client: RawClient) -> None:
        simulator.script([Binary(), Duplicate()])
        await send_each(simulator, [liquidation(1), liquidation(2), liquidation(3)])
        frames = [await client.frame() for _ in range(4)]
        assert [one.opcode for one in frames] == [BINARY, TEXT, TEXT, TEXT]
        assert [one.events[0].time_ms for one in frames] == [1_000, 2_000, 2_000, 3_000]
        assert happened(simulator) == [(1, Binary()), (1, Duplicate())]

    with_client(test)


def test_a_fault_for_a_connection_that_is_gone_never_happens() -> None:
    """Nor does one whose client left while it waited, whatever it waited for."""

    async def test(simulator: Simulator, client: RawClient) -> None:
        simulator.script([Late(connection=1), Garbage(connection=1, after=5)])
        await simulator.send(liquidation(1))
        await client.stream.aclose()
        await simulator.wait_connections(0)
        simulator.script([Garbage(connection=1)])
        await trio.sleep(10)
        assert happened(simulator) == [(1, Late(connection=1))]

    with_client(test)


@both_ways
def test_fifty_reconnects(way: Way) -> None:
    """Each connection dropped after its event: scripted at once, and nothing is left of the former ones."""
    faults = [Drop(connection=number, after_events=1) for number in range(1, 51)]

    async def main() -> None:
        async with Simulator(listen=way.listen, faults=faults, start="now") as simulator:
            await trio.testing.wait_all_tasks_blocked()
            tasks = trio.lowlevel.current_statistics().tasks_living
            for number in range(50):
                client = await way.connect(simulator, LIQUIDATIONS)
                await simulator.send(liquidation(number))
                with pytest.raises(trio.BrokenResourceError):
                    await client.events(2)
                await client.stream.aclose()
                await simulator.wait_connections(0)
            assert happened(simulator) == list(enumerate(faults, 1))
            assert sum(isinstance(entry, Connected) for entry in simulator.log) == 50
            assert simulator.said() == ('{"method":"subscribe","channels":["liquidationOrders"]}',) * 50
            await trio.testing.wait_all_tasks_blocked()
            assert trio.lowlevel.current_statistics().tasks_living == tasks

    way.run(main)
