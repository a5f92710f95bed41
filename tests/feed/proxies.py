"""Proxies on loopback: a real one in a process of its own, and a small one that leads where a test wants."""

import ssl
import subprocess
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial

import attrs
import pytest
import trio

from cgrx._simulator.simulator import Simulator

PPROXY = """
import asyncio, pproxy, sys
async def main():
    server = await pproxy.Server(sys.argv[1]).start_server({"rserver": []})
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
asyncio.run(main())
"""
"""pproxy as a program that prints its port and ends with its standard input."""


@asynccontextmanager
async def pproxy(protocol: str, user: str = "") -> AsyncGenerator[int, None]:
    """A real proxy in a process of its own; gives its port."""
    command = [sys.executable, "-c", PPROXY, f"{protocol}://127.0.0.1:0" + (f"#{user}" if user else "")]
    process = await trio.lowlevel.open_process(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        async with process.stdout:
            yield int(await process.stdout.receive_some())
    finally:
        process.kill()
        with trio.CancelScope(shield=True):
            await process.stdin.aclose()
            await process.wait()


TLS_HANDSHAKE = 22
"""The first byte of a client that begins with TLS."""


@attrs.define
class OneTarget:
    """An HTTP proxy that leads every tunnel to one port, whatever the client asks for."""

    port: int
    tls: ssl.SSLContext | None = None
    asked: list[str] = attrs.field(factory=list[str])
    """The request lines."""

    async def serve(self, stream: trio.abc.Stream) -> None:
        if self.tls is not None:
            stream = trio.SSLStream(stream, self.tls, server_side=True, https_compatible=True)
        with suppress(trio.BrokenResourceError):
            async with stream:
                await self._lead(stream)

    async def _lead(self, stream: trio.abc.Stream) -> None:
        request = b""
        while b"\r\n\r\n" not in request:
            data = await stream.receive_some()
            if not data or (not request and data[0] == TLS_HANDSHAKE):
                return
            request += data
        self.asked.append(request.partition(b"\r\n")[0].decode())
        async with await trio.open_tcp_stream("127.0.0.1", self.port) as server:
            await stream.send_all(b"HTTP/1.1 200 OK\r\n\r\n")
            async with trio.open_nursery() as nursery:
                nursery.start_soon(relay, stream, server, nursery.cancel_scope)
                nursery.start_soon(relay, server, stream, nursery.cancel_scope)


async def relay(source: trio.abc.Stream, target: trio.abc.Stream, both: trio.CancelScope) -> None:
    with suppress(trio.BrokenResourceError):
        while data := await source.receive_some():
            await target.send_all(data)
    both.cancel()


@asynccontextmanager
async def listening(serve: Callable[[trio.SocketStream], Awaitable[None]]) -> AsyncGenerator[int, None]:
    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(partial(trio.serve_tcp, serve, 0, host="127.0.0.1"))
        yield listeners[0].socket.getsockname()[1]
        nursery.cancel_scope.cancel()


def port_of(simulator: Simulator) -> int:
    return int(simulator.url.rpartition(":")[2].partition("/")[0])


def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget the proxies of the environment in which the tests run."""
    for scheme in ("http", "https", "all", "no"):
        monkeypatch.delenv(f"{scheme}_proxy", raising=False)
        monkeypatch.delenv(f"{scheme.upper()}_PROXY", raising=False)
