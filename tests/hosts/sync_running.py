"""What the tests of `cgrx.sync` share: a server in the thread of trio."""

import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import attrs

import cgrx
from cgrx._hosts.trio_thread import Entered, TrioThread
from cgrx._simulator.simulator import Simulator
from cgrx.testing import liquidation

LIMIT_S = "20s"


@attrs.frozen
class Served:
    """A server in the thread of trio."""

    simulator: Simulator
    thread: TrioThread

    @property
    def access(self) -> dict[str, Any]:
        """What `connect` takes to reach it."""
        return {"url": self.simulator.url, "api_key": "a-key-of-the-tests"}

    def send(self, *volumes: float, feeds: int = 1) -> None:
        """Send a liquidation of each volume, when so many feeds have subscribed to them."""

        async def send() -> None:
            await self.simulator.wait_subscribed(cgrx.LiquidationOrders(), feeds)
            await self.simulator.send([liquidation(volume_usd=each) for each in volumes])

        self.thread.call(send, "sending", LIMIT_S)


@contextmanager
def served(**options: Any) -> Generator[Served]:
    """A server for the body."""
    with Entered(lambda: Simulator(**options), Served) as server:
        yield server


def threads_of_trio() -> list[threading.Thread]:
    """The threads with a trio run of `cgrx.sync` that are alive."""
    return [thread for thread in threading.enumerate() if thread.name == "cgrx"]
