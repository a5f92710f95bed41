"""A client that reads too slowly neither grows memory nor, unless asked for, holds up the others."""

import math

import pytest
import trio
import trio.testing

from cgrx._model.events import Event
from cgrx._simulator.frames import frame
from cgrx._simulator.journal import Ended
from cgrx._simulator.pipe import BUFFER_BYTES
from cgrx._simulator.simulator import Simulator
from tests.simulator.simulating import CLOSE, LIQUIDATIONS, MEMORY, RawClient, Way, both_ways, liquidation
from tests.support import run_mock

BOUND = 10_000
MANY = (BUFFER_BYTES + BOUND) // 100
"""More events than fit into the buffer of the pipe and that of the server together."""


def events(count: int) -> list[Event]:
    return [liquidation(number) for number in range(count)]


def test_a_slow_client_is_dropped_and_the_others_go_on() -> None:
    """With its buffer full it gets no close frame through; nothing of its state is left."""

    async def main() -> None:
        async with Simulator(listen=False, buffer_bytes=BOUND, close_timeout="3s") as simulator:
            slow = await MEMORY.connect(simulator, LIQUIDATIONS)
            quick = await MEMORY.connect(simulator, LIQUIDATIONS)
            await simulator.wait_subscribed(LIQUIDATIONS, 2)
            start = trio.current_time()
            for event in events(MANY):
                await simulator.send(event)
                assert await quick.events(1) == [event]
            assert simulator.stats.slow_clients == 1
            assert simulator.stats.events_withheld > 0
            await simulator.wait_connections(1)
            assert trio.current_time() - start == 3
            assert simulator.stats.subscriptions == {LIQUIDATIONS: 1}
            with pytest.raises(trio.BrokenResourceError):
                await slow.events(MANY)

    run_mock(main)


def test_the_close_frame_of_a_slow_client() -> None:
    """Comes with 1013 when the client reads again before the close time-out."""

    async def main() -> None:
        async with Simulator(listen=False, buffer_bytes=BOUND) as simulator:
            client = await MEMORY.connect(simulator, LIQUIDATIONS)
            for event in events(MANY):
                await simulator.send(event)
            assert simulator.stats.slow_clients == 1
            while (last := await client.frame()).opcode != CLOSE:
                pass
            assert (last.close_code, last.payload[2:]) == (1013, b"too slow")
            await client.answer_close()
            await simulator.wait_connections(0)
            assert [entry.code for entry in simulator.log if isinstance(entry, Ended)] == [1013]

    run_mock(main)


def test_a_duplicate_that_does_not_fit_counts_one_slow_client() -> None:
    """Giving a client up happens once."""

    async def main() -> None:
        async with Simulator(listen=False, buffer_bytes=1) as simulator:
            client = await MEMORY.connect(simulator)
            await simulator.send_raw("x")
            await simulator.send_raw("y")
            assert simulator.stats.slow_clients == 1
            assert (await client.frame()).opcode == CLOSE
            await client.answer_close()

    run_mock(main)


def test_blocking_waits_for_the_slowest_client() -> None:
    """The bound is kept to a chunk, and no event is lost to anybody."""

    async def main() -> None:
        everything = events(MANY)
        async with Simulator(everything, listen=False, speed=math.inf, start=2, buffer_bytes=BOUND) as simulator:
            slow = await MEMORY.connect(simulator, LIQUIDATIONS)
            quick = await MEMORY.connect(simulator, LIQUIDATIONS)
            got: list[Event] = []

            async def read() -> None:
                got.extend(await quick.events(MANY))

            async with trio.open_nursery() as nursery:
                nursery.start_soon(read)
                await trio.testing.wait_all_tasks_blocked()
                # The pipe, the write that does not fit into it, the bound, and a chunk above it.
                most = (BUFFER_BYTES + 65_536 + BOUND) // 100 + 256
                assert len(got) < min(most, MANY)
                assert await slow.events(MANY) == everything
            assert got == everything
            assert simulator.stats.slow_clients == 0
            await simulator.wait_finished()

    run_mock(main)


def test_a_blocked_client_that_leaves_blocks_no_more() -> None:
    """The events go on for the others."""

    async def main() -> None:
        everything = events(MANY)
        async with Simulator(everything, listen=False, speed=math.inf, start=2, buffer_bytes=BOUND) as simulator:
            slow = await MEMORY.connect(simulator, LIQUIDATIONS)
            quick = await MEMORY.connect(simulator, LIQUIDATIONS)

            async def leave() -> None:
                await trio.testing.wait_all_tasks_blocked()
                assert not simulator.stats.finished
                await slow.stream.aclose()

            async with trio.open_nursery() as nursery:
                nursery.start_soon(leave)
                assert await quick.events(MANY) == everything
            await simulator.wait_finished()

    run_mock(main)


def test_a_client_that_asks_without_reading_is_not_read() -> None:
    """Where clients block, so do their own answers: what they ask piles up in the stream, not in the server."""

    async def main() -> None:
        async with Simulator(listen=False, overflow="block", buffer_bytes=BOUND) as simulator:
            client = await MEMORY.connect(simulator)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(simulator.send_raw, frame(bytes(2 * BUFFER_BYTES)))
                for _ in range(3):
                    await client.send("ping")
                await trio.testing.wait_all_tasks_blocked()
                assert simulator.stats.pings == 1
                await client.frame()
            assert [(await client.frame()).text for _ in range(3)] == ["pong"] * 3

    run_mock(main)


@both_ways
def test_flushing_waits_for_the_stream_not_for_the_client(way: Way) -> None:
    """What has been written may still be under way; a client that ends is not waited for."""

    async def main() -> None:
        async with Simulator(listen=way.listen) as simulator:
            client = await way.connect(simulator, LIQUIDATIONS)
            await simulator.send(liquidation(1))
            await simulator.flush()
            assert simulator.stats.connections == 1
            await client.stream.aclose()
            await simulator.wait_connections(0)
            await simulator.flush()
            assert simulator.stats.frames == 1

    way.run(main)


def test_flushing_ends_with_the_connection() -> None:
    """It waits while the client does not read, and no longer than the client is there."""
    flushed: list[int] = []

    async def main() -> None:
        async def flush() -> None:
            await simulator.flush()
            flushed.append(simulator.stats.connections)

        async with Simulator(listen=False) as simulator:
            client = await MEMORY.connect(simulator, LIQUIDATIONS)
            await simulator.send_raw(bytes(2 * BUFFER_BYTES))
            async with trio.open_nursery() as nursery:
                nursery.start_soon(flush)
                await trio.testing.wait_all_tasks_blocked()
                assert flushed == []
                await client.stream.aclose()
            assert flushed == [0]

    run_mock(main)


def test_a_client_that_leaves_while_it_is_written_to() -> None:
    """Its writer finds out; the reader too."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator:
            client = RawClient(await MEMORY.open(simulator))
            await client.handshake()
            await simulator.send_raw(bytes(3 * BUFFER_BYTES))
            await trio.testing.wait_all_tasks_blocked()
            await client.stream.aclose()
            await simulator.wait_connections(0)
            assert [entry.code for entry in simulator.log if isinstance(entry, Ended)] == [1006]

    run_mock(main)


def test_nothing_follows_a_close_frame() -> None:
    """The answer to a client's close is the last that it gets, whatever waits."""

    async def main() -> None:
        async with Simulator(listen=False, overflow="block") as simulator:
            client = await MEMORY.connect(simulator, LIQUIDATIONS)
            await simulator.send_raw(bytes(BUFFER_BYTES + 1))
            await trio.testing.wait_all_tasks_blocked()
            await simulator.send(liquidation(1))
            await client.send(b"\x03\xe8", CLOSE)
            await trio.testing.wait_all_tasks_blocked()
            rest = b""
            while not rest.endswith(b"\x88\x02\x03\xe8"):
                rest += await client.stream.receive_some()
            assert b"liquidationOrders" not in rest
            await simulator.wait_connections(0)

    run_mock(main)
