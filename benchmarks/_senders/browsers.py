"""Browsers that look at a board, in a process of their own: what they are sent is read and forgotten.

Who wants some connects to the process, and writes the port of the board and how many: `8764 100`, and a new line. The
answer comes when all of them have been shown something. They look until the connection is closed.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from multiprocessing.connection import Connection

import trio
from trio_websocket import ConnectionClosed, open_websocket

from benchmarks._senders.server import hung_up

HELLO = '{"kind":"hello","version":1}'
READY = b"looking"


@asynccontextmanager
async def looking(process_port: int, board_port: int, count: int) -> AsyncGenerator[None]:
    """So many browsers look at a board while the body runs; asked of the process that listens on `process_port`."""
    async with await trio.open_tcp_stream("127.0.0.1", process_port) as stream:
        await stream.send_all(b"%d %d\n" % (board_port, count))
        assert await stream.receive_some() == READY
        yield


def serve(pipe: Connection) -> None:
    """Run in the process of the browsers."""
    trio.run(_serve, pipe)


async def _serve(pipe: Connection) -> None:
    async with trio.open_nursery() as nursery:
        (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        pipe.send(listener.socket.getsockname()[1])
        nursery.start_soon(trio.serve_listeners, _answer, [listener])
        while not hung_up(pipe):  # noqa: ASYNC110 - a pipe is no event of trio's
            await trio.sleep(0.2)
        nursery.cancel_scope.cancel()


async def _answer(stream: trio.SocketStream) -> None:
    port, count = map(int, (await stream.receive_some()).split())
    left = count
    all_looking = trio.Event()

    async def browse() -> None:
        nonlocal left
        async with open_websocket("127.0.0.1", port, "/live", use_ssl=False) as socket:
            await socket.send_message(HELLO)
            await socket.get_message()
            left -= 1
            if not left:
                all_looking.set()
            try:
                while True:
                    await socket.get_message()
            except ConnectionClosed:
                pass

    async with trio.open_nursery() as nursery:
        for _ in range(count):
            nursery.start_soon(browse)
        if count:
            await all_looking.wait()
        await stream.send_all(READY)
        await stream.receive_some()
        nursery.cancel_scope.cancel()
