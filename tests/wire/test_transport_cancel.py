"""Cancelled at every await of opening, talking and closing: no task, no stream and no waiting is left behind."""

import gc
import ssl
import weakref

import pytest
import trio
import trio.testing

from cgrx._wire.address import Address
from cgrx._wire.transport import Limits, Transport, open_transport
from tests.support import run, run_mock
from tests.wire.test_transport_tls import secure, trusting
from tests.wire.wires import (
    MEMORY,
    PING,
    TEXT,
    Watched,
    accept_head,
    close_frame,
    frame,
    hold,
    raw_server,
    read_request,
)


async def serve(stream: trio.abc.Stream) -> None:
    """Answer the handshake, then say a little of everything, and close when asked to."""
    try:
        await stream.send_all(accept_head(await read_request(stream)))
        await stream.send_all(frame(TEXT, b"a") * 3 + frame(PING) + frame(TEXT, b"b", fin=False))
        await stream.receive_some()
        await trio.lowlevel.checkpoint()
        await stream.send_all(close_frame())
    except trio.BrokenResourceError:
        return  # the client has hung up
    await hold(stream)


async def talk(transport: Transport, error: Exception | None = None) -> None:
    await transport.receive()
    await transport.send("hello")
    if error is not None:
        raise error


async def cancelled_after(
    ticks: int, address: Address, context: ssl.SSLContext | None, *, plain: bool, fail: bool
) -> bool:
    """Run a connection and cancel it after so many passes of the scheduler; whether it got to its end before."""
    before = trio.lowlevel.current_statistics().tasks_living
    dialled: list[Watched] = []
    server_ended = trio.Event()
    finished = False
    body_error = ZeroDivisionError("the body's own") if fail else None

    async def serve_one(stream: trio.abc.Stream) -> None:
        await (secure(serve) if address.tls else serve)(stream)
        server_ended.set()

    async def dial(_: Address) -> trio.abc.Stream:
        await trio.lowlevel.checkpoint()
        client, server = trio.testing.memory_stream_pair()
        dialled.append(Watched(client))
        nursery.start_soon(serve_one, server)
        return dialled[0]

    async def cancel() -> None:
        for _ in range(ticks):
            await trio.lowlevel.cancel_shielded_checkpoint()
        scope.cancel()

    async with trio.open_nursery() as nursery:
        # Outside the scope, in the nursery: it counts on while the connection is being closed.
        scope = trio.CancelScope()
        nursery.start_soon(cancel)
        with scope:
            try:
                async with open_transport(address, dial=dial, ssl_context=context, plain=plain) as transport:
                    await talk(transport, body_error)
                finished = True
            except (ZeroDivisionError, trio.Cancelled) as error:
                # Plain, never in a group.
                finished = error is body_error
                if not finished:
                    raise
        # At once: nothing here waits for the clock.
        assert all(stream.closed for stream in dialled)
        if dialled:
            await server_ended.wait()
    assert trio.lowlevel.current_statistics().tasks_living == before
    return finished


@pytest.mark.parametrize("fail", [False, True], ids=["body returns", "body raises"])
@pytest.mark.parametrize("tls", [False, True], ids=["tcp", "tls"])
@pytest.mark.parametrize("plain", [False, True], ids=["tap", "plain"])
def test_at_every_checkpoint(*, plain: bool, tls: bool, fail: bool) -> None:
    """One run for each pass of the scheduler, until a run gets to its end."""
    address = Address(MEMORY.host, MEMORY.port, tls=tls, resource=MEMORY.resource)
    context = trusting() if tls else None

    async def main() -> int:
        ticks = in_a_row = 0
        while in_a_row < 3:
            started = trio.current_time()
            finished = await cancelled_after(ticks, address, context, plain=plain, fail=fail)
            assert trio.current_time() == started
            in_a_row = in_a_row + 1 if finished else 0
            ticks += 1
        return ticks

    assert run_mock(main) > 15
    # An SSL or socket object that was left behind would warn now, and a warning is an error.
    gc.collect()


@pytest.mark.parametrize("ticks", range(0, 60, 3))
def test_over_a_socket(ticks: int) -> None:
    """The server sees the end, whenever it came; the socket is closed, not left to the garbage collector."""
    ended = 0

    async def serve_to_the_end(stream: trio.SocketStream) -> None:
        nonlocal ended
        await serve(stream)
        ended += 1

    async def main() -> None:
        connections = 0

        async with raw_server(serve_to_the_end) as port, trio.open_nursery() as nursery:
            scope = trio.CancelScope()

            async def cancel() -> None:
                for _ in range(ticks):
                    await trio.lowlevel.cancel_shielded_checkpoint()
                scope.cancel()

            async def dial(address: Address) -> trio.abc.Stream:
                nonlocal connections
                stream = await trio.open_tcp_stream("127.0.0.1", port)
                connections += 1
                return stream

            nursery.start_soon(cancel)
            with scope:
                async with open_transport(MEMORY, dial=dial, limits=Limits(close_s=1)) as transport:
                    await talk(transport)
            while ended < connections:
                await trio.lowlevel.checkpoint()

    run(main)
    gc.collect()


def test_connections_leave_nothing_behind() -> None:
    """A hundred of them, ended in every way: as many tasks as before, and nothing that holds one of them."""

    async def once(*, fail: bool) -> None:
        async with trio.open_nursery() as nursery:

            async def dial(_: Address) -> trio.abc.Stream:
                await trio.lowlevel.checkpoint()
                client, server = trio.testing.memory_stream_pair()
                nursery.start_soon(serve, server)
                return client

            try:
                async with open_transport(MEMORY, dial=dial) as transport:
                    made.append(weakref.ref(transport))
                    await talk(transport, ZeroDivisionError() if fail else None)
            except ZeroDivisionError:
                pass

    async def main() -> None:
        before = trio.lowlevel.current_statistics().tasks_living
        for i in range(100):
            await once(fail=bool(i % 2))
        assert trio.lowlevel.current_statistics().tasks_living == before

    made: list[weakref.ref[Transport]] = []
    run_mock(main)
    gc.collect()
    assert len(made) == 100
    assert not [transport for reference in made if (transport := reference())]
