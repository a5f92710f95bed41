"""The server's end of a connection: silent, stalled, drained, reset."""

import pytest
import trio
import trio.testing

from cgrx._simulator.connection import Line
from cgrx._simulator.pipe import pipe
from tests.support import run, run_mock


def test_writers_take_turns() -> None:
    """What one sends is not mixed with what another does, even where the buffer is full in between."""

    async def main() -> None:
        client, server = pipe(4)
        line = Line(server)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(line.send_all, b"a" * 10)
            nursery.start_soon(line.send_all, b"b" * 10)
            await trio.testing.wait_all_tasks_blocked()
            received = b""
            while len(received) < 20:
                received += await client.receive_some()
        assert received in (b"a" * 10 + b"b" * 10, b"b" * 10 + b"a" * 10)

    run_mock(main)


def test_waiting_for_room() -> None:
    """As the stream beneath does."""

    async def main() -> None:
        client, server = pipe(1)
        line = Line(server)
        await line.wait_send_all_might_not_block()
        await line.send_all(b"x")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(line.wait_send_all_might_not_block)
            await trio.testing.wait_all_tasks_blocked()
            assert len(nursery.child_tasks) == 1
            await client.receive_some()

    run_mock(main)


def test_draining_ends_with_the_other_side() -> None:
    """In good order or by a reset."""

    async def main() -> None:
        for end in ("close", "reset"):
            client, server = pipe()
            line = Line(server)
            await client.send_all(b"forgotten")
            async with trio.open_nursery() as nursery:
                nursery.start_soon(line.drain)
                await trio.testing.wait_all_tasks_blocked()
                if end == "close":
                    await client.aclose()
                else:
                    client.reset()
            assert line.ended.is_set()

    run_mock(main)


def test_a_stall_swallows_what_is_being_read() -> None:
    """Nothing more comes, the end included, before the line itself is ended."""

    async def main() -> None:
        client, server = pipe()
        line = Line(server)
        received: list[bytes] = []

        async def read() -> None:
            received.append(await line.receive_some())

        async with trio.open_nursery() as nursery:
            nursery.start_soon(read)
            await trio.testing.wait_all_tasks_blocked()
            line.stalled = True
            await client.send_all(b"unread")
            await client.aclose()
            await trio.testing.wait_all_tasks_blocked()
            assert not line.ended.is_set()
            line.reset()
        assert received == [b""]

    run_mock(main)


def test_resetting_twice_over_tcp() -> None:
    """The second time changes nothing; the first sends a reset."""

    async def main() -> None:
        listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
        client = await trio.testing.open_stream_to_socket_listener(listeners[0])
        line = Line(await listeners[0].accept())
        await listeners[0].aclose()
        line.reset()
        line.reset()
        with pytest.raises(trio.BrokenResourceError):
            await client.receive_some()
        await client.aclose()

    run(main)
