"""What the tests of `cgrx.aio` share: both loops, a server in the same guest, and a look at what is left behind."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import attrs
import pytest
import trio
import uvloop

import cgrx
from cgrx._hosts.on_asyncio import Held
from cgrx._simulator.simulator import Simulator
from cgrx._trio.guest import on_trio
from cgrx.testing import liquidation

T = TypeVar("T")

LIMIT_S = 20.0

both_loops = pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])


def run_asyncio(
    main: Callable[[], Awaitable[T]], loop: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop
) -> T:
    """What main returns; it leaves no task and no guest behind."""

    async def watched() -> T:
        async with asyncio.timeout(LIMIT_S):
            result = await main()
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert not trio.lowlevel.in_trio_run()
        return result

    with asyncio.Runner(loop_factory=loop) as runner:
        return runner.run(watched())


async def until(condition: Callable[[], bool]) -> None:
    """Wait until it holds; the test's limit ends that."""
    while not condition():  # noqa: ASYNC110 - nobody tells of it
        await asyncio.sleep(0.001)


@attrs.frozen
class Served:
    """A server, for tasks of asyncio."""

    simulator: Simulator

    @property
    def access(self) -> dict[str, Any]:
        """What `connect` takes to reach it."""
        return {"url": self.simulator.url, "api_key": "a-key-of-the-tests"}

    async def send(self, *volumes: float, feeds: int = 1) -> None:
        """Send a liquidation of each volume, when so many feeds have subscribed to them."""
        await on_trio(lambda: self.simulator.wait_subscribed(cgrx.LiquidationOrders(), feeds))
        await on_trio(lambda: self.simulator.send([liquidation(volume_usd=each) for each in volumes]))


@asynccontextmanager
async def served(**options: Any) -> AsyncGenerator[Served]:
    """A server for the body."""
    async with Held(lambda: Simulator(**options)) as simulator:
        yield Served(simulator)
