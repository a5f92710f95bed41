"""Batches and bounds: one `Received` a read, no more waiting than allowed, nobody starved, nothing lost."""

import pytest
import trio
import trio.testing

from cgrx._wire.tap import MESSAGE_COST_BYTES, Wire
from cgrx._wire.transport import Limits, TransportStatistics, open_transport
from tests.support import run, run_mock
from tests.wire.wires import (
    MEMORY,
    PING,
    PONG,
    TEXT,
    ScriptedServer,
    Story,
    accept_head,
    close_frame,
    frame,
    hold,
    listen,
    memory_dial,
    raw_server,
    read_request,
)


def test_one_read_is_one_batch() -> None:
    """Whose time is that of the read; what is only begun comes with the read that completes it."""

    async def serve(stream: trio.abc.Stream) -> None:
        await stream.send_all(accept_head(await read_request(stream)))
        await trio.sleep(1)
        await stream.send_all(frame(TEXT, b"a") + frame(TEXT, b"b") + frame(TEXT, b"c")[:2])
        await trio.sleep(1)
        await stream.send_all(frame(TEXT, b"c")[2:])
        await trio.sleep(1)
        await stream.send_all(frame(TEXT, b"d"))
        await hold(stream)

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            started = trio.current_time()
            async with open_transport(MEMORY, dial=memory_dial(serve, nursery), limits=Limits(close_s=1)) as transport:
                await trio.sleep(5)
                received = [await transport.receive() for _ in range(3)]
                assert [(batch.at - started, batch.payloads) for batch in received] == [
                    (1, (b"a", b"b")),
                    (2, (b"c",)),
                    (3, (b"d",)),
                ]

    run_mock(main)


def test_statistics() -> None:
    async def main() -> None:
        data = frame(TEXT, b"abc") * 4
        server = ScriptedServer(data, end="silence")
        async with open_transport(MEMORY, dial=server.dial) as transport:
            await trio.testing.wait_all_tasks_blocked()
            head = len(accept_head(server.sent))
            waiting = 4 * (3 + MESSAGE_COST_BYTES)
            assert transport.statistics() == TransportStatistics(head + len(data), 1, 4, waiting)
            await transport.receive()
            assert transport.statistics() == TransportStatistics(head + len(data), 1, 4, 0)

    run_mock(main)


@pytest.mark.parametrize("size", [0, 1000])
def test_the_socket_is_not_read_while_too_much_waits(size: int) -> None:
    """Not beyond the bound and one read, though messages be empty; control frames read by then have been answered."""
    sent = 0

    async def serve(stream: trio.abc.Stream) -> None:
        nonlocal sent
        await stream.send_all(accept_head(await read_request(stream)))
        for i in range(100):
            await stream.send_all(frame(TEXT, bytes(size)) * 10 + frame(PING, b"%d" % i))
            sent += 1
        await stream.send_all(close_frame())
        pongs = b""
        while len(pongs) < 100 * 7:
            pongs += await stream.receive_some()
        await hold(stream)

    async def main() -> None:
        limits = Limits(buffer_bytes=20 * (size + MESSAGE_COST_BYTES))

        # From the server to the client nothing is held in between: what is not read is not sent.
        async def dial(address: object) -> trio.abc.Stream:
            await trio.lowlevel.checkpoint()
            to_client, from_server = trio.testing.lockstep_stream_one_way_pair()
            to_server, from_client = trio.testing.memory_stream_one_way_pair()
            nursery.start_soon(serve, trio.StapledStream(to_client, from_client))
            return trio.StapledStream(to_server, from_server)

        async with trio.open_nursery() as nursery:
            async with open_transport(MEMORY, dial=dial, limits=limits) as transport:
                await trio.testing.wait_all_tasks_blocked()
                assert sent == 2
                assert transport.statistics().buffered_bytes == limits.buffer_bytes
                await transport.receive()
                await trio.testing.wait_all_tasks_blocked()
                assert sent == 3
                story = await listen(transport)
            nursery.cancel_scope.cancel()
        assert (len(story.messages), story.code, sent) == (990, 1000, 100)

    run_mock(main)


def test_closing_while_the_buffer_is_full() -> None:
    """What waits is dropped, so that the server's close frame behind it is read."""

    async def main() -> None:
        data = frame(TEXT, b"x" * 100)
        head = 129
        server = ScriptedServer(data * 3 + close_frame(), [head, head + 102, head + 204], end="silence")
        started = trio.current_time()
        async with open_transport(MEMORY, dial=server.dial, limits=Limits(buffer_bytes=150)) as transport:
            await trio.testing.wait_all_tasks_blocked()
            assert transport.statistics().reads == 2
        assert trio.current_time() == started
        assert transport.statistics().buffered_bytes == 0

    run_mock(main)


def test_ending_while_the_buffer_is_full() -> None:
    """A send that fails ends the reader's wait for room; what waits is still delivered."""

    async def main() -> None:
        server = ScriptedServer(frame(TEXT, b"x" * 100) * 3, end="silence")
        async with open_transport(MEMORY, dial=server.dial, limits=Limits(buffer_bytes=150)) as transport:
            await trio.testing.wait_all_tasks_blocked()
            server.closed = True
            with pytest.raises(Exception, match="1006"):
                await transport.send("x")
            assert await listen(transport) == Story([b"x" * 100] * 3, 1006, "a send failed")

    run_mock(main)


def test_a_flood_starves_nobody() -> None:
    """While messages pour in and are received as fast as they come, another task keeps its turn."""

    async def serve(stream: trio.SocketStream) -> None:
        await stream.send_all(accept_head(await read_request(stream)))
        try:
            while True:
                await stream.send_all(frame(TEXT, bytes(200)) * 1000)
        except trio.BrokenResourceError:
            pass

    async def main() -> None:
        turns = messages = 0

        async def count() -> None:
            nonlocal turns
            while True:
                await trio.lowlevel.checkpoint()
                turns += 1

        async with raw_server(serve) as port, trio.open_nursery() as nursery:
            address = MEMORY.__class__("127.0.0.1", port, tls=False, resource="/")
            async with open_transport(address, limits=Limits(close_s=0.1)) as transport:
                nursery.start_soon(count)
                while messages < 50_000:
                    messages += len((await transport.receive()).payloads)
                assert turns > 100
                nursery.cancel_scope.cancel()

    run(main)


def test_a_cancelled_receive_loses_nothing() -> None:
    async def main() -> None:
        server = ScriptedServer(frame(TEXT, b"a"), end="silence")
        async with open_transport(MEMORY, dial=server.dial) as transport:
            await trio.testing.wait_all_tasks_blocked()
            with trio.CancelScope() as scope:
                scope.cancel()
                await transport.receive()
            assert scope.cancelled_caught
            assert (await transport.receive()).payloads == (b"a",)
            with trio.move_on_after(1) as scope:
                await transport.receive()
            assert scope.cancelled_caught

    run_mock(main)


@pytest.mark.parametrize("name", ["connect_s", "handshake_s", "close_s", "send_s", "message_bytes", "buffer_bytes"])
def test_limits_are_above_zero(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        Limits(**{name: 0})


def test_the_wire_can_be_asked_for_room() -> None:
    """The rest of trio's stream interface, which trio-websocket does not use."""

    async def main() -> None:
        client, server = trio.testing.lockstep_stream_pair()
        wire = Wire(client, Limits(), tapped=True)
        with trio.move_on_after(1) as scope:
            await wire.wait_send_all_might_not_block()
        assert scope.cancelled_caught
        async with trio.open_nursery() as nursery:
            nursery.start_soon(server.receive_some)
            await wire.wait_send_all_might_not_block()
            await wire.aclose()
        await wire.aclose()

    run_mock(main)


def test_pongs_are_counted_nowhere() -> None:
    """A control frame is no message."""

    async def main() -> None:
        server = ScriptedServer(frame(PONG) * 3, end="silence")
        async with open_transport(MEMORY, dial=server.dial) as transport:
            await trio.testing.wait_all_tasks_blocked()
            assert transport.statistics().messages_received == 0

    run_mock(main)
