"""The service of the documentation as a real process: FastAPI under uvicorn, on both loops, with real clients."""

import itertools
import json
import math
import os
import re
import signal
import sys
import time
from subprocess import PIPE
from typing import Any

import httpx
import pytest
import trio

from cgrx.testing import Simulator, liquidation
from tests.choosing import one_in
from tests.house import plan
from tests.support import run

APP = ("--app-dir", "docs/examples/cookbook", "fastapi_sse:app", "--port", "0")
LIMIT_S = 5.0
"""From SIGTERM to the end of the process, also on a machine that is busy."""


class Service:
    """The process, and what it writes to standard error."""

    def __init__(self, process: trio.Process) -> None:
        self.process = process
        self.said = ""
        self.ended = trio.Event()
        self._more = trio.Event()

    async def read(self) -> None:
        """Until the process has ended."""
        assert self.process.stderr is not None
        async with self.process.stderr as stream:
            async for data in stream:
                self.said += data.decode()
                self._more.set()
                self._more = trio.Event()
        self.ended.set()

    async def address(self) -> str:
        while not (found := re.search(r"running on (http://\S+)", self.said)):
            await self._more.wait()
        return found[1]


class Client:
    """Takes the events of a response in a thread of its own, and ends with it, or when it has `most`."""

    def __init__(self, most: float = math.inf) -> None:
        self.got: list[float] = []
        self.began = trio.Event()
        self._most = most

    async def listen(self, url: str) -> None:
        await trio.to_thread.run_sync(self._listen, url)

    def _listen(self, url: str) -> None:
        with httpx.stream("GET", url, timeout=LIMIT_S) as response:
            assert response.headers["content-type"].startswith("text/event-stream")
            for line in response.iter_lines():  # raises where the response breaks off
                if line:
                    event: dict[str, Any] = json.loads(line.removeprefix("data: "))
                    self.got.append(event["volume_usd"])
                    trio.from_thread.run_sync(self.began.set)
                if len(self.got) >= self._most:
                    return


async def send(simulator: Simulator) -> None:
    """Liquidations of 1, 2, 3, ... US dollars, for ever."""
    for volume_usd in itertools.count(1):
        await simulator.send(liquidation(volume_usd=float(volume_usd), time=time.time_ns() / 1e9))
        await trio.sleep(0.01)


@pytest.mark.parametrize("loop", one_in(2, ["asyncio", "uvloop"]))
def test_clients_get_events_until_the_service_is_stopped_and_then_a_clean_end(loop: str) -> None:
    """One client may leave in between; SIGTERM in mid-stream ends the others' responses, and then the process."""
    leaves, large, late = Client(most=3), Client(), Client()

    async def main() -> None:
        async with Simulator() as simulator, trio.open_nursery() as outer:
            process = await trio.lowlevel.open_process(
                (sys.executable, "-m", "uvicorn", *APP, "--loop", loop),
                cwd=plan.ROOT,
                env=os.environ | {"COINGLASS_URL": simulator.url, "COINGLASS_API_KEY": "a-key-of-the-tests"},
                stderr=PIPE,
                stdout=PIPE,
            )
            service = Service(process)
            outer.start_soon(service.read)
            url = f"{await service.address()}/liquidations"
            outer.start_soon(send, simulator)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(large.listen, f"{url}?min_volume=5")
                await leaves.listen(url)
                nursery.start_soon(late.listen, url)
                await large.began.wait()
                await late.began.wait()
                process.send_signal(signal.SIGTERM)
                asked_at = time.monotonic()
            # Both responses have ended as complete ones.
            status = await process.wait()
            assert time.monotonic() - asked_at < LIMIT_S
            await simulator.wait_connections(0)
            await service.ended.wait()
            outer.cancel_scope.cancel()
        assert min(large.got) >= 5.0
        for client in (leaves, large, late):
            assert client.got == [client.got[0] + n for n in range(len(client.got))], "each event, once"
        assert status == -signal.SIGTERM  # as uvicorn ends: it lets the signal do what it did before
        lines = service.said.splitlines()
        assert all(line.startswith("INFO:") for line in lines), service.said
        assert lines[-2:] == [
            f"INFO:     {text}"
            for text in ("Application shutdown complete.", f"Finished server process [{process.pid}]")
        ]

    run(main)
