"""Every scripted fault of a connection or a frame, as the client sees it."""

from typing import Literal

import pytest
import trio

from cgrx._simulator.faults import (
    Binary,
    Close,
    Drip,
    Drop,
    DropInFrame,
    Duplicate,
    Fragmented,
    Garbage,
    HalfFrame,
    Huge,
    Late,
    NoPong,
    RawBytes,
    Stall,
    WrongTypes,
)
from cgrx._simulator.frames import BAD_EVENTS
from cgrx._simulator.simulator import Simulator
from cgrx._wire.codec import Frame, decode
from tests.simulator.simulating import (
    BINARY,
    CONTINUATION,
    LIQUIDATIONS,
    MEMORY,
    PING,
    TEXT,
    EndOfStreamError,
    RawClient,
    Way,
    both_ways,
    happened,
    liquidation,
    send_each,
    wire,
    with_client,
)
from tests.support import run_mock


@both_ways
@pytest.mark.parametrize("code", [1000, 1001, 1008, 1011, 1012])
def test_close(way: Way, code: int) -> None:
    """A close frame with this code, behind the events sent before; nothing after it."""
    fault = Close(code, "as scripted", after_events=2)

    async def test(simulator: Simulator, client: RawClient) -> None:
        await send_each(simulator, [liquidation(1), liquidation(2), liquidation(3)])
        assert await client.events(2) == [liquidation(1), liquidation(2)]
        close = await client.frame()
        assert (close.close_code, close.payload[2:]) == (code, b"as scripted")
        await client.answer_close()
        await simulator.wait_connections(0)
        assert happened(simulator) == [(1, fault)]
        assert simulator.stats.events_withheld == 1

    with_client(test, fault, way=way)


@both_ways
def test_drop(way: Way) -> None:
    """A reset without a close frame."""

    async def test(simulator: Simulator, client: RawClient) -> None:
        simulator.script([Drop()])
        with pytest.raises(trio.BrokenResourceError):
            await client.frame()
        await simulator.wait_connections(0)

    with_client(test, way=way)


def test_no_pong() -> None:
    """Text pings go unanswered; events and control frames go on."""

    async def test(simulator: Simulator, client: RawClient) -> None:
        await client.send("ping")
        assert (await client.frame()).text == "pong"
        simulator.script([NoPong()])
        await simulator.wait_happened(NoPong)
        await client.send("ping")
        await client.silence()
        await simulator.send(liquidation(1))
        assert await client.events(1) == [liquidation(1)]
        assert (simulator.stats.pings, simulator.stats.pongs) == (2, 1)

    with_client(test)


@both_ways
def test_stall(way: Way) -> None:
    """Nothing comes and nothing is read; the connection stays open until it is reset."""

    async def test(simulator: Simulator, client: RawClient) -> None:
        simulator.script([Stall()])
        await simulator.wait_happened(Stall)
        await client.send("ping")
        await client.send(b"", PING)
        await simulator.send(liquidation(1))
        await client.send("ping")
        await client.silence()
        assert (simulator.stats.pings, simulator.stats.events_withheld, simulator.stats.connections) == (0, 1, 1)
        simulator.script([Drop()])
        with pytest.raises(trio.BrokenResourceError):
            await client.frame()
        await simulator.wait_connections(0)

    with_client(test, way=way)


def test_a_stalled_connection_does_not_hold_up_the_end() -> None:
    """Leaving the simulator ends it; the client sees the stream end."""

    async def main() -> None:
        async with Simulator(listen=False, faults=[Stall(connection=1)]) as simulator:
            client = await RawClient.connect(await MEMORY.open(simulator))
            await simulator.wait_happened(Stall)
        with pytest.raises((EndOfStreamError, trio.BrokenResourceError)):
            await client.frame()

    run_mock(main)


@pytest.mark.parametrize("message", ["{", "<html>", b"\xff\xfe"])
def test_garbage(message: str | bytes) -> None:
    """One text message of it, and the feed goes on."""

    async def test(simulator: Simulator, client: RawClient) -> None:
        simulator.script([Garbage(message)])
        await simulator.send(liquidation(1))
        garbage = await client.frame()
        assert garbage == (TEXT, True, message.encode() if isinstance(message, str) else message)
        assert await client.events(1) == [liquidation(1)]

    with_client(test)


def test_raw_bytes() -> None:
    """Written as they are: here a frame with reserved bits."""

    async def test(simulator: Simulator, client: RawClient) -> None:
        simulator.script([RawBytes()])
        assert await client.stream.receive_some() == b"\xf3\xff\x00garbage"

    with_client(test)


@both_ways
@pytest.mark.parametrize("parts", [1, 4])
def test_huge(way: Way, parts: int) -> None:
    """One message of that size, well-formed and without events, in one frame or several."""

    async def test(simulator: Simulator, client: RawClient) -> None:
        simulator.script([Huge(1_048_577, parts)])
        frames = [await client.frame() for _ in range(parts)]
        assert [one.opcode for one in frames] == [TEXT] + [CONTINUATION] * (parts - 1)
        assert [one.final for one in frames] == [False] * (parts - 1) + [True]
        payload = b"".join(one.payload for one in frames)
        assert len(payload) == 1_048_577
        assert decode(payload) == Frame(LIQUIDATIONS, (), ())

    with_client(test, way=way)


@both_ways
def test_half_frame(way: Way) -> None:
    """Its first half, then silence; commands are still read."""

    async def test(simulator: Simulator, client: RawClient) -> None:
        simulator.script([HalfFrame()])
        await send_each(simulator, [liquidation(1), liquidation(2)])
        await client.send("ping")
        await simulator.wait_for(lambda stats: stats.pings == 1)
        whole = wire(liquidation(1))
        assert await client.stream.receive_some() == whole[: len(whole) // 2]
        await client.silence()
        assert simulator.stats.events_withheld == 1

    with_client(test, way=way)


@both_ways
def test_drop_in_frame(way: Way) -> None:
    """Its first half, then a reset."""

    async def test(simulator: Simulator, client: RawClient) -> None:
        simulator.script([DropInFrame()])
        await simulator.send(liquidation(1))
        with pytest.raises(trio.BrokenResourceError):
            await client.frame()
        await simulator.wait_connections(0)
        assert happened(simulator) == [(1, DropInFrame())]

    with_client(test, way=way)


@both_ways
def test_fragmented(way: Way) -> None:
    """In so many fragments, with a control ping between each two; the next frame is whole again."""

    async def test(simulator: Simulator, client: RawClient) -> None:
        simulator.script([Fragmented(3)])
        await send_each(simulator, [liquidation(1), liquidation(2)])
        frames = [await client.frame() for _ in range(5)]
        assert [one.opcode for one in frames] == [TEXT, PING, CONTINUATION, PING, CONTINUATION]
        assert [one.final for one in frames] == [False, True, False, True, True]
        message = decode(b"".join(one.payload for one in frames if one.opcode != PING))
        assert message == Frame(LIQUIDATIONS, (liquidation(1),), ())
        assert await client.events(1) == [liquidation(2)]

    with_client(test, way=way)


def test_binary() -> None:
    """The same payload as a binary message."""

    async def test(simulator: Simulator, client: RawClient) -> None:
        simulator.script([Binary()])
        await send_each(simulator, [liquidation(1), liquidation(2)])
        first, second = await client.frame(), await client.frame()
        assert (first.opcode, first.events) == (BINARY, (liquidation(1),))
        assert (second.opcode, second.events) == (TEXT, (liquidation(2),))

    with_client(test)


def test_drip() -> None:
    """Byte by byte, with the delay between two; what is behind it waits."""

    async def test(simulator: Simulator, client: RawClient) -> None:
        simulator.script([Drip("100ms")])
        start = trio.current_time()
        await send_each(simulator, [liquidation(1), liquidation(2)])
        whole = wire(liquidation(1))
        for number, byte in enumerate(whole):
            assert await client.stream.receive_some() == bytes((byte,))
            assert trio.current_time() - start == pytest.approx(0.1 * number)
        await simulator.flush()
        assert trio.current_time() - start == pytest.approx(0.1 * len(whole))
        assert await client.events(1) == [liquidation(2)]

    with_client(test)


def test_duplicate() -> None:
    """The same frame twice; it counts once as an event sent."""

    async def test(simulator: Simulator, client: RawClient) -> None:
        simulator.script([Duplicate()])
        await send_each(simulator, [liquidation(1), liquidation(2)])
        assert await client.events(3) == [liquidation(1), liquidation(1), liquidation(2)]
        assert simulator.stats.events == 2

    with_client(test)


def test_late() -> None:
    """Held back; those behind it overtake it."""

    async def test(simulator: Simulator, client: RawClient) -> None:
        simulator.script([Late("5s")])
        start = trio.current_time()
        await send_each(simulator, [liquidation(1), liquidation(2)])
        assert await client.events(1) == [liquidation(2)]
        assert trio.current_time() == start
        assert await client.events(1) == [liquidation(1)]
        assert trio.current_time() == start + 5

    with_client(test)


@pytest.mark.parametrize("generation", [1, 2])
def test_wrong_types(generation: Literal[1, 2]) -> None:
    """So many malformed events around the good ones, each of them malformed to our decoder."""

    async def test(simulator: Simulator, client: RawClient) -> None:
        simulator.script([WrongTypes()])
        await simulator.send([liquidation(1), liquidation(2)])
        message = decode((await client.frame()).payload)
        assert isinstance(message, Frame)
        assert message.events == (liquidation(1), liquidation(2))
        assert len(message.malformed) == BAD_EVENTS

    with_client(test, generation=generation)
