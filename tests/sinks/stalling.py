"""A TCP proxy that can stop carrying bytes, as a network does whose cable is pulled."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import trio


class Stalling:
    """Carries connections to a port. While it is stalled, it takes connections and bytes, and nothing goes on."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._flowing = trio.Event()
        self._flowing.set()
        self.port = 0

    def stall(self) -> None:
        self._flowing = trio.Event()

    def go_on(self) -> None:
        self._flowing.set()

    async def serve(self, stream: trio.SocketStream) -> None:
        await self._flowing.wait()
        async with (
            stream,
            await trio.open_tcp_stream("127.0.0.1", self._target) as behind,
            trio.open_nursery() as nursery,
        ):
            nursery.start_soon(self._carry, stream, behind, nursery.cancel_scope)
            nursery.start_soon(self._carry, behind, stream, nursery.cancel_scope)

    async def _carry(self, source: trio.SocketStream, target: trio.SocketStream, scope: trio.CancelScope) -> None:
        try:
            async for data in source:
                await self._flowing.wait()
                await target.send_all(data)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass
        scope.cancel()


@asynccontextmanager
async def stalling(target: int) -> AsyncGenerator[Stalling]:
    """A proxy in front of a port of this machine."""
    proxy = Stalling(target)
    async with trio.open_nursery() as nursery:
        (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        proxy.port = int(listener.socket.getsockname()[1])
        nursery.start_soon(trio.serve_listeners, proxy.serve, [listener])
        yield proxy
        nursery.cancel_scope.cancel()
